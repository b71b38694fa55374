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
    /// Takes the packet out of its frame, so that it can be kept: without its bytes, and without what it
    /// carries in turn.
    #[must_use]
    #[inline]
    pub fn detach(self) -> Packet<'static> {
        let payload = match self.payload {
            Payload::Tcp(segment) => Payload::Tcp(Segment { payload: &[], ..segment }),
            Payload::Udp(datagram) => Payload::Udp(Datagram { payload: &[], ..datagram }),
            Payload::Icmp(icmp) => Payload::Icmp(Icmp { payload: &[], ..icmp }),
            Payload::Other(other) => Payload::Other(Other { payload: &[], ..other }),
        };
        Packet { transport: &[], payload, inner: None, ..self }
    }

    /// Gives a detached packet the bytes back that were its `transport`.
    #[must_use]
    #[inline]
    pub fn attach<'b>(&self, transport: &'b [u8]) -> Packet<'b> {
        let cur = Cursor::new(transport, usize::try_from(self.wire_len).unwrap_or(usize::MAX));
        let payload = match self.payload {
            Payload::Tcp(_) => transport::tcp(cur).map(Payload::Tcp),
            Payload::Udp(_) => transport::udp(cur).map(|(datagram, _)| Payload::Udp(datagram)),
            Payload::Icmp(icmp) => transport::icmp(icmp.v6, cur).map(Payload::Icmp),
            Payload::Other(Other { protocol, wire_len, .. }) => {
                Ok(Payload::Other(Other { protocol, payload: transport, wire_len }))
            }
        };
        // What could be read once can be read again; other bytes make a packet of no known protocol.
        let unknown = Payload::Other(Other { protocol: 255, payload: transport, wire_len: 0 });
        Packet { transport, payload: payload.unwrap_or(unknown), inner: None, ..*self }
    }

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
