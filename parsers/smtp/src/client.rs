//! The client half: reads what the client says.

use flowcell_mail::{Dots, Message, skip_line, skip_to_tls};
use flowcell_sdk::prelude::*;
use memchr::memchr;

use crate::command::{Command, LINE_MAX};
use crate::said::Said;
use crate::state::{Answer, Course};
use crate::talk::Talk;
use crate::verb::{Verb, looks_like_command};

/// Content that is read at a time, in bytes: whole lines of ordinary mail, and little to keep waiting.
const PIECE_MAX: usize = 4_096;

/// Most bytes of a line that are looked at to tell what it is: those of a command (RFC 5321 §4.5.3.1.4).
const LOOK_MAX: usize = 512;

/// Lines that may stand between a gap and the next command without being a message: what is left of a
/// torn command, and an AUTH response.
const TORN_LINES: u32 = 2;

/// The client, as it is read.
pub(crate) struct Client<'a, 'f> {
    stream: &'a mut ByteStream,
    talk: &'a Talk<'f>,
    /// The message that BDAT has begun.
    chunks: Option<Box<Message>>,
    /// What comes next may be anything: the start of the flow or a gap is in front of it.
    lost: bool,
    /// The last known command was AUTH.
    after_auth: bool,
    secrets: Secrets,
}

/// What was found behind a gap.
enum Found {
    Command(Box<Command>),
    /// The end of a message; commands follow.
    EndOfMessage,
    EndOfStream,
    Tls,
}

impl<'a, 'f> Client<'a, 'f> {
    pub(crate) fn new(stream: &'a mut ByteStream, talk: &'a Talk<'f>, flow: &Flow) -> Self {
        let (lost, secrets) = (flow.info().midstream, flow.secrets());
        Self { stream, talk, chunks: None, lost, after_auth: false, secrets }
    }

    /// Reads commands, and what follows them, to the end.
    pub(crate) async fn speak(mut self) -> Result<Course> {
        if !self.lost && self.tls_follows().await {
            if self.talk.is_foreign() {
                return Err(Error::decline("the client starts with TLS"));
            }
            // The server greeted: STARTTLS is not in the capture.
            self.talk.switched_to_tls();
            return Ok(Course::Tls);
        }
        loop {
            self.talk.catch_up().await;
            if self.talk.is_strange() {
                if self.talk.is_foreign() {
                    return Err(Error::decline("neither side speaks SMTP"));
                }
                self.lost = true;
            }
            let command = if std::mem::take(&mut self.lost) {
                match self.find_command().await {
                    Found::Command(command) => command,
                    Found::EndOfMessage => continue,
                    Found::EndOfStream => break,
                    Found::Tls if self.talk.is_foreign() => {
                        return Err(Error::decline("the client speaks TLS"));
                    }
                    Found::Tls => {
                        self.talk.switched_to_tls();
                        return Ok(Course::Tls);
                    }
                }
            } else {
                match Command::read(self.stream, self.secrets, self.after_auth).await {
                    Ok(command) => command,
                    Err(ReadError::Gap(_)) => {
                        self.lose();
                        continue;
                    }
                    Err(_) => break,
                }
            };
            let course = self.command(command).await;
            if course != Course::GoesOn {
                return Ok(course);
            }
        }
        self.abandon_chunks();
        self.talk.client_ended();
        Ok(Course::GoesOn)
    }

    async fn command(&mut self, command: Box<Command>) -> Course {
        let verb = command.verb;
        match verb {
            Verb::Data => self.data(command).await,
            Verb::Bdat => match command.chunk() {
                Some((size, last)) => self.bdat(command, size, last).await,
                None => self.talk.say(Said::Command(command)),
            },
            Verb::Auth => self.auth(command).await,
            Verb::StartTls => {
                self.talk.say(Said::Command(command));
                // RFC 3207 §4: after 220 the client starts TLS at once.
                match self.talk.answer(self.stream).await {
                    Answer::Code(220) => {
                        self.talk.injected(skip_to_tls(self.stream).await);
                        return Course::Tls;
                    }
                    Answer::Unknown if self.tls_follows().await => {
                        self.talk.switched_to_tls();
                        return Course::Tls;
                    }
                    _ => {}
                }
            }
            Verb::Rset
            | Verb::Mail
            | Verb::Helo
            | Verb::Ehlo
            | Verb::Lhlo
            | Verb::XClient
            | Verb::Quit => {
                self.abandon_chunks();
                self.talk.say(Said::Command(command));
            }
            Verb::Rcpt | Verb::Noop | Verb::Distinctive | Verb::Known | Verb::Unknown => {
                self.talk.say(Said::Command(command));
            }
        }
        if verb != Verb::Unknown {
            self.after_auth = verb == Verb::Auth;
        }
        Course::GoesOn
    }

