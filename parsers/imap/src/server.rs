//! The server half: reads what the server says (RFC 9051 §2.2.2).

use flowcell_mail::{owned, skip_line};
use flowcell_sdk::prelude::*;

use crate::fetch::Fetch;
use crate::literal::Passed;
use crate::response::{Response, Status};
use crate::talk::{Course, Talk};

/// Longest part of a line that is read, in bytes.
const LINE_MAX: usize = 8_192;

/// Most lines that are no responses before this is taken to be no IMAP.
const STRANGE_MAX: u32 = 8;

/// The server, as it is read.
pub(crate) struct Server<'a, 'f> {
    stream: &'a mut ByteStream,
    talk: &'a Talk<'f>,
    /// What comes next may be anything: the start of the flow or a gap is in front of it.
    lost: bool,
    /// Nothing was said yet, and the start is there.
    greets: bool,
    /// Lines that were no responses.
    strange: u32,
}

/// A response as far as it is of interest behind the read.
enum Said {
    Nothing,
    Continue,
    Greeting(Status, Vec<u8>),
    Tagged(Vec<u8>, Status, Vec<u8>),
    /// A response whose first line has been looked at; whether that is all of the line.
    Data(Fetch, bool),
}

impl<'a, 'f> Server<'a, 'f> {
    pub(crate) fn new(stream: &'a mut ByteStream, talk: &'a Talk<'f>, midstream: bool) -> Self {
        Self { stream, talk, lost: midstream, greets: !midstream, strange: 0 }
    }

    /// Reads responses, and what belongs to them, to the end.
    pub(crate) async fn speak(mut self) -> Result<Course> {
        loop {
            if self.strange > STRANGE_MAX && !self.talk.is_confirmed() {
                return Err(Error::decline("the server does not speak IMAP"));
            }
            match self.response().await {
                Ok(Course::GoesOn) => {}
                // The client half says when.
                Ok(Course::Tls) => std::future::pending().await,
                Ok(Course::Over) => return Ok(Course::Over),
                Err(Error::Read(ReadError::Gap(_))) => {
                    self.lost = true;
                    self.greets = false;
                }
                Err(Error::Read(_)) => break,
                Err(error) => return Err(error),
            }
        }
        self.talk.server_ended();
        Ok(Course::GoesOn)
    }

    async fn response(&mut self) -> Result<Course> {
        match self.first_line().await? {
            Said::Nothing => {}
            Said::Continue => self.talk.continued().await,
            Said::Greeting(status, text) => self.talk.greeted(status, &text),
            Said::Tagged(tag, status, text) => {
                return Ok(self.talk.tagged(&tag, status, &text, self.stream).await);
            }
            Said::Data(mut fetch, whole) => {
                self.talk.untagged();
                let read = self.data(&mut fetch, whole).await;
                fetch.flush(self.talk);
                read?;
            }
        }
        Ok(Course::GoesOn)
    }

    /// Reads the line that a response starts with; all of it, except of data.
    async fn first_line(&mut self) -> Result<Said> {
        let part = match self.stream.get_line_part(LINE_MAX).await {
            Ok(part) => part,
            Err(error) => return Err(error.into()),
        };
        let line = part.line.bytes();
        let response = Response::parse(line);
        let whole = part.last;
        if self.lost && !response.is_certain() {
            if !whole {
                skip_line(self.stream).await?;
            }
            return Ok(Said::Nothing);
        }
        self.lost = false;
        let greets = std::mem::replace(&mut self.greets, false);
        let said = match response {
            Response::Continue => Said::Continue,
            Response::Status(status, text) if greets => Said::Greeting(status, owned(text)),
            Response::Status(..) => {
                self.talk.untagged();
                Said::Nothing
            }
            Response::Tagged { tag, status, text } => Said::Tagged(owned(tag), status, owned(text)),
            Response::Data { number, word } => {
                let mut fetch = Fetch::new(number, word);
                fetch.text(line, self.talk);
                Said::Data(fetch, whole)
            }
            Response::Noise if greets => {
                return Err(Error::decline("the server's first line is no response"));
            }
            Response::Noise => {
                self.strange = self.strange.saturating_add(1);
                Said::Nothing
            }
        };
        if !whole && !matches!(said, Said::Data(..)) {
            skip_line(self.stream).await?;
        }
        Ok(said)
    }

    /// The rest of a response: of the line, and of what follows literals.
    async fn data(&mut self, fetch: &mut Fetch, mut whole: bool) -> Result<(), ReadError> {
        loop {
            if whole {
                let Some((literal, section)) = fetch.line_ends() else {
                    return Ok(());
                };
                let message = fetch.literal(section, self.talk);
                match literal.pass(self.stream, message).await {
                    Passed::Whole => {}
                    Passed::Torn => {
                        self.lost = true;
                        return Ok(());
                    }
                    Passed::Cut | Passed::Refused => return Ok(()),
                }
            }
            let part = match self.stream.get_line_part(LINE_MAX).await {
                Ok(part) => part,
                Err(error) => {
                    fetch.cut_off();
                    return Err(error);
                }
            };
            fetch.text(part.line.bytes(), self.talk);
            whole = part.last;
        }
    }
}
