//! IPv4, IPv6 and their extension headers.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::IpNumber;

use super::{
    Cursor, DecodeError, DecodeErrorKind, Decoded, Fragment, Inner, Layer, Other, Packet, Payload,
    VlanTags, checksum, transport, tunnel,
};
use crate::limits::IP_EXTENSIONS;

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
    let mut length_exceeds_frame = false;
    // A total length of 0 is what a sending host sees of a packet that its network card will cut
    // into segments: the frame is the only length there is.
    if total != 0 {
        if total < header_len {
            let kind = DecodeErrorKind::LengthTooSmall { claimed: total, least: header_len };
            return Err(cur.error(Layer::Ipv4, kind));
        }
        length_exceeds_frame = cur.resize(total);
    }
    let ip_len = cur.wire as u64;
    let header_checksum_ok = if header_len == 20 {
        checksum::header_ok(header)
    } else {
        // Options that the capture cut can't be checked.
        cur.bytes.get(..header_len).is_none_or(checksum::header_ok)
    };
    let src = IpAddr::V4(Ipv4Addr::new(header[12], header[13], header[14], header[15]));
    let dst = IpAddr::V4(Ipv4Addr::new(header[16], header[17], header[18], header[19]));
    let ip = Headers { vlan, src, dst, ip_len, header_checksum_ok, length_exceeds_frame };
    cur.take_cut(Layer::Ipv4, header_len)?;
    // RFC 791 §3.1: more-fragments flag and offset; any of them set means a part of a packet.
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    if fragment & 0x3fff != 0 {
        let id = u32::from(u16::from_be_bytes([header[4], header[5]]));
        let (offset, more) = (u32::from(fragment & 0x1fff) * 8, fragment & 0x2000 != 0);
        return Ok(Decoded::Fragment(ip.fragment(cur, id, header[9], offset, more)));
    }
    payload(ip, IpNumber(header[9]), cur)
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
    let length_exceeds_frame = payload_len != 0 && cur.resize(payload_len + 40);
    let ip_len = cur.wire as u64;
    let (_, addresses) = header.split_at(8);
    let (src, dst) = addresses.split_at(16);
    let (src, dst) = (address(src), address(dst));
    cur.take(Layer::Ipv6, 40)?;
    let ip = Headers { vlan, src, dst, ip_len, header_checksum_ok: true, length_exceeds_frame };
    payload(ip, IpNumber(header[6]), cur)
}

/// Reads an IPv6 address; shorter input, which does not occur, reads as zeros.
fn address(bytes: &[u8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(bytes.first_chunk::<16>().copied().unwrap_or_default()))
}

/// What the IP header said.
pub(super) struct Headers {
    pub(super) vlan: VlanTags,
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) ip_len: u64,
    pub(super) header_checksum_ok: bool,
    pub(super) length_exceeds_frame: bool,
}

impl Headers {
    /// Makes the packet; `transport` is what is behind the IP headers.
    #[inline]
    fn packet<'a>(
        self,
        transport: Cursor<'a>,
        payload: Payload<'a>,
        inner: Option<Inner<'a>>,
    ) -> Decoded<'a> {
        Decoded::Packet(Packet {
            vlan: self.vlan,
            src: self.src,
            dst: self.dst,
            ip_len: self.ip_len,
            transport: transport.bytes,
            wire_len: transport.wire as u64,
            header_checksum_ok: self.header_checksum_ok,
            length_exceeds_frame: self.length_exceeds_frame,
            payload,
            inner,
        })
    }

    fn fragment(
        self,
        cur: Cursor<'_>,
        id: u32,
        protocol: u8,
        offset: u32,
        more: bool,
    ) -> Fragment<'_> {
        Fragment {
            vlan: self.vlan,
            src: self.src,
            dst: self.dst,
            id,
            protocol,
            offset,
            more,
            bytes: cur.bytes,
            wire_len: cur.wire as u64,
            ip_len: self.ip_len,
            header_checksum_ok: self.header_checksum_ok,
            length_exceeds_frame: self.length_exceeds_frame,
        }
    }
}

