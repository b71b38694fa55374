//! Messages of SIP against Zeek's `sip.log`.

use std::collections::BTreeSet;

use flowcell_tests::talk::{Record, is_between};
use flowcell_tests::tally::{Outcome, Tally};
use flowcell_tests::zeek::{self, Row};

const KNOWN: &[(&str, &str, &str)] = &[];

const PATHS: &str = "Zeek puts the paths of earlier messages in front";
const LAST: &str = "Zeek takes a reply for one to the last request of the call";
const STALE: &str = "Zeek keeps what the reply before has told";

/// Fields of a request, fields of the reply to it.
const ASKED: [&str; 8] =
    ["method", "uri", "date", "request_from", "request_to", "reply_to", "subject", "user_agent"];
const REPLIED: [&str; 5] =
    ["response_from", "response_to", "status_msg", "warning", "content_type"];

#[test]
fn sip_agrees_with_zeek() {
    let Some((corpus, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        for (_, rows) in zeek::logs(corpus, &sight.name, "sip") {
            let messages = sight.records.iter().filter(|record| record.ty == "sip.message");
            let messages: Vec<_> = messages.collect();
            for row in &rows {
                compare(&mut tally, &sight.name, row, &messages);
            }
        }
    }
    tally.check(KNOWN);
}

/// A row is a request with a reply, or without any.
fn compare(tally: &mut Tally, name: &str, row: &Row, messages: &[&Record]) {
    let cell = |field: &str| row.get(field).map(String::as_str);
    let ends = zeek::ends(row).expect("endpoints");
    let flow: Vec<_> = messages.iter().filter(|it| is_between(it.ends, ends)).copied().collect();
    let call = flow.iter().copied().filter(|it| it.text("call_id") == cell("call_id"));
    let call: Vec<_> = call.collect();
    let request = call.iter().find(|it| it.text("uri").is_some() && it.text("seq") == cell("seq"));
    tally.add(name, "requests", Outcome::of(&request.is_some(), &true));
    let status = cell("status_code").map(|code| code.parse::<u64>().expect("a code"));
    let found = call.iter().position(|it| {
        status.is_some()
            && it.number("status_code") == status
            && it.text("response_to") == cell("response_to")
    });
    let reply = found.map(|found| call[found]);
    let of_request = reply.is_none_or(|reply| reply.text("seq") == cell("seq"));
    let outcome = Outcome::of(&reply.is_some(), &status.is_some());
    tally.add(name, "replies", if of_request { outcome } else { Outcome::Explained(LAST) });
    if let Some(request) = request {
        for field in ASKED {
            tally.add(name, field, Outcome::of(&request.text(field), &cell(field)));
        }
        length(tally, name, "request_body_len", row, request);
        path(tally, name, "request_path", row, (request, &flow));
    }
    if let Some(reply) = reply {
        for field in REPLIED {
            let outcome = Outcome::of(&reply.text(field), &cell(field));
            let mut before = call.iter().take(found.unwrap_or(0));
            let stale = reply.text(field).is_none()
                && before.any(|it| it.text("uri").is_none() && it.text(field) == cell(field));
            tally.add(name, field, if stale { outcome.or(STALE) } else { outcome });
        }
        length(tally, name, "response_body_len", row, reply);
        path(tally, name, "response_path", row, (reply, &flow));
    }
}

fn length(tally: &mut Tally, name: &str, field: &'static str, row: &Row, record: &Record) {
    let theirs = row.get(field).map(|length| length.parse().expect("a number"));
    tally.add(name, field, Outcome::of(&record.number(field), &theirs));
}

fn path(
    tally: &mut Tally,
    name: &str,
    field: &'static str,
    row: &Row,
    (record, flow): (&Record, &[&Record]),
) {
    let theirs = row.get(field).map(String::as_str).filter(|path| *path != "(empty)");
    let theirs: Vec<_> = theirs.into_iter().flat_map(|path| path.split(',')).collect();
    let ours = record.texts(field);
    let all: BTreeSet<_> = flow.iter().flat_map(|record| record.texts(field)).collect();
    let outcome = Outcome::of(&ours, &theirs);
    let more = theirs.ends_with(&ours) && theirs.iter().all(|entry| all.contains(entry));
    tally.add(name, field, if more { outcome.or(PATHS) } else { outcome });
}
