//! TCP, UDP and ICMP headers.

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
    /// The data is to be handed to the application at once.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment number is valid.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer is valid.
    pub const URG: Self = Self(0x20);
    /// Congestion was experienced; with a SYN, ECN is possible: RFC 3168 §6.1.
    pub const ECE: Self = Self(0x40);
    /// The congestion window was reduced.
    pub const CWR: Self = Self(0x80);

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
#[derive(Debug, Clone, Copy, Default)]
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
    /// The urgent pointer; means something only with [`TcpFlags::URG`].
    pub urgent: u16,
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

/// An ICMP message, of version 4 or 6.
#[derive(Debug, Clone, Copy)]
pub struct Icmp<'a> {
    /// Whether this is ICMPv6, RFC 4443.
    pub v6: bool,
    /// The type.
    pub kind: u8,
    /// The code.
    pub code: u8,
    /// What is behind the header of 8 bytes, as far as it was captured.
    pub payload: &'a [u8],
    /// Its length on the wire, in bytes.
    pub wire_len: u64,
}

/// What a packet of any other protocol carries.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// The IP protocol number.
    pub protocol: u8,
    /// What is behind the IP header, as far as it was captured.
    pub payload: &'a [u8],
    /// Its length on the wire, in bytes.
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
        urgent: u16::from_be_bytes([h[18], h[19]]),
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

/// Decodes UDP; `cur` ends where the IP packet does. Returns the undecoded payload as well.
#[inline]
pub(super) fn udp(mut cur: Cursor<'_>) -> Result<(Datagram<'_>, Cursor<'_>), DecodeError> {
    let h = cur.peek::<8>(Layer::Udp)?;
    let len = usize::from(u16::from_be_bytes([h[4], h[5]]));
    // RFC 2675 §4: 0 stands for a length that the field can't hold.
    if len != 0 {
        if len < 8 {
            let kind = DecodeErrorKind::LengthTooSmall { claimed: len, least: 8 };
            return Err(cur.error(Layer::Udp, kind));
        }
        // More than IP says there is does not make it more.
        cur.limit(len);
    }
    cur.take(Layer::Udp, 8)?;
    let datagram = Datagram {
        src_port: u16::from_be_bytes([h[0], h[1]]),
        dst_port: u16::from_be_bytes([h[2], h[3]]),
        payload: cur.bytes,
        wire_len: cur.wire as u64,
    };
    Ok((datagram, cur))
}

/// Decodes ICMP; `cur` ends where the IP packet does.
pub(super) fn icmp(v6: bool, mut cur: Cursor<'_>) -> Result<Icmp<'_>, DecodeError> {
    let &[kind, code, _, _] = cur.peek::<4>(Layer::Icmp)?;
    cur.take_cut(Layer::Icmp, 8)?;
    Ok(Icmp { v6, kind, code, payload: cur.bytes, wire_len: cur.wire as u64 })
}

/// Returns the type of ICMP message that answers `kind`, or that `kind` answers; nothing if it is a
/// message that nobody answers.
#[must_use]
pub const fn icmp_counterpart(v6: bool, kind: u8) -> Option<u8> {
    Some(match (v6, kind) {
        // Echo, router discovery, timestamp, information, address mask: RFC 792, 1256 and 950.
        (false, 0) => 8,
        (false, 8) => 0,
        (false, 9) => 10,
        (false, 10) => 9,
        (false, 13) => 14,
        (false, 14) => 13,
        (false, 15) => 16,
        (false, 16) => 15,
        (false, 17) => 18,
        (false, 18) => 17,
        // Echo, multicast listeners, routers, neighbours, node information, home agents: RFC 4443,
        // 2710, 4861, 4620 and 6275.
        (true, 128) => 129,
        (true, 129) => 128,
        (true, 130) => 131,
        (true, 131) => 130,
        (true, 133) => 134,
        (true, 134) => 133,
        (true, 135) => 136,
        (true, 136) => 135,
        (true, 139) => 140,
        (true, 140) => 139,
        (true, 144) => 145,
        (true, 145) => 144,
        _ => return None,
    })
}