    /// RFC 5321 §4.1.1.4: the message follows if the server says 354, even where the client did not
    /// wait for that (RFC 2920 §3.1).
    async fn data(&mut self, command: Box<Command>) {
        let bare_lf = command.bare_lf;
        self.abandon_chunks();
        self.talk.say(Said::Command(command));
        let follows = match self.talk.answer(self.stream).await {
            Answer::Code(code) => code == 354,
            Answer::Unknown => !self.command_follows().await,
        };
        if follows {
            self.message(bare_lf).await;
        }
    }

    /// RFC 5321 §4.5.2: lines up to one that is a single dot; a dot in front of any other line was
    /// added by the client. `bare_lf`: the client ends its commands with LF alone.
    async fn message(&mut self, bare_lf: bool) {
        let mut message = Message::new();
        let mut ambiguous = false;
        let mut dots = Dots::new(!bare_lf);
        loop {
            match self.stream.peek_lines(PIECE_MAX).await {
                Ok(lines) => {
                    let (taken, dot) = dots.feed(lines, |piece| message.feed(piece));
                    self.stream.skip(taken as u64);
                    let Some(dot) = dot else {
                        continue;
                    };
                    // RFC 5321 §4.1.1.4: only CR LF . CR LF ends a message. Servers that take less
                    // can be made to see two messages in one.
                    if bare_lf || (dot.after_crlf && dot.crlf) {
                        break;
                    }
                    ambiguous = true;
                    let ends = match self.talk.replies_first(self.stream).await {
                        Some(replied) => replied,
                        None => self.command_follows().await,
                    };
                    if ends {
                        break;
                    }
                    message.feed(if dot.crlf { b"\r\n" } else { b"\n" });
                }
                Err(ReadError::Gap(gap)) => {
                    message.gap(gap.length.saturating_add(gap.cut as u64));
                    dots.line_starts(); // a line that is a single dot is hardly the rest of one
                    if self.talk.reply_waits() {
                        self.lost = true; // the end of the message is in the gap
                        break;
                    }
                }
                Err(_) => return self.cut_off(message).await,
            }
        }
        message.finish();
        self.talk.say(Said::End(message, ambiguous));
        if self.lost {
            self.talk.say(Said::Lost);
        }
    }

    /// RFC 3030 §2: BDAT is followed by as many bytes as it says, whatever the server replies; but a client
    /// that has seen it refused goes on without them, and a server that does not know it reads none.
    async fn bdat(&mut self, command: Box<Command>, size: u64, last: bool) {
        if size > 0 {
            let refused = match self.talk.refuses_chunk(self.stream).await {
                Some(refused) => refused,
                None => self.command_follows().await,
            };
            if refused {
                return self.talk.say(Said::Command(command));
            }
        }
        let mut message = self.chunks.take().unwrap_or_else(Message::new);
        let mut left = size;
        let mut torn = false;
        while left > 0 {
            match self.stream.read_some(left).await {
                Ok(bytes) => {
                    message.feed(bytes);
                    left -= bytes.len() as u64;
                }
                Err(ReadError::Gap(gap)) => {
                    message.gap(gap.length.min(left));
                    torn = gap.length > left;
                    left = left.saturating_sub(gap.length);
                }
                Err(_) => {
                    self.talk.say(Said::Command(command));
                    return self.cut_off(message).await;
                }
            }
        }
        if last {
            message.finish();
            self.talk.say(Said::Chunk(command, Some(message)));
        } else {
            self.talk.say(Said::Chunk(command, None));
            self.chunks = Some(message);
        }
        if torn {
            self.lose();
        }
    }

