//! From the first byte of a frame to its network layer: one loop over the headers in between.

use super::{
    Cursor, DecodeError, DecodeErrorKind, Decoded, Layer, LinkType, VlanTags, ip, llc, meta, mpls,
    ppp, wifi,
};
use crate::limits::{LINK_HEADERS, VLAN_TAGS};

/// What comes next in a frame.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next {
    /// A frame of this link type.
    Link(LinkType),
    /// Ethernet, from the destination address on.
    Ethernet,
    /// What a field says that holds an ether type or the length of what follows.
    TypeOrLength(u16),
    /// What this ether type stands for.
    EtherType(u16),
    /// LLC.
    Llc,
    /// A stack of MPLS labels.
    Mpls,
    /// PPP over Ethernet.
    Pppoe,
    /// PPP, with or without HDLC's address and control bytes.
    Ppp,
    /// IEEE 802.11.
    Wifi,
    /// IP of the version that its first nibble says.
    Ip,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// Something that is not followed, by the number that it was announced with.
    Unsupported(u16),
}

/// Decodes a frame from its first byte. IP right behind Ethernet is decoded in place.
#[inline]
pub(super) fn decode(link: LinkType, mut cur: Cursor<'_>) -> Result<Decoded<'_>, DecodeError> {
    if link != LinkType::ETHERNET {
        return follow(VlanTags::default(), Next::Link(link), cur);
    }
    match ethernet(&mut cur)? {
        ether_type::IPV4 => ip::v4(VlanTags::default(), cur),
        ether_type::IPV6 => ip::v6(VlanTags::default(), cur),
        other => tagged(other, cur),
    }
}

/// Decodes what is behind an Ethernet header, if that is VLAN tags and IP, and so still usual.
#[inline(never)]
fn tagged(mut field: u16, mut cur: Cursor<'_>) -> Result<Decoded<'_>, DecodeError> {
    use ether_type::*;
    let mut vlan = VlanTags::default();
    loop {
        field = match field {
            IPV4 => return ip::v4(vlan, cur),
            IPV6 => return ip::v6(vlan, cur),
            VLAN | OUTER_VLAN | OLD_VLAN | OLD_OUTER_VLAN => tag(&mut vlan, &mut cur)?,
            other => return follow(vlan, Next::TypeOrLength(other), cur),
        };
    }
}

/// Follows headers to the network layer.
#[inline(never)]
pub(super) fn follow(
    mut vlan: VlanTags,
    mut next: Next,
    mut cur: Cursor<'_>,
) -> Result<Decoded<'_>, DecodeError> {
    let mut headers = 0;
    loop {
        let start = cur.offset;
        next = match next {
            Next::Link(LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD) => Next::Ip,
            Next::Link(LinkType::ETHERNET) => Next::Ethernet,
            Next::Link(LinkType::IPV4) => Next::V4,
            Next::Link(LinkType::IPV6) => Next::V6,
            Next::Link(LinkType::NULL | LinkType::LOOP) => loopback(&mut cur)?,
            Next::Link(LinkType::LINUX_SLL) => cooked(&mut cur)?,
            Next::Link(LinkType::LINUX_SLL2) => cooked2(&mut cur)?,
            Next::Link(LinkType::PPP) => Next::Ppp,
            Next::Link(LinkType::PPP_ETHER) => Next::Pppoe,
            Next::Link(LinkType::PPP_HDLC) => ppp::hdlc(&mut cur)?,
            Next::Link(LinkType::PPP_WITH_DIR) => ppp::with_direction(&mut cur)?,
            Next::Link(LinkType::C_HDLC) => ppp::cisco(&mut cur)?,
            Next::Link(LinkType::IEEE802_11) => Next::Wifi,
            Next::Link(LinkType::IEEE802_11_RADIOTAP) => wifi::radiotap(&mut cur)?,
            Next::Link(LinkType::NFLOG) => meta::nflog(&mut cur)?,
            Next::Link(LinkType::PKTAP) => meta::pktap(&mut cur)?,
            Next::Link(LinkType::PPI) => meta::ppi(&mut cur)?,
            Next::Link(other) => return Ok(Decoded::UnsupportedLink(other)),
            Next::Ethernet => Next::TypeOrLength(ethernet(&mut cur)?),
            Next::TypeOrLength(value) => type_or_length(value, &mut cur),
            Next::EtherType(ether_type) => network(ether_type, &mut vlan, &mut cur)?,
            Next::Llc => llc::llc(&mut cur)?,
            Next::Mpls => mpls::labels(&mut cur)?,
            Next::Pppoe => ppp::pppoe(&mut cur)?,
            Next::Ppp => ppp::ppp(&mut cur)?,
            Next::Wifi => wifi::wifi(&mut cur, false)?,
            Next::Ip if cur.peek::<1>(Layer::Ipv4)?[0] >> 4 == 6 => return ip::v6(vlan, cur),
            Next::Ip | Next::V4 => return ip::v4(vlan, cur),
            Next::V6 => return ip::v6(vlan, cur),
            Next::Unsupported(number) => return Ok(Decoded::UnsupportedEtherType(number)),
        };
        // What takes no bytes only names the next header in another way, and never goes in circles.
        headers += usize::from(cur.offset != start);
        if headers > LINK_HEADERS {
            return Err(cur.error(Layer::Link, DecodeErrorKind::TooMany { limit: LINK_HEADERS }));
        }
    }
}

/// Takes an Ethernet header; returns its type or length field.
#[inline]
fn ethernet(cur: &mut Cursor<'_>) -> Result<u16, DecodeError> {
    let header = cur.array::<14>(Layer::Link)?;
    Ok(u16::from_be_bytes([header[12], header[13]]))
}

/// Takes a VLAN tag; returns the type or length field behind it.
#[inline]
fn tag(vlan: &mut VlanTags, cur: &mut Cursor<'_>) -> Result<u16, DecodeError> {
    let &[control_high, control_low, type_high, type_low] = cur.peek::<4>(Layer::Vlan)?;
    // IEEE 802.1Q §9.6: the low 12 bits are the id, above them priority and DEI.
    let id = u16::from_be_bytes([control_high, control_low]) & 0x0fff;
    if !vlan.push(id) {
        return Err(cur.error(Layer::Vlan, DecodeErrorKind::TooMany { limit: VLAN_TAGS }));
    }
    cur.take(Layer::Vlan, 4)?;
    Ok(u16::from_be_bytes([type_high, type_low]))
}

/// Tells a type from a length: IEEE 802.3 §3.2.6. Not every number is one of them.
fn type_or_length(value: u16, cur: &mut Cursor<'_>) -> Next {
    match value {
        0x0600.. => Next::EtherType(value),
        3..=1500 => {
            cur.limit(usize::from(value));
            Next::Llc
        }
        _ => Next::Unsupported(value),
    }
}

/// The ether types that have a meaning here.
pub(super) mod ether_type {
    pub(crate) const IPV4: u16 = 0x0800;
    pub(crate) const ARP: u16 = 0x0806;
    /// Bridged Ethernet, in GRE and Geneve: RFC 1701.
    pub(crate) const BRIDGED: u16 = 0x6558;
    /// IEEE 802.1Q.
    pub(crate) const VLAN: u16 = 0x8100;
    pub(crate) const IPV6: u16 = 0x86dd;
    /// In GRE: RFC 2637 §4.1.
    pub(crate) const PPP: u16 = 0x880b;
    /// RFC 5332 §3: the label was assigned downstream, as unicast ones are, or upstream.
    pub(crate) const MPLS: u16 = 0x8847;
    pub(crate) const MPLS_UPSTREAM: u16 = 0x8848;
    pub(crate) const PPPOE_DISCOVERY: u16 = 0x8863;
    pub(crate) const PPPOE_SESSION: u16 = 0x8864;
    /// IEEE 802.1ad.
    pub(crate) const OUTER_VLAN: u16 = 0x88a8;
    /// In use for stacked tags before IEEE 802.1ad.
    pub(crate) const OLD_VLAN: u16 = 0x9100;
    pub(crate) const OLD_OUTER_VLAN: u16 = 0x9200;
}

/// Tells what an ether type stands for, and takes a VLAN tag.
fn network(
    ether_type: u16,
    vlan: &mut VlanTags,
    cur: &mut Cursor<'_>,
) -> Result<Next, DecodeError> {
    use ether_type::*;
    Ok(match ether_type {
        IPV4 => Next::V4,
        IPV6 => Next::V6,
        VLAN | OUTER_VLAN | OLD_VLAN | OLD_OUTER_VLAN => Next::TypeOrLength(tag(vlan, cur)?),
        MPLS | MPLS_UPSTREAM => Next::Mpls,
        PPPOE_SESSION => Next::Pppoe,
        PPP => Next::Ppp,
        BRIDGED => Next::Ethernet,
        other => Next::Unsupported(other),
    })
}

/// Tells the address family of a loopback frame.
///
/// Nothing says which machine wrote a NULL header, so both byte orders are accepted. AF_INET is 2
/// everywhere; AF_INET6 is 10 on Linux, 23 on Windows, 24 on NetBSD and OpenBSD, 28 on FreeBSD and
/// 30 on Darwin. All fit into one byte, so the orders can't be confused.
fn loopback(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let family = *cur.array::<4>(Layer::Link)?;
    Ok(match u32::from_le_bytes(family).min(u32::from_be_bytes(family)) {
        2 => Next::V4,
        10 | 23 | 24 | 28 | 30 => Next::V6,
        _ => Next::Unsupported(0),
    })
}

fn cooked(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let header = cur.array::<16>(Layer::Link)?;
    let device = u16::from_be_bytes([header[2], header[3]]);
    Ok(of_device(device, u16::from_be_bytes([header[14], header[15]])))
}

fn cooked2(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let header = cur.array::<20>(Layer::Link)?;
    let device = u16::from_be_bytes([header[8], header[9]]);
    Ok(of_device(device, u16::from_be_bytes([header[0], header[1]])))
}

/// Tells what a cooked capture holds, by the type of the device (Linux's ARPHRD numbers) and the
/// protocol field.
fn of_device(device: u16, protocol: u16) -> Next {
    match (device, protocol) {
        // Netlink: the protocol is one of its own numbers.
        (824, other) => Next::Unsupported(other),
        (801, _) => Next::Wifi,
        (803, _) => Next::Link(LinkType::IEEE802_11_RADIOTAP),
        // Not ether types but Linux's own numbers: 4 is LLC, 1 is what Novell puts on IEEE 802.3.
        (_, 4) => Next::Llc,
        (_, other) => Next::EtherType(other),
    }
}
