//! Which protocols flows speak, against tshark, for all protocols that we have parsers for.

use std::collections::BTreeSet;

use flowcell_tests::talk::{Record, Talk};
use flowcell_tests::tally::{Outcome, Tally};

use crate::words::DAMAGED;

/// Protocols by tshark's names and ours.
const NAMES: [(&str, &str); 14] = [
    ("dns", "dns"),
    ("mdns", "dns"),
    ("ftp", "ftp"),
    ("ftp-data", "ftp"),
    ("http", "http"),
    ("imap", "imap"),
    ("mqtt", "mqtt"),
    ("pop", "pop3"),
    ("resp", "redis"),
    ("sip", "sip"),
    ("smtp", "smtp"),
    ("ssh", "ssh"),
    ("tls", "tls"),
    ("websocket", "http"),
];

/// Protocols that another one carries: a flow is not looked at for them.
const CARRIED: [&str; 2] = ["imf", "websocket"];

/// Captures that are read in other ways, and why.
const OTHERWISE: [(&str, &str); 2] = [
    ("frag4-socks-http", "HTTP inside of SOCKS, which we have no parser for"),
    ("dns-malformed-compactor", "tshark goes by the port where nothing is a message of DNS"),
];

const MIDSTREAM: &str = "encrypted data without their handshake, which tshark tells by the port";
const SHORT: &str = "too little is said to tell the protocol by anything but the port";
const UNREADABLE: &str = "all bytes of the flow are compressed (IPComp), which we do not undo";
const HANDED_OVER: &str = "TLS begins behind a greeting in clear text, which tshark does not tell";
const NO_PORT: &str =
    "told by what is said: tshark does not know the port, or has no whole message";

#[test]
fn services_agree_with_tshark() {
    let Some((_, sights)) = crate::sights() else { return };
    let protocols: BTreeSet<_> =
        sights.iter().flat_map(|sight| &sight.events).map(|event| event.proto.as_str()).collect();
    let protocols: Vec<_> = protocols.into_iter().filter(|it| !CARRIED.contains(it)).collect();
    let mut tally = Tally::default();
    for sight in sights {
        let name = &sight.name;
        if sight.is_damaged {
            tally.forgive(name, DAMAGED);
        }
        if let Some((_, why)) = OTHERWISE.iter().find(|(capture, _)| capture == name) {
            tally.forgive(name, why);
        }
        for talk in sight.talks(&protocols, &["flow"]) {
            // Many flows say nothing at all.
            let (ours, theirs) = (services(&talk.records), known(&talk));
            if !ours.is_empty() || !theirs.is_empty() {
                tally.add(name, "service", compare(&talk, &ours, &theirs));
            }
        }
    }
    tally.check(&[]);
}

/// What our flows between two endpoints speak.
fn services<'a>(flows: &[&'a Record]) -> BTreeSet<&'a str> {
    let services = flows.iter().filter_map(|flow| flow.text("service"));
    services.flat_map(|services| services.split(',')).collect()
}

/// What tshark has seen of protocols that we know, by our names.
fn known(talk: &Talk<'_>) -> BTreeSet<&'static str> {
    let ours = |theirs: &str| NAMES.iter().find(|(name, _)| *name == theirs).map(|(_, ours)| *ours);
    talk.events.iter().filter_map(|event| ours(&event.proto)).collect()
}

fn compare(talk: &Talk<'_>, ours: &BTreeSet<&str>, theirs: &BTreeSet<&str>) -> Outcome {
    let outcome = match Outcome::of(ours, theirs) {
        Outcome::Wrong(how) => Outcome::Wrong(format!("{how}: {:?}", talk.ends)),
        other => other,
    };
    let bytes =
        |field: &str| talk.records.iter().filter_map(|flow| flow.number(field)).sum::<u64>();
    let none_is_there = bytes("missed_bytes") == bytes("orig_bytes") + bytes("resp_bytes");
    let parsers = talk.records.iter().filter_map(|flow| flow.data["parsers"].as_array());
    let switched = parsers.flatten().any(|parser| parser["outcome"] == "switched");
    let unconfirmed = |flow: &Record| flow.data["parsers"][0]["outcome"] == "unconfirmed";
    if ours.is_empty() && talk.records.iter().any(|flow| unconfirmed(flow)) {
        outcome.or(SHORT)
    } else if ours.is_empty() && talk.records.iter().all(|flow| flow.is("midstream")) {
        let encrypted = theirs.is_subset(&BTreeSet::from(["ssh", "tls"]));
        if encrypted { outcome.or(MIDSTREAM) } else { outcome }
    } else if ours.is_empty() && none_is_there {
        outcome.or(UNREADABLE)
    } else if switched && theirs.is_subset(ours) && !theirs.is_empty() {
        outcome.or(HANDED_OVER)
    } else if talk.events.is_empty() {
        outcome.or(NO_PORT)
    } else {
        outcome
    }
}
