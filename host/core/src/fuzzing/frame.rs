//! Frames made to order. Lengths that don't fit into their field are cut, as whoever lies may do.

/// A TCP segment to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp<'a> {
    /// The sender's port and the receiver's.
    pub ports: [u16; 2],
    /// The sequence number.
    pub seq: u32,
    /// The acknowledgment number, and the flag.
    pub ack: Option<u32>,
    /// The other flags, as in [`TcpFlags`](crate::decode::TcpFlags).
    pub flags: u8,
    /// The window.
    pub window: u16,
    /// The payload.
    pub payload: &'a [u8],
}

/// How an IP packet is a part of another one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part {
    /// What the parts have in common.
    pub id: u16,
    /// Where it belongs, in bytes: a multiple of 8 below 65,536.
    pub offset: u16,
    /// Whether more follow.
    pub more: bool,
}

fn short(len: usize) -> [u8; 2] {
    u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes()
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Makes a TCP header, without a checksum, and the payload.
#[must_use]
pub fn tcp(segment: &Tcp<'_>) -> Vec<u8> {
    let Tcp { ports: [src, dst], seq, ack, flags, window, payload } = *segment;
    let flags = flags | if ack.is_some() { 0x10 } else { 0 };
    joined(&[
        &src.to_be_bytes(),
        &dst.to_be_bytes(),
        &seq.to_be_bytes(),
        &ack.unwrap_or_default().to_be_bytes(),
        &[0x50, flags],
        &window.to_be_bytes(),
        &[0; 4],
        payload,
    ])
}

/// Makes a UDP header, without a checksum, and the payload.
#[must_use]
pub fn udp(ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    let [src, dst] = ports.map(u16::to_be_bytes);
    joined(&[&src, &dst, &short(payload.len() + 8), &[0; 2], payload])
}

/// Makes an ICMP header, without a checksum, and the payload.
#[must_use]
pub fn icmp(kind: u8, code: u8, payload: &[u8]) -> Vec<u8> {
    joined(&[&[kind, code, 0, 0, 0, 1, 0, 1], payload])
}

/// Makes an IPv4 packet; a checksum of TCP, UDP or ICMP in it is filled in, unless it is a part.
#[must_use]
pub fn ipv4(src: [u8; 4], dst: [u8; 4], protocol: u8, part: Part, payload: &[u8]) -> Vec<u8> {
    let field = (part.offset / 8) | if part.more { 0x2000 } else { 0 };
    let header = |sum: [u8; 2]| {
        joined(&[
            &[0x45, 0],
            &short(payload.len() + 20),
            &part.id.to_be_bytes(),
            &field.to_be_bytes(),
            &[64, protocol],
            &sum,
            &src,
            &dst,
        ])
    };
    let mut bytes = header(sum(&[&header([0; 2])]));
    if field == 0 {
        let pseudo = [&src[..], &dst, &[0, protocol], &short(payload.len())].concat();
        bytes.extend(summed(protocol, &pseudo, payload));
    } else {
        bytes.extend(payload);
    }
    bytes
}

/// Makes an IPv6 packet; checksums as with [`ipv4`].
#[must_use]
pub fn ipv6(src: [u8; 16], dst: [u8; 16], next: u8, payload: &[u8]) -> Vec<u8> {
    let len = short(payload.len());
    let pseudo = [&src[..], &dst, &[0, 0], &len, &[0, 0, 0, next]].concat();
    let payload = summed(next, &pseudo, payload);
    joined(&[&[0x60, 0, 0, 0], &len, &[next, 64], &src, &dst, &payload])
}

/// Puts a fragment header of IPv6 in front of a part; the packet's next header is 44.
#[must_use]
pub fn ipv6_part(next: u8, part: Part, payload: &[u8]) -> Vec<u8> {
    let field = (part.offset & 0xfff8) | u16::from(part.more);
    joined(&[&[next, 0], &field.to_be_bytes(), &[0; 2], &part.id.to_be_bytes(), payload])
}

/// Makes an Ethernet frame with VLAN tags.
#[must_use]
pub fn ethernet(vlans: &[u16], ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for id in vlans {
        bytes.extend(0x8100_u16.to_be_bytes());
        bytes.extend(id.to_be_bytes());
    }
    bytes.extend(ether_type.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Puts a GRE header in front of an IPv4 packet.
#[must_use]
pub fn gre(packet: &[u8]) -> Vec<u8> {
    joined(&[&[0, 0, 8, 0], packet])
}

/// Puts a VXLAN header in front of an Ethernet frame.
#[must_use]
pub fn vxlan(network: u8, frame: &[u8]) -> Vec<u8> {
    joined(&[&[8, 0, 0, 0, 0, 0, network, 0], frame])
}

/// Puts a GTP-U header in front of an IP packet.
#[must_use]
pub fn gtpu(tunnel: u8, packet: &[u8]) -> Vec<u8> {
    joined(&[&[0x30, 0xff], &short(packet.len()), &[0, 0, 0, tunnel], packet])
}

/// Fills in the checksum of a transport that has one.
fn summed(protocol: u8, pseudo: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    let (at, pseudo) = match protocol {
        1 => (2, &[][..]),
        6 => (16, pseudo),
        17 => (6, pseudo),
        58 => (2, pseudo),
        _ => return bytes,
    };
    let mut found = sum(&[pseudo, payload]);
    if protocol == 17 && found == [0, 0] {
        found = [0xff, 0xff];
    }
    if let Some(field) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<2>()) {
        *field = found;
    }
    bytes
}

/// Returns the checksum of RFC 1071; all parts but the last have an even length.
fn sum(parts: &[&[u8]]) -> [u8; 2] {
    let mut sum = 0_u64;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let [high, low] = [0, 1].map(|at| pair.get(at).copied().unwrap_or_default());
        sum += u64::from(u16::from_be_bytes([high, low]));
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    (!u16::try_from(sum).unwrap_or_default()).to_be_bytes()
}
