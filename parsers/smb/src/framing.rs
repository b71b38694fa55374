//! One side as a sequence of messages (RFC 1002 §4.3, MS-SMB2 §2.1).
//!
//! ```text
//!   ┌────┬─────────┬───────────────────────────────┬────┬─────────┬──
//!   │ 00 │ length  │ FE 'SMB' header, body │ FE … │ 00 │ length  │
//!   └────┴─────────┴───────────────────────────────┴────┴─────────┴──
//!        24 bits     a compound: each header says where the next is
//! ```

use std::cell::RefCell;

use flowcell_sdk::prelude::*;
use memchr::memmem;

use crate::conversation::Conversation;
use crate::header::{HEADER, Header};
use crate::request::Chain;
use crate::smb1;

/// Most bytes that are searched for the next message, where its place is not known: more than the
/// largest write of Windows, 1 MiB.
const SEARCH_MAX: u64 = 2 << 20;

/// The same while nothing has shown that the flow is SMB.
const FIRST_SEARCH_MAX: u64 = 256 << 10;

/// Length of what stands before a message, in bytes.
const LENGTH: usize = 4;

/// The largest NetBIOS packet other than a message: a request with two names (RFC 1002 §4.3.2).
const REQUEST: usize = 68;

/// How a half ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// The side has ended, or nothing more of it can be read.
    Ended,
    /// Nothing more of the flow is wanted.
    Over,
}

/// What was found where a message should start.
enum Found {
    Message,
    /// Something else, which was not read.
    Foreign,
}

/// Reads one side to its end.
pub(crate) async fn listen(
    stream: &mut ByteStream,
    conversation: &RefCell<Conversation<'_>>,
    midstream: bool,
) -> Result<Course> {
    // Bytes were missing once: where the next message starts is a guess, and a wrong one no violation.
    let mut torn = midstream;
    let mut lost = midstream;
    let mut searched = 0;
    loop {
        if lost {
            let known = conversation.borrow().is_confirmed();
            let budget = if known { SEARCH_MAX } else { FIRST_SEARCH_MAX };
            match search(stream, &mut searched, budget).await {
                Ok(true) => lost = false,
                Ok(false) if !known => return Err(foreign(false)),
                Ok(false) => {
                    stream.done();
                    return Ok(Course::Ended);
                }
                Err(ReadError::Gap(_)) => continue,
                Err(_) => return Ok(Course::Ended),
            }
        }
        let mut end = None;
        match message(stream, conversation, &mut end).await {
            Ok(Found::Message) => searched = 0,
            Ok(Found::Foreign) => {
                if !torn {
                    return Err(foreign(conversation.borrow().is_confirmed()));
                }
                stream.skip(1);
                searched += 1;
                lost = true;
            }
            Err(ReadError::Gap(_)) => {
                conversation.borrow_mut().torn();
                torn = true;
                // A gap within a message leaves the place of the next one known.
                match end.and_then(|end: u64| end.checked_sub(stream.offset())) {
                    Some(left) => stream.skip(left),
                    None => lost = true,
                }
            }
            Err(_) => return Ok(Course::Ended),
        }
        if conversation.borrow().is_over() {
            return Ok(Course::Over);
        }
    }
}

fn foreign(confirmed: bool) -> Error {
    match confirmed {
        true => Error::violation("not a message where one should start"),
        false => Error::decline("does not start with a message of SMB"),
    }
}

/// Reads what should be a message. `end` is where it ends, as soon as that is known.
async fn message(
    stream: &mut ByteStream,
    conversation: &RefCell<Conversation<'_>>,
    end: &mut Option<u64>,
) -> Result<Found, ReadError> {
    let start = stream.offset();
    let head = stream.peek(LENGTH).await?;
    let Some((kind, length)) = split_length(head) else {
        return Ok(Found::Foreign);
    };
    if kind != 0 {
        return netbios(stream, conversation, kind, length).await;
    }
    let known = conversation.borrow().is_confirmed();
    if length < 4 {
        // Nothing is in it.
        if known {
            stream.skip((LENGTH + length) as u64);
            return Ok(Found::Message);
        }
        return Ok(Found::Foreign);
    }
    let head = stream.peek(LENGTH + 4).await?;
    let Some(&[magic, b'S', b'M', b'B']) = head.get(LENGTH..) else {
        return Ok(Found::Foreign);
    };
    if length < shortest(magic) {
        return Ok(Found::Foreign);
    }
    if !known && magic == 0xfe {
        // One that only starts like a header is not taken for one as the first.
        let head = stream.peek(LENGTH + HEADER).await?;
        if Header::parse(head.get(LENGTH..).unwrap_or_default()).is_none() {
            return Ok(Found::Foreign);
        }
    }
    *end = Some(start.saturating_add((LENGTH + length) as u64));
    stream.skip(LENGTH as u64);
    conversation.borrow_mut().confirm();
    match magic {
        0xfe => compound(stream, conversation, length).await?,
        0xff => {
            let head = stream.peek(5).await?;
            let wanted = smb1::wanted(head.get(4).copied()).min(length);
            let bytes = stream.read_exact(wanted).await?;
            conversation.borrow_mut().smb1(bytes);
            stream.skip((length - wanted) as u64);
        }
        _ => {
            conversation.borrow_mut().opaque(magic == 0xfd, length);
            stream.skip(length as u64);
        }
    }
    Ok(Found::Message)
}

