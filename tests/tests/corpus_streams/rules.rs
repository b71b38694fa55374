//! The rules by which we differ from the oracle, each with its reason.

use flowcell_tests::command::Run;
use flowcell_tests::corpus::{Digest, Flow, counter};

use crate::oracle::Side;

pub(crate) const SPLIT: &str = "several flows to us: idle for long, or opened after a reset";
pub(crate) const MORE_SENT: &str = "a FIN shows that more was sent than any segment brought";
pub(crate) const CLOSED: &str = "bytes behind a reset, or behind both FINs, are only counted";
pub(crate) const AGED: &str = "a hole older than the reorder window is a gap; the rest is late";
pub(crate) const BAD_LENGTH: &str = "packets with lengths beyond their frame are rejected";
pub(crate) const FRAGMENTS: &str = "not decoded yet: IP fragments";
pub(crate) const LINK: &str = "not decoded yet: the link type";
pub(crate) const LAYER2: &str = "not decoded yet: MPLS, PPPoE, LLC/SNAP";
pub(crate) const LAYER3: &str = "not decoded yet: GRE, IP in IP, AH, IPComp";
pub(crate) const TUNNEL: &str = "not decoded yet: VXLAN, Geneve, GTP-U, Teredo";

/// The captures that a rule is known to explain. One that agrees now is to be taken off, so that
/// it can't get worse again.
pub(crate) const KNOWN: &[(&str, &[&str])] = &[
    (SPLIT, &["file-usec-invalid", "rtsp-sll-rexmit", "tcp-evasion-linux"]),
    (MORE_SENT, &["tcp-end-data-missing"]),
    (CLOSED, &["ftp-pasv", "tcp-rst-inject"]),
    (BAD_LENGTH, &["bad-babel-oobr", "bad-fuzz-2006-be", "tcp-reassembly-lost"]),
    (
        FRAGMENTS,
        &[
            "dns-edns-ecs-mixed",
            "dns-fragmented-v4v6",
            "frag4-garbage",
            "frag4-http-req",
            "frag4-ntp",
            "frag4-padding",
            "frag4-socks-http",
            "frag6-many",
            "link-ipv6-raw229",
        ],
    ),
    (
        LINK,
        &[
            "link-chdlc-http",
            "link-nflog-http",
            "link-pktap",
            "link-ppp-frag",
            "link-radiotap-http",
        ],
    ),
    (LAYER2, &["link-llc-snap-tcp", "mpls-vlan-http", "pppoe-http", "tcp-http-rst"]),
    (LAYER3, &["ah-ipcomp-http", "gre-ppp-6-4-dns", "ipip-6in6in6"]),
    (TUNNEL, &["geneve-gre-http", "gtp-frag-http", "teredo-ndpi", "vxlan-http"]),
];

/// Ports of tunnels over UDP: VXLAN, Geneve, GTP-U, Teredo.
const TUNNEL_PORTS: [u16; 4] = [4789, 6081, 2152, 3544];

/// Whether a flow may be the outside of a tunnel.
pub(crate) fn is_tunnel(flow: &Flow) -> bool {
    flow.proto == "udp"
        && TUNNEL_PORTS.iter().any(|port| [flow.orig.port(), flow.resp.port()].contains(port))
}

/// Why we have less, or see more missing, than the oracle. `parts` are our flows of its stream.
pub(crate) fn explain(
    theirs: &Side,
    parts: &[&Digest],
    run: &Run,
    flows: &[Flow],
) -> Option<&'static str> {
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
        let tunnels = flows.iter().filter(|flow| is_tunnel(flow)).count() as u64;
        // Several may apply to a capture: what there is most of is the likeliest.
        let causes = [
            (tunnels, TUNNEL),
            (counter(run, "fragments"), FRAGMENTS),
            (counter(run, "unsupported_link"), LINK),
            (counter(run, "unsupported_ethertype"), LAYER2),
            (counter(run, "unsupported_protocol"), LAYER3),
            (counter(run, "decode_bad_length"), BAD_LENGTH),
        ];
        let likeliest = causes.into_iter().max_by_key(|(count, _)| *count);
        return likeliest.filter(|(count, _)| *count > 0).map(|(_, reason)| reason);
    }
    let short = theirs.bytes - bytes;
    let closed = counter(run, "after_close_bytes");
    let late = counter(run, "late_bytes");
    let of_bytes = [
        (short <= closed, CLOSED),
        (counter(run, "holes_aged") > 0 && short <= closed + late, AGED),
        (counter(run, "decode_bad_length") > 0, BAD_LENGTH),
        (counter(run, "fragments") > 0, FRAGMENTS),
    ];
    of_bytes.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
}
