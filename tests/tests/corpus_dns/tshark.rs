//! Messages against tshark's events.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use flowcell_tests::corpus::{Corpus, told};
use flowcell_tests::talk::{Event, Record};
use flowcell_tests::tally::{Outcome, Tally};
use serde_json::Value;

use crate::entries::{self, Entry};
use crate::{TRANSACTION, TSHARK, rules};

const REPEATED: &str = "of queries that were repeated, the first is shown";
const STOPPED: &str = "tshark stops at a record whose data it can not read";
const CUT: &str = "the message is damaged: what stands before the damage is shown";
const DAMAGED: &str = "a message is damaged: of a question, what the other one has is shown";

#[test]
fn messages_agree_with_tshark() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let mut theirs = corpus.events(&capture, &TSHARK);
        if theirs.is_empty() {
            continue;
        }
        let mut ours = told(&capture, TRANSACTION);
        let torn = corpus.torn(&capture);
        let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
        for key in keys {
            let ours = ours.remove(&key).unwrap_or_default();
            let theirs = theirs.remove(&key).unwrap_or_default();
            compare(&mut tally, &capture.name, (&ours, torn.contains(&key)), &theirs);
        }
    }
    tally.check(&[]);
}

/// A message of ours, and how often it was sent.
struct Message<'a> {
    told: &'a Record,
    reply: bool,
    times: u64,
}

/// Messages of a flow are found by what they are about: their order in time is not that of records.
fn compare(tally: &mut Tally, name: &str, (ours, torn): (&[Record], bool), theirs: &[Event]) {
    let mut messages: Vec<Message<'_>> = Vec::new();
    for told in ours {
        if told.number("query_len").is_some() {
            let times = told.number("retries").unwrap_or(0) + 1;
            messages.push(Message { told, reply: false, times });
        }
        if told.number("reply_len").is_some() {
            messages.push(Message { told, reply: true, times: 1 });
        }
    }
    // What is about the same name goes first; what is damaged may be about another.
    let (mut left, mut rest) = (theirs.iter().collect::<Vec<_>>(), Vec::new());
    for by_name in [true, false] {
        for event in left.drain(..) {
            let alike = messages.iter_mut().filter(|message| {
                message.times > 0 && message.is_like(event) && (!by_name || message.is_about(event))
            });
            let Some(message) = alike.min_by_key(|message| Reverse(likeness(message.told, event)))
            else {
                rest.push(event);
                continue;
            };
            message.times -= 1;
            tally.add(name, "messages", Outcome::Agree);
            question(tally, name, message.told, event);
            if message.reply || message.told.number("reply_len").is_none() {
                header(tally, name, message.told, event);
                sections(tally, name, message.told, event);
            }
        }
        left = std::mem::take(&mut rest);
    }
    for event in left {
        let outcome = Outcome::Wrong(format!("only theirs: {}", event.data));
        tally.add(name, "messages", rules::only_theirs(outcome, event, ours, torn));
    }
    for message in messages.iter().filter(|message| message.times > 0) {
        let how = format!("only ours: reply {}: {}", message.reply, message.told.data);
        tally.add(name, "messages", Outcome::Wrong(how));
    }
}

impl Message<'_> {
    fn is_like(&self, event: &Event) -> bool {
        self.reply == (event.data["qr"] == 1)
            && self.told.number("trans_id") == event.text("id").and_then(entries::number)
    }

    fn is_about(&self, event: &Event) -> bool {
        let theirs = event.data["queries"][0]["name"].as_str().map(entries::name);
        self.told.text("query").map(entries::unescaped) == theirs
    }
}

/// How much of the header and the question is the same: damaged captures have several of an id.
fn likeness(ours: &Record, theirs: &Event) -> u64 {
    let mut tally = Tally::default();
    question(&mut tally, "", ours, theirs);
    header(&mut tally, "", ours, theirs);
    tally.agreed()
}

fn question(tally: &mut Tally, name: &str, ours: &Record, theirs: &Event) {
    let question = &theirs.data["queries"][0];
    // What is malformed is not shown from there on.
    if question.is_null() || ours.number("qtype").is_none() && ours.text("malformed").is_some() {
        return;
    }
    let names =
        (ours.text("query").map(entries::unescaped), question["name"].as_str().map(entries::name));
    tally.add(name, "query", repeated(ours, Outcome::of(&names.0, &names.1)));
    let theirs_type = question["type"].as_str().and_then(|number| number.parse().ok());
    tally.add(name, "qtype", repeated(ours, Outcome::of(&ours.number("qtype"), &theirs_type)));
    let class = question["cls"].as_str().and_then(entries::number);
    tally.add(name, "qclass", repeated(ours, Outcome::of(&ours.number("qclass"), &class)));
}

