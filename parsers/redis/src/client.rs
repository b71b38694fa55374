//! The client half: reads commands.

use flowcell_sdk::prelude::*;

use crate::command::Command;
use crate::inline;
use crate::number::{Length, MAX_STRING};
use crate::talk::Talk;
use crate::value::Failure;
use crate::words::{MAX_SHOWN, MAX_WORDS, Words};

/// Most words of a command: what Redis takes of a client that has logged in.
const MAX_COUNT: u64 = 1 << 20;

/// Longest head of a word or a command, in bytes, and the part of an inline command that is looked at.
const MAX_LINE: usize = 1_024;

/// Longest inline command, in bytes, as in Redis.
const MAX_INLINE: usize = 65_536;

/// How far behind a gap a command is looked for, in bytes.
const MAX_SEARCH: usize = 1 << 20;

/// The client, as it is read.
pub(crate) struct Client<'a, 'f> {
    stream: &'a mut ByteStream,
    talk: &'a Talk<'f>,
    /// What was read of the command at hand.
    words: Words,
}

impl<'a, 'f> Client<'a, 'f> {
    pub(crate) fn new(stream: &'a mut ByteStream, talk: &'a Talk<'f>) -> Self {
        Self { stream, talk, words: Words::default() }
    }

    /// Reads commands to the end. `lost`: what comes next may be anything.
    pub(crate) async fn speak(mut self, mut lost: bool) -> Result<()> {
        loop {
            self.words = Words::default();
            let outcome = if lost { self.find().await } else { self.command().await };
            match outcome {
                Ok(()) => {
                    lost = false;
                    if !self.words.kept.is_empty() {
                        self.talk.say(Command::new(&self.words, self.talk.secrets()))?;
                        self.talk.let_server_answer().await;
                    }
                }
                Err(Failure::Read(ReadError::Gap(_))) => {
                    self.say_unfinished()?;
                    self.talk.lose_commands();
                    lost = true;
                }
                Err(Failure::Read(_)) => {
                    self.say_unfinished()?;
                    return Ok(());
                }
                Err(Failure::Malformed(_)) if lost => {}
                Err(Failure::Malformed(reason)) => return Err(self.talk.refuse(reason)),
            }
        }
    }

    /// The end of the command will never be seen. What is there of it counts if it is known what it is.
    fn say_unfinished(&mut self) -> Result<()> {
        if self.talk.is_confirmed() && !self.words.kept.is_empty() {
            self.words.incomplete = true;
            self.talk.say(Command::new(&self.words, self.talk.secrets()))?;
        }
        Ok(())
    }

    /// One command: an array of strings, or a line of words.
    async fn command(&mut self) -> Result<(), Failure> {
        let part = self.stream.get_line_part(MAX_LINE).await?;
        let (line, last) = (part.line, part.last);
        match line.split_first() {
            Some((b'*', digits)) if last => {
                let count = Length::parse(digits, MAX_COUNT);
                self.array(count).await
            }
            Some(_) => {
                if !self.talk.is_confirmed() && !is_inline(&line) {
                    return Err(Failure::Malformed("this is no command"));
                }
                let words = inline::split(&line);
                if !last {
                    self.skip_inline().await?;
                }
                self.words = words.ok_or(Failure::Malformed("quotes do not match"))?;
                Ok(())
            }
            None => Ok(()), // Redis takes empty lines and says nothing
        }
    }

    /// Looks for a command: its head is a line of its own.
    async fn find(&mut self) -> Result<(), Failure> {
        let mut budget = MAX_SEARCH;
        let mut line_starts = true;
        while budget > 0 {
            let part = self.stream.get_line_part(MAX_LINE).await?;
            let count = part.line.strip_prefix(b"*").filter(|_| line_starts && part.last);
            let count = count.and_then(|digits| Length::parse(digits, MAX_COUNT));
            line_starts = part.last;
            budget = budget.saturating_sub(part.line.raw().len());
            if let Some(Length::Known(1..)) = count {
                return self.array(count).await;
            }
        }
        self.stream.done();
        Err(Failure::Read(ReadError::TooLong { side: Side::Client, limit: MAX_SEARCH }))
    }

    /// The words of a command behind their number.
    async fn array(&mut self, count: Option<Length>) -> Result<(), Failure> {
        let count = match count {
            Some(Length::Known(count)) => count,
            Some(Length::Null) => return Ok(()), // Redis takes it for nothing
            _ => return Err(Failure::Malformed("a command has no number of words")),
        };
        for index in 0..count {
            let part = self.stream.get_line_part(MAX_LINE).await?;
            let digits = part.line.strip_prefix(b"$").filter(|_| part.last);
            let length = digits.and_then(|digits| Length::parse(digits, MAX_STRING));
            let Some(Length::Known(length)) = length else {
                return Err(Failure::Malformed("a word has no length"));
            };
            self.word(length).await?;
            if index == 0 && !self.talk.is_confirmed() {
                if !self.words.is_command() {
                    return Err(Failure::Malformed("this is no name of a command"));
                }
                self.talk.confirm();
            }
        }
        Ok(())
    }

    async fn word(&mut self, length: u64) -> Result<(), Failure> {
        self.words.count += 1;
        let mut shown = 0;
        if self.words.kept.len() < MAX_WORDS {
            shown = usize::try_from(length).unwrap_or(MAX_SHOWN).min(MAX_SHOWN);
            let bytes = self.stream.read_exact(shown).await?;
            self.words.push(bytes, length);
        }
        self.stream.skip(length - shown as u64);
        // Redis does not look at what it takes for the line end.
        match (self.stream.read_exact(2).await?, self.talk.is_confirmed()) {
            (b"\r\n", _) | (_, true) => Ok(()),
            _ => Err(Failure::Malformed("a word does not end where it should")),
        }
    }

    /// The rest of an inline command that is too long to be looked at.
    async fn skip_inline(&mut self) -> Result<(), Failure> {
        let mut left = MAX_INLINE;
        while left > 0 {
            let part = self.stream.get_line_part(MAX_LINE).await?;
            if part.last {
                return Ok(());
            }
            left = left.saturating_sub(part.line.raw().len());
        }
        Err(Failure::Malformed("a line is too long for a command"))
    }
}

/// Whether somebody may have typed this. Redis itself refuses to talk to clients of HTTP.
fn is_inline(line: &[u8]) -> bool {
    let is_text = line.iter().all(|byte| (b' '..0x7f).contains(byte) || *byte == b'\t');
    let is_http = line.windows(6).any(|window| window == b" HTTP/");
    is_text && !is_http && line.first().is_some_and(u8::is_ascii_alphabetic)
}
