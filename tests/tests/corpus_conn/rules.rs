//! Where we differ from Zeek, each with its reason.

use flowcell_tests::zeek::Row;

pub(crate) const ABSENT: &str = "our record has no such field";
pub(crate) const SPLIT: &str =
    "Zeek forgets an unanswered SYN after 5 s and takes the rest for a connection of its own";

const FRAGMENTS: &str = "not decoded yet: IP fragments";
const MPLS: &str = "not decoded yet: MPLS";
const TUNNEL: &str = "not decoded yet: tunnels over UDP";

/// Captures and their fields that differ, and why. What agrees now is to be taken off, so that it can't
/// get worse again.
const KNOWN: &[(&str, &[&str], &str)] = &[
    ("mpls-vlan-http", &["flows"], MPLS),
    ("vxlan-http", &["flows"], TUNNEL),
    ("gtp-frag-http", &["flows"], TUNNEL),
    (
        "gtp-frag-http",
        &["orig_bytes", "resp_bytes", "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes"],
        FRAGMENTS,
    ),
];

/// Logs of runs that looked at something else, or in another way: capture, part of the log's name, why.
const SKIPPED: &[(&str, &str, &str)] = &[
    ("file-empty", "", "the log is of another capture"),
    ("ssh-single", "spicy.replaces", "the log is of another capture"),
    ("mpls-vlan-http", "print-bpf-filters", "the run had a filter"),
    ("smtp-basic-auth", "mime-content-hash", "the log was cut down to one service"),
    ("smtp-basic-auth", "packetfilter", "the run dropped packets on purpose"),
    ("vlan-collisions", "vlan_fivetuple-", "the run told connections apart by VLAN"),
    ("vlan-collisions", "vlan_fivetuple_", "the run told connections apart by VLAN"),
];

/// What differs, a line a field.
pub(crate) fn known() -> Vec<(&'static str, &'static str, &'static str)> {
    let lines = KNOWN.iter().flat_map(|(capture, fields, reason)| {
        fields.iter().map(|field| (*capture, *field, *reason))
    });
    lines.collect()
}

/// Why a log is not compared.
pub(crate) fn skipped(capture: &str, log: &str) -> Option<&'static str> {
    let skipped = SKIPPED.iter().find(|(name, of, _)| *name == capture && log.contains(of));
    skipped.map(|(_, _, why)| *why)
}

/// Whether the second row goes on where Zeek gave the first one up.
pub(crate) fn is_split(first: &Row, second: &Row) -> bool {
    first.get("conn_state").is_some_and(|state| state == "S0")
        && second.get("proto").is_some_and(|proto| proto == "tcp")
        && second.get("history").is_some_and(|history| !history.starts_with('S'))
}
