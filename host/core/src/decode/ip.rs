//! IPv4, IPv6 and their extension headers.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::IpNumber;

use super::{
    Cursor, DecodeError, DecodeErrorKind, Decoded, Layer, Packet, Payload, VlanTags, transport,
};
use crate::limits::IP_EXTENSIONS;

/// Decodes IP of the version that the first nibble says.
pub(super) fn by_version(vlan: VlanTags, cur: Cursor<'_>) -> Result<Decoded<'_>, DecodeError> {
    match cur.peek::<1>(Layer::Ipv4)?[0] >> 4 {
        6 => v6(vlan, cur),
        _ => v4(vlan, cur),
    }
}

/// Decodes IPv4.
#[inline]
pub(super) fn v4(vlan: VlanTags, mut cur: Cursor<'_>) -> Result<Decoded<'_>, DecodeError> {
    let header = cur.peek::<20>(Layer::Ipv4)?;
    if header[0] >> 4 != 4 {
        return Err(cur.error(Layer::Ipv4, DecodeErrorKind::Version { found: header[0] >> 4 }));
    }
    let header_len = usize::from(header[0] & 0x0f) * 4;
    if header_len < 20 {
        let kind = DecodeErrorKind::LengthTooSmall { claimed: header_len, least: 20 };
        return Err(cur.error(Layer::Ipv4, kind));
    }
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // A total length of 0 is what a sending host sees of a packet that its network card will cut
    // into segments: the frame is the only length there is.
    if total != 0 {
        if total < header_len {
            let kind = DecodeErrorKind::LengthTooSmall { claimed: total, least: header_len };
            return Err(cur.error(Layer::Ipv4, kind));
        }
        if total > cur.wire {
            let kind = DecodeErrorKind::LengthTooLarge { claimed: total, present: cur.wire };
            return Err(cur.error(Layer::Ipv4, kind));
        }
        cur.limit(total);
    }
    let ip_len = cur.wire as u64;
    let src = IpAddr::V4(Ipv4Addr::new(header[12], header[13], header[14], header[15]));
    let dst = IpAddr::V4(Ipv4Addr::new(header[16], header[17], header[18], header[19]));
    cur.take_cut(Layer::Ipv4, header_len)?;
    // RFC 791 §3.1: more-fragments flag and offset; any of them set means a part of a packet.
    if u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0 {
        return Ok(Decoded::Fragment);
    }
    payload(Headers { vlan, src, dst, ip_len }, IpNumber(header[9]), cur)
}

/// Decodes IPv6.
#[inline]
pub(super) fn v6(vlan: VlanTags, mut cur: Cursor<'_>) -> Result<Decoded<'_>, DecodeError> {
    let header = cur.peek::<40>(Layer::Ipv6)?;
    if header[0] >> 4 != 6 {
        return Err(cur.error(Layer::Ipv6, DecodeErrorKind::Version { found: header[0] >> 4 }));
    }
    let payload_len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    // 0 stands for a jumbogram (RFC 2675 §3) or, as above, for a packet not yet cut.
    if payload_len != 0 {
        let total = payload_len + 40;
        if total > cur.wire {
            let kind = DecodeErrorKind::LengthTooLarge { claimed: total, present: cur.wire };
            return Err(cur.error(Layer::Ipv6, kind));
        }
        cur.limit(total);
    }
    let ip_len = cur.wire as u64;
    let (_, addresses) = header.split_at(8);
    let (src, dst) = addresses.split_at(16);
    let (src, dst) = (address(src), address(dst));
    cur.take(Layer::Ipv6, 40)?;
    payload(Headers { vlan, src, dst, ip_len }, IpNumber(header[6]), cur)
}

/// Reads an IPv6 address; shorter input, which does not occur, reads as zeros.
fn address(bytes: &[u8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(bytes.first_chunk::<16>().copied().unwrap_or_default()))
}

/// What the IP header said.
struct Headers {
    vlan: VlanTags,
    src: IpAddr,
    dst: IpAddr,
    ip_len: u64,
}

/// Follows extension headers to the transport.
#[inline]
fn payload(
    ip: Headers,
    mut protocol: IpNumber,
    mut cur: Cursor<'_>,
) -> Result<Decoded<'_>, DecodeError> {
    let Headers { vlan, src, dst, ip_len } = ip;
    let mut extensions = 0;
    loop {
        let len = match protocol {
            IpNumber::TCP => {
                let payload = Payload::Tcp(transport::tcp(cur)?);
                return Ok(Decoded::Packet(Packet { vlan, src, dst, ip_len, payload }));
            }
            IpNumber::UDP => {
                let payload = Payload::Udp(transport::udp(cur)?);
                return Ok(Decoded::Packet(Packet { vlan, src, dst, ip_len, payload }));
            }
            // RFC 8200 §4.3 and §4.6: the length counts 8-byte units after the first.
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS
            | IpNumber::MOBILITY_HEADER
            | IpNumber::HIP
            | IpNumber::SHIM6
                if src.is_ipv6() =>
            {
                (usize::from(cur.peek::<2>(Layer::IpExtension)?[1]) + 1) * 8
            }
            // RFC 4302 §2.2: the length counts 4-byte units, minus two.
            IpNumber::AUTHENTICATION_HEADER => {
                (usize::from(cur.peek::<2>(Layer::IpExtension)?[1]) + 2) * 4
            }
            IpNumber::IPV6_FRAGMENTATION_HEADER if src.is_ipv6() => {
                let header = cur.peek::<8>(Layer::IpExtension)?;
                // RFC 6946: offset 0 and no more to come is a whole packet.
                if u16::from_be_bytes([header[2], header[3]]) & 0xfff9 != 0 {
                    return Ok(Decoded::Fragment);
                }
                8
            }
            IpNumber(other) => return Ok(Decoded::UnsupportedProtocol(other)),
        };
        if extensions == IP_EXTENSIONS {
            let kind = DecodeErrorKind::TooMany { limit: IP_EXTENSIONS };
            return Err(cur.error(Layer::IpExtension, kind));
        }
        extensions += 1;
        let header = cur.take(Layer::IpExtension, len)?;
        protocol = IpNumber(header.first().copied().unwrap_or_default());
    }
}
