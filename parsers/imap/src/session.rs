//! What the conversation has come to, and the records of it.

use flowcell_mail::{Message, MessageFields, Shown, find, owned, shorten};
use flowcell_sdk::prelude::*;

use crate::command::{Command, Verb};
use crate::records::{self, Mail, MailHead};
use crate::response::Status;

/// Most exchanges that are held back as long as it is not certain what is spoken.
const HELD_MAX: usize = 8;

/// Longest text of a response that is kept, in bytes.
const TEXT_MAX: usize = 512;

/// Longest tag that is kept of a command that is missing, in bytes.
const TAG_MAX: usize = 64;

/// Where a mail comes from.
#[derive(Debug)]
pub(crate) enum Of<'a> {
    /// It is appended to this mailbox.
    Append(Option<&'a [u8]>),
    /// It is fetched from the mailbox that is selected.
    Fetch { number: Option<u64>, uid: Option<u64>, section: &'a [u8], origin: Option<u64> },
}

/// A command with the response that completes it.
#[derive(Debug)]
struct Exchange {
    tag: Vec<u8>,
    command: Option<Command>,
    status: Option<Status>,
    text: Option<Vec<u8>>,
    untagged: u64,
    injected: Option<u64>,
    truncated: bool,
}

/// What was agreed on so far.
pub(crate) struct Session<'f> {
    flow: &'f Flow,
    user: Option<Vec<u8>>,
    /// The mailbox that is selected.
    mailbox: Option<Vec<u8>>,
    /// Untagged responses since the last tagged one.
    untagged: u64,
    /// What is not emitted yet, because it is not certain what is spoken.
    held: Vec<Exchange>,
    confirmed: bool,
    /// Too much was said without being certain.
    foreign: bool,
}

impl<'f> Session<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        Self {
            flow,
            user: None,
            mailbox: None,
            untagged: 0,
            held: Vec::new(),
            confirmed: false,
            foreign: false,
        }
    }

    /// RFC 9051 §7.1: the first response of all.
    pub(crate) fn greeted(&mut self, status: Status, text: &[u8]) {
        let certain = status == Status::PreAuth || find(text, b"IMAP").is_some();
        self.take(Exchange::new(b"", None, Some((status, text))), certain);
    }

    pub(crate) fn untagged(&mut self) {
        self.untagged = self.untagged.saturating_add(1);
    }

    /// A command was completed, or will not be.
    pub(crate) fn completed(
        &mut self,
        tag: &[u8],
        command: Option<Command>,
        reply: Option<(Status, &[u8])>,
        injected: Option<u64>,
    ) {
        let mut certain = false;
        if let Some(command) = &command {
            let status = reply.map(|(status, _)| status);
            self.follow(command, status);
            certain = command.verb != Verb::Unknown && status.is_some();
        }
        let mut exchange = Exchange::new(tag, command, reply);
        exchange.injected = injected;
        if reply.is_some() {
            exchange.untagged = std::mem::take(&mut self.untagged);
        }
        self.take(exchange, certain);
    }

    /// What follows from a command for those behind it. Where no responses are there, it is taken to have
    /// gone well.
    fn follow(&mut self, command: &Command, status: Option<Status>) {
        let well = matches!(status, Some(Status::Ok) | None);
        match command.verb {
            Verb::Login | Verb::Authenticate if well => self.user = command.user(),
            // RFC 9051 §6.3.2: a SELECT that fails selects nothing.
            Verb::Select => self.mailbox = command.mailbox().filter(|_| well),
            Verb::Close if well => self.mailbox = None,
            _ => {}
        }
    }

    /// A mail has passed.
    pub(crate) fn mail(&mut self, of: &Of<'_>, message: &mut Message) {
        message.finish();
        self.confirm();
        let head = match *of {
            Of::Append(mailbox) => MailHead {
                user: Shown::maybe(self.user.as_ref()),
                mailbox: mailbox.map(Shown),
                direction: "append",
                number: None,
                uid: None,
                section: None,
                origin: None,
            },
            Of::Fetch { number, uid, section, origin } => MailHead {
                user: Shown::maybe(self.user.as_ref()),
                mailbox: Shown::maybe(self.mailbox.as_ref()),
                direction: "fetch",
                number,
                uid,
                section: Some(Shown(section)),
                origin,
            },
        };
        self.flow.emit(&Mail::new(head, MessageFields::of(message)));
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// The conversation is over.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if !self.foreign && (self.confirmed || self.all_known()) {
            self.confirm();
            return Ok(());
        }
        Err(Error::decline("nothing shows that this is IMAP"))
    }

    /// Whether all commands that are held back are known, where no responses are there.
    fn all_known(&self) -> bool {
        let mut commands = self.held.iter().filter_map(|exchange| exchange.command.as_ref());
        let known = |command: &Command| command.verb != Verb::Unknown;
        commands.next().is_some_and(known) && commands.all(known)
    }

    /// Emits an exchange, now or when it is certain what is spoken.
    fn take(&mut self, exchange: Exchange, certain: bool) {
        if certain || (self.held.len() == HELD_MAX && self.all_known()) {
            self.confirm();
        }
        if self.confirmed {
            self.emit(&exchange);
        } else if self.held.len() < HELD_MAX {
            self.held.push(exchange);
        } else {
            self.foreign = true;
        }
    }

    fn confirm(&mut self) {
        if !std::mem::replace(&mut self.confirmed, true) {
            self.flow.confirm();
            for exchange in std::mem::take(&mut self.held) {
                self.emit(&exchange);
            }
        }
    }

    fn emit(&self, exchange: &Exchange) {
        let command = exchange.command.as_ref();
        let argument = command.map(Command::shown).filter(|argument| !argument.is_empty());
        let mailbox = command.and_then(Command::mailbox);
        let user = command.and_then(Command::user);
        let auth = command.and_then(|command| command.auth.as_ref());
        let tag = Some(exchange.tag.as_slice()).filter(|tag| !tag.is_empty());
        self.flow.emit(&records::Command {
            tag: tag.map(Shown),
            command: command.map(|command| Shown(&command.word)),
            argument: Shown::maybe(argument.as_ref()),
            status: exchange.status.map(Status::name),
            reply: Shown::maybe(exchange.text.as_ref()),
            mailbox: Shown::maybe(mailbox.as_ref()),
            mechanism: auth.map(|auth| Shown(&auth.mechanism)),
            user: Shown::maybe(user.as_ref()),
            untagged: exchange.untagged,
            literal_bytes: command.map_or(0, |command| command.literal_bytes),
            injected: exchange.injected,
            truncated: exchange.truncated || command.is_some_and(|command| command.truncated),
            incomplete: command.is_some_and(|command| command.incomplete),
        });
    }
}

impl Exchange {
    fn new(tag: &[u8], command: Option<Command>, reply: Option<(Status, &[u8])>) -> Self {
        let mut tag = owned(tag);
        shorten(&mut tag, TAG_MAX);
        let mut text = reply.map(|(_, text)| owned(text));
        let truncated = text.as_mut().is_some_and(|text| !shorten(text, TEXT_MAX));
        let status = reply.map(|(status, _)| status);
        Self { tag, command, status, text, untagged: 0, injected: None, truncated }
    }
}
