//! What comes out of decoding.

use core::net::IpAddr;

use super::cursor::Cursor;
use super::{Datagram, Icmp, Inner, LinkType, Other, Segment, icmp_counterpart, transport};
use crate::limits::VLAN_TAGS;
use crate::{Endpoint, FiveTuple, Transport};

/// The VLAN ids of a frame, outermost first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VlanTags {
    ids: [u16; VLAN_TAGS],
    len: u8,
}

impl VlanTags {
    /// Adds an inner tag; returns whether there was room for it.
    pub(super) fn push(&mut self, id: u16) -> bool {
        let Some(slot) = self.ids.get_mut(usize::from(self.len)) else { return false };
        *slot = id;
        self.len += 1;
        true
    }

    /// Returns the ids.
    #[must_use]
    pub fn ids(&self) -> &[u16] {
        self.ids.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// What a frame turned out to carry.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Decoded<'a> {
    /// An IP packet.
    Packet(Packet<'a>),
    /// A part of an IP packet.
    Fragment(Fragment<'a>),
    /// A link type that is not supported.
    UnsupportedLink(LinkType),
    /// Something else than IP, by its ether type, or by what its link has in the place of one.
    UnsupportedEtherType(u16),
}

/// An IP packet.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// VLAN ids of the frame.
    pub vlan: VlanTags,
    /// The sending address.
    pub src: IpAddr,
    /// The receiving address: where an IPv6 routing header leads to in the end, if there is one.
    pub dst: IpAddr,
    /// Length of the packet on the wire, IP header included, in bytes.
    pub ip_len: u64,
    /// From the header of the transport to the end of the packet, as far as it was captured.
    pub transport: &'a [u8],
    /// Length of the same on the wire, in bytes.
    pub wire_len: u64,
    /// Whether the checksum of the IPv4 header is right, or left to the network card. True for IPv6,
    /// which has none, and for headers that the capture cut.
    pub header_checksum_ok: bool,
    /// Whether IP says that the packet is longer than what was left of the frame. The length is
    /// believed, as the capture may have lost the tail.
    pub length_exceeds_frame: bool,
    /// What it carries.
    pub payload: Payload<'a>,
    /// What that carries in turn, if it is a tunnel.
    pub inner: Option<Inner<'a>>,
}

/// The transport's part of a packet.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// TCP.
    Tcp(Segment<'a>),
    /// UDP.
    Udp(Datagram<'a>),
    /// ICMP of either version.
    Icmp(Icmp<'a>),
    /// Anything else.
    Other(Other<'a>),
}

/// A part of an IP packet.
#[derive(Debug, Clone, Copy)]
pub struct Fragment<'a> {
    /// VLAN ids of the frame.
    pub vlan: VlanTags,
    /// The sending address.
    pub src: IpAddr,
    /// The receiving address, as in [`Packet`].
    pub dst: IpAddr,
    /// What the fragments of one packet have in common; 16 bits of IPv4, 32 of IPv6.
    pub id: u32,
    /// The protocol of the packet; of IPv6, only that of the first fragment counts.
    pub protocol: u8,
    /// Where the fragment belongs in the packet, in bytes behind its IP header.
    pub offset: u32,
    /// Whether more of the packet follows behind this fragment.
    pub more: bool,
    /// What is behind the IP header, or behind the fragment header of IPv6, as far as it was captured.
    pub bytes: &'a [u8],
    /// Length of the same on the wire, in bytes.
    pub wire_len: u64,
    /// Length of the fragment on the wire, IP header included, in bytes.
    pub ip_len: u64,
    /// As in [`Packet`].
    pub header_checksum_ok: bool,
    /// As in [`Packet`].
    pub length_exceeds_frame: bool,
}

impl<'a> Payload<'a> {
    /// Reads what was decoded before: the header and payload of a transport, `wire_len` bytes on the wire.
    #[inline]
    pub(crate) fn of(transport: Transport, bytes: &'a [u8], wire_len: u64) -> Self {
        let cur = Cursor::new(bytes, usize::try_from(wire_len).unwrap_or(usize::MAX));
        let payload = match transport {
            Transport::Tcp => transport::tcp(cur).map(Self::Tcp),
            Transport::Udp => transport::udp(cur).map(|(datagram, _)| Self::Udp(datagram)),
            Transport::Icmp => transport::icmp(false, cur).map(Self::Icmp),
            Transport::Icmpv6 => transport::icmp(true, cur).map(Self::Icmp),
            Transport::Other(protocol) => {
                return Self::Other(Other { protocol, payload: bytes, wire_len });
            }
        };
        // What could be read once can be read again; other bytes make a packet of no known protocol.
        payload.unwrap_or(Self::Other(Other { protocol: 255, payload: bytes, wire_len }))
    }

    /// Returns what it carries, as far as it was captured, and the length of that on the wire; nothing
    /// for TCP, whose payload is a part of a stream.
    #[must_use]
    pub const fn datagram(&self) -> Option<(&'a [u8], u64)> {
        match self {
            Self::Tcp(_) => None,
            Self::Udp(Datagram { payload, wire_len, .. })
            | Self::Icmp(Icmp { payload, wire_len, .. })
            | Self::Other(Other { payload, wire_len, .. }) => Some((payload, *wire_len)),
        }
    }
}

impl Packet<'_> {
    /// Returns the endpoints, with the sender as originator.
    ///
    /// The ports of ICMP are the type and, for messages that come in pairs, the type of the other one
    /// (see [`icmp_counterpart`]), else the code. Other protocols have ports 0.
    #[must_use]
    #[inline]
    pub const fn tuple(&self) -> FiveTuple {
        let (transport, from, to) = match &self.payload {
            Payload::Tcp(segment) => (Transport::Tcp, segment.src_port, segment.dst_port),
            Payload::Udp(datagram) => (Transport::Udp, datagram.src_port, datagram.dst_port),
            Payload::Icmp(icmp) => {
                let transport = if icmp.v6 { Transport::Icmpv6 } else { Transport::Icmp };
                let to = match icmp_counterpart(icmp.v6, icmp.kind) {
                    Some(kind) => kind,
                    None => icmp.code,
                };
                (transport, icmp.kind as u16, to as u16)
            }
            Payload::Other(other) => (Transport::Other(other.protocol), 0, 0),
        };
        FiveTuple {
            orig: Endpoint { addr: self.src, port: from },
            resp: Endpoint { addr: self.dst, port: to },
            transport,
        }
    }
}
