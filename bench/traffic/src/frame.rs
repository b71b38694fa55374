//! Frames, header by header. Each function appends to a buffer and fills in lengths and checksums
//! once it knows what is inside.

use std::net::{IpAddr, SocketAddr};

use crate::bits::low16;

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const GRE: u8 = 47;

pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const PSH: u8 = 0x08;
pub(crate) const ACK: u8 = 0x10;

/// The fields of a TCP header that differ from segment to segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) options: Options,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Options {
    None,
    /// Value and echo (RFC 7323).
    Timestamps(u32, u32),
    /// What a SYN says: segment size, SACK permitted, window scale, and timestamps where wanted.
    Syn {
        mss: u16,
        scale: u8,
        timestamps: Option<(u32, u32)>,
    },
}

/// An Ethernet header for what `inside` appends; which addresses it has matters to nobody.
pub(crate) fn ethernet(buffer: &mut Vec<u8>, v6: bool, inside: impl FnOnce(&mut Vec<u8>)) {
    buffer.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    buffer.extend(if v6 { [0x86, 0xdd] } else { [0x08, 0x00] });
    inside(buffer);
}

/// What IPv4 says about fragmentation: offset in bytes, and whether more fragments follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    pub(crate) offset: u16,
    pub(crate) more: bool,
}

/// An IP header. Both addresses must be of one family.
pub(crate) fn ip(
    buffer: &mut Vec<u8>,
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    id: u16,
    inside: impl FnOnce(&mut Vec<u8>),
) {
    match (from, to) {
        (IpAddr::V4(_), IpAddr::V4(_)) => ipv4(buffer, from, to, protocol, id, None, inside),
        _ => {
            buffer.extend([0x60, 0, 0, 0, 0, 0, protocol, 64]);
            address(buffer, from);
            address(buffer, to);
            let start = buffer.len();
            inside(buffer);
            let len = low16((buffer.len() - start) as u64);
            buffer[start - 36..start - 34].copy_from_slice(&len.to_be_bytes());
        }
    }
}

/// An IPv4 header, of a whole datagram (which may not be fragmented) or of a fragment.
pub(crate) fn ipv4(
    buffer: &mut Vec<u8>,
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    id: u16,
    fragment: Option<Fragment>,
    inside: impl FnOnce(&mut Vec<u8>),
) {
    let start = buffer.len();
    let place = fragment.map_or(0x4000, |part| (part.offset / 8) | (u16::from(part.more) << 13));
    buffer.extend([0x45, 0, 0, 0]);
    buffer.extend(id.to_be_bytes());
    buffer.extend(place.to_be_bytes());
    buffer.extend([64, protocol, 0, 0]);
    address(buffer, from);
    address(buffer, to);
    inside(buffer);
    let len = low16((buffer.len() - start) as u64);
    buffer[start + 2..start + 4].copy_from_slice(&len.to_be_bytes());
    let sum = folded(sum(&buffer[start..start + 20]));
    buffer[start + 10..start + 12].copy_from_slice(&sum.to_be_bytes());
}

/// A whole frame with a TCP segment.
pub(crate) fn tcp_frame(
    buffer: &mut Vec<u8>,
    (from, to): (SocketAddr, SocketAddr),
    id: u16,
    segment: &Segment,
    payload: impl FnOnce(&mut Vec<u8>),
) {
    ethernet(buffer, from.is_ipv6(), |buffer| {
        ip(buffer, from.ip(), to.ip(), TCP, id, |buffer| tcp(buffer, (from, to), segment, payload));
    });
}

/// A TCP header with its options.
pub(crate) fn tcp(
    buffer: &mut Vec<u8>,
    (from, to): (SocketAddr, SocketAddr),
    segment: &Segment,
    payload: impl FnOnce(&mut Vec<u8>),
) {
    let start = buffer.len();
    buffer.extend(from.port().to_be_bytes());
    buffer.extend(to.port().to_be_bytes());
    buffer.extend(segment.seq.to_be_bytes());
    buffer.extend(segment.ack.to_be_bytes());
    buffer.extend([0, segment.flags]);
    buffer.extend(segment.window.to_be_bytes());
    buffer.extend([0; 4]);
    match segment.options {
        Options::None => {}
        Options::Timestamps(value, echo) => {
            buffer.extend([1, 1]);
            timestamps(buffer, value, echo);
        }
        Options::Syn { mss, scale, timestamps: stamps } => {
            buffer.extend([2, 4]);
            buffer.extend(mss.to_be_bytes());
            buffer.extend([4, 2]);
            match stamps {
                Some((value, echo)) => timestamps(buffer, value, echo),
                None => buffer.extend([1, 1]),
            }
            buffer.extend([1, 3, 3, scale]);
        }
    }
    let words = (buffer.len() - start) / 4;
    buffer[start + 12] = u8::try_from(words << 4).unwrap_or(u8::MAX);
    payload(buffer);
    let sum = transport_sum(&buffer[start..], from.ip(), to.ip(), TCP);
    buffer[start + 16..start + 18].copy_from_slice(&sum.to_be_bytes());
}

fn timestamps(buffer: &mut Vec<u8>, value: u32, echo: u32) {
    buffer.extend([8, 10]);
    buffer.extend(value.to_be_bytes());
    buffer.extend(echo.to_be_bytes());
}

/// A whole frame with a UDP datagram.
pub(crate) fn udp_frame(
    buffer: &mut Vec<u8>,
    (from, to): (SocketAddr, SocketAddr),
    id: u16,
    payload: impl FnOnce(&mut Vec<u8>),
) {
    ethernet(buffer, from.is_ipv6(), |buffer| {
        ip(buffer, from.ip(), to.ip(), UDP, id, |buffer| udp(buffer, (from, to), payload));
    });
}

/// A UDP header.
pub(crate) fn udp(
    buffer: &mut Vec<u8>,
    (from, to): (SocketAddr, SocketAddr),
    payload: impl FnOnce(&mut Vec<u8>),
) {
    let start = buffer.len();
    buffer.extend(from.port().to_be_bytes());
    buffer.extend(to.port().to_be_bytes());
    buffer.extend([0; 4]);
    payload(buffer);
    let len = low16((buffer.len() - start) as u64);
    buffer[start + 4..start + 6].copy_from_slice(&len.to_be_bytes());
    let sum = match transport_sum(&buffer[start..], from.ip(), to.ip(), UDP) {
        // 0 means that there is no checksum (RFC 768).
        0 => u16::MAX,
        sum => sum,
    };
    buffer[start + 6..start + 8].copy_from_slice(&sum.to_be_bytes());
}

fn address(buffer: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => buffer.extend(address.octets()),
        IpAddr::V6(address) => buffer.extend(address.octets()),
    }
}

fn transport_sum(segment: &[u8], from: IpAddr, to: IpAddr, protocol: u8) -> u16 {
    let addresses = [from, to].map(|address| match address {
        IpAddr::V4(address) => sum(&address.octets()),
        IpAddr::V6(address) => sum(&address.octets()),
    });
    let pseudo = addresses[0] + addresses[1] + u64::from(protocol) + segment.len() as u64;
    folded(pseudo + sum(segment))
}

/// The sum of RFC 1071, unfolded: words of 32 bits fold to the same as words of 16.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum::<u64>();
    words + u64::from(u32::from_be_bytes(last))
}

fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !low16(sum)
}
