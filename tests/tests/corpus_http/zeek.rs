//! Transactions against Zeek's `http.log`.

use std::collections::BTreeMap;

use flowcell_tests::corpus::{Corpus, Ends, told};
use flowcell_tests::talk::{Record, is_between};
use flowcell_tests::tally::{Outcome, Tally};
use flowcell_tests::zeek::{self, Row};

use crate::{TRANSACTION, rules};

const NO_STATUS: &str = "Zeek says 0 where HTTP/0.9 has no status";
const DECODED: &str = "Zeek counts the content when its coding is undone";
const UNESCAPED: &str = "Zeek undoes the percent-encoding";
const EMPTY: &str = "Zeek has an empty transaction behind one of HTTP/0.9";

/// Logs of runs that looked at something else: part of the log's name, why.
const SKIPPED: &[(&str, &str)] =
    &[("data-in", "the run fed the parser bytes that are not in the capture")];

const TEXTS: [&str; 9] = [
    "method",
    "host",
    "referrer",
    "version",
    "user_agent",
    "origin",
    "status_msg",
    "info_msg",
    "username",
];
const NUMBERS: [&str; 5] =
    ["trans_depth", "request_body_len", "response_body_len", "status_code", "info_code"];

#[test]
fn transactions_agree_with_zeek() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        for (log, rows) in zeek::logs(&corpus, &capture.name, "http") {
            if let Some((_, why)) = SKIPPED.iter().find(|(of, _)| log.contains(of)) {
                println!("skipped: {log}: {why}");
                continue;
            }
            compare(&mut tally, &capture.name, &rows, told(&capture, TRANSACTION));
        }
    }
    tally.check(rules::KNOWN);
}

/// Rows are in the order in which Zeek was done with them; a log without endpoints is of one connection.
fn compare(tally: &mut Tally, name: &str, rows: &[Row], mut ours: BTreeMap<Ends, Vec<Record>>) {
    for row in rows {
        let fits = |told: &Record| {
            let depth = told.number("trans_depth").map(|depth| depth.to_string());
            depth.as_ref() == row.get("trans_depth")
                && zeek::ends(row).is_none_or(|theirs| is_between(told.ends, theirs))
        };
        let found =
            ours.values_mut().find_map(|told| Some(told.remove(told.iter().position(fits)?)));
        let Some(found) = found else {
            let outcome = Outcome::Wrong(format!("only theirs: {row:?}"));
            let empty = !row.contains_key("method") && !row.contains_key("status_code");
            tally.add(name, "transactions", if empty { outcome.or(EMPTY) } else { outcome });
            continue;
        };
        tally.add(name, "transactions", Outcome::Agree);
        fields(tally, name, row, &found);
    }
    for told in ours.into_values().flatten() {
        tally.add(name, "transactions", Outcome::Wrong(format!("only ours: {}", told.data)));
    }
}

fn fields(tally: &mut Tally, name: &str, row: &Row, ours: &Record) {
    let cell = |field: &str| row.get(field).map(String::as_str);
    // A log that was cut has some columns only.
    let cut = zeek::ends(row).is_none();
    let old = ours.text("request_version") == Some("0.9");
    for field in TEXTS {
        if !cut || row.contains_key(field) {
            let outcome = Outcome::of(&ours.text(field), &cell(field));
            let no_status = field == "status_msg" && old && cell(field) == Some("<empty>");
            tally.add(name, field, if no_status { outcome.or(NO_STATUS) } else { outcome });
        }
    }
    let outcome = rules::target(ours.text("uri"), cell("uri"));
    let unescaped = ours.text("uri").map(rules::unescaped).as_deref() == cell("uri");
    tally.add(name, "uri", if unescaped { outcome.or(UNESCAPED) } else { outcome });
    for field in NUMBERS {
        if !cut || row.contains_key(field) {
            let theirs = cell(field).and_then(|cell| cell.parse().ok());
            let outcome = Outcome::of(&ours.number(field), &theirs);
            let coded = ours.text("response_content_encoding").is_some();
            tally.add(
                name,
                field,
                match field {
                    "status_code" if old && theirs == Some(0) => outcome.or(NO_STATUS),
                    "response_body_len" if coded && theirs > ours.number(field) => {
                        outcome.or(DECODED)
                    }
                    _ => outcome,
                },
            );
        }
    }
}
