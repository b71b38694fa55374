//! The client half: reads what the client says (RFC 9051 §2.2.1).

use flowcell_mail::{Message, same, skip_line, skip_to_tls, trim};
use flowcell_sdk::prelude::*;
use memchr::memchr;

use crate::command::{Command, Verb, is_surely_command, looks_like_command};
use crate::literal::{Literal, Passed};
use crate::session::Of;
use crate::talk::{Answer, Course, Talk};

/// Longest part of a line that is read, in bytes. RFC 7162 §4 asks for 8,192.
const LINE_MAX: usize = 8_192;

/// Longest literal that is kept as an argument, in bytes.
const LITERAL_MAX: usize = 256;

/// Largest literal that is taken to follow a command that is not known without the server having asked for
/// it, in bytes: RFC 7888 §5 has no larger ones for LITERAL-.
const UNKNOWN_MAX: u64 = 4_096;

/// Most lines that are no commands before this is taken to be no IMAP.
const STRANGE_MAX: u32 = 8;

/// The client, as it is read.
pub(crate) struct Client<'a, 'f> {
    stream: &'a mut ByteStream,
    talk: &'a Talk<'f>,
    /// What comes next may be anything: the start of the flow or a gap is in front of it.
    lost: bool,
    /// The last command was AUTHENTICATE, or LOGIN with literals, and what belongs to it was not told apart.
    after_auth: bool,
    /// Lines that were no commands.
    strange: u32,
    secrets: Secrets,
}

/// A line, or as much of it as is needed.
struct Read {
    /// What is there of it, without the literal at its end.
    text: Vec<u8>,
    literal: Option<Literal>,
    truncated: bool,
    incomplete: bool,
}

/// Whether a client that has said so much of a command waits for the server.
fn waits(verb: Verb, literal: Option<Literal>) -> bool {
    literal.map_or(matches!(verb, Verb::Authenticate | Verb::StartTls), |literal| literal.waits)
}

/// What a literal holds.
enum Content {
    Message(Box<Message>),
    /// As much as is kept of it.
    Text(Vec<u8>),
}

impl Content {
    fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Message(message) => message.feed(bytes),
            Self::Text(text) => {
                let room = LITERAL_MAX.saturating_sub(text.len());
                text.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
        }
    }

    fn gap(&mut self, missed: u64) {
        if let Self::Message(message) = self {
            message.gap(missed);
        }
    }
}

impl<'a, 'f> Client<'a, 'f> {
    pub(crate) fn new(stream: &'a mut ByteStream, talk: &'a Talk<'f>, flow: &Flow) -> Self {
        let (lost, secrets) = (flow.info().midstream, flow.secrets());
        if lost {
            talk.commands_lost();
        }
        Self { stream, talk, lost, after_auth: false, strange: 0, secrets }
    }

    /// Reads commands, and what belongs to them, to the end.
    pub(crate) async fn speak(mut self) -> Result<Course> {
        loop {
            self.talk.catch_up().await;
            if self.strange > STRANGE_MAX && !self.talk.is_confirmed() {
                return Err(Error::decline("the client does not speak IMAP"));
            }
            match self.line().await {
                Ok(line) => {
                    let course = self.command(line).await;
                    if course != Course::GoesOn {
                        return Ok(course);
                    }
                }
                Err(ReadError::Gap(_)) => self.lose(),
                Err(_) => break,
            }
        }
        self.talk.client_ended();
        Ok(Course::GoesOn)
    }

    async fn command(&mut self, line: Read) -> Course {
        if std::mem::take(&mut self.lost) && !looks_like_command(&line.text) {
            self.lost = true;
            return Course::GoesOn;
        }
        // RFC 2177: the end of IDLE is no command.
        if same(trim(&line.text), "DONE") {
            return Course::GoesOn;
        }
        let mut command = Command::parse(&line.text, self.secrets);
        let verb = command.verb;
        if verb == Verb::Unknown {
            self.strange = self.strange.saturating_add(1);
            if self.after_auth {
                command.hide(&line.text);
            }
        } else {
            self.after_auth = false;
        }
        command.truncated |= line.truncated;
        command.incomplete |= line.incomplete;
        let waits = waits(verb, line.literal);
        let number = self.talk.say(command, waits);
        self.talk.catch_up().await;
        if let Some(literal) = line.literal
            && (verb != Verb::Unknown || literal.waits || literal.size <= UNKNOWN_MAX)
            && !self.arguments(number, verb, literal).await
        {
            return self.switch().await;
        }
        match verb {
            Verb::Authenticate => self.authenticate(number).await,
            Verb::StartTls => {
                self.talk.answer(number, self.stream).await;
            }
            _ => {}
        }
        self.switch().await
    }

    /// To TLS, if the server has agreed to it.
    async fn switch(&mut self) -> Course {
        if !self.talk.switches() {
            return Course::GoesOn;
        }
        self.talk.switched(skip_to_tls(self.stream).await);
        Course::Tls
    }

    /// Literals, and what follows each of them. False if the command ended with one of them.
    async fn arguments(&mut self, number: u64, verb: Verb, first: Literal) -> bool {
        let mut next = Some(first);
        while let Some(literal) = next {
            // RFC 9051 §4.3: the server may refuse.
            if literal.waits
                && let Answer::Completed(_) = self.talk.answer(number, self.stream).await
            {
                return false;
            }
            self.talk.more(number, |command| {
                command.literal_bytes = command.literal_bytes.saturating_add(literal.size);
            });
            let passed = self.literal(number, verb, literal).await;
            let line = match passed {
                Passed::Whole if self.talk.refuses_first(number, self.stream).await => {
                    match self.no_command().await {
                        Ok(None) => return false,
                        Err(error @ ReadError::Gap(_)) => Err(error),
                        _ => self.line().await,
                    }
                }
                Passed::Whole => self.line().await,
                Passed::Refused => return false,
                Passed::Torn | Passed::Cut => {
                    self.talk.more(number, |command| command.incomplete = true);
                    self.lose();
                    return false;
                }
            };
            let Ok(line) = line else {
                self.talk.more(number, |command| command.incomplete = true);
                self.lose();
                return false;
            };
            self.talk.more(number, |command| {
                command.append(&line.text);
                command.truncated |= line.truncated;
                command.incomplete |= line.incomplete;
            });
            next = line.literal;
        }
        true
    }

