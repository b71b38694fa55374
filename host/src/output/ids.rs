//! Names of flows that other tools, and a second run, agree on.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowcell_core::decode::icmp_counterpart;
use flowcell_core::{FiveTuple, Transport};
use sha1::{Digest, Sha1};
use siphasher::sip128::SipHasher13;

/// A flow's own id: `F` and 17 characters of base 62. It follows from the 5-tuple and from time and
/// number of the first packet, so it is the same in every run over the same capture.
pub(super) fn uid(tuple: &FiveTuple, first_ts: u64, first_packet: u64) -> String {
    let mut bytes = Vec::with_capacity(64);
    for endpoint in [&tuple.orig, &tuple.resp] {
        push_address(&mut bytes, endpoint.addr);
        bytes.extend_from_slice(&endpoint.port.to_be_bytes());
    }
    bytes.push(tuple.transport.number());
    bytes.extend_from_slice(&first_ts.to_be_bytes());
    bytes.extend_from_slice(&first_packet.to_be_bytes());
    let mut hash = SipHasher13::new().hash(&bytes).as_u128();
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut uid = String::with_capacity(18);
    uid.push('F');
    // Divided by as much as 64 bits hold first: dividing 128 bits is slow.
    for count in [10, 7] {
        let power = 62u128.pow(count);
        let mut digits = u64::try_from(hash % power).unwrap_or(0);
        for _ in 0..count {
            let digit = usize::try_from(digits % 62).unwrap_or(0);
            uid.push(char::from(DIGITS[digit]));
            digits /= 62;
        }
        hash /= power;
    }
    uid
}

/// Community ID, version 1 with seed 0: base64 of the SHA-1 over the ordered 5-tuple.
///
/// ICMP messages that nobody answers stay in the order in which they were sent, and what has no
/// ports is hashed without them.
pub(super) fn community_id(tuple: &FiveTuple) -> String {
    let (orig, resp) = (&tuple.orig, &tuple.resp);
    let one_way = match tuple.transport {
        Transport::Icmp | Transport::Icmpv6 => {
            let v6 = tuple.transport == Transport::Icmpv6;
            u8::try_from(orig.port).is_ok_and(|kind| icmp_counterpart(v6, kind).is_none())
        }
        Transport::Tcp | Transport::Udp | Transport::Other(_) => false,
    };
    let ordered = one_way || (orig.addr, orig.port) <= (resp.addr, resp.port);
    let (low, high) = if ordered { (orig, resp) } else { (resp, orig) };
    let mut bytes = Vec::with_capacity(40);
    bytes.extend_from_slice(&[0, 0]);
    push_address(&mut bytes, low.addr);
    push_address(&mut bytes, high.addr);
    bytes.extend_from_slice(&[tuple.transport.number(), 0]);
    if !matches!(tuple.transport, Transport::Other(_)) {
        bytes.extend_from_slice(&low.port.to_be_bytes());
        bytes.extend_from_slice(&high.port.to_be_bytes());
    }
    format!("1:{}", STANDARD.encode(Sha1::digest(&bytes)))
}

fn push_address(bytes: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => bytes.extend_from_slice(&v4.octets()),
        IpAddr::V6(v6) => bytes.extend_from_slice(&v6.octets()),
    }
}

#[cfg(test)]
mod tests {
    use flowcell_core::Endpoint;

    use super::*;

    fn tuple(orig: (&str, u16), resp: (&str, u16), transport: Transport) -> FiveTuple {
        let endpoint =
            |(addr, port): (&str, u16)| Endpoint { addr: addr.parse().expect("address"), port };
        FiveTuple { orig: endpoint(orig), resp: endpoint(resp), transport }
    }

    // The specification's own examples.
    #[test]
    fn community_ids_are_those_of_the_specification() {
        let tcp = tuple(("128.232.110.120", 34855), ("66.35.250.204", 80), Transport::Tcp);
        assert_eq!(community_id(&tcp), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(community_id(&tcp.flipped()), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        let udp = tuple(("192.168.1.52", 54585), ("8.8.8.8", 53), Transport::Udp);
        assert_eq!(community_id(&udp), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
    }

    // As tshark has them.
    #[test]
    fn community_ids_of_what_has_no_ports() {
        let between =
            |from, to, transport| tuple(("192.168.0.2", from), ("192.168.0.1", to), transport);
        let answered = between(0, 8, Transport::Icmp);
        assert_eq!(community_id(&answered), "1:fVyMFC5i8lT03k6ii5FxBWyCFYQ=");
        assert_eq!(community_id(&answered.flipped()), "1:fVyMFC5i8lT03k6ii5FxBWyCFYQ=");
        let unreachable = between(3, 1, Transport::Icmp);
        assert_eq!(community_id(&unreachable), "1:bNfFNuWTXo30fOmRNU6h26nNNaU=");
        let gre = between(0, 0, Transport::Other(47));
        assert_eq!(community_id(&gre), "1:eJc6vmqYUOC+zA9JChUzb3Z+MP8=");
        assert_eq!(community_id(&gre.flipped()), "1:eJc6vmqYUOC+zA9JChUzb3Z+MP8=");
    }

    #[test]
    fn uids_differ_by_what_makes_a_flow() {
        let flow = tuple(("10.0.0.1", 1), ("10.0.0.2", 2), Transport::Tcp);
        let id = uid(&flow, 7, 1);
        assert_eq!(id, uid(&flow, 7, 1));
        assert_eq!(id, "FgvFI6nmvDslJ7cNwC", "as in every version");
        assert_ne!(id, uid(&flow, 8, 1));
        assert_ne!(id, uid(&flow, 7, 2));
        assert_ne!(id, uid(&flow.flipped(), 7, 1));
    }
}
