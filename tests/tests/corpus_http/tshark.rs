//! Messages against tshark's events.

use std::collections::{BTreeMap, BTreeSet};

use flowcell_tests::corpus::{Capture, Corpus, Ends, text, told};
use flowcell_tests::pairs::{Pair, pairs};
use flowcell_tests::talk::{Event, Record};
use flowcell_tests::tally::{Outcome, Tally};
use serde_json::Value;

use crate::{TRANSACTION, reference, rules};

const MISSED: &str = "tshark does not find it; the reference does";
const HOLE: &str = "tshark finds no message in the segments behind a hole";
const FIRST: &str = "tshark's events have the first of several fields of a name";
const SPACE: &str = "tshark ends a target at its first space";
const OVERFLOW: &str = "tshark takes what follows a chunk size beyond 64 bits for content";

#[test]
fn messages_agree_with_tshark() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let mut theirs = corpus.events(&capture, &["http"]);
        if theirs.is_empty() {
            continue;
        }
        let mut ours = told(&capture, TRANSACTION);
        let mut reference = start_lines(&corpus, &capture);
        let torn = corpus.torn(&capture);
        let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
        for key in keys {
            let mut conversation = Conversation {
                name: &capture.name,
                ours: &ours.remove(&key).unwrap_or_default(),
                theirs: &theirs.remove(&key).unwrap_or_default(),
                reference: reference.remove(&key).unwrap_or_default(),
                torn: torn.contains(&key),
            };
            conversation.requests(&mut tally);
            conversation.responses(&mut tally);
        }
    }
    tally.check(rules::KNOWN);
}

/// The start lines that the reference has, by endpoints.
fn start_lines(corpus: &Corpus, capture: &Capture) -> BTreeMap<Ends, Vec<String>> {
    let mut lines: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for flow in reference::flows(corpus, capture) {
        let messages = ["requests", "responses"].map(|side| flow[side].as_array());
        let found = messages.into_iter().flatten().flatten();
        let found = found.map(|message| text(message, "/start_line").to_owned());
        lines.entry(reference::key(&flow)).or_default().extend(found);
    }
    lines
}

struct Conversation<'a> {
    name: &'a str,
    ours: &'a [Record],
    theirs: &'a [Event],
    reference: Vec<String>,
    torn: bool,
}

