//! What the tests of decoding share: frames made to order, and what became of them in words.

mod errors;
mod ip;
mod link;
mod samples;
mod transport;
mod tunnel;
mod wifi;

use etherparse::{IpNumber, PacketBuilder};

use super::*;
use crate::{SeqNo, Transport};

/// What decoding says of [`ip4_tcp`] with the data "payload".
const TCP: &str = "tcp 10.0.0.1:4000 -> 10.0.0.2:25 payload";

fn frame(link: LinkType, bytes: &[u8]) -> RawFrame<'_> {
    RawFrame { number: 1, ts: Timestamp(0), interface: 0, link, len: bytes.len() as u32, bytes }
}

fn ethernet(bytes: &[u8]) -> RawFrame<'_> {
    frame(LinkType::ETHERNET, bytes)
}

#[track_caller]
fn packet<'a>(frame: &RawFrame<'a>) -> Packet<'a> {
    match decode(frame) {
        Ok(Decoded::Packet(packet)) => packet,
        other => panic!("no packet: {other:?}"),
    }
}

#[track_caller]
fn fragment<'a>(frame: &RawFrame<'a>) -> Fragment<'a> {
    match decode(frame) {
        Ok(Decoded::Fragment(fragment)) => fragment,
        other => panic!("no fragment: {other:?}"),
    }
}

fn payload<'a>(packet: &Packet<'a>) -> (&'a [u8], u64) {
    match packet.payload {
        Payload::Tcp(segment) => (segment.payload, segment.wire_len),
        Payload::Udp(datagram) => (datagram.payload, datagram.wire_len),
        Payload::Icmp(icmp) => (icmp.payload, icmp.wire_len),
        Payload::Other(other) => (other.payload, other.wire_len),
    }
}

/// Puts the outcome into words, tunnel by tunnel to a depth of 8.
fn tell(decoded: Result<Decoded<'_>, DecodeError>) -> String {
    tell_at(decoded, 0)
}

fn tell_at(decoded: Result<Decoded<'_>, DecodeError>, depth: usize) -> String {
    match decoded {
        Ok(Decoded::Packet(Packet { inner: Some(inner), .. })) if depth < 8 => {
            let id = inner.id.map_or(String::new(), |id| format!(" {id}"));
            format!("{}{id} | {}", inner.kind, tell_at(inner.decode(), depth + 1))
        }
        Ok(Decoded::Packet(packet)) => {
            format!("{} {}", packet.tuple(), payload(&packet).0.escape_ascii())
        }
        Ok(Decoded::Fragment(f)) => {
            let more = if f.more { "+" } else { "" };
            format!(
                "fragment {} of {} at {}{more}, {} bytes",
                f.id, f.protocol, f.offset, f.wire_len
            )
        }
        Ok(Decoded::UnsupportedLink(link)) => format!("unsupported link {link}"),
        Ok(Decoded::UnsupportedEtherType(number)) => format!("unsupported {number:#06x}"),
        Err(error) => error.to_string(),
    }
}

fn tell_frame(link: LinkType, bytes: &[u8]) -> String {
    tell(decode(&frame(link, bytes)))
}

/// Puts parts together.
macro_rules! cat {
    ($($part:expr),* $(,)?) => {{
        let mut bytes = Vec::new();
        $(bytes.extend_from_slice(&$part[..]);)*
        bytes
    }};
}
use cat;

fn ip4_tcp(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
    builder.tcp(4000, 25, 77, 1024).ack(99).write(&mut bytes, data).unwrap();
    bytes
}

fn ip6_udp(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv6([1; 16], [2; 16], 64);
    builder.udp(5353, 53).write(&mut bytes, data).unwrap();
    bytes
}

/// A datagram to a port.
fn ip4_udp(port: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4([10, 0, 0, 3], [10, 0, 0, 4], 64);
    builder.udp(50_000, port).write(&mut bytes, data).unwrap();
    bytes
}

/// A packet of any protocol.
fn ip4(protocol: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4([10, 0, 0, 3], [10, 0, 0, 4], 64);
    builder.write(&mut bytes, IpNumber(protocol), data).unwrap();
    bytes
}

/// An IPv6 packet of any protocol.
fn ip6(protocol: u8, data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u16).to_be_bytes();
    cat!([0x60, 0, 0, 0], len, [protocol, 64], [1; 16], [2; 16], data)
}

/// An IPv6 packet with the given extension headers in front of a TCP segment with data "data".
fn ip6_with(first: u8, extensions: &[u8]) -> Vec<u8> {
    ip6(first, &cat!(extensions, ip4_tcp(b"data")[20..]))
}

/// A frame whose header ends with an ether type.
fn linked(header: &[u8], ether_type: u16, packet: &[u8]) -> Vec<u8> {
    cat!(header, ether_type.to_be_bytes(), packet)
}

/// An Ethernet frame.
fn eth(ether_type: u16, packet: &[u8]) -> Vec<u8> {
    linked(&[7; 12], ether_type, packet)
}
