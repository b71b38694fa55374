//! Decoding of one frame, with all that is in it.

use super::Input;
use crate::decode::{Decoded, Packet, decode, decode_reassembled};
use crate::defrag::{Defragmenter, Outcome};
use crate::{Arrival, Counters, DecodeError, Limits, LinkType, RawFrame, Timestamp};

/// Packets inside of packets that are looked at.
const DEPTH: u8 = 8;

/// Decodes a frame: its link type, how much of it was cut and where to cut it once more, then its bytes.
pub fn decode_frame(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let link = match usize::from(input.byte()) {
        255 => LinkType(input.word()),
        at => LinkType::SUPPORTED.get(at).copied().unwrap_or(LinkType::ETHERNET),
    };
    let (lost, cut) = (input.short(), usize::from(input.short()));
    let bytes = input.bytes(usize::MAX);
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_add(u32::from(lost));
    let frame = RawFrame { number: 1, ts: Timestamp(0), interface: 0, link, len, bytes };
    let limits = Limits { frag_total: 1 << 20, ..Limits::default() };
    let mut defrag = Defragmenter::new(&limits, [1, 2]);
    let whole = decode(&frame);
    follow(whole, bytes.len(), DEPTH, &mut defrag);

    let kept = bytes.get(..cut).unwrap_or(bytes);
    let less = decode(&RawFrame { bytes: kept, ..frame });
    match (&less, &whole) {
        (Ok(Decoded::Packet(less)), Ok(Decoded::Packet(whole))) => {
            assert_eq!(less.tuple(), whole.tuple(), "a cut made another packet of it");
            assert_eq!((less.wire_len, less.ip_len), (whole.wire_len, whole.ip_len));
        }
        (Ok(Decoded::Fragment(less)), Ok(Decoded::Fragment(whole))) => {
            assert_eq!((less.id, less.offset, less.more), (whole.id, whole.offset, whole.more));
        }
        // What is behind a label is guessed, and a cut may leave too little for a guess.
        (Ok(Decoded::Packet(_) | Decoded::Fragment(_)), other) => panic!("cut from {other:?}"),
        _ => {}
    }
    follow(less, kept.len(), DEPTH, &mut defrag);
}

/// Checks what came out and goes on with what is inside of it.
fn follow(
    decoded: Result<Decoded<'_>, DecodeError>,
    len: usize,
    depth: u8,
    defrag: &mut Defragmenter,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match decoded {
        Err(error) => {
            assert!(error.offset <= len, "{error} in {len} bytes");
            assert!(!error.to_string().is_empty());
        }
        Ok(Decoded::Packet(packet)) => {
            check(&packet);
            if let Some(inner) = &packet.inner {
                follow(inner.decode(), len, depth, defrag);
            }
        }
        Ok(Decoded::Fragment(fragment)) => {
            assert!(fragment.bytes.len() as u64 <= fragment.wire_len);
            assert!(fragment.bytes.len() <= len && fragment.offset < 65_536);
            let mut counters = Counters::default();
            let outcome = defrag.insert(&fragment, 0, Timestamp(0), &mut counters);
            assert!(defrag.held_bytes() <= 1 << 20);
            if let Outcome::Whole(whole) = outcome {
                let bytes = &whole.bytes[..];
                let (src, dst, protocol) = (whole.src, whole.dst, whole.protocol);
                let decoded =
                    decode_reassembled(whole.vlan, src, dst, protocol, bytes, whole.ip_len);
                follow(decoded, bytes.len(), depth, defrag);
            }
        }
        Ok(Decoded::UnsupportedLink(_) | Decoded::UnsupportedEtherType(_)) => {}
    }
}

/// Checks that lengths agree with each other, and that a packet survives being kept.
fn check(packet: &Packet<'_>) {
    assert!(packet.transport.len() as u64 <= packet.wire_len);
    assert!(packet.wire_len <= packet.ip_len);
    if let Some((bytes, wire_len)) = packet.payload.datagram() {
        assert!(bytes.len() as u64 <= wire_len && wire_len <= packet.wire_len);
        assert!(bytes.len() <= packet.transport.len());
    }
    let (number, ts, tunnel) = (1, Timestamp(0), None);
    let arrival =
        Arrival { number, ts, now: ts, hash: 0, hosts: 0, scope: 0, packet: *packet, tunnel };
    let back = arrival.detach().attach(packet.transport).packet;
    assert_eq!(back.tuple(), packet.tuple());
    assert_eq!(back.checksum(), packet.checksum());
    let told = |packet: &Packet<'_>| format!("{:?}", packet.payload);
    assert_eq!(told(&back), told(packet), "changed by being kept");
}
