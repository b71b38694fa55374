//! TCP and UDP headers.

use etherparse::{TcpOptionElement, TcpOptionsIterator};

use super::{Cursor, DecodeError, DecodeErrorKind, Layer};
use crate::SeqNo;

/// The control bits of a TCP segment, RFC 9293 §3.1, as they are on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// The sender has no more data.
    pub const FIN: Self = Self(0x01);
    /// The sequence number is the initial one.
    pub const SYN: Self = Self(0x02);
    /// The connection is reset.
    pub const RST: Self = Self(0x04);
    /// The acknowledgment number is valid.
    pub const ACK: Self = Self(0x10);

    /// Returns whether all bits of `flags` are set.
    #[must_use]
    #[inline]
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Returns whether one or more bits of `flags` are set.
    #[must_use]
    #[inline]
    pub const fn any(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// Returns those bits that are in `flags`, too.
    #[must_use]
    #[inline]
    pub const fn only(self, flags: Self) -> Self {
        Self(self.0 & flags.0)
    }

    /// Returns the bits without those of `flags`.
    #[must_use]
    pub const fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }

    /// Returns the bits of both.
    #[must_use]
    pub const fn with(self, flags: Self) -> Self {
        Self(self.0 | flags.0)
    }
}

/// A TCP segment.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// The sender's port.
    pub src_port: u16,
    /// The receiver's port.
    pub dst_port: u16,
    /// The sequence number of the first byte, or of the SYN.
    pub seq: SeqNo,
    /// The acknowledgment number; means something only with [`TcpFlags::ACK`].
    pub ack: SeqNo,
    /// The control bits.
    pub flags: TcpFlags,
    /// The window field, not scaled.
    pub window: u16,
    /// The window scale option (RFC 7323 §2.2) of a SYN, at most 14.
    pub window_scale: Option<u8>,
    /// The payload as far as it was captured.
    pub payload: &'a [u8],
    /// Length of the payload on the wire, in bytes.
    pub wire_len: u64,
}

/// A UDP datagram.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// The sender's port.
    pub src_port: u16,
    /// The receiver's port.
    pub dst_port: u16,
    /// The payload as far as it was captured.
    pub payload: &'a [u8],
    /// Length of the payload on the wire, in bytes.
    pub wire_len: u64,
}

/// Decodes TCP; `cur` ends where the IP packet does.
#[inline]
pub(super) fn tcp(mut cur: Cursor<'_>) -> Result<Segment<'_>, DecodeError> {
    let h = cur.peek::<20>(Layer::Tcp)?;
    let header_len = usize::from(h[12] >> 4) * 4;
    if header_len < 20 {
        let kind = DecodeErrorKind::LengthTooSmall { claimed: header_len, least: 20 };
        return Err(cur.error(Layer::Tcp, kind));
    }
    if header_len > cur.wire {
        let kind = DecodeErrorKind::LengthTooLarge { claimed: header_len, present: cur.wire };
        return Err(cur.error(Layer::Tcp, kind));
    }
    // Options may be cut: a capture with a small snaplen still tells ports and sequence numbers.
    let header = cur.take_cut(Layer::Tcp, header_len)?;
    let flags = TcpFlags(h[13]);
    let window_scale = if flags.has(TcpFlags::SYN) { window_scale(header.get(20..)) } else { None };
    Ok(Segment {
        src_port: u16::from_be_bytes([h[0], h[1]]),
        dst_port: u16::from_be_bytes([h[2], h[3]]),
        seq: SeqNo(u32::from_be_bytes([h[4], h[5], h[6], h[7]])),
        ack: SeqNo(u32::from_be_bytes([h[8], h[9], h[10], h[11]])),
        flags,
        window: u16::from_be_bytes([h[14], h[15]]),
        window_scale,
        payload: cur.bytes,
        wire_len: cur.wire as u64,
    })
}

/// Finds the window scale among the options.
fn window_scale(options: Option<&[u8]>) -> Option<u8> {
    TcpOptionsIterator::from_slice(options?).map_while(Result::ok).find_map(|option| match option {
        // RFC 7323 §2.3: a larger shift is to be taken as 14.
        TcpOptionElement::WindowScale(shift) => Some(shift.min(14)),
        _ => None,
    })
}

/// Decodes UDP; `cur` ends where the IP packet does.
#[inline]
pub(super) fn udp(mut cur: Cursor<'_>) -> Result<Datagram<'_>, DecodeError> {
    let h = cur.peek::<8>(Layer::Udp)?;
    let len = usize::from(u16::from_be_bytes([h[4], h[5]]));
    // RFC 2675 §4: 0 stands for a length that the field can't hold.
    if len != 0 {
        if len < 8 {
            let kind = DecodeErrorKind::LengthTooSmall { claimed: len, least: 8 };
            return Err(cur.error(Layer::Udp, kind));
        }
        if len > cur.wire {
            let kind = DecodeErrorKind::LengthTooLarge { claimed: len, present: cur.wire };
            return Err(cur.error(Layer::Udp, kind));
        }
        cur.limit(len);
    }
    cur.take(Layer::Udp, 8)?;
    Ok(Datagram {
        src_port: u16::from_be_bytes([h[0], h[1]]),
        dst_port: u16::from_be_bytes([h[2], h[3]]),
        payload: cur.bytes,
        wire_len: cur.wire as u64,
    })
}