/// A query that was repeated is compared with all of its copies.
fn repeated(ours: &Record, outcome: Outcome) -> Outcome {
    if ours.number("retries") > Some(0) {
        outcome.or(REPEATED)
    } else if ours.text("malformed").is_some() {
        outcome.or(DAMAGED)
    } else {
        outcome
    }
}

fn header(tally: &mut Tally, name: &str, ours: &Record, theirs: &Event) {
    for field in ["aa", "tc", "rd", "ra"] {
        // It does not tell of bits that mean nothing in a query.
        if let Some(bit) = theirs.text(field) {
            tally.add(name, field, repeated(ours, Outcome::of(&ours.is(field), &(bit == "1"))));
        }
    }
    let number = |field| theirs.text(field).and_then(|number| number.parse().ok());
    tally.add(
        name,
        "opcode",
        repeated(ours, Outcome::of(&ours.number("opcode"), &number("opcode"))),
    );
    // EDNS has further bits, of which tshark tells elsewhere.
    let rcode = ours.number("rcode").map(|rcode| rcode & 15);
    tally.add(name, "rcode", repeated(ours, Outcome::of(&rcode, &number("rcode"))));
    let counts = ["num_queries", "num_answers", "num_auth", "num_addl"].map(|field| {
        let count = ours.number(field);
        count.map(|count| count.to_string()).unwrap_or_default()
    });
    // It has no more of them than the message.
    let theirs = theirs.data["counts"].as_array().into_iter().flatten();
    let theirs: Vec<_> = theirs.filter_map(Value::as_str).collect();
    let counts: Vec<_> = counts.iter().map(String::as_str).take(theirs.len()).collect();
    tally.add(name, "counts", repeated(ours, Outcome::of(&counts, &theirs)));
}

fn sections(tally: &mut Tally, name: &str, ours: &Record, theirs: &Event) {
    let names = ours.texts("answer_names");
    let question = ours.text("query").unwrap_or_default();
    let ttls = ours.data["ttls"].as_array().cloned().unwrap_or_default();
    let answers = ours.texts("answers").into_iter().zip(ours.texts("answer_types")).zip(ttls);
    let answers = answers.enumerate().map(|(index, ((data, kind), ttl))| {
        let name = names.get(index).copied().unwrap_or(question);
        Entry::of_answer(name, ttl.to_string(), kind, data)
    });
    section(tally, name, "answers", (ours, answers.collect()), theirs);
    for (field, raw) in [("auth", "authority"), ("addl", "additional")] {
        let lines = ours.texts(field).into_iter().map(Entry::of_line).collect();
        section(tally, name, raw, (ours, lines), theirs);
    }
}

fn section(
    tally: &mut Tally,
    name: &str,
    field: &'static str,
    (told, ours): (&Record, Vec<Entry>),
    theirs: &Event,
) {
    let theirs = theirs.data[field].as_array().into_iter().flatten();
    let theirs: Vec<_> =
        theirs.filter(|entry| entry["type"] != "41").map(Entry::of_tshark).collect();
    let damaged = told.text("malformed").is_some() || told.is("incomplete");
    let explained = |outcome: Outcome| if damaged { outcome.or(CUT) } else { outcome };
    let outcome = explained(Outcome::of(&ours.len(), &theirs.len()));
    let stopped =
        theirs.last().is_some_and(|last| last.words.is_empty()) && theirs.len() < ours.len();
    tally.add(name, field, if stopped { outcome.or(STOPPED) } else { outcome });
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let head = |entry: &Entry| {
            (entry.name.to_ascii_lowercase(), entry.ttl.clone(), entry.kind.clone())
        };
        tally.add(name, "name, ttl, type", explained(Outcome::of(&head(ours), &head(theirs))));
        let same = ours.has_data_of(theirs);
        let outcome = if same { Outcome::Agree } else { Outcome::of(&ours.words, &theirs.words) };
        tally.add(name, "data", explained(outcome));
    }
}
