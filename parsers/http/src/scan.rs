//! Finding the next message behind missing bytes or junk.

use flowcell_sdk::prelude::*;

use crate::text::is_token_byte;

/// Most bytes that are searched for the next message, in bytes; what is behind is not looked at.
const BUDGET: u64 = 16 << 20;

/// Longest part of a line that is looked at, in bytes.
const PIECE_MAX: usize = 4_096;

/// Most bytes of a line that are kept for its next part, in bytes: a start line may begin there.
const CARRY_MAX: usize = 2_048;

/// Most bytes that are looked at to see that a header follows.
const FIELD_MAX: usize = 64;

/// What is in front of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// The end of the one before, or the start of the flow.
    Message,
    /// Missing bytes.
    Gap,
    /// Bytes that make no sense.
    Junk,
}

/// What a search found.
#[derive(Debug)]
pub(crate) enum Found<T> {
    /// A start line; the header follows.
    Line(T),
    /// The side has ended.
    Ended,
    /// The budget is used up. `torn`: bytes are missing among those that were searched.
    Nothing { torn: bool },
}

/// Looks at every line for one that ends with a start line, and has a header behind it.
pub(crate) async fn search<T>(stream: &mut ByteStream, find: fn(&[u8]) -> Option<T>) -> Found<T> {
    let mut left = BUDGET;
    let mut carry: Vec<u8> = Vec::new();
    let mut torn = false;
    while left > 0 {
        let found = match stream.get_line_part(PIECE_MAX).await {
            Ok(part) => {
                left = left.saturating_sub(part.line.raw().len() as u64);
                let bytes = part.line.bytes();
                if !part.last {
                    let excess = (carry.len() + bytes.len()).saturating_sub(CARRY_MAX);
                    carry.drain(..excess.min(carry.len()));
                    let start = bytes.len().saturating_sub(CARRY_MAX);
                    carry.extend_from_slice(bytes.get(start..).unwrap_or_default());
                    continue;
                }
                if carry.is_empty() {
                    find(bytes)
                } else {
                    carry.extend_from_slice(bytes);
                    find(&std::mem::take(&mut carry))
                }
            }
            Err(ReadError::Gap(gap)) => {
                left = left.saturating_sub(gap.cut as u64);
                carry.clear();
                torn = true;
                continue;
            }
            Err(_) => return Found::Ended,
        };
        if let Some(line) = found
            && field_follows(stream).await
        {
            return Found::Line(line);
        }
    }
    Found::Nothing { torn }
}

/// Whether what comes next looks like a header line, or like the end of a header; true where that can
/// not be seen.
pub(crate) async fn field_follows(stream: &mut ByteStream) -> bool {
    for count in 1..=FIELD_MAX {
        let Ok(bytes) = stream.look_ahead(count).await else {
            return true;
        };
        match bytes {
            [b'\r' | b'\n'] => return true,
            [_, .., b':'] => return true,
            [.., byte] if is_token_byte(*byte) => {}
            _ => return false,
        }
    }
    false
}

/// Whether the next line is one that `find` finds. False at the end and at a gap.
pub(crate) async fn line_follows<T>(
    stream: &mut ByteStream,
    find: fn(&[u8]) -> Option<T>,
    max: usize,
) -> bool {
    let mut count = 1;
    loop {
        let Ok(bytes) = stream.look_ahead(count).await else {
            return false;
        };
        if let Some(line) = bytes.strip_suffix(b"\n") {
            return find(line.strip_suffix(b"\r").unwrap_or(line)).is_some();
        }
        if count >= max {
            return false;
        }
        count += 1;
    }
}

/// Whether these bytes follow; nothing if the end or a gap is in front of the first that tells. Waits only
/// while what is there looks like them.
pub(crate) async fn follows(stream: &mut ByteStream, text: &[u8]) -> Option<bool> {
    for count in 1..=text.len() {
        match stream.look_ahead(count).await {
            Ok(bytes) if text.starts_with(bytes) => {}
            Ok(_) => return Some(false),
            Err(_) => return None,
        }
    }
    Some(true)
}

/// Whether a status line follows, up to its code. Waits only while what is there looks like one.
pub(crate) async fn status_follows(stream: &mut ByteStream) -> bool {
    // A zero stands for any digit.
    const FORM: &[u8] = b"HTTP/1.0 000";
    for (count, form) in (1..).zip(FORM) {
        let Ok(bytes) = stream.look_ahead(count).await else {
            return false;
        };
        let fits = |byte: &u8| byte == form || (*form == b'0' && byte.is_ascii_digit());
        if !bytes.last().is_some_and(fits) {
            return false;
        }
    }
    true
}
