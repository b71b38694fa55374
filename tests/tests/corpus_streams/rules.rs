//! The rules by which we differ from the oracle, each with its reason.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use flowcell_tests::command::Run;
use flowcell_tests::corpus::{Digest, Flow, counter};

use crate::compare::Case;
use crate::oracle::Side;

pub(crate) const IDLE: &str = "several flows to us, and one with long timeouts: it was idle";
pub(crate) const REOPENED: &str = "several flows to us: opened again after a reset or an end";
pub(crate) const CHECKSUM: &str = "a packet with a wrong checksum is ignored as its receiver does; \
                                   with --checksums off they agree";
pub(crate) const MORE_SENT: &str = "a FIN shows that more was sent than any segment brought";
pub(crate) const CLOSED: &str = "bytes behind a reset, or behind both FINs, are only counted";
pub(crate) const AGED: &str = "a hole older than the reorder window is a gap; the rest is late";
pub(crate) const CARRIER: &str =
    "the outside of a tunnel is a flow too; the oracle has what is inside only";
pub(crate) const OVERLAP: &str = "a datagram whose fragments overlap is given up, RFC 5722";
pub(crate) const BAD_FLAGS: &str = "SYN together with FIN: no receiver takes it";
pub(crate) const IPCOMP: &str = "packed by IPComp, which the oracle unpacks and we don't";
pub(crate) const TRAILER: &str =
    "the oracle takes bytes behind the end of the datagram, as UDP tells it, for payload";
pub(crate) const DAMAGED: &str =
    "headers that contradict each other: the oracle reads on, we reject the packet";
pub(crate) const MIXED: &str =
    "the oracle puts the ports of the tunnel to the addresses inside, where no ports are";
pub(crate) const CALL: &str = "the oracle files datagrams of an announced call under one stream, \
                               whatever their addresses";

/// The captures that a rule is known to explain. One that agrees now is to be taken off, so that
/// it can't get worse again.
pub(crate) const KNOWN: &[(&str, &[&str])] = &[
    (
        IDLE,
        &[
            "bad-babel-oobr",
            "bad-fuzz-2006-be",
            "file-usec-invalid",
            "frag6-many",
            "mixed-services",
            "sip-udp-81",
        ],
    ),
    (REOPENED, &["pop3-7flows", "rtsp-sll-rexmit", "tcp-evasion-linux"]),
    (CHECKSUM, &["smtp-retrans-tnef", "tcp-reassembly-lost"]),
    (MORE_SENT, &["bad-fuzz-2006-be", "tcp-end-data-missing"]),
    (CLOSED, &["ftp-pasv", "tcp-rst-inject"]),
    (CARRIER, &["geneve-gre-http", "gtp-frag-http", "teredo-ndpi", "vxlan-http"]),
    (OVERLAP, &["frag4-ntp"]),
    (BAD_FLAGS, &["frag4-garbage"]),
    (IPCOMP, &["ah-ipcomp-http"]),
    (TRAILER, &["frag6-many"]),
    (CALL, &["bad-fuzz-2006-be"]),
    (DAMAGED, &["bad-fuzz-2006-be"]),
    (MIXED, &["teredo-ndpi"]),
];

/// Whether a rule that nothing in the output shows is known to apply to a capture.
fn is_known(rule: &str, capture: &str) -> bool {
    KNOWN.iter().any(|(known, captures)| *known == rule && captures.contains(&capture))
}

/// Ports of tunnels over UDP: VXLAN, Geneve, GTP-U, Teredo.
const TUNNEL_PORTS: [u16; 4] = [4789, 6081, 2152, 3544];

/// Whether a flow may be the outside of a tunnel. What is inside names the flow that carried its first
/// packet, so where the same addresses come through several tunnels, the others are not named.
fn may_carry(flow: &Flow, run: &Run) -> bool {
    let ports = [flow.orig.port(), flow.resp.port()];
    flow.proto == "udp"
        && TUNNEL_PORTS.iter().any(|port| ports.contains(port))
        && counter(run, "tunnelled") > 0
}

/// Why a flow that the oracle does not have is there; `carriers` are those that others came through.
pub(crate) fn explain_extra(
    capture: &str,
    flow: &Flow,
    carriers: &BTreeSet<String>,
    run: &Run,
) -> Option<&'static str> {
    if carriers.contains(&flow.uid) || may_carry(flow, run) {
        return Some(CARRIER);
    }
    is_known(CALL, capture).then_some(CALL)
}

/// Whether these are the ports of a flow, at whatever addresses.
fn has_ports(flow: &Flow, [a, b]: [SocketAddr; 2]) -> bool {
    let (orig, resp) = (flow.orig.port(), flow.resp.port());
    [(a.port(), b.port()), (b.port(), a.port())].contains(&(orig, resp))
}

/// Why we have less, or see more missing, than the oracle. `parts` are our flows of its stream.
pub(crate) fn explain(case: &Case<'_>, theirs: &Side, parts: &[&Digest]) -> Option<&'static str> {
    let Case { capture, run, stream, flows } = case;
    let ends = [stream.a, stream.b];
    if let ([one], Some(missing)) = (parts, theirs.missing)
        && (one.bytes, &one.sha256) == (theirs.bytes, &theirs.sha256)
        && one.missed > missing
    {
        return Some(MORE_SENT);
    }
    let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
    if bytes >= theirs.bytes && !parts.is_empty() {
        return None;
    }
    if parts.is_empty() {
        let mixed = flows.iter().any(|flow| may_carry(flow, run) && has_ports(flow, ends));
        let overlaps = counter(run, "frag_overlap") + counter(run, "frag_inconsistent");
        let causes =
            [(mixed, MIXED), (overlaps > 0, OVERLAP), (counter(run, "bad_flags") > 0, BAD_FLAGS)];
        return causes.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason);
    }
    let short = theirs.bytes - bytes;
    let missed: u64 = parts.iter().map(|part| part.missed).sum();
    let closed = counter(run, "after_close_bytes");
    let late = counter(run, "late_bytes");
    let damaged = ["decode_bad_length", "decode_too_short", "decode_bad_version"];
    let damaged = damaged.iter().any(|name| counter(run, name) > 0);
    let name = capture.name.as_str();
    let of_ports = flows.iter().filter(|flow| has_ports(flow, ends)).count();
    let causes = [
        (is_known(IPCOMP, name) && Some(missed) == theirs.missing.map(|gap| gap + short), IPCOMP),
        (is_known(TRAILER, name) && theirs.missing.is_none(), TRAILER),
        (short <= closed, CLOSED),
        (counter(run, "holes_aged") > 0 && short <= closed + late, AGED),
        (is_known(CALL, name) && of_ports > parts.len(), CALL),
        (damaged && capture.category == "bad", DAMAGED),
    ];
    causes.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
}
