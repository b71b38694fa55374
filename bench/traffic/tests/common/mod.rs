//! Reads frames back with code of its own: nothing here is shared with the generator.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "shared between test programs")]

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

/// What a frame says.
#[derive(Debug)]
pub struct Seen {
    pub at: u64,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub tcp: Option<Tcp>,
    pub payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
pub struct Tcp {
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
}

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The plain sum of RFC 1071, one word after the other: 0xffff where the checksum inside is right.
pub fn sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
    }
    u16::try_from(sum).unwrap()
}

/// Reads an Ethernet frame with IP and TCP or UDP, and demands that lengths and checksums are right.
pub fn read(at: u64, frame: &[u8]) -> Seen {
    let packet = &frame[14..];
    let (addresses, protocol, segment) = match word(frame, 12) {
        0x0800 => {
            assert_eq!(packet[0], 0x45);
            assert_eq!(word(packet, 2) as usize, packet.len(), "IPv4 length");
            assert_eq!(sum(&[&packet[..20]]), 0xffff, "IPv4 header checksum");
            (&packet[12..20], packet[9], &packet[20..])
        }
        0x86dd => {
            assert_eq!(word(packet, 4) as usize, packet.len() - 40, "IPv6 payload length");
            (&packet[8..40], packet[6], &packet[40..])
        }
        other => panic!("ether type {other:04x}"),
    };
    let len = u32::try_from(segment.len()).unwrap().to_be_bytes();
    assert_eq!(sum(&[addresses, &len, &[0, 0, 0, protocol], segment]), 0xffff, "checksum");
    let (from, to) = addresses.split_at(addresses.len() / 2);
    let ip = |bytes: &[u8]| match <[u8; 4]>::try_from(bytes) {
        Ok(v4) => IpAddr::from(v4),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes).unwrap()),
    };
    let (tcp, header) = match protocol {
        6 => {
            let tcp = Tcp { seq: long(segment, 4), ack: long(segment, 8), flags: segment[13] };
            (Some(tcp), usize::from(segment[12] >> 4) * 4)
        }
        17 => {
            assert_eq!(word(segment, 4) as usize, segment.len(), "UDP length");
            (None, 8)
        }
        other => panic!("protocol {other}"),
    };
    Seen {
        at,
        from: (ip(from), word(segment, 0)).into(),
        to: (ip(to), word(segment, 2)).into(),
        tcp,
        payload: segment[header..].to_vec(),
    }
}

/// One direction of a flow, put together in the plainest way: every byte in its place.
#[derive(Debug, Default)]
pub struct Direction {
    pub isn: Option<u32>,
    pub bytes: Vec<Option<u8>>,
    pub segments: u64,
    /// Bytes that came again and differed.
    pub conflicts: u64,
    /// Segments that did not continue where the one before ended.
    pub jumps: u64,
    next: usize,
    pub fin: bool,
    pub rst: bool,
}

impl Direction {
    fn add(&mut self, seen: &Seen) {
        self.segments += 1;
        let Some(tcp) = seen.tcp else {
            self.bytes.extend(seen.payload.iter().map(|byte| Some(*byte)));
            return;
        };
        self.fin |= tcp.flags & FIN != 0;
        self.rst |= tcp.flags & RST != 0;
        if tcp.flags & SYN != 0 {
            self.isn = Some(tcp.seq);
        }
        if seen.payload.is_empty() {
            return;
        }
        // Without a SYN nobody knows where the bytes belong.
        let Some(isn) = self.isn else { return };
        let at = tcp.seq.wrapping_sub(isn).wrapping_sub(1) as usize;
        self.jumps += u64::from(at != self.next);
        self.next = at + seen.payload.len();
        self.bytes.resize(self.bytes.len().max(self.next), None);
        for (slot, byte) in self.bytes[at..].iter_mut().zip(&seen.payload) {
            self.conflicts += u64::from(slot.is_some_and(|had| had != *byte));
            slot.get_or_insert(*byte);
        }
    }

    pub fn whole(&self) -> Option<Vec<u8>> {
        self.bytes.iter().copied().collect()
    }

    pub fn missing(&self) -> (u64, u64) {
        let ranges = self.bytes.chunk_by(|a, b| a.is_some() == b.is_some());
        let holes: Vec<_> = ranges.filter(|range| range[0].is_none()).map(<[_]>::len).collect();
        (holes.len() as u64, holes.iter().sum::<usize>() as u64)
    }
}

/// Directions by where they come from and go to.
pub type Directions = HashMap<(SocketAddr, SocketAddr), Direction>;

/// Puts all frames together, and checks that time goes on.
#[derive(Debug, Default)]
pub struct Reassembly {
    pub directions: Directions,
    pub frames: u64,
    last: u64,
}

impl Reassembly {
    pub fn add(&mut self, at: u64, frame: &[u8]) {
        assert!(at > self.last, "time went from {} to {at}", self.last);
        self.last = at;
        self.frames += 1;
        let seen = read(at, frame);
        self.directions.entry((seen.from, seen.to)).or_default().add(&seen);
    }
}
