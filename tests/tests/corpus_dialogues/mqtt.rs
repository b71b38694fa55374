//! Messages of MQTT against tshark.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use flowcell_tests::talk::{Event, Record, Talk};
use flowcell_tests::tally::{Outcome, Tally};
use sha2::{Digest, Sha256};

use crate::words::{lists, same};

const KNOWN: &[(&str, &str, &str)] = &[];

const CODE: &str = "an answer to a request that is missing from the capture";
const CUT: &str = "a message longer than what is shown of it";

/// Types of packets.
const CONNECT: &str = "1";
const CONNACK: &str = "2";
const PUBLISH: &str = "3";
const PUBACK: &str = "4";
const PUBCOMP: &str = "7";
const SUBSCRIBE: &str = "8";
const SUBACK: &str = "9";
const UNSUBSCRIBE: &str = "10";
const UNSUBACK: &str = "11";

const RECORDS: [&str; 3] = ["mqtt.connect", "mqtt.publish", "mqtt.subscribe"];

#[test]
fn mqtt_agrees_with_tshark() {
    let Some((_, sights)) = crate::sights() else { return };
    let mut tally = Tally::default();
    for sight in sights {
        for talk in sight.talks(&["mqtt"], &RECORDS).into_iter().filter(Talk::is_of_both) {
            let records = |ty: &str| {
                let records = talk.records.iter().copied().filter(|record| record.ty == ty);
                records.collect::<Vec<_>>()
            };
            connects(&mut tally, &sight.name, &records(RECORDS[0]), &talk);
            publishes(&mut tally, &sight.name, records(RECORDS[1]), &talk);
            subscribes(&mut tally, &sight.name, &records(RECORDS[2]), &talk);
        }
    }
    tally.check(KNOWN);
}

fn of_types<'a>(talk: &Talk<'a>, types: &[&str]) -> Vec<&'a Event> {
    let of = |event: &&Event| event.text("msgtype").is_some_and(|ty| types.contains(&ty));
    talk.events.iter().copied().filter(of).collect()
}

fn connects(tally: &mut Tally, name: &str, ours: &[&Record], talk: &Talk<'_>) {
    let theirs = of_types(talk, &[CONNECT]);
    // Request or answer may be missing from the capture.
    let of = |field: &str| {
        let there = ours.iter().copied().filter(|record| !record.data[field].is_null());
        there.collect::<Vec<_>>()
    };
    let (ours, answered) = (&of("proto_name"), &of("reason_code"));
    for (field, told) in [
        ("client_id", "clientid"),
        ("username", "username"),
        ("proto_name", "protoname"),
        ("will_topic", "willtopic"),
    ] {
        lists(tally, name, field, (ours, &theirs), |ours, theirs| {
            same(ours.text(field), theirs.text(told))
        });
    }
    lists(tally, name, "proto_version", (ours, &theirs), |ours, theirs| {
        let version = match theirs.text("ver") {
            Some("3") => Some("3.1"),
            Some("4") => Some("3.1.1"),
            Some("5") => Some("5.0"),
            other => other,
        };
        Outcome::of(&ours.text("proto_version"), &version)
    });
    lists(tally, name, "keep_alive", (ours, &theirs), |ours, theirs| {
        Outcome::of(&ours.number("keep_alive"), &theirs.number("kalive"))
    });
    lists(tally, name, "reason_code", (answered, &of_types(talk, &[CONNACK])), |ours, theirs| {
        // Of version 5, tshark tells the code by another name, which the events lack.
        match theirs.number("conack.val") {
            Some(code) => Outcome::of(&ours.number("reason_code"), &Some(code)),
            None if ours.text("proto_version").is_none() => Outcome::Explained(CODE),
            None => Outcome::of(&ours.text("proto_version"), &Some("5.0")),
        }
    });
}

