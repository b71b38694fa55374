//! Frames made of other frames: in a VLAN, in a tunnel, in fragments, with a wrong checksum. They are
//! Ethernet frames with IPv4, as a [`Conversation`](super::Conversation) makes them.

use etherparse::{IpFragOffset, IpNumber, Ipv4Header, PacketBuilder};

/// Length of an Ethernet header.
const ETHERNET: usize = 14;
/// Length of an IPv4 header without options.
const IPV4: usize = 20;

/// The MAC addresses of frames that nobody else has made.
const MACS: [u8; 12] = [2, 0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 1];

/// The ends of all tunnels.
pub const TUNNEL_ENDS: [[u8; 4]; 2] = [[172, 16, 0, 1], [172, 16, 0, 2]];

/// UDP ports of VXLAN tunnels.
pub const VXLAN_PORTS: [u16; 2] = [50_000, 4789];

/// The frame with an 802.1Q tag.
#[must_use]
pub fn vlan(frame: &[u8], id: u16) -> Vec<u8> {
    let (macs, rest) = frame.split_at(12);
    [macs, &[0x81, 0x00], &id.to_be_bytes(), rest].concat()
}

/// The frame's packet in GRE (RFC 2784), with a key (RFC 2890).
#[must_use]
pub fn gre(frame: &[u8], key: u32) -> Vec<u8> {
    let header = [&[0x20, 0, 8, 0][..], &key.to_be_bytes()].concat();
    ip(47, TUNNEL_ENDS, &[&header, &frame[ETHERNET..]].concat())
}

/// The frame's packet in an IPv4 packet (RFC 2003).
#[must_use]
pub fn ip_in_ip(frame: &[u8]) -> Vec<u8> {
    ip(4, TUNNEL_ENDS, &frame[ETHERNET..])
}

/// The frame in VXLAN (RFC 7348).
///
/// # Panics
/// When it is too long.
#[must_use]
pub fn vxlan(frame: &[u8], vni: u32) -> Vec<u8> {
    let [from, to] = TUNNEL_ENDS;
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 1, 1], [2, 0, 0, 0, 1, 2])
        .ipv4(from, to, 64)
        .udp(VXLAN_PORTS[0], VXLAN_PORTS[1]);
    let payload = [&[8, 0, 0, 0][..], &(vni << 8).to_be_bytes(), frame].concat();
    let mut outer = Vec::new();
    builder.write(&mut outer, &payload).unwrap_or_else(|error| panic!("{error}"));
    outer
}

/// An ICMP echo request of 10.0.0.1.
///
/// # Panics
/// Never.
#[must_use]
pub fn echo_request(id: u16) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .icmpv4_echo_request(id, 1);
    let mut frame = Vec::new();
    builder.write(&mut frame, b"ping").unwrap_or_else(|error| panic!("{error}"));
    frame
}

/// An IPv4 packet of any protocol.
#[must_use]
pub fn ip(protocol: u8, [from, to]: [[u8; 4]; 2], payload: &[u8]) -> Vec<u8> {
    let header = header(payload.len(), protocol, [from, to]);
    whole(&header, payload)
}

/// The frame's packet in fragments with at most `size` bytes of its payload each, a multiple of 8.
///
/// # Panics
/// When the frame is not IPv4, or `size` is no multiple of 8.
#[must_use]
pub fn fragments(frame: &[u8], size: usize, id: u16) -> Vec<Vec<u8>> {
    let payload = &frame[ETHERNET + IPV4..];
    let pieces = payload.chunks(size).enumerate();
    pieces
        .map(|(index, piece)| {
            let offset = index * size;
            fragment(frame, id, offset, piece, offset + piece.len() < payload.len())
        })
        .collect()
}

/// One fragment of the frame's packet, with any bytes of payload in any place.
///
/// # Panics
/// When the frame is not IPv4, or `offset` is no multiple of 8.
#[must_use]
pub fn fragment(frame: &[u8], id: u16, offset: usize, payload: &[u8], more: bool) -> Vec<u8> {
    let (original, _) = Ipv4Header::from_slice(&frame[ETHERNET..])
        .unwrap_or_else(|error| panic!("not IPv4: {error}"));
    let mut header =
        header(payload.len(), original.protocol.0, [original.source, original.destination]);
    assert_eq!(offset % 8, 0, "fragments start at multiples of 8");
    header.identification = id;
    header.dont_fragment = false;
    header.more_fragments = more;
    header.fragment_offset = u16::try_from(offset / 8)
        .ok()
        .and_then(|offset| IpFragOffset::try_new(offset).ok())
        .unwrap_or_else(|| panic!("an offset of {offset}"));
    whole(&header, payload)
}

/// The frame with other bytes in its TCP payload, and the checksum as it was: wrong.
#[must_use]
pub fn forged(frame: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut forged = frame.to_vec();
    let at = frame.len() - payload.len();
    forged[at..].copy_from_slice(payload);
    forged
}

fn header(payload: usize, protocol: u8, [from, to]: [[u8; 4]; 2]) -> Ipv4Header {
    let payload = u16::try_from(payload).unwrap_or(u16::MAX);
    Ipv4Header::new(payload, 64, IpNumber(protocol), from, to)
        .unwrap_or_else(|error| panic!("too long for a packet: {error}"))
}

fn whole(header: &Ipv4Header, payload: &[u8]) -> Vec<u8> {
    let mut frame = [&MACS[..], &[8, 0]].concat();
    header.write(&mut frame).unwrap_or_else(|error| panic!("{error}"));
    frame.extend_from_slice(payload);
    frame
}
