//! Handshakes and certificates against Zeek's `ssl.log` and `x509.log`.

use flowcell_tests::corpus::{Capture, Corpus, told};
use flowcell_tests::talk::Record;
use flowcell_tests::tally::{Outcome, Tally};
use flowcell_tests::zeek::{self, Row};
use serde_json::Value;

use crate::HANDSHAKE;

const TEXTS: [&str; 7] =
    ["version", "cipher", "curve", "server_name", "last_alert", "next_protocol", "ssl_history"];
const FLAGS: [&str; 2] = ["resumed", "established"];
const CHAINS: [(&str, &str); 2] =
    [("cert_chain", "cert_chain_fps"), ("client_cert_chain", "client_cert_chain_fps")];

/// What a certificate says in text and numbers, by Zeek's columns.
const SAID: [&str; 12] = [
    "version",
    "serial",
    "subject",
    "issuer",
    "key_alg",
    "sig_alg",
    "key_type",
    "key_length",
    "exponent",
    "curve",
    "not_valid_before",
    "not_valid_after",
];
const NAMES: [(&str, &str); 4] = [
    ("san_dns", "san.dns"),
    ("san_uri", "san.uri"),
    ("san_email", "san.email"),
    ("san_ip", "san.ip"),
];

#[test]
fn handshakes_agree_with_zeek() {
    let Some(corpus) = Corpus::find() else { return };
    let tally = zeek::compare_rows(&corpus, "ssl", HANDSHAKE, |tally, capture, ours, row| {
        handshake(tally, &capture.name, ours, row);
    });
    tally.check(&[]);
}

fn handshake(tally: &mut Tally, name: &str, ours: &Record, row: &Row) {
    let cell = |field: &str| row.get(field).map(String::as_str);
    for field in TEXTS {
        tally.add(name, field, Outcome::of(&ours.text(field), &cell(field)));
    }
    for field in FLAGS {
        tally.add(name, field, Outcome::of(&ours.is(field), &(cell(field) == Some("T"))));
    }
    for (field, column) in CHAINS {
        let theirs = list(cell(column));
        let chain = ours.data[field].as_array().into_iter().flatten();
        let prints: Vec<_> =
            chain.filter_map(|certificate| certificate["fingerprint"].as_str()).collect();
        tally.add(name, field, Outcome::of(&prints, &theirs));
    }
}

/// A set or vector of a log.
fn list(cell: Option<&str>) -> Vec<&str> {
    let cell = cell.filter(|cell| *cell != "(empty)");
    cell.map(|cell| cell.split(',').collect()).unwrap_or_default()
}

#[test]
fn certificates_agree_with_zeek() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        // Logs of files that were fed to Zeek by hand are not of the capture's connections.
        if zeek::logs(&corpus, &capture.name, "ssl").is_empty() {
            continue;
        }
        for (_, rows) in zeek::logs(&corpus, &capture.name, "x509") {
            let ours = certificates(&capture);
            tally.add(&capture.name, "certificates", Outcome::of(&ours.len(), &rows.len()));
            for row in &rows {
                let print = row.get("fingerprint").map(String::as_str);
                let found = ours.iter().find(|ours| ours["fingerprint"].as_str() == print);
                tally.add(&capture.name, "certificates", Outcome::of(&found.is_some(), &true));
                if let Some(found) = found {
                    certificate(&mut tally, &capture.name, found, row);
                }
            }
        }
    }
    tally.check(&[]);
}

/// All certificates that were presented.
fn certificates(capture: &Capture) -> Vec<Value> {
    let handshakes = told(capture, HANDSHAKE).into_values().flatten();
    let chains = handshakes.flat_map(|told| CHAINS.map(|(field, _)| told.data[field].clone()));
    chains.filter_map(|chain| chain.as_array().cloned()).flatten().collect()
}

fn certificate(tally: &mut Tally, name: &str, ours: &Value, row: &Row) {
    let shown = |value: &Value| match value {
        Value::Null => None,
        Value::Bool(flag) => Some(String::from(if *flag { "T" } else { "F" })),
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    for field in SAID {
        let theirs = row.get(&format!("certificate.{field}")).cloned();
        let ours = shown(&ours[field]);
        let ours = if field.starts_with("not_valid") {
            ours.and_then(|time| seconds(&time))
        } else {
            ours
        };
        tally.add(name, field, Outcome::of(&ours, &theirs));
    }
    for (field, column) in NAMES {
        let names = ours[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        let theirs = list(row.get(column).map(String::as_str));
        tally.add(name, field, Outcome::of(&names.collect(), &theirs));
    }
    for (field, column) in [
        ("basic_constraints_ca", "basic_constraints.ca"),
        ("basic_constraints_path_len", "basic_constraints.path_len"),
    ] {
        tally.add(name, field, Outcome::of(&shown(&ours[field]), &row.get(column).cloned()));
    }
}

/// Turns `2011-05-04T00:00:00Z` into seconds since 1970, with six decimals.
fn seconds(time: &str) -> Option<String> {
    let part = |range: std::ops::Range<usize>| time.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    // Days since March of the year 0: leap days come last.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * years + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1;
    let seconds = part(11..13)? * 3600 + part(14..16)? * 60 + part(17..19)?;
    Some(format!("{}.000000", (days - 719_468) * 86_400 + seconds))
}
