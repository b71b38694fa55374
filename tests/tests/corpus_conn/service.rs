//! Compares what protocols a flow speaks.

use std::collections::BTreeSet;

use flowcell_tests::corpus::Corpus;
use flowcell_tests::tally::Outcome;
use flowcell_tests::zeek::{self, Row};

use crate::connection::Flow;

/// Protocols that we have parsers for, by Zeek's names and ours.
const NAMES: [(&str, &str); 13] = [
    ("dns", "dns"),
    ("ftp", "ftp"),
    ("ftp-data", "ftp"),
    ("http", "http"),
    ("imap", "imap"),
    ("mqtt", "mqtt"),
    ("pop3", "pop3"),
    ("redis", "redis"),
    ("sip", "sip"),
    ("smb", "smb"),
    ("smtp", "smtp"),
    ("ssh", "ssh"),
    ("ssl", "tls"),
];

const NO_PARSER: &str = "we have no parser for it";
const IN_QUIC: &str = "TLS inside of QUIC, for which we have no parser";
const GIVEN_UP: &str = "Zeek takes a service back at the first violation of its protocol";
const ONE_SIDED: &str = "Zeek tells a service when both sides have spoken";

/// Whether a log tells services: one that was cut may lack them, and what is unset is not in a row.
pub(crate) fn is_told(log: &str, rows: &[Row]) -> bool {
    log.ends_with(".log") || rows.iter().any(|row| row.contains_key("service"))
}

/// Services that Zeek took back in a capture, as far as its logs tell: `-` is in front of them, or
/// they are the source of an oddity.
pub(crate) fn given_up(corpus: &Corpus, capture: &str) -> BTreeSet<&'static str> {
    let mut given_up = BTreeSet::new();
    for (_, rows) in zeek::logs(corpus, capture, "conn") {
        let services = rows.iter().flat_map(|row| set(row.get("service").map(String::as_str)));
        given_up.extend(services.filter_map(|service| ours(service.strip_prefix('-')?)));
    }
    for (_, rows) in zeek::logs(corpus, capture, "weird") {
        let sources = rows.iter().filter_map(|row| row.get("source"));
        given_up.extend(sources.filter_map(|source| ours(&source.to_lowercase())));
    }
    given_up
}

/// Compares the services of a row with those of the flow, in no order.
pub(crate) fn compare(row: &Row, flow: &Flow, given_up: &BTreeSet<&str>) -> Outcome {
    let told = set(row.get("service").map(String::as_str));
    let mut theirs: BTreeSet<_> = told.iter().filter_map(|service| ours(service)).collect();
    let in_quic = told.contains("quic") && theirs.remove("tls");
    let ours_too = set(flow.data["service"].as_str());
    let more: BTreeSet<_> = ours_too.difference(&theirs).copied().collect();
    let silent = |field: &str| row.get(field).is_none_or(|bytes| bytes == "0");
    let outcome = Outcome::of(&ours_too, &theirs);
    if outcome == Outcome::Agree {
        let no_parser = |service: &&str| ours(service.trim_start_matches('-')).is_none();
        return match (in_quic, told.iter().any(no_parser)) {
            (true, _) => Outcome::Explained(IN_QUIC),
            (_, true) => Outcome::Explained(NO_PARSER),
            _ => outcome,
        };
    }
    if !theirs.is_subset(&ours_too) {
        outcome
    } else if more.is_subset(given_up) {
        outcome.or(GIVEN_UP)
    } else if silent("orig_bytes") || silent("resp_bytes") {
        outcome.or(ONE_SIDED)
    } else {
        outcome
    }
}

/// Our name of a service.
fn ours(theirs: &str) -> Option<&'static str> {
    NAMES.iter().find(|(name, _)| *name == theirs).map(|(_, ours)| *ours)
}

fn set(services: Option<&str>) -> BTreeSet<&str> {
    services.into_iter().flat_map(|services| services.split(',')).collect()
}