    /// RFC 4954 §4: a line in base64 for every 334.
    async fn auth(&mut self, command: Box<Command>) {
        self.talk.say(Said::Command(command));
        loop {
            let responds = match self.talk.answer(self.stream).await {
                Answer::Code(code) => code == 334,
                Answer::Unknown => !self.command_follows().await,
            };
            if !responds {
                return;
            }
            let whole = match self.stream.get_line_part(LINE_MAX).await {
                Ok(part) => {
                    self.talk.respond(part.line.bytes());
                    part.last
                }
                Err(ReadError::Gap(_)) => return self.lose(),
                Err(_) => return,
            };
            if !whole && skip_line(self.stream).await.is_err() {
                return self.lose();
            }
        }
    }

    /// Finds the way back into the conversation: to a line that can only be a command, or to the end
    /// of the message that seems to be passing.
    async fn find_command(&mut self) -> Found {
        if self.tls_follows().await {
            return Found::Tls;
        }
        let mut message = Message::midway();
        let mut lines = 0;
        let mut starts = true;
        loop {
            match self.stream.get_line_part(PIECE_MAX).await {
                Ok(part) => {
                    let line = part.line.bytes();
                    if starts && part.last && line == b"." {
                        message.finish();
                        self.talk.say(Said::End(message, false));
                        return Found::EndOfMessage;
                    }
                    let asked = self.talk.message_asked_for();
                    if starts && part.last && !asked && looks_like_command(line) {
                        let command = Command::parse(line, self.secrets, self.after_auth);
                        if lines > TORN_LINES {
                            self.give_up(message);
                        }
                        return Found::Command(command);
                    }
                    let raw = part.line.raw();
                    message.feed(if starts { raw.strip_prefix(b".").unwrap_or(raw) } else { raw });
                    starts = part.last;
                    lines += u32::from(part.last && lines <= TORN_LINES);
                }
                Err(ReadError::Gap(gap)) => {
                    message.gap(gap.length.saturating_add(gap.cut as u64));
                    starts = true;
                }
                Err(_) => {
                    if lines > TORN_LINES || self.talk.message_asked_for() {
                        self.cut_off(message).await;
                    }
                    return Found::EndOfStream;
                }
            }
        }
    }

    /// Whether the next line looks like a command; true at the end.
    async fn command_follows(&mut self) -> bool {
        let mut seen = 0;
        loop {
            let (count, stopped) = match self.stream.look_ahead(seen + 1).await {
                Ok(_) => (seen + 1, false),
                Err(ReadError::Gap(gap)) => (gap.cut, true),
                Err(ReadError::End(end)) if end.unread == 0 => return true,
                Err(ReadError::End(end)) => (end.unread.min(LOOK_MAX), true),
                Err(ReadError::TooLong { .. }) => return false,
            };
            let Ok(line) = self.stream.look_ahead(count).await else {
                return false;
            };
            match memchr(b'\n', line) {
                Some(end) => return looks_like_command(&line[..end]),
                None if stopped => return looks_like_command(line),
                None if count >= LOOK_MAX => return false,
                None => seen = count,
            }
        }
    }

    /// Whether a TLS record follows: its type (RFC 8446 §5.1) and the upper half of its version.
    async fn tls_follows(&mut self) -> bool {
        matches!(self.stream.look_ahead(2).await, Ok([0x14..=0x17, 3, ..]))
    }

    /// Bytes are missing where a command was to be read.
    #[inline(never)] // many places need it, and few conversations
    fn lose(&mut self) {
        self.lost = true;
        if let Some(message) = &mut self.chunks {
            message.incomplete = true;
        }
        self.talk.say(Said::Lost);
    }

    /// A message ends with the flow.
    async fn cut_off(&mut self, mut message: Box<Message>) {
        if let Ok(Some(bytes)) = self.stream.rest().await {
            message.feed(bytes);
        }
        self.give_up(message);
    }

    /// RFC 3030 §2: a message in chunks that is not ended by LAST is given up.
    fn abandon_chunks(&mut self) {
        if let Some(message) = self.chunks.take() {
            self.give_up(message);
        }
    }

    /// A message has no end.
    #[inline(never)] // many places need it, and few conversations
    fn give_up(&mut self, mut message: Box<Message>) {
        message.incomplete = true;
        message.finish();
        self.talk.say(Said::Cut(message));
    }
}
