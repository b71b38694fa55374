//! What the client says, as it waits for the reply.

use crate::command::Command;
use crate::verb::Verb;
use flowcell_mail::Message;

/// What the client said.
#[derive(Debug)]
pub(crate) enum Said {
    /// Nothing yet: the connection itself, which the greeting answers.
    Opening,
    Command(Box<Command>),
    /// BDAT with its bytes; with the message if they are the last.
    Chunk(Box<Command>, Option<Box<Message>>),
    /// The end of a message, and whether servers differ on it.
    End(Box<Message>, bool),
    /// A message that was broken off. There is no reply to it.
    Cut(Box<Message>),
    /// Bytes that are missing, and an unknown number of commands in them.
    Lost,
}

impl Said {
    pub(crate) fn ends_message(&self) -> bool {
        matches!(self, Self::End(..) | Self::Chunk(_, Some(_)))
    }

    pub(crate) fn verb(&self) -> Option<Verb> {
        match self {
            Self::Command(command) => Some(command.verb),
            _ => None,
        }
    }

    /// Whether a reply with this code can be the answer (RFC 5321 §4.3.2).
    pub(crate) fn may_get(&self, code: u16) -> bool {
        match self {
            Self::Cut(_) | Self::Lost => false,
            _ if code >= 400 => true,
            Self::Opening => code == 220,
            Self::Chunk(..) | Self::End(..) => code < 300,
            Self::Command(command) => match command.verb {
                Verb::Data => code == 354,
                Verb::Quit => code == 221,
                Verb::StartTls => code == 220,
                Verb::Auth => code == 334 || code < 300,
                Verb::XClient => code < 300 && code != 221,
                Verb::Unknown => code != 354,
                _ => code < 300 && code != 220 && code != 221,
            },
        }
    }

    /// Whether a reply with this code is its answer where nothing else is open, though a strange one. Not
    /// for what the code decides the next bytes of: there, a reply too many may be in front of it.
    pub(crate) fn may_get_alone(&self, code: u16) -> bool {
        let decides = |verb| matches!(verb, Verb::Data | Verb::Quit | Verb::StartTls | Verb::Auth);
        code < 300 && self.verb().is_some_and(|verb| !decides(verb))
    }

    /// The bytes that it takes to remember it, roughly.
    pub(crate) fn weight(&self) -> usize {
        let (command, message) = match self {
            Self::Opening | Self::Lost => (None, None),
            Self::Command(command) => (Some(command), None),
            Self::Chunk(command, message) => (Some(command), message.as_deref()),
            Self::End(message, _) | Self::Cut(message) => (None, Some(&**message)),
        };
        let command = command.map_or(0, |command| command.word.len() + command.argument.len());
        64 + command + message.map_or(0, Message::weight)
    }
}
