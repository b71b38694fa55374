//! What follows the first line of a reply: lines up to one that is a single dot (RFC 1939 §3).

use flowcell_mail::{Dots, Message, Turn, owned, shorten, trim, turn};
use flowcell_sdk::{ByteStream, ReadError};
use memchr::{memchr, memchr_iter};

use crate::pace::Pace;
use crate::reply::Reply;

/// Content that is read at a time, in bytes.
const PIECE_MAX: usize = 4_096;

/// Bytes that tell a reply: `-ERR` and a space.
const REPLY_START: usize = 5;

/// Most capabilities that are kept.
const CAPABILITIES_MAX: usize = 32;

/// Longest capability that is kept, in bytes.
const CAPABILITY_MAX: usize = 128;

/// What is made of the lines.
#[derive(Debug)]
pub(crate) enum Content {
    /// They are counted.
    Listing,
    /// They are kept.
    Capabilities(Vec<Vec<u8>>),
    Message(Box<Message>),
}

/// Lines as they pass.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) content: Content,
    pub(crate) lines: u64,
    /// Bytes of them, without the dots that the transport adds.
    pub(crate) bytes: u64,
    /// Something was cut at its limit.
    pub(crate) truncated: bool,
    /// Bytes of them are missing, or the end.
    pub(crate) incomplete: bool,
}

impl Lines {
    pub(crate) fn new(content: Content) -> Self {
        Self { content, lines: 0, bytes: 0, truncated: false, incomplete: false }
    }

    /// Reads them to the end. `client`, if it is there: it has asked for them. `bare_lf`: the server ends
    /// its lines with LF alone.
    pub(crate) async fn read(
        &mut self,
        server: &mut ByteStream,
        mut client: Option<(&mut ByteStream, &Pace)>,
        bare_lf: bool,
    ) {
        let mut dots = Dots::new(true);
        let mut torn = false;
        loop {
            match server.peek_lines(PIECE_MAX).await {
                Ok(mut lines) => {
                    if torn || !matches!(self.content, Content::Message(_)) {
                        // The end is missing, if another reply follows: no listing has such a line,
                        // and hardly any mail.
                        if Reply::is_one(lines) {
                            self.incomplete = true;
                            return;
                        }
                        let end = memchr(b'\n', lines).map_or(lines.len(), |at| at + 1);
                        lines = lines.get(..end).unwrap_or_default();
                    }
                    let (taken, dot) = dots.feed(lines, |piece| self.take(piece));
                    server.skip(taken as u64);
                    match dot {
                        Some(dot) if (dot.after_crlf && dot.crlf) || bare_lf => return,
                        // RFC 1939 §3: only CR LF . CR LF is the end. In a mail whose line ends came
                        // through unchanged, the sender can have put less than that in the middle.
                        Some(dot) if dot.crlf && has_ended(server, client.as_mut()).await => {
                            return;
                        }
                        Some(dot) => self.take(if dot.crlf { b"\r\n" } else { b"\n" }),
                        None => {}
                    }
                }
                Err(ReadError::Gap(gap)) => {
                    self.gap(gap.length.saturating_add(gap.cut as u64));
                    dots.line_starts();
                    torn = true;
                }
                Err(_) => {
                    if let Ok(Some(rest)) = server.rest().await {
                        self.take(rest);
                    }
                    self.incomplete = true;
                    if let Content::Message(message) = &mut self.content {
                        message.incomplete = true;
                    }
                    return;
                }
            }
        }
    }

    fn gap(&mut self, missed: u64) {
        self.incomplete = true;
        if let Content::Message(message) = &mut self.content {
            message.gap(missed);
        }
    }

    fn take(&mut self, piece: &[u8]) {
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        self.lines = self.lines.saturating_add(memchr_iter(b'\n', piece).count() as u64);
        match &mut self.content {
            Content::Message(message) => message.feed(piece),
            Content::Listing => {}
            Content::Capabilities(kept) => {
                for line in piece.split(|byte| *byte == b'\n').map(trim) {
                    let room = kept.len() < CAPABILITIES_MAX;
                    if room && !line.is_empty() {
                        let mut line = owned(line);
                        self.truncated |= !shorten(&mut line, CAPABILITY_MAX);
                        kept.push(line);
                    }
                    self.truncated |= !room && !line.is_empty();
                }
            }
        }
    }
}

/// Whether the content has ended behind a dot that some take for its end: the client, which has seen it,
/// goes on before the server does, and that replies. Where the client is missing, or had not asked yet
/// when the server said this, the reply alone tells.
async fn has_ended(server: &mut ByteStream, client: Option<&mut (&mut ByteStream, &Pace)>) -> bool {
    let asked = match client {
        Some((client, pace)) if !pace.server_was_ahead() => {
            turn(client, server, 1).await == Turn::Expected
        }
        _ => true,
    };
    match server.look_ahead(REPLY_START).await {
        Ok(start) => asked && Reply::is_one(start),
        Err(ReadError::End(end)) => end.unread == 0,
        Err(_) => false,
    }
}