/// Type and length of a packet of the session service; `None` if it is none.
fn split_length(head: &[u8]) -> Option<(u8, usize)> {
    let &[kind, high, middle, low] = head.first_chunk()?;
    let length = u32::from_be_bytes([0, high, middle, low]);
    Some((kind, usize::try_from(length).ok()?))
}

/// The least length of a message of this kind; nothing is as long as that of a kind that there is not.
fn shortest(magic: u8) -> usize {
    match magic {
        0xfe => HEADER,
        0xff => smb1::HEADER,
        0xfd => 52, // MS-SMB2 §2.2.41
        0xfc => 16, // §2.2.42
        _ => usize::MAX,
    }
}

/// Reads what is no message: names that are called, and the answer.
async fn netbios(
    stream: &mut ByteStream,
    conversation: &RefCell<Conversation<'_>>,
    kind: u8,
    length: usize,
) -> Result<Found, ReadError> {
    // Request, yes, no, no but elsewhere, still alive.
    let fits = matches!((kind, length), (0x81, REQUEST) | (0x82 | 0x85, 0) | (0x83, 1) | (0x84, 6));
    if !fits {
        return Ok(Found::Foreign);
    }
    let packet = stream.peek(LENGTH + length).await?;
    if !conversation.borrow_mut().netbios(kind, packet.get(LENGTH..).unwrap_or_default()) {
        return Ok(Found::Foreign);
    }
    stream.skip((LENGTH + length) as u64);
    Ok(Found::Message)
}

/// Reads the messages that a frame of `length` bytes has in it (MS-SMB2 §3.2.4.1.4).
async fn compound(
    stream: &mut ByteStream,
    conversation: &RefCell<Conversation<'_>>,
    length: usize,
) -> Result<(), ReadError> {
    let mut chain = Chain::new();
    let mut left = length;
    while left > 0 {
        let header = match left {
            HEADER.. => Header::parse(stream.peek(HEADER).await?),
            _ => None,
        };
        let size = header.as_ref().and_then(|header| size(header, left));
        let (Some(header), Some(size)) = (header, size) else {
            // The next frame is where it was said to be, whatever this one is.
            conversation.borrow_mut().malformed();
            stream.skip(left as u64);
            return Ok(());
        };
        let wanted = header.wanted().min(size);
        let bytes = stream.read_exact(wanted).await?;
        conversation.borrow_mut().message(&header, bytes, size, &mut chain);
        stream.skip((size - wanted) as u64);
        left -= size;
    }
    Ok(())
}

/// The bytes of a message in a compound of which `left` are left; `None` if it says what can not be.
fn size(header: &Header, left: usize) -> Option<usize> {
    match usize::try_from(header.next).ok()? {
        0 => Some(left),
        next => (HEADER..left).contains(&next).then_some(next),
    }
}

/// What is looked at in one step of a search, in bytes: less than any message of SMB 2.
const WINDOW: usize = 64;

/// What it takes to tell a message from bytes that only look like it, in bytes.
const CERTAIN: usize = 28;

/// Goes to the next message, whose place is not known. False if it does not show up within `budget`
/// bytes, of which `searched` are used up.
async fn search(
    stream: &mut ByteStream,
    searched: &mut u64,
    budget: u64,
) -> Result<bool, ReadError> {
    while *searched < budget {
        let window = stream.peek(WINDOW).await?;
        // The pattern stands behind the length and one byte that says the version.
        let start = match memmem::find(window, b"SMB") {
            None => WINDOW - LENGTH - 3,
            Some(found) => match found.checked_sub(LENGTH + 1) {
                None => found + 1,
                Some(start) => match window.get(start..start + CERTAIN) {
                    Some(head) if is_message(head) => {
                        stream.skip(start as u64);
                        return Ok(true);
                    }
                    Some(_) => start + 1,
                    None => start,
                },
            },
        };
        stream.skip(start as u64);
        *searched += start as u64;
    }
    Ok(false)
}

/// Whether this is the start of a message rather than of something in a file.
fn is_message(head: &[u8]) -> bool {
    let (Some((0, length)), Some(start)) = (split_length(head), head.get(LENGTH..)) else {
        return false;
    };
    match start {
        [magic, b'S', b'M', b'B', ..] if length < shortest(*magic) => false,
        // Its own length, and whether its command is one.
        [0xfe, _, _, _, 64, 0, ..] => start.get(12..14).is_some_and(|at| matches!(at, [..20, 0])),
        [0xff, ..] => smb1::is_header(start),
        [0xfd | 0xfc, ..] => true,
        _ => false,
    }
}
