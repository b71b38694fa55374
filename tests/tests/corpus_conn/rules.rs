//! Where we differ from Zeek, each with its reason.

use flowcell_tests::command::Run;
use flowcell_tests::corpus::counter;
use flowcell_tests::tally::Outcome;
use flowcell_tests::zeek::Row;

pub(crate) const SPLIT: &str =
    "Zeek forgets an unanswered SYN after 5 s and takes the rest for a connection of its own";

const GAP: &str = "the gap's letter stands where the gap was declared: a moment after the \
                   acknowledgment that revealed it, or at the end";
const RETRANSMIT: &str = "Zeek takes a segment below the highest sequence number for a \
                          retransmission even if its bytes are new";
const FRAGMENTS: &str =
    "our IP bytes have the header of every fragment, Zeek's one of the whole datagram";

/// Captures and their fields that are known to differ for these reasons. What agrees now is to be taken
/// off, so that it can't get worse again.
const EXPLAINED: &[(&str, &str, &str)] = &[
    ("gtp-frag-http", "history", GAP),
    ("gtp-frag-http", "orig_ip_bytes", FRAGMENTS),
    ("gtp-frag-http", "resp_ip_bytes", FRAGMENTS),
    ("http-connect-smtp", "history", RETRANSMIT),
    ("ssh-half-duplex-20", "conn_state", SPLIT),
    ("ssh-half-duplex-20", "flows", SPLIT),
    ("ssh-half-duplex-20", "history", SPLIT),
    ("tcp-end-data-missing", "history", GAP),
];

/// Logs of runs that looked at something else: capture, part of the log's name, why.
const SKIPPED: &[(&str, &str, &str)] = &[
    ("file-empty", "", "the log is of another capture"),
    ("ssh-single", "spicy.replaces", "the log is of another capture"),
    ("mpls-vlan-http", "print-bpf-filters", "the run had a filter"),
    ("smtp-basic-auth", "mime-content-hash", "the log was cut down to one service"),
    ("smtp-basic-auth", "packetfilter", "the run dropped packets on purpose"),
];

/// Logs of runs with other options: part of the log's name, and the same options of ours.
const OPTIONS: &[(&str, &[&str])] =
    &[("vlan_fivetuple-", &["--key", "vlan"]), ("vlan_fivetuple_", &["--key", "vlan"])];

/// What differs and is explained.
pub(crate) fn explained() -> &'static [(&'static str, &'static str, &'static str)] {
    EXPLAINED
}

/// Why a log is not compared.
pub(crate) fn skipped(capture: &str, log: &str) -> Option<&'static str> {
    let skipped = SKIPPED.iter().find(|(name, of, _)| *name == capture && log.contains(of));
    skipped.map(|(_, _, why)| *why)
}

/// The options of the run that a log is compared with.
pub(crate) fn options(log: &str) -> &'static [&'static str] {
    OPTIONS.iter().find(|(of, _)| log.contains(of)).map_or(&[], |(_, options)| *options)
}

/// Whether the second row goes on where Zeek gave the first one up.
pub(crate) fn is_split(first: &Row, second: &Row) -> bool {
    first.get("conn_state").is_some_and(|state| state == "S0")
        && second.get("proto").is_some_and(|proto| proto == "tcp")
        && second.get("history").is_some_and(|history| !history.starts_with('S'))
}

/// Compares two histories: all letters but those of gaps and retransmissions stand the same.
pub(crate) fn history(ours: &str, theirs: &str) -> Outcome {
    let without = |text: &str, letter: char| {
        text.chars().filter(|other| !other.eq_ignore_ascii_case(&letter)).collect::<String>()
    };
    let count = |text: &str, letter| text.chars().filter(|other| *other == letter).count();
    let as_often = |letter| count(ours, letter) == count(theirs, letter);
    let outcome = Outcome::of(&ours, &theirs);
    if without(ours, 'g') == without(theirs, 'g') && as_often('g') && as_often('G') {
        outcome.or(GAP)
    } else if without(ours, 't') == without(theirs, 't') {
        outcome.or(RETRANSMIT)
    } else {
        outcome
    }
}

/// Compares bytes of packets from the IP header on.
pub(crate) fn ip_bytes(ours: Option<u64>, theirs: Option<u64>, run: &Run) -> Outcome {
    let more = ours.zip(theirs).and_then(|(ours, theirs)| ours.checked_sub(theirs));
    let fragments = counter(run, "fragments").saturating_sub(counter(run, "frag_whole"));
    let outcome = Outcome::of(&ours, &theirs);
    // IPv4 headers have 20 bytes, those of IPv6 with a fragment header 48.
    let headers = |size: u64| more.is_some_and(|more| more % size == 0 && more / size <= fragments);
    if headers(20) || headers(48) { outcome.or(FRAGMENTS) } else { outcome }
}
