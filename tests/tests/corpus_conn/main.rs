//! Differential test: `flow` records of real captures against Zeek's `conn.log`.

mod connection;
mod rules;
mod service;

use std::collections::BTreeSet;

use connection::{Flow, Key, flows};
use flowcell_tests::command::Run;
use flowcell_tests::corpus::{Corpus, flowcell_with};
use flowcell_tests::tally::{Outcome, Tally};
use flowcell_tests::zeek::{self, Row};

/// Numbers that both have, by the same name.
const NUMBERS: [&str; 7] = [
    "orig_bytes",
    "resp_bytes",
    "missed_bytes",
    "orig_pkts",
    "orig_ip_bytes",
    "resp_pkts",
    "resp_ip_bytes",
];

/// Texts that both have.
const TEXTS: [&str; 2] = ["conn_state", "history"];

/// The VLANs of a row, outermost first.
const VLANS: [&str; 2] = ["id.ctx.vlan", "id.ctx.inner_vlan"];

/// Whether there is a flow for a connection, and a connection for a flow.
const FLOWS: &str = "flows";

#[test]
fn flows_agree_with_zeek() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let folder = format!("zeek/{}", capture.name);
        let logs = corpus.list(&folder).into_iter();
        for log in logs.filter(|log| log.ends_with(".conn.log") || log.ends_with(".conn.log.cut")) {
            if let Some(why) = rules::skipped(&capture.name, &log) {
                println!("skipped: {}: {log}: {why}", capture.name);
                continue;
            }
            let rows = zeek::rows(&corpus.path(&format!("{folder}/{log}")));
            if !rows.iter().any(has_fields) {
                println!("skipped: {}: {log}: no column that is compared", capture.name);
                continue;
            }
            let run = flowcell_with("run", &capture.path, rules::options(&log));
            let given_up =
                service::is_told(&log, &rows).then(|| service::given_up(&corpus, &capture.name));
            compare(&mut tally, &capture.name, &rows, &run, given_up.as_ref());
        }
    }
    tally.expect(rules::explained());
    tally.check(&[]);
}

fn has_fields(row: &Row) -> bool {
    NUMBERS.iter().chain(&TEXTS).any(|field| row.contains_key(*field))
}

/// Connections between the same endpoints are in the order in which they began. A log without
/// endpoints has all flows, in order. Services are compared if it is known which Zeek took back.
fn compare(
    tally: &mut Tally,
    name: &str,
    rows: &[Row],
    run: &Run,
    given_up: Option<&BTreeSet<&str>>,
) {
    let mut ours = flows(run);
    let has_vlans = rows.iter().any(|row| row.contains_key(VLANS[0]));
    for connection in &connections(rows, &ours) {
        let key = Key::of(connection.row);
        let fits = |key: &Key| key_fits(connection.row, key);
        let ids = VLANS.iter().filter_map(|field| connection.row.get(*field)?.parse().ok());
        let ids: Vec<u64> = ids.collect();
        let there = |flow: &Flow| !has_vlans || flow.vlans() == ids;
        let found = ours.iter().position(|flow| there(flow) && fits(&flow.key));
        let found =
            found.or_else(|| ours.iter().position(|flow| there(flow) && fits(&flow.key.flipped())));
        let Some(found) = found else {
            let key = key.map(|key| key.to_string()).unwrap_or_default();
            tally.add(name, FLOWS, Outcome::Wrong(format!("only theirs: {key}")));
            continue;
        };
        let flow = ours.remove(found);
        let outcome = if !fits(&flow.key) {
            Outcome::Wrong(format!("turned around: ours {}", flow.key))
        } else if connection.rest.is_some() {
            Outcome::Explained(rules::SPLIT)
        } else {
            Outcome::Agree
        };
        tally.add(name, FLOWS, outcome);
        fields(tally, name, connection, &flow, run);
        if let Some(given_up) = given_up {
            let outcome = service::compare(connection.row, &flow, given_up);
            tally.add(name, "service", told(outcome, &flow));
        }
    }
    for flow in ours {
        tally.add(name, FLOWS, Outcome::Wrong(format!("only ours: {}", flow.key)));
    }
}

/// Whether a flow is what a row tells, so far as it tells.
fn key_fits(row: &Row, flow: &Key) -> bool {
    Key::of(row).is_none_or(|key| flow.fits(&key))
}

/// A row, and the one that goes on where Zeek gave it up.
struct Connection<'a> {
    row: &'a Row,
    rest: Option<&'a Row>,
}

/// Puts together what Zeek took apart, where we have fewer flows than it has rows.
fn connections<'a>(rows: &'a [Row], ours: &[Flow]) -> Vec<Connection<'a>> {
    let mut connections: Vec<Connection<'a>> = Vec::new();
    for row in rows {
        let same = |other: &Row| Key::of(other).is_some() && Key::of(other) == Key::of(row);
        let theirs = rows.iter().filter(|other| same(other)).count();
        let fewer = ours.iter().filter(|flow| key_fits(row, &flow.key)).count() < theirs;
        let given_up = connections.iter_mut().rfind(|earlier| same(earlier.row));
        match given_up {
            Some(earlier)
                if fewer && earlier.rest.is_none() && rules::is_split(earlier.row, row) =>
            {
                earlier.rest = Some(row);
            }
            _ => connections.push(Connection { row, rest: None }),
        }
    }
    connections
}

fn fields(tally: &mut Tally, name: &str, connection: &Connection<'_>, flow: &Flow, run: &Run) {
    let cell = |field: &str| connection.row.get(field).map(String::as_str);
    let rest = |field: &str| connection.rest.and_then(|row| row.get(field)).map(String::as_str);
    if let Some(proto) = cell("proto") {
        tally.add(name, "proto", Outcome::of(&flow.key.proto.as_str(), &proto));
    }
    for field in NUMBERS {
        // Unset is what Zeek does not know, for instance of a flow of a single packet.
        if let Some(theirs) = cell(field) {
            let number = |cell: &str| cell.parse::<u64>().ok();
            let theirs =
                number(theirs).map(|first| first + rest(field).and_then(number).unwrap_or(0));
            let ours = flow.data[field].as_u64();
            let outcome = if field.ends_with("_ip_bytes") {
                rules::ip_bytes(ours, theirs, run)
            } else {
                Outcome::of(&ours, &theirs)
            };
            tally.add(name, field, told(outcome, flow));
        }
    }
    for field in TEXTS {
        if let Some(theirs) = cell(field) {
            let ours = flow.data[field].as_str().unwrap_or_default();
            let outcome = if connection.rest.is_some() {
                Outcome::of(&ours, &theirs).or(rules::SPLIT)
            } else if field == "history" {
                told(rules::history(ours, theirs), flow)
            } else {
                told(Outcome::of(&ours, &theirs), flow)
            };
            tally.add(name, field, outcome);
        }
    }
}

/// The same with the flow that it is about.
fn told(outcome: Outcome, flow: &Flow) -> Outcome {
    match outcome {
        Outcome::Wrong(how) => Outcome::Wrong(format!("{how}: {}", flow.key)),
        other => other,
    }
}
