//! What the conversation has come to, and the records of it.

use flowcell_mail::{List, MessageFields, Shown, find};
use flowcell_sdk::prelude::*;

use crate::command::{Command, Verb};
use crate::content::{Content, Lines};
use crate::records::{self, Mail, MailHead};
use crate::reply::{Reply, Status};

/// Most exchanges that are held back as long as it is not certain what is spoken.
const HELD_MAX: usize = 8;

/// A command with all that the server has said to it.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) command: Option<Command>,
    pub(crate) reply: Option<Reply>,
    pub(crate) lines: Option<Lines>,
    pub(crate) injected: Option<u64>,
    /// Bytes are missing.
    pub(crate) incomplete: bool,
}

/// What was agreed on so far.
#[derive(Debug)]
pub(crate) struct Session<'f> {
    flow: &'f Flow,
    user: Option<Vec<u8>>,
    /// What is not emitted yet, because it is not certain what is spoken.
    held: Vec<Exchange>,
    confirmed: bool,
}

impl<'f> Session<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        Self { flow, user: None, held: Vec::new(), confirmed: false }
    }

    /// Emits an exchange, now or when it is certain what is spoken.
    pub(crate) fn take(&mut self, mut exchange: Exchange) -> Result<()> {
        if let Some(Lines { content: Content::Message(message), .. }) = &mut exchange.lines {
            if exchange.command.as_ref().is_some_and(|command| command.verb == Verb::Top) {
                message.is_partial();
            }
            message.finish();
        }
        if !self.confirmed {
            if !exchange.is_proof() {
                self.held.push(exchange);
                if self.held.len() > HELD_MAX {
                    return Err(Error::decline("nothing shows that this is POP3"));
                }
                return Ok(());
            }
            self.flow.confirm();
            self.confirmed = true;
        }
        self.emit_held();
        self.emit(&exchange);
        Ok(())
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// The conversation is over.
    pub(crate) fn finish(&mut self) -> Result<()> {
        // Some commands are known from elsewhere, but hardly all of them.
        let known = |exchange: &Exchange| match &exchange.command {
            Some(command) => command.verb != Verb::Unknown,
            None => exchange.reply.is_some(),
        };
        let commands = self.held.iter().filter(|exchange| exchange.command.is_some()).count();
        if self.confirmed || (commands > 1 && self.held.iter().all(known)) {
            self.emit_held();
            return Ok(());
        }
        Err(Error::decline("nothing shows that this is POP3"))
    }

    fn emit_held(&mut self) {
        for exchange in std::mem::take(&mut self.held) {
            self.emit(&exchange);
        }
    }

    fn emit(&mut self, exchange: &Exchange) {
        let command = exchange.command.as_ref();
        let reply = exchange.reply.as_ref();
        let lines = exchange.lines.as_ref();
        let auth = command.and_then(|command| command.auth.as_ref());
        let mut user = auth.and_then(|auth| auth.user.as_ref());
        if let Some(command) = command
            && command.verb == Verb::User
        {
            user = Some(&command.argument);
        }
        if user.is_some() {
            self.user = user.cloned();
        }
        let argument = command.map(|command| command.argument.as_slice()).filter(|a| !a.is_empty());
        let mechanism = auth.map(|auth| auth.mechanism.as_slice()).filter(|name| !name.is_empty());
        let capabilities = match lines.map(|lines| &lines.content) {
            Some(Content::Capabilities(kept)) => kept.as_slice(),
            _ => &[],
        };
        self.flow.emit(&records::Command {
            command: command.map(|command| Shown(&command.word)),
            argument: argument.map(Shown),
            status: reply.map(|reply| match reply.status {
                Status::Ok | Status::Continue => "OK",
                Status::Err => "ERR",
            }),
            reply: reply.map(|reply| Shown(&reply.text)),
            mechanism: mechanism.map(Shown),
            user: Shown::maybe(user),
            capabilities: List(capabilities),
            lines: lines.map(|lines| lines.lines),
            bytes: lines.map(|lines| lines.bytes),
            injected: exchange.injected,
            truncated: command.is_some_and(|command| command.truncated)
                || reply.is_some_and(|reply| reply.truncated)
                || lines.is_some_and(|lines| lines.truncated),
            incomplete: exchange.incomplete
                || command.is_some_and(|command| command.incomplete)
                || lines.is_some_and(|lines| lines.incomplete),
        });
        if let Some(Lines { content: Content::Message(message), .. }) = lines {
            let head = MailHead {
                user: Shown::maybe(self.user.as_ref()),
                number: command.and_then(Command::number),
                top: command.is_some_and(|command| command.verb == Verb::Top),
            };
            self.flow.emit(&Mail::new(head, MessageFields::of(message)));
        }
    }
}

impl Exchange {
    /// Whether this can only be POP3.
    fn is_proof(&self) -> bool {
        match (&self.command, &self.reply) {
            (Some(command), Some(_)) => {
                command.is_distinctive() || matches!(command.verb, Verb::User | Verb::Auth)
            }
            (Some(command), None) => command.is_distinctive(),
            // RFC 1939 §4 only demands "+OK", which Redis says as well.
            (None, Some(reply)) => self.lines.is_some() || find(&reply.text, b"POP").is_some(),
            (None, None) => self.lines.is_some(),
        }
    }
}
