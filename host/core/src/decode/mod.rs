//! From a frame to a TCP segment or UDP datagram.
//!
//! Decoding holds no state and touches each header once. It is strict where a length is wrong and
//! lax where the capture cut the wire: the undecoded rest of a frame therefore has two lengths, what
//! is there and what was sent. A header that was never on the wire is an error; a payload whose tail was cut is
//! used as far as it goes, and the rest is known by its length.
//!
//! Checksums are not looked at.

mod error;
mod ip;
mod link;
mod transport;

pub use error::{DecodeError, DecodeErrorKind, Layer};
pub use link::LinkType;
pub use transport::{Datagram, Segment, TcpFlags};

use core::net::IpAddr;

use crate::limits::VLAN_TAGS;
use crate::{Endpoint, FiveTuple, Timestamp, Transport};

/// A frame as a capture hands it over.
#[derive(Debug, Clone, Copy)]
pub struct RawFrame<'a> {
    /// The number of the frame in the run, counted from 1.
    pub number: u64,
    /// When it was captured.
    pub ts: Timestamp,
    /// What its first byte belongs to.
    pub link: LinkType,
    /// Its length on the wire, in bytes.
    pub len: u32,
    /// What was captured of it; fewer bytes than `len` if the capture has a snaplen.
    pub bytes: &'a [u8],
}

impl RawFrame<'_> {
    /// Returns whether the capture kept less than there was.
    #[must_use]
    pub const fn truncated(&self) -> bool {
        self.bytes.len() < self.len as usize
    }
}

/// The VLAN ids of a frame, outermost first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VlanTags {
    ids: [u16; VLAN_TAGS],
    len: u8,
}

impl VlanTags {
    /// Adds an inner tag; returns whether there was room for it.
    fn push(&mut self, id: u16) -> bool {
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
    /// A TCP segment or UDP datagram.
    Packet(Packet<'a>),
    /// A part of an IP packet.
    Fragment,
    /// A link type that is not supported.
    UnsupportedLink(LinkType),
    /// Something else than IP.
    UnsupportedEtherType(u16),
    /// IP, but neither TCP nor UDP in it.
    UnsupportedProtocol(u8),
}

/// An IP packet with a transport that the engine follows.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// VLAN ids of the frame.
    pub vlan: VlanTags,
    /// The sending address.
    pub src: IpAddr,
    /// The receiving address.
    pub dst: IpAddr,
    /// Length of the packet on the wire, IP header included, in bytes.
    pub ip_len: u64,
    /// What it carries.
    pub payload: Payload<'a>,
}

/// The transport's part of a packet.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// TCP.
    Tcp(Segment<'a>),
    /// UDP.
    Udp(Datagram<'a>),
}

impl Packet<'_> {
    /// Returns the endpoints, with the sender as originator.
    #[must_use]
    #[inline]
    pub const fn tuple(&self) -> FiveTuple {
        let (transport, from, to) = match &self.payload {
            Payload::Tcp(segment) => (Transport::Tcp, segment.src_port, segment.dst_port),
            Payload::Udp(datagram) => (Transport::Udp, datagram.src_port, datagram.dst_port),
        };
        FiveTuple {
            orig: Endpoint { addr: self.src, port: from },
            resp: Endpoint { addr: self.dst, port: to },
            transport,
        }
    }
}

/// Decodes a frame down to its transport.
///
/// # Errors
///
/// Returns which header is wrong, where it is and why. An unknown link type or protocol is not an
/// error.
#[inline]
pub fn decode<'a>(frame: &RawFrame<'a>) -> Result<Decoded<'a>, DecodeError> {
    let wire = frame.bytes.len().max(frame.len as usize);
    link::decode(frame.link, Cursor { bytes: frame.bytes, wire, offset: 0 })
}

/// The undecoded rest of a frame.
///
/// ```text
///  frame on the wire   ├──────────┼─────────────────────────────────┼ ─ ─ ─ ─ ─ ─ ┤
///                      0          offset                            │             │
///                                 ├──── bytes: what was captured ───┤             │
///                                 ├──── wire: what was sent ──────────────────────┤
/// ```
///
/// Invariant: `bytes.len() ≤ wire`.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    wire: usize,
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn error(&self, layer: Layer, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { layer, offset: self.offset, kind }
    }

    /// Says why a header of `needed` bytes can't be had.
    fn lacks(&self, layer: Layer, needed: usize) -> DecodeError {
        self.error(
            layer,
            if self.wire < needed {
                DecodeErrorKind::TooShort { needed, present: self.wire }
            } else {
                DecodeErrorKind::Truncated { needed, captured: self.bytes.len() }
            },
        )
    }

    /// Returns the first `N` bytes without taking them.
    #[inline]
    fn peek<const N: usize>(&self, layer: Layer) -> Result<&'a [u8; N], DecodeError> {
        self.bytes.first_chunk::<N>().ok_or_else(|| self.lacks(layer, N))
    }

    /// Takes a header of `len` bytes, all of which must be there.
    #[inline]
    fn take(&mut self, layer: Layer, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) =
            self.bytes.split_at_checked(len).ok_or_else(|| self.lacks(layer, len))?;
        *self = Self { bytes: rest, wire: self.wire - len, offset: self.offset + len };
        Ok(head)
    }

    /// Takes a header of `len` bytes that must have been on the wire, but may be cut.
    #[inline]
    fn take_cut(&mut self, layer: Layer, len: usize) -> Result<&'a [u8], DecodeError> {
        let wire = self.wire.checked_sub(len).ok_or_else(|| self.lacks(layer, len))?;
        let (head, rest) = self.bytes.split_at(len.min(self.bytes.len()));
        *self = Self { bytes: rest, wire, offset: self.offset + head.len() };
        Ok(head)
    }

    /// Cuts off what is behind the first `len` bytes: padding, or a trailer of the link.
    #[inline]
    fn limit(&mut self, len: usize) {
        self.wire = self.wire.min(len);
        self.bytes = self.bytes.get(..len).unwrap_or(self.bytes);
    }
}

#[cfg(test)]
mod tests;
