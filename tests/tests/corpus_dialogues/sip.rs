//! Messages of SIP against tshark.

use flowcell_tests::talk::{Event, Record, Talk};
use flowcell_tests::tally::{Outcome, Tally};

use crate::words::{DAMAGED, same};

const KNOWN: &[(&str, &str, &str)] = &[];

#[test]
fn sip_agrees_with_tshark() {
    let Some((_, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        if sight.is_damaged {
            tally.forgive(&sight.name, DAMAGED);
        }
        for talk in sight.talks(&["sip"], &["sip.message"]).into_iter().filter(Talk::is_of_both) {
            compare(&mut tally, &sight.name, talk);
        }
    }
    tally.check(KNOWN);
}

/// A message's record and event are told at the same packet.
fn compare(tally: &mut Tally, name: &str, mut talk: Talk<'_>) {
    for event in &talk.events {
        let found = talk.records.iter().position(|record| record.packet == event.frame);
        let outcome = match found {
            Some(_) => Outcome::Agree,
            None => Outcome::Wrong(format!("only theirs: frame {}", event.frame)),
        };
        tally.add(name, "messages", outcome);
        if let Some(found) = found {
            fields(tally, name, talk.records.remove(found), event);
        }
    }
    for record in talk.records {
        let outcome = Outcome::Wrong(format!("only ours: packet {}", record.packet));
        tally.add(name, "messages", outcome);
    }
}

fn fields(tally: &mut Tally, name: &str, ours: &Record, theirs: &Event) {
    let request = theirs.is("request");
    let side = if request { "request" } else { "response" };
    let text = |field: &str| ours.text(field);
    if request {
        tally.add(name, "method", same(text("method"), theirs.text("method")));
        tally.add(name, "uri", same(text("uri"), theirs.text("ruri")));
    } else {
        tally.add(
            name,
            "status_code",
            Outcome::of(&ours.number("status_code"), &theirs.number("status")),
        );
    }
    tally.add(name, "call_id", same(text("call_id"), theirs.text("call_id")));
    tally.add(name, "seq", same(text("seq"), theirs.text("cseq")));
    tally.add(name, "content_type", same(text("content_type"), theirs.text("content_type")));
    for (field, address) in [("from", "frm"), ("to", "to")] {
        let ours = text(&format!("{side}_{field}")).map(uri);
        tally.add(name, field, same(ours, theirs.text(address)));
    }
    if let Some(length) = theirs.number("content_length") {
        let ours = ours.number(&format!("{side}_body_len"));
        tally.add(name, "body_len", Outcome::of(&ours, &Some(length)));
    }
    let path = ours.texts(&format!("{side}_path")).join(" ");
    let via = theirs.data["via"].as_array().into_iter().flatten();
    let via: Vec<_> = via.filter_map(|entry| entry.as_str()?.split(";branch").next()).collect();
    tally.add(name, "path", same(Some(&path), Some(&via.join(" "))));
}

/// The address alone, as tshark has it.
fn uri(field: &str) -> &str {
    let quoted = field.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    quoted.map_or(field, |(uri, _)| uri)
}
