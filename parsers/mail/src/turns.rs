//! Whose turn it is in a conversation of two sides.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::{ByteStream, ReadError};

/// Of which side there is something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The side that was waited for: bytes, a gap, or its end.
    Expected,
    /// The other one: so much of it waits that the side that was waited for seems to be missing from the
    /// capture.
    Other,
}

/// Waits for something of `expected` to read, as long as `other` holds back less than `room` bytes.
/// Nothing is read. What is already there of `expected` counts first.
pub async fn turn(expected: &mut ByteStream, other: &mut ByteStream, room: usize) -> Turn {
    let mut awaited = pin!(expected.look_ahead(1));
    let mut held_back = pin!(other.backlog(room));
    poll_fn(|cx| {
        if awaited.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Turn::Expected);
        }
        held_back.as_mut().poll(cx).map(|()| Turn::Other)
    })
    .await
}

/// Most bytes that are looked at for the start of TLS.
const BEFORE_TLS_MAX: u64 = 4_096;

/// Reads what the client sent in front of its first TLS record, behind the command that switches to TLS,
/// and returns how many bytes that is, if any. There should be none: whoever puts commands there hopes that the
/// server takes them for encrypted ones.
pub async fn skip_to_tls(client: &mut ByteStream) -> Option<u64> {
    let mut skipped = 0;
    while skipped < BEFORE_TLS_MAX {
        // RFC 8446 §5.1: a handshake record.
        match client.look_ahead(1).await {
            Ok([0x16, ..]) | Err(_) => break,
            Ok(_) => client.skip(1),
        }
        skipped += 1;
    }
    (skipped > 0).then_some(skipped)
}

/// Drops the rest of a line.
///
/// # Errors
/// As all reads.
pub async fn skip_line(stream: &mut ByteStream) -> Result<(), ReadError> {
    while !stream.get_line_part(PIECE_MAX).await?.last {}
    Ok(())
}

/// Bytes of a line that are dropped at a time.
const PIECE_MAX: usize = 2_048;
