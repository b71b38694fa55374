//! The server half: reads values, and finds out what they answer.

use flowcell_halves::race;
use flowcell_sdk::prelude::*;

use crate::talk::{Next, Talk};
use crate::value::{Failure, Value};

/// Most bytes that are held back while a reply waits for its command.
const MAX_HELD: usize = 16_384;

/// The server, as it is read.
pub(crate) struct Server<'a, 'f> {
    stream: &'a mut ByteStream,
    talk: &'a Talk<'f>,
}

impl<'a, 'f> Server<'a, 'f> {
    pub(crate) fn new(stream: &'a mut ByteStream, talk: &'a Talk<'f>) -> Self {
        Self { stream, talk }
    }

    /// Reads values to the end, or until what comes are none.
    pub(crate) async fn listen(mut self) -> Result<()> {
        loop {
            let outcome = self.next().await;
            match outcome {
                Ok(()) if self.talk.is_over() => return Ok(()),
                Ok(()) => {}
                // Where the next reply starts is not known, behind a gap or within a value.
                Err(Failure::Read(ReadError::Gap(_) | ReadError::TooLong { .. })) => {
                    self.talk.lose_replies();
                }
                Err(Failure::Read(_)) => return Ok(()),
                Err(Failure::Malformed(_)) if self.talk.is_uncertain() => self.talk.lose_replies(),
                Err(Failure::Malformed(reason)) => return Err(self.talk.refuse(reason)),
            }
        }
    }

    async fn next(&mut self) -> Result<(), Failure> {
        let first = self.stream.peek(1).await?.first().copied().unwrap_or_default();
        match self.talk.expects(first) {
            // Behind a gap, the next reply starts where the next command is answered.
            Next::Nothing => {
                self.stream.rest().await?;
                return Ok(());
            }
            Next::Data => return Ok(()),
            Next::Value => {}
        }
        let mut value = Value::default();
        let outcome = value.read(self.stream).await;
        match outcome {
            Ok(()) => {}
            Err(Failure::Malformed(_)) => return outcome,
            Err(Failure::Read(_)) => {
                self.talk.break_off(&value);
                return outcome;
            }
        }
        if self.talk.pushed(&value) {
            return Ok(());
        }
        self.wait_for_command().await;
        self.talk.answer(&value);
        Ok(())
    }

    /// A reply that is here before its command, which may be late in the capture.
    async fn wait_for_command(&mut self) {
        let talk = self.talk;
        talk.reply_waits(true);
        race(self.stream, MAX_HELD, |_| talk.has_command()).await;
        talk.reply_waits(false);
    }
}
