//! Messages against `<name>.ref.json`, a reading of the streams by other means.

use flowcell_tests::corpus::{Capture, Corpus, Ends, ends, number, socket, text, told};
use flowcell_tests::pairs::{Pair, pairs};
use flowcell_tests::talk::Record;
use flowcell_tests::tally::{Outcome, Tally};
use serde_json::Value;

use crate::{TRANSACTION, rules};

const STOPPED: &str = "the reference stops at gaps and at what it can not read";
const PART: &str = "the content is not all there";
const HEAD: &str = "of a response to HEAD whose request is not in the capture, the reference takes \
                    the next response for the content";
const REPLY_FIRST: &str = "the reference takes the first response for that to the first request, though the \
                           capture begins with a response";

#[test]
fn messages_agree_with_the_reference() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let flows = flows(&corpus, &capture);
        if flows.is_empty() {
            continue;
        }
        let mut ours = told(&capture, TRANSACTION);
        let torn = corpus.torn(&capture);
        for flow in &flows {
            let key = key(flow);
            // Ports that were used again: a later connection has what the earlier ones left.
            let ours = ours.entry(key).or_default();
            let rest = ours.split_off(taken(ours));
            let stopped = flow["stop"].is_string() || torn.contains(&key);
            requests(&mut tally, &capture.name, flow, (ours, stopped));
            responses(&mut tally, &capture.name, flow, (ours, stopped));
            *ours = rest;
        }
    }
    tally.check(rules::KNOWN);
}

/// The flows of HTTP that the reference has read.
pub(crate) fn flows(corpus: &Corpus, capture: &Capture) -> Vec<Value> {
    let reference = corpus.json(&format!("captures/{}.ref.json", capture.name)).unwrap_or_default();
    reference["http"].as_array().cloned().unwrap_or_default()
}

/// The endpoints of a flow of the reference.
pub(crate) fn key(flow: &Value) -> Ends {
    ends([socket(text(flow, "/client")), socket(text(flow, "/server"))])
}

/// How many of our records are of the flow: all of the first connection that has any.
fn taken(ours: &[Record]) -> usize {
    let Some(first) = ours.first() else { return 0 };
    ours.iter().take_while(|told| told.uid == first.uid).count()
}

fn list<'a>(flow: &'a Value, field: &str) -> Vec<&'a Value> {
    flow[field].as_array().into_iter().flatten().collect()
}

/// What only we have: nothing is wrong where the reference had given up.
fn only_ours(stopped: bool, what: &str) -> Outcome {
    let outcome = Outcome::Wrong(format!("only ours: {what}"));
    if stopped { outcome.or(STOPPED) } else { outcome }
}

fn requests(tally: &mut Tally, name: &str, flow: &Value, (ours, stopped): (&[Record], bool)) {
    let ours: Vec<_> = ours.iter().filter(|told| told.text("method").is_some()).collect();
    let theirs = list(flow, "requests");
    let same = |ours: &&Record, theirs: &&Value| {
        ours.text("method") == theirs["method"].as_str()
            && !matches!(rules::target(ours.text("uri"), theirs["uri"].as_str()), Outcome::Wrong(_))
    };
    for pair in pairs(&ours, &theirs, same) {
        let (ours, theirs) = match pair {
            Pair::Both(ours, theirs) => (*ours, *theirs),
            Pair::Ours(ours) => {
                let what =
                    format!("{:?} {:?} of {}", ours.text("method"), ours.text("uri"), ours.ends[0]);
                tally.add(name, "requests", only_ours(stopped, &what));
                continue;
            }
            Pair::Theirs(theirs) => {
                let what = format!("only theirs: {} of {}", theirs["start_line"], flow["client"]);
                tally.add(name, "requests", Outcome::Wrong(what));
                continue;
            }
        };
        tally.add(name, "requests", Outcome::Agree);
        let version = ours.text("request_version").map(|version| format!("HTTP/{version}"));
        tally.add(
            name,
            "request version",
            Outcome::of(&version.as_deref(), &theirs["version"].as_str()),
        );
        for (field, raw) in [("host", "host"), ("request_content_type", "content_type")] {
            tally.add(name, field, Outcome::of(&ours.text(field), &theirs[raw].as_str()));
        }
        body(tally, name, ours, theirs, ["request_body_len", "request_sha256"]);
    }
}