impl Conversation<'_> {
    fn requests(&mut self, tally: &mut Tally) {
        let name = self.name;
        let ours: Vec<_> = self.ours.iter().filter(|told| told.text("method").is_some()).collect();
        let theirs: Vec<_> = self.theirs.iter().filter(|event| event.is("request")).collect();
        let same = |ours: &&Record, theirs: &&Event| {
            ours.text("method") == theirs.text("method")
                && is_length(ours, "request_content_length", theirs)
                && !matches!(target(ours, theirs), Outcome::Wrong(_))
        };
        let mut overflow = false;
        for pair in pairs(&ours, &theirs, same) {
            let (ours, theirs) = match pair {
                Pair::Both(ours, theirs) => (*ours, *theirs),
                Pair::Ours(ours) => {
                    let outcome = self.only_ours(&request_line(ours));
                    let outcome = if overflow { outcome.or(OVERFLOW) } else { outcome };
                    tally.add(name, "requests", outcome);
                    continue;
                }
                Pair::Theirs(theirs) => {
                    tally.add(
                        name,
                        "requests",
                        Outcome::Wrong(format!("only theirs: {}", theirs.data)),
                    );
                    continue;
                }
            };
            overflow = ours.texts("request_anomalies").contains(&"chunk_size_overflow");
            tally.add(name, "requests", Outcome::Agree);
            tally.add(name, "uri", target(ours, theirs));
            let version = ours.text("request_version").map(|version| format!("HTTP/{version}"));
            let outcome = rules::version(version.as_deref(), theirs.text("version"));
            let spaced = matches!(target(ours, theirs), Outcome::Explained(SPACE));
            tally.add(name, "request version", if spaced { outcome.or(SPACE) } else { outcome });
            for (field, raw) in [
                ("host", "host"),
                ("user_agent", "user_agent"),
                ("request_content_type", "content_type"),
            ] {
                tally.add(name, field, field_of(ours, field, theirs, raw));
            }
        }
    }

    fn responses(&mut self, tally: &mut Tally) {
        let name = self.name;
        let ours: Vec<_> = self.ours.iter().filter(|told| rules::has_response(told)).collect();
        let theirs: Vec<_> = self.theirs.iter().filter(|event| is_final(event)).collect();
        let same = |ours: &&Record, theirs: &&Event| {
            status(ours) == theirs.text("status").unwrap_or_default()
                && is_length(ours, "response_content_length", theirs)
                && ours.text("response_content_type") == theirs.text("content_type")
        };
        for pair in pairs(&ours, &theirs, same) {
            let (ours, theirs) = match pair {
                Pair::Both(ours, theirs) => (*ours, *theirs),
                Pair::Ours(ours) => {
                    tally.add(name, "responses", self.only_ours(&status_line(ours)));
                    continue;
                }
                Pair::Theirs(theirs) => {
                    tally.add(
                        name,
                        "responses",
                        Outcome::Wrong(format!("only theirs: {}", theirs.data)),
                    );
                    continue;
                }
            };
            tally.add(name, "responses", Outcome::Agree);
            let version = ours.text("version").map(|version| format!("HTTP/{version}"));
            tally.add(name, "version", Outcome::of(&version.as_deref(), &theirs.text("version")));
            for (field, raw) in [
                ("status_msg", "phrase"),
                ("server", "server"),
                ("location", "location"),
                ("response_content_encoding", "content_encoding"),
                ("response_transfer_encoding", "transfer_encoding"),
            ] {
                tally.add(name, field, field_of(ours, field, theirs, raw));
            }
        }
    }

    /// What only we have: the reference may have it as well, which it then has once less.
    fn only_ours(&mut self, start_line: &str) -> Outcome {
        let outcome = Outcome::Wrong(format!("only ours: {start_line:?}"));
        match self.reference.iter().position(|line| line.trim_end() == start_line.trim_end()) {
            Some(index) => {
                self.reference.remove(index);
                outcome.or(MISSED)
            }
            None if self.torn => outcome.or(HOLE),
            None => outcome,
        }
    }
}

fn is_final(event: &Event) -> bool {
    let status = event.text("status").filter(|_| event.is("response"));
    status.is_some_and(|status| !status.starts_with('1') || status == "101")
}

fn status(ours: &Record) -> String {
    ours.number("status_code").map(|status| status.to_string()).unwrap_or_default()
}

fn request_line(ours: &Record) -> String {
    let field = |name| ours.text(name).unwrap_or_default();
    let line = [field("method"), field("uri")].join(" ");
    match field("request_version") {
        "0.9" => line,
        version => format!("{line} HTTP/{version}"),
    }
}

fn status_line(ours: &Record) -> String {
    let field = |name| ours.text(name).unwrap_or_default();
    format!("HTTP/{} {} {}", field("version"), status(ours), field("status_msg"))
}

fn is_length(ours: &Record, field: &str, theirs: &Event) -> bool {
    let length = &ours.data[field];
    let length = if length.is_null() { None } else { Some(Value::to_string(length)) };
    length.as_deref() == theirs.text("content_length")
}

fn target(ours: &Record, theirs: &Event) -> Outcome {
    let (ours, theirs) = (ours.text("uri"), theirs.text("uri"));
    let outcome = rules::target(ours, theirs);
    if ours.and_then(|ours| ours.split_once(' ')).map(|(start, _)| start) == theirs {
        outcome.or(SPACE)
    } else {
        outcome
    }
}

/// Compares a header field: where there are several, ours are joined.
fn field_of(ours: &Record, field: &str, theirs: &Event, raw: &str) -> Outcome {
    let (ours, theirs) = (ours.text(field), theirs.text(raw));
    let outcome = Outcome::of(&ours, &theirs);
    let first = ours.zip(theirs).and_then(|(ours, theirs)| ours.strip_prefix(theirs));
    if first.is_some_and(|rest| rest.starts_with(',')) { outcome.or(FIRST) } else { outcome }
}
