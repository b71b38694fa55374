//! Fragments in any order, against a list of what was sent.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeMap;

use super::Input;
use crate::decode::{Fragment, VlanTags};
use crate::defrag::{Defragmenter, Outcome};
use crate::{Counters, Limits, Timestamp};

/// What the fragments of one datagram have in common here.
type Key = (bool, u8, u8);

/// Returns the byte at a place of a datagram in one of a few versions of it.
fn content(at: u64, version: u8) -> u8 {
    let [.., low] = at.to_be_bytes();
    let [.., high, _] = at.to_be_bytes();
    low.wrapping_mul(31) ^ high ^ version.wrapping_mul(85)
}

/// Puts fragments together: limits first, then 8 bytes for each fragment.
pub fn defrag_ops(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let limits = Limits {
        frag_total: u64::from(input.short()) << 2,
        frag_datagrams: u64::from(input.byte()),
        frag_fragments: u64::from(input.byte()),
        frag_timeout_ms: u64::from(input.byte()) * 10,
        ..Limits::default()
    };
    let mut defrag = Defragmenter::new(&limits, [3, 4]);
    let mut counters = Counters::default();
    let mut sent: BTreeMap<Key, Vec<(u64, u64, u8)>> = BTreeMap::new();
    let mut now = Timestamp(1_000_000_000);
    let (mut handed, mut out) = (0_u64, 0_u64);
    while !input.is_empty() {
        let [kind, id, offset_high, offset_low, len, time, version, cut] = input.array();
        now = now.saturating_add(u64::from(time) * 1_000_000);
        let (v6, more, scope) = (kind & 1 != 0, kind & 2 != 0, kind >> 2 & 1);
        let version = version % 3;
        let offset = u32::from(u16::from_be_bytes([offset_high, offset_low])) / 8 * 8;
        // Mostly small and even, at times odd, at times as large as can be.
        let len = match kind >> 5 {
            7 => u64::from(len),
            6 => 65_535 - u64::from(len),
            _ => u64::from(len % 8) * 8,
        };
        let bytes: Vec<u8> = (0..len).map(|at| content(u64::from(offset) + at, version)).collect();
        let kept = if cut == 255 { bytes.len() / 2 } else { bytes.len() };
        let (src, dst): (IpAddr, IpAddr) = if v6 {
            (Ipv6Addr::LOCALHOST.into(), Ipv6Addr::UNSPECIFIED.into())
        } else {
            (Ipv4Addr::LOCALHOST.into(), Ipv4Addr::UNSPECIFIED.into())
        };
        let fragment = Fragment {
            vlan: VlanTags::default(),
            src,
            dst,
            id: u32::from(id % 16),
            protocol: 17,
            offset,
            more,
            bytes: bytes.get(..kept).unwrap_or_default(),
            wire_len: len,
            ip_len: len + if v6 { 48 } else { 20 },
            header_checksum_ok: true,
            length_exceeds_frame: kind & 0x18 == 0x18,
        };
        let parts = sent.entry((v6, id % 16, scope)).or_default();
        parts.push((u64::from(offset), len, version));
        handed += 1;
        if let Outcome::Whole(whole) = defrag.insert(&fragment, scope.into(), now, &mut counters) {
            out += u64::from(whole.fragments);
            check(&whole.bytes, parts);
            assert!(whole.ip_len >= whole.bytes.len() as u64);
        }
        assert!(defrag.held_bytes() <= limits.frag_total);
        assert!(out + counters.frag_duplicates + counters.frag_dropped <= handed);
    }
    defrag.expire(Timestamp(now.0 + 2_550_000_000), &mut counters);
    assert_eq!(defrag.held_bytes(), 0);
}

/// Checks that a datagram consists of parts that were sent, one behind the other.
fn check(bytes: &[u8], parts: &[(u64, u64, u8)]) {
    assert!(bytes.len() <= 65_535);
    let len = bytes.len() as u64;
    // Where parts can end that begin at 0 and follow each other: all of them ends.
    let mut reached = std::collections::BTreeSet::from([0]);
    let mut todo = vec![0];
    while let Some(at) = todo.pop() {
        for &(start, size, version) in parts.iter().filter(|(start, ..)| *start == at) {
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let fits = bytes.get(place(start)..place(start + size)).is_some_and(|found| {
                found.iter().zip(start..).all(|(&byte, at)| byte == content(at, version))
            });
            if fits && reached.insert(start + size) {
                todo.push(start + size);
            }
        }
    }
    assert!(reached.contains(&len), "{len} bytes that nobody sent");
}