/// A message's record comes when its exchange is over, so that a later one may come before.
fn publishes(tally: &mut Tally, name: &str, mut ours: Vec<&Record>, talk: &Talk<'_>) {
    for event in of_types(talk, &[PUBLISH]) {
        let found = ours.iter().position(|record| {
            record.text("topic") == event.text("topic")
                && record.number("packet_id") == event.number("msgid")
                && record.is("from_client") == (record.ends[0] == event.sender())
        });
        tally.add(name, "publishes", Outcome::of(&found.is_some(), &true));
        if let Some(found) = found {
            publish(tally, name, ours.remove(found), event, talk);
        }
    }
    for record in ours {
        tally.add(name, "publishes", Outcome::Wrong(format!("only ours: {record:?}")));
    }
}

fn publish(tally: &mut Tally, name: &str, ours: &Record, theirs: &Event, talk: &Talk<'_>) {
    let (qos, last) = match theirs.text("qos") {
        Some("0") => ("at most once", None),
        Some("1") => ("at least once", Some(PUBACK)),
        _ => ("exactly once", Some(PUBCOMP)),
    };
    tally.add(name, "qos", Outcome::of(&ours.text("qos"), &Some(qos)));
    for (field, flag) in [("retain", "retain"), ("dup", "dupflag")] {
        let set = theirs.text(flag) == Some("1");
        tally.add(name, field, Outcome::of(&ours.is(field), &set));
    }
    let length = theirs.data["msg_len"].as_u64();
    tally.add(name, "payload_len", Outcome::of(&ours.number("payload_len"), &length));
    let digest = Sha256::digest(ours.text("payload").unwrap_or_default());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let outcome = Outcome::of(&Some(digest.as_str()), &theirs.text("msg_sha256"));
    let cut = ours.texts("truncated").contains(&"payload") && length > Some(256);
    tally.add(name, "payload", if cut { outcome.or(CUT) } else { outcome });
    let over = last.is_none_or(|last| answered(talk, &[last], theirs));
    let status = if over { "ok" } else { "incomplete_qos" };
    tally.add(name, "status", Outcome::of(&ours.text("status"), &Some(status)));
}

fn subscribes(tally: &mut Tally, name: &str, ours: &[&Record], talk: &Talk<'_>) {
    let theirs = of_types(talk, &[SUBSCRIBE, UNSUBSCRIBE]);
    let is = |event: &Event, ty: &str| event.text("msgtype") == Some(ty);
    lists(tally, name, "action", (ours, &theirs), |ours, theirs| {
        let action = if is(theirs, SUBSCRIBE) { "subscribe" } else { "unsubscribe" };
        Outcome::of(&ours.text("action"), &Some(action))
    });
    // The events have the first of the topics only.
    lists(tally, name, "topics", (ours, &theirs), |ours, theirs| {
        Outcome::of(&ours.texts("topics").first().copied(), &theirs.text("topic"))
    });
    lists(tally, name, "qos_levels", (ours, &theirs), |ours, theirs| {
        let first = ours.data["qos_levels"][0].as_u64();
        // Of version 5, the events lack it.
        theirs.number("sub.qos").map_or(Outcome::Agree, |qos| Outcome::of(&first, &Some(qos)))
    });
    lists(tally, name, "packet_id", (ours, &theirs), |ours, theirs| {
        Outcome::of(&ours.number("packet_id"), &theirs.number("msgid"))
    });
    lists(tally, name, "ack", (ours, &theirs), |ours, theirs| {
        let ack = answered(talk, &[SUBACK, UNSUBACK], theirs);
        Outcome::of(&ours.is("ack"), &ack)
    });
}

/// Whether the other side's packet of one of these types answers to this one.
fn answered(talk: &Talk<'_>, types: &[&str], to: &Event) -> bool {
    let senders: BTreeSet<SocketAddr> = of_types(talk, types)
        .into_iter()
        .filter(|event| event.frame >= to.frame && event.text("msgid") == to.text("msgid"))
        .map(Event::sender)
        .collect();
    senders.contains(&to.ends[1])
}