fn responses(tally: &mut Tally, name: &str, flow: &Value, (ours, stopped): (&[Record], bool)) {
    let all_ours: Vec<_> = ours.iter().filter(|told| rules::has_response(told)).collect();
    let all = list(flow, "responses");
    let is_final = |theirs: &&Value| {
        let status = number(theirs, "/status");
        status == 101 || status >= 200
    };
    let theirs: Vec<_> = all.iter().copied().filter(is_final).collect();
    let same = |ours: &&Record, theirs: &&Value| ours.data["status_code"] == theirs["status"];
    for pair in pairs(&all_ours, &theirs, same) {
        let (ours, theirs) = match pair {
            Pair::Both(ours, theirs) => (*ours, *theirs),
            Pair::Ours(ours) => {
                let what = format!("{} to {}", ours.data["status_code"], ours.ends[0]);
                tally.add(name, "responses", only_ours(stopped, &what));
                continue;
            }
            Pair::Theirs(theirs) => {
                let what = format!("only theirs: {} to {}", theirs["start_line"], flow["client"]);
                tally.add(name, "responses", Outcome::Wrong(what));
                continue;
            }
        };
        tally.add(name, "responses", Outcome::Agree);
        let version = ours.text("version").map(|version| format!("HTTP/{version}"));
        tally.add(name, "version", Outcome::of(&version.as_deref(), &theirs["version"].as_str()));
        let phrase = ours.text("status_msg").unwrap_or_default();
        tally.add(
            name,
            "status_msg",
            Outcome::of(&phrase, &theirs["reason"].as_str().unwrap_or_default()),
        );
        for (field, raw) in [
            ("response_content_type", "content_type"),
            ("response_content_encoding", "content_encoding"),
        ] {
            tally.add(name, field, Outcome::of(&ours.text(field), &theirs[raw].as_str()));
        }
        let asked = theirs["for_request"].as_u64().map(|index| {
            let pointer = format!("/requests/{index}/uri");
            flow.pointer(&pointer).and_then(Value::as_str)
        });
        let outcome = rules::target(ours.text("uri"), asked.flatten());
        let reply_first = flow["initiator_by"] == "first-packet" && flow["swapped"] == true;
        tally.add(name, "its request", if reply_first { outcome.or(REPLY_FIRST) } else { outcome });
        let last = all_ours.last().is_some_and(|last| std::ptr::eq(*last, ours));
        if !last && is_of_head(ours, theirs) {
            tally.add(name, "response_body_len", Outcome::Explained(HEAD));
        } else {
            body(tally, name, ours, theirs, ["response_body_len", "response_sha256"]);
        }
        if let Some(info) = ours.number("info_code") {
            let there = all.iter().any(|theirs| theirs["status"] == info);
            tally.add(name, "info_code", Outcome::of(&there, &true));
        }
    }
}

/// Whether a response without its request declares content, and we say that it has none.
fn is_of_head(ours: &Record, theirs: &Value) -> bool {
    let declared = ours.number("response_content_length").is_some_and(|length| length > 0);
    let nothing = ours.number("response_body_len") == Some(0);
    declared && nothing && ours.text("method").is_none() && theirs["framing"] == "content-length"
}

/// Compares length and digest of a message's content.
fn body(tally: &mut Tally, name: &str, ours: &Record, theirs: &Value, fields: [&'static str; 2]) {
    let [length, digest] = fields;
    let size = number(theirs, "/body_len");
    let whole = theirs["body_complete"] == true;
    let outcome = Outcome::of(&ours.number(length), &Some(size));
    tally.add(name, length, if whole { outcome } else { outcome.or(PART) });
    if whole && size > 0 {
        let digest_of = Outcome::of(&ours.text(digest), &theirs["body_sha256"].as_str());
        tally.add(name, digest, digest_of);
    } else if whole {
        tally.add(name, digest, Outcome::of(&ours.text(digest), &None));
    }
}
