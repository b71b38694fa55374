//! Why a read could not be satisfied.

use crate::Side;

/// Why bytes are missing from a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// Not in the capture.
    Lost,
    /// Held back too long or too large: a limit of the host on out-of-order data.
    Memory,
    /// Beyond the depth to which the host reassembles.
    Depth,
    /// The capture kept only the start of the packet.
    Snaplen,
}

/// Why a side ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The endpoint closed its direction in order.
    Fin,
    /// Either endpoint aborted the connection.
    Reset,
    /// Nothing was seen for longer than the host's time limit.
    Idle,
    /// The host needed the room.
    Evicted,
    /// The input ended, or the host stops.
    Shutdown,
}

/// Bytes that will never arrive. The stream goes on behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The side that sent them.
    pub side: Side,
    /// Stream offset of the first missing byte; the first data byte of a side is 0.
    pub offset: u64,
    /// Missing bytes, at least 1.
    pub length: u64,
    /// Why they are missing.
    pub reason: GapReason,
    /// Bytes before the gap that belonged to the unit being read. They are given up with it.
    pub cut: usize,
}

/// The side ended before the unit that was asked for was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The side that ended.
    pub side: Side,
    /// Why.
    pub reason: EndReason,
    /// Bytes that are there, but too few; [`ByteStream::rest`](crate::ByteStream::rest) still returns
    /// them. 0 is a clean end between units.
    pub unread: usize,
}

/// Why a read could not be satisfied. None of these is a panic, and only `TooLong` is a fault of the
/// peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadError {
    /// Nothing more comes. Every further read says so again.
    End(Ended),
    /// Bytes are missing. The next read starts behind the gap; see the `resync` methods.
    Gap(Gap),
    /// The unit is longer than allowed. Its bytes stay unread.
    TooLong {
        /// The side that sent it.
        side: Side,
        /// Most bytes allowed.
        limit: usize,
    },
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::End(end) => write!(f, "{} ended ({:?})", end.side, end.reason),
            Self::Gap(gap) => {
                write!(f, "{} lacks {} bytes at offset {}", gap.side, gap.length, gap.offset)
            }
            Self::TooLong { side, limit } => f.write_str(&too_long(*side, *limit)),
        }
    }
}

/// What [`ReadError::TooLong`] says. Apart, because the executor says it for every parser.
pub(crate) fn too_long(side: Side, limit: usize) -> String {
    // What `format!` brings with it would be in every parser.
    let mut text = Vec::new();
    push_text(&mut text, side.name());
    push_text(&mut text, " sent a unit longer than ");
    push_number(&mut text, limit);
    push_text(&mut text, " bytes");
    String::from_utf8(text).unwrap_or_default()
}

/// Appends a text. Not inlined: messages are rare, and what makes them should be small.
#[inline(never)]
pub(crate) fn push_text(message: &mut Vec<u8>, text: &str) {
    message.extend_from_slice(text.as_bytes());
}

/// Appends a number in decimal digits.
#[inline(never)]
pub(crate) fn push_number(message: &mut Vec<u8>, number: usize) {
    if number >= 10 {
        push_number(message, number / 10);
    }
    message.push(b"0123456789"[number % 10]);
}

impl std::error::Error for ReadError {}

/// Turns the end of a stream into `None`, so that a parser can loop until there is nothing more.
pub trait OrEnd<T> {
    /// `Ok(None)` at the end of the side; any other error stays one.
    ///
    /// # Errors
    /// [`ReadError::Gap`] and [`ReadError::TooLong`] as they came.
    fn or_end(self) -> Result<Option<T>, ReadError>;
}

impl<T> OrEnd<T> for Result<T, ReadError> {
    fn or_end(self) -> Result<Option<T>, ReadError> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(ReadError::End(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
