//! Link layers and VLAN tags.

use core::fmt;

use etherparse::EtherType;

use super::{Cursor, DecodeError, DecodeErrorKind, Decoded, Layer, VlanTags, ip};
use crate::limits::VLAN_TAGS;

/// A LINKTYPE number, as in the header of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback, the address family in the byte order of the capturing machine.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP, as some systems number it.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP, as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IP, version 4 or 6 by its first nibble.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback, the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// Returns the usual name, if the type is supported.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NULL => "NULL",
            Self::ETHERNET => "ETHERNET",
            Self::RAW_BSD | Self::RAW_OPENBSD | Self::RAW => "RAW",
            Self::LOOP => "LOOP",
            Self::LINUX_SLL => "LINUX_SLL",
            Self::IPV4 => "IPV4",
            Self::IPV6 => "IPV6",
            Self::LINUX_SLL2 => "LINUX_SLL2",
            _ => return None,
        })
    }

    /// Returns whether frames of this type are decoded.
    #[must_use]
    pub const fn is_supported(self) -> bool {
        self.name().is_some()
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "unknown ({})", self.0),
        }
    }
}

/// Decodes a frame from its first byte.
#[inline]
pub(super) fn decode(link: LinkType, mut cur: Cursor<'_>) -> Result<Decoded<'_>, DecodeError> {
    match link {
        LinkType::ETHERNET => {
            let header = cur.peek::<14>(Layer::Link)?;
            let ether_type = u16::from_be_bytes([header[12], header[13]]);
            cur.take(Layer::Link, 14)?;
            network(EtherType(ether_type), cur)
        }
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => {
            ip::by_version(VlanTags::default(), cur)
        }
        LinkType::IPV4 => ip::v4(VlanTags::default(), cur),
        LinkType::IPV6 => ip::v6(VlanTags::default(), cur),
        LinkType::NULL | LinkType::LOOP => {
            let family = *cur.peek::<4>(Layer::Link)?;
            cur.take(Layer::Link, 4)?;
            loopback(family, cur)
        }
        LinkType::LINUX_SLL => {
            let header = cur.peek::<16>(Layer::Link)?;
            let ether_type = u16::from_be_bytes([header[14], header[15]]);
            cur.take(Layer::Link, 16)?;
            network(EtherType(ether_type), cur)
        }
        LinkType::LINUX_SLL2 => {
            let header = cur.peek::<20>(Layer::Link)?;
            let ether_type = u16::from_be_bytes([header[0], header[1]]);
            cur.take(Layer::Link, 20)?;
            network(EtherType(ether_type), cur)
        }
        other => Ok(Decoded::UnsupportedLink(other)),
    }
}

/// Tells the address family of a loopback frame.
///
/// Nothing says which machine wrote a NULL header, so both byte orders are accepted. AF_INET is 2
/// everywhere; AF_INET6 is 10 on Linux, 23 on Windows, 24 on NetBSD and OpenBSD, 28 on FreeBSD and
/// 30 on Darwin. All fit into one byte, so the orders can't be confused.
fn loopback(family: [u8; 4], cur: Cursor<'_>) -> Result<Decoded<'_>, DecodeError> {
    let number = u32::from_le_bytes(family).min(u32::from_be_bytes(family));
    match number {
        2 => ip::v4(VlanTags::default(), cur),
        10 | 23 | 24 | 28 | 30 => ip::v6(VlanTags::default(), cur),
        _ => Ok(Decoded::UnsupportedEtherType(0)),
    }
}

/// Follows VLAN tags to the network layer.
#[inline]
fn network(mut ether_type: EtherType, mut cur: Cursor<'_>) -> Result<Decoded<'_>, DecodeError> {
    let mut vlan = VlanTags::default();
    loop {
        match ether_type {
            EtherType::IPV4 => return ip::v4(vlan, cur),
            EtherType::IPV6 => return ip::v6(vlan, cur),
            EtherType::VLAN_TAGGED_FRAME
            | EtherType::PROVIDER_BRIDGING
            | EtherType::VLAN_DOUBLE_TAGGED_FRAME => {
                let &[control_high, control_low, type_high, type_low] =
                    cur.peek::<4>(Layer::Vlan)?;
                // IEEE 802.1Q §9.6: the low 12 bits are the id, above them priority and DEI.
                let id = u16::from_be_bytes([control_high, control_low]) & 0x0fff;
                if !vlan.push(id) {
                    return Err(
                        cur.error(Layer::Vlan, DecodeErrorKind::TooMany { limit: VLAN_TAGS })
                    );
                }
                cur.take(Layer::Vlan, 4)?;
                ether_type = EtherType(u16::from_be_bytes([type_high, type_low]));
            }
            // Values below 0x600 are lengths of IEEE 802.3 frames; what they carry is not IP.
            other => return Ok(Decoded::UnsupportedEtherType(other.0)),
        }
    }
}