    /// A literal: of APPEND the message, unless it is the name of the mailbox; else a short string.
    async fn literal(&mut self, number: u64, verb: Verb, literal: Literal) -> Passed {
        let mut mailbox = None;
        self.talk.more(number, |command| mailbox = command.mailbox());
        let long = literal.size > LITERAL_MAX as u64;
        let mut content = match verb {
            Verb::Append if mailbox.is_some() || long => Content::Message(Message::new()),
            _ => Content::Text(Vec::new()),
        };
        let passed = self.pass(number, literal.size, &mut content).await;
        match content {
            Content::Message(mut message) => {
                let refused = passed == Passed::Refused;
                message.incomplete |= refused || passed == Passed::Cut;
                // RFC 3502 §6.3.11: an empty one is none.
                if literal.size > 0 && !(refused && message.size == 0) {
                    self.talk.mail(&Of::Append(mailbox.as_deref()), &mut message);
                }
            }
            Content::Text(text) => self.talk.more(number, |command| {
                command.append_literal(&text);
                command.truncated |= long;
            }),
        }
        passed
    }

    /// Reads the bytes of a literal, as long as the server takes them. RFC 7888 §4: the server may refuse a
    /// literal that did not wait, and close the connection or read it nevertheless; a server that does not
    /// know such literals reads commands.
    async fn pass(&mut self, number: u64, size: u64, content: &mut Content) -> Passed {
        let mut left = size;
        while left > 0 {
            let mut most = left;
            if self.talk.refuses_first(number, self.stream).await {
                match self.no_command().await {
                    Ok(Some(length)) => most = length.min(left),
                    Ok(None) => return Passed::Refused,
                    Err(ReadError::Gap(gap)) => {
                        content.gap(gap.length.saturating_add(gap.cut as u64));
                        return Passed::Torn;
                    }
                    Err(_) => {} // what is left has no line end
                }
            }
            match self.stream.read_some(most).await {
                Ok(bytes) => {
                    content.feed(bytes);
                    left = left.saturating_sub(bytes.len() as u64);
                }
                Err(ReadError::Gap(gap)) => {
                    content.gap(gap.length.min(left));
                    self.talk.more(number, |command| command.incomplete = true);
                    if gap.length > left {
                        return Passed::Torn;
                    }
                    left -= gap.length;
                }
                Err(_) => return Passed::Cut,
            }
        }
        Passed::Whole
    }

    /// Behind the refusal of a command that goes on: the length of the next line if it belongs to that;
    /// nothing if it seems to be another command, or the server has read commands already.
    async fn no_command(&mut self) -> Result<Option<u64>, ReadError> {
        let lines = self.stream.peek_lines(LINE_MAX).await?;
        let length = memchr(b'\n', lines).map_or(lines.len(), |at| at + 1);
        let line = lines.get(..length).unwrap_or(lines);
        if is_surely_command(line) || self.talk.server_reads_on() {
            return Ok(None);
        }
        if looks_like_command(line) {
            let command = Command::parse(line, self.secrets);
            let literal = Literal::at_end(trim(line)).map(|(literal, _)| literal);
            if waits(command.verb, literal) && self.talk.answers_line(length, self.stream).await {
                return Ok(None);
            }
            self.after_auth = command.verb == Verb::Authenticate
                || (command.verb == Verb::Login && literal.is_some());
            self.talk.may_say(command);
        }
        Ok(Some(length as u64))
    }

    /// RFC 9051 §6.2.2: a line in base64 for every `+`.
    async fn authenticate(&mut self, number: u64) {
        loop {
            match self.talk.answer(number, self.stream).await {
                Answer::Continue => {}
                Answer::Completed(_) => return,
                Answer::Unknown => {
                    self.after_auth = true;
                    return;
                }
            }
            match self.line().await {
                Ok(line) => self.talk.more(number, |command| {
                    command.incomplete |= line.incomplete;
                    command.respond(&line.text);
                }),
                Err(_) => {
                    self.talk.more(number, |command| command.incomplete = true);
                    return self.lose();
                }
            }
        }
    }

    /// Reads a line; the last one may lack its end.
    async fn line(&mut self) -> Result<Read, ReadError> {
        let mut read = match self.stream.get_line_part(LINE_MAX).await {
            Ok(part) => {
                let line = part.line.bytes();
                let (literal, text) = match Literal::at_end(line).filter(|_| part.last) {
                    Some((literal, before)) => (Some(literal), before),
                    None => (None, line),
                };
                let text = text.to_vec();
                Read { text, literal, truncated: !part.last, incomplete: false }
            }
            Err(ReadError::End(end)) if end.unread > 0 => {
                let unread = self.stream.rest().await?.ok_or(ReadError::End(end))?;
                let text = unread.get(..LINE_MAX).unwrap_or(unread).to_vec();
                Read { text, literal: None, truncated: false, incomplete: true }
            }
            Err(error) => return Err(error),
        };
        if read.truncated {
            read.incomplete = skip_line(self.stream).await.is_err();
        }
        Ok(read)
    }

    /// Bytes are missing where a command was to be read.
    fn lose(&mut self) {
        self.lost = true;
        self.talk.commands_lost();
    }
}
