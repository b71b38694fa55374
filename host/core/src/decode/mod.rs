//! From a frame to what its IP packet carries: a TCP segment, a UDP datagram, an ICMP message,
//! something else, or a fragment.
//!
//! Decoding holds no state and touches each header once. It is lax about lengths that promise more
//! than there is, whether the capture cut the frame or the frame lies: the undecoded rest of a frame
//! therefore has two lengths, what is there and what was sent. It is strict about headers. One that
//! is not there is an error; a payload whose tail is missing is used as far as it goes, and the rest is
//! known by its length.
//!
//! One call decodes one stack of layers, from the link to the transport. A packet inside of a packet is
//! handed back as [`Inner`], a part of a packet as [`Fragment`], and the caller goes on with
//! [`Inner::decode`] or [`decode_reassembled`] as often as it cares to.
//!
//! Transport checksums are looked at on demand only: [`Packet::checksum`].

mod checksum;
mod cursor;
mod error;
mod gre;
mod ip;
mod link;
mod link_type;
mod llc;
mod meta;
mod mpls;
mod packet;
mod ppp;
mod transport;
mod tunnel;
mod udp_tunnel;
mod wifi;

pub use checksum::Checksum;
pub use error::{DecodeError, DecodeErrorKind, Layer};
pub use link_type::LinkType;
pub use packet::{Decoded, Fragment, Packet, Payload, VlanTags};
pub use transport::{Datagram, Icmp, Other, Segment, TcpFlags, icmp_counterpart};
pub use tunnel::{Inner, TunnelKind};
pub(crate) use tunnel::{is_tunnel_port, is_tunnel_protocol};

use core::net::IpAddr;

use cursor::Cursor;
use etherparse::IpNumber;

use crate::Timestamp;

/// A frame as a capture hands it over.
#[derive(Debug, Clone, Copy)]
pub struct RawFrame<'a> {
    /// The number of the frame in the run, counted from 1.
    pub number: u64,
    /// When it was captured.
    pub ts: Timestamp,
    /// The interface that captured it, numbered from 0 across the run in the order in which the first
    /// frame of each comes.
    pub interface: u32,
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

/// Decodes a frame down to its transport.
///
/// # Errors
///
/// Returns which header is wrong, where it is and why. Something that is not supported is no error.
#[inline]
pub fn decode<'a>(frame: &RawFrame<'a>) -> Result<Decoded<'a>, DecodeError> {
    link::decode(frame.link, Cursor::new(frame.bytes, frame.len as usize))
}

/// Decodes what was put together from fragments.
///
/// `protocol` is that of the first [`Fragment`], `bytes` is what is behind its IP headers, and `ip_len`
/// the length of all fragments on the wire, in bytes, as it is to be accounted for. What was put
/// together may be a fragment again.
///
/// # Errors
///
/// As [`decode`]; offsets count from the first of `bytes`.
pub fn decode_reassembled<'a>(
    vlan: VlanTags,
    src: IpAddr,
    dst: IpAddr,
    protocol: u8,
    bytes: &'a [u8],
    ip_len: u64,
) -> Result<Decoded<'a>, DecodeError> {
    let (header_checksum_ok, length_exceeds_frame) = (true, false);
    let ip = ip::Headers { vlan, src, dst, ip_len, header_checksum_ok, length_exceeds_frame };
    ip::payload(ip, IpNumber(protocol), Cursor::new(bytes, bytes.len()))
}

#[cfg(test)]
mod tests;