/// Follows extension headers to the transport.
#[inline]
pub(super) fn payload(
    mut ip: Headers,
    mut protocol: IpNumber,
    mut cur: Cursor<'_>,
) -> Result<Decoded<'_>, DecodeError> {
    let mut extensions = 0;
    loop {
        let len = match protocol {
            IpNumber::TCP => {
                return Ok(ip.packet(cur, Payload::Tcp(transport::tcp(cur)?), None));
            }
            IpNumber::UDP => {
                let (datagram, data) = transport::udp(cur)?;
                let inner = tunnel::of_udp(datagram.src_port, datagram.dst_port, data);
                return Ok(ip.packet(cur, Payload::Udp(datagram), inner));
            }
            // RFC 8200 §4.3, §4.4 and §4.6: the length counts 8-byte units after the first.
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS
            | IpNumber::MOBILITY_HEADER
            | IpNumber::HIP
            | IpNumber::SHIM6
                if ip.src.is_ipv6() =>
            {
                (usize::from(cur.peek::<2>(Layer::IpExtension)?[1]) + 1) * 8
            }
            // RFC 4302 §2.2: the length counts 4-byte units, minus two.
            IpNumber::AUTHENTICATION_HEADER => {
                (usize::from(cur.peek::<2>(Layer::IpExtension)?[1]) + 2) * 4
            }
            IpNumber::IPV6_FRAGMENTATION_HEADER if ip.src.is_ipv6() => {
                let &[next, _, o1, o0, i3, i2, i1, i0] = cur.peek::<8>(Layer::IpExtension)?;
                // RFC 8200 §4.5: offset in units of 8 bytes, two reserved bits, more-fragments
                // flag. RFC 6946: offset 0 and no more to come is a whole packet.
                let field = u16::from_be_bytes([o1, o0]);
                if field & 0xfff9 != 0 {
                    cur.take(Layer::IpExtension, 8)?;
                    let id = u32::from_be_bytes([i3, i2, i1, i0]);
                    let (offset, more) = (u32::from(field & 0xfff8), field & 1 != 0);
                    return Ok(Decoded::Fragment(ip.fragment(cur, id, next, offset, more)));
                }
                8
            }
            other => return unusual(ip, other.0, cur),
        };
        if extensions == IP_EXTENSIONS {
            let kind = DecodeErrorKind::TooMany { limit: IP_EXTENSIONS };
            return Err(cur.error(Layer::IpExtension, kind));
        }
        extensions += 1;
        let header = cur.take(Layer::IpExtension, len)?;
        if protocol == IpNumber::IPV6_ROUTE_HEADER {
            ip.dst = final_destination(header).unwrap_or(ip.dst);
        }
        protocol = IpNumber(header.first().copied().unwrap_or_default());
    }
}

/// Ends a packet that is neither TCP nor UDP.
#[inline(never)]
fn unusual(ip: Headers, protocol: u8, cur: Cursor<'_>) -> Result<Decoded<'_>, DecodeError> {
    let payload = match IpNumber(protocol) {
        IpNumber::ICMP => Payload::Icmp(transport::icmp(false, cur)?),
        IpNumber::IPV6_ICMP => Payload::Icmp(transport::icmp(true, cur)?),
        _ => Payload::Other(Other { protocol, payload: cur.bytes, wire_len: cur.wire as u64 }),
    };
    Ok(ip.packet(cur, payload, tunnel::of_ip(protocol, cur)))
}

/// Returns where a packet with this routing header goes in the end, if it is not there yet.
///
/// Upper layers belong to that address, and so do their checksums: RFC 8200 §8.1. Types are 0 (RFC
/// 2460 §4.4), 2 (RFC 6275 §6.4), and 4 (RFC 8754 §2), which has its addresses in reverse.
#[cold]
fn final_destination(header: &[u8]) -> Option<IpAddr> {
    let (start, addresses) = header.split_first_chunk::<8>()?;
    let [_, _, kind, left, ..] = *start;
    let last = match kind {
        _ if left == 0 => return None,
        0 | 2 => addresses.last_chunk::<16>(),
        4 => addresses.first_chunk::<16>(),
        _ => None,
    };
    last.map(|octets| IpAddr::V6(Ipv6Addr::from(*octets)))
}
