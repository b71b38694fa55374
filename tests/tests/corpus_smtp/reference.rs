//! Mails against `<name>.ref.json`, a reading of the streams by other means.

use flowcell_tests::corpus::{Corpus, number, socket, text};
use flowcell_tests::encoded;
use flowcell_tests::tally::{Outcome, Tally};
use serde_json::Value;

use crate::mails::{self, Mail};

#[test]
fn mails_agree_with_the_reference() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let name = &capture.name;
        let reference = corpus.json(&format!("captures/{name}.ref.json")).unwrap_or_default();
        let flows = reference["smtp"].as_array().into_iter().flatten().collect::<Vec<_>>();
        if flows.is_empty() {
            continue;
        }
        let ours = mails::read(&capture.path);
        for flow in flows {
            let (client, server) = (socket(text(flow, "/client")), socket(text(flow, "/server")));
            let ours = ours.iter().filter(|mail| mail.is_between(client, server));
            compare(&mut tally, name, flow, &ours.collect::<Vec<_>>());
        }
    }
    tally.check(&[]);
}

fn compare(tally: &mut Tally, name: &str, flow: &Value, ours: &[&Mail]) {
    let theirs: Vec<_> = flow["mails"].as_array().into_iter().flatten().collect();
    let sent: Vec<_> = ours.iter().filter(|mail| mail.has_content()).collect();
    tally.add(name, "mails", Outcome::of(&sent.len(), &theirs.len()));
    if let (Some(mail), Some(helo)) = (ours.first(), flow["helo"].as_str()) {
        tally.add(name, "helo", Outcome::of(&mail.text("helo"), &Some(helo)));
    }
    for (ours, theirs) in sent.into_iter().zip(theirs) {
        let whole = theirs["complete"] == true;
        let accepted: Vec<_> =
            theirs["rcpt_ok"].as_array().into_iter().flatten().map(|rcpt| text(rcpt, "")).collect();
        let size = number(theirs, "/data_len");
        tally.add(
            name,
            "mailfrom",
            Outcome::of(&ours.text("mailfrom"), &theirs["mailfrom"].as_str()),
        );
        tally.add(name, "rcptto", Outcome::of(&ours.accepted(), &accepted));
        tally.add(name, "size", Outcome::of(&ours.data["size"], &size.into()));
        tally.add(name, "incomplete", Outcome::of(&ours.data["incomplete"], &(!whole).into()));
        tally.add(name, "msg_id", Outcome::of(&ours.text("msg_id"), &theirs["msgid"].as_str()));
        for (field, raw) in [("subject", "subject"), ("from", "hdr_from")] {
            tally.add(name, field, decoded(ours.text(field), theirs[raw].as_str()));
        }
        let to = ours.texts("to").join(", ");
        let theirs_to = theirs["hdr_to"].as_str().map(one_line).unwrap_or_default();
        tally.add(name, "to", decoded(Some(&to), Some(&theirs_to)));
        if let Some(code) = theirs["reply"].as_u64() {
            let reply = ours.text("last_reply").and_then(|reply| reply.get(..3)?.parse().ok());
            tally.add(name, "last_reply", Outcome::of(&reply, &Some(code)));
        }
    }
}

/// The entries of a list, separated as ours are put together.
fn one_line(list: &str) -> String {
    list.split(',').map(str::trim).collect::<Vec<_>>().join(", ")
}

/// Compares a field of ours with one in which words are still encoded.
pub(crate) fn decoded(ours: Option<&str>, theirs: Option<&str>) -> Outcome {
    let Some(raw) = theirs else { return Outcome::of(&ours, &None) };
    match encoded::decode(raw) {
        Some(text) => {
            let outcome = Outcome::of(&ours, &Some(text.as_str()));
            if ours.map(words_of) == Some(words_of(&text)) {
                outcome.or("the other makes one space of those that a line was folded at")
            } else {
                outcome
            }
        }
        None => Outcome::of(&ours, &Some(raw)).or("words in a charset that the test does not know"),
    }
}

/// A text without the width of its white space.
fn words_of(text: &str) -> Vec<&str> {
    text.split_ascii_whitespace().collect()
}
