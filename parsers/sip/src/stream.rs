//! The messages that one side sends over TCP (RFC 3261 §18.3: Content-Length says where each ends).

use flowcell_sdk::prelude::*;

use crate::Conversation;
use crate::message::{Message, Next};
use crate::start::Start;

/// Longest part of a line that is read, in bytes.
const LINE_MAX: usize = 4_096;

/// Longest body that is believed in, in bytes.
const BODY_MAX: u64 = 16 << 20;

/// Most bytes that are searched for a message where none begins.
const SEARCH_MAX: u64 = 1 << 20;

/// One side.
struct Reader<'a> {
    stream: &'a mut ByteStream,
    /// Bytes since the last message.
    ignored: u64,
    /// Bytes are missing or were not understood: the next message may begin anywhere.
    lost: bool,
    /// The start of the next message, if it was found where the last one should go on.
    found: Option<Start>,
}

/// Reads one side to its end.
pub(crate) async fn messages(
    stream: &mut ByteStream,
    conversation: &Conversation<'_>,
) -> Result<()> {
    let side = stream.side();
    let lost = conversation.flow.info().midstream;
    let mut reader = Reader { stream, ignored: 0, lost, found: None };
    while let Some(start) = reader.start(conversation).await? {
        conversation.confirm();
        reader.lost = false;
        let mut message = Message::new(start, conversation.flow.secrets());
        match reader.header(&mut message).await {
            Next::Body => reader.body(&mut message).await,
            Next::Header | Next::TooLong => reader.lost = true,
        }
        conversation.emit(side, &message, std::mem::take(&mut reader.ignored));
    }
    Ok(())
}

impl Reader<'_> {
    /// Reads the first line of the next message. `None` if there is none.
    async fn start(&mut self, conversation: &Conversation<'_>) -> Result<Option<Start>> {
        if let Some(found) = self.found.take() {
            return Ok(Some(found));
        }
        let mut searched = 0u64;
        while searched <= SEARCH_MAX {
            let part = match self.stream.get_line_part(LINE_MAX).await {
                Ok(part) => part,
                Err(ReadError::Gap(gap)) => {
                    self.ignored = self.ignored.saturating_add(gap.cut as u64);
                    self.lost = true;
                    continue;
                }
                Err(_) => return Ok(None),
            };
            if let Some(start) = Start::parse(part.line.bytes(), conversation.flow.secrets()) {
                if !part.last && skip_line(self.stream).await.is_err() {
                    self.lost = true;
                }
                return Ok(Some(start));
            }
            // RFC 3261 §7.5 and RFC 5626 §4.4.1: empty lines may stand between messages.
            let is_empty = part.line.raw().iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0));
            let size = part.line.raw().len() as u64;
            self.ignored = self.ignored.saturating_add(size);
            searched = searched.saturating_add(size);
            if !is_empty && !self.lost && !conversation.is_known() {
                return Err(Error::decline("what was sent is no message of SIP"));
            }
        }
        self.stream.done();
        Ok(None)
    }

    /// Reads to the empty line behind the header.
    async fn header(&mut self, message: &mut Message) -> Next {
        loop {
            let (next, whole) = match self.stream.get_line_part(LINE_MAX).await {
                Ok(part) => (message.header_line(part.line.bytes(), part.last), part.last),
                Err(_) => return message.cut_header(),
            };
            if !whole && skip_line(self.stream).await.is_err() {
                return message.cut_header();
            }
            if next != Next::Header {
                return next;
            }
        }
    }

    /// Passes the body, and reads it if it describes a session.
    async fn body(&mut self, message: &mut Message) {
        // RFC 3261 §20.14: over TCP the length must be there.
        let mut left = message.declared().unwrap_or(0);
        if left > BODY_MAX {
            message.incomplete = true;
            self.lost = true;
            return;
        }
        if !message.wants_body() {
            return self.stream.skip(left);
        }
        let (mut line_begins, mut torn) = (true, false);
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(LINE_MAX).min(LINE_MAX);
            match self.stream.get_line_part(most).await {
                Ok(part) => {
                    left = left.saturating_sub(part.line.raw().len() as u64);
                    if line_begins {
                        // Where bytes are missing, what is here may be behind the body. Else the
                        // length counts: a body may have anything in it.
                        self.found =
                            torn.then(|| message.start_in_body(part.line.bytes())).flatten();
                        if self.found.is_some() {
                            message.incomplete = true;
                            return;
                        }
                        message.body_line(part.line.bytes());
                    }
                    line_begins = part.last;
                }
                Err(ReadError::Gap(gap)) => {
                    message.incomplete = true;
                    (line_begins, torn) = (false, true);
                    let gone = gap.length.saturating_add(gap.cut as u64);
                    self.lost = gone > left;
                    left = left.saturating_sub(gone);
                }
                Err(_) => {
                    message.incomplete = true;
                    return;
                }
            }
        }
    }
}

/// Drops the rest of a line.
async fn skip_line(stream: &mut ByteStream) -> Result<(), ReadError> {
    while !stream.get_line_part(LINE_MAX).await?.last {}
    Ok(())
}
