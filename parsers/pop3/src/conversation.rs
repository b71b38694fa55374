//! Who says what when (RFC 1939 §3).

use flowcell_mail::{Message, Turn, skip_line, skip_to_tls, turn};
use flowcell_sdk::prelude::*;

use crate::command::{Command, Follows, LINE_MAX, Verb};
use crate::content::{Content, Lines};
use crate::pace::Pace;
use crate::reply::{Reply, Status};
use crate::session::{Exchange, Session};

/// Most bytes of one side that wait for the other one before that is taken to be missing from the
/// capture.
const HELD_MAX: usize = 16_384;

/// Most lines in a row of the server that are no replies before this is taken to be no POP3.
const STRANGE_MAX: u32 = 8;

/// The two sides, as they are read.
pub(crate) struct Conversation<'f> {
    client: ByteStream,
    server: ByteStream,
    pace: &'f Pace,
    secrets: Secrets,
    session: Session<'f>,
    /// The server has said something.
    server_seen: bool,
    /// The client will say no more.
    client_gone: bool,
    /// Commands are missing: what the server says next may answer them.
    commands_lost: bool,
    /// The last known command was AUTH.
    after_auth: bool,
    /// Lines of the server that were no replies.
    strange: u32,
}

/// What follows from an exchange.
enum Course {
    GoesOn,
    Tls,
}

impl<'f> Conversation<'f> {
    pub(crate) fn new(
        flow: &'f Flow,
        pace: &'f Pace,
        client: ByteStream,
        server: ByteStream,
    ) -> Self {
        Self {
            client,
            server,
            pace,
            secrets: flow.secrets(),
            session: Session::new(flow),
            server_seen: false,
            client_gone: false,
            commands_lost: false,
            after_auth: false,
            strange: 0,
        }
    }

    /// RFC 1939 §3: a greeting, then commands and their replies.
    pub(crate) async fn run(mut self, midstream: bool) -> Result<()> {
        if midstream {
            self.commands_lost = true;
        } else if turn(&mut self.server, &mut self.client, HELD_MAX).await == Turn::Expected {
            match Reply::read(&mut self.server).await {
                Ok(Some(reply)) if reply.status != Status::Continue => {
                    self.server_seen = true;
                    self.tell(Exchange { reply: Some(reply), ..Exchange::default() })?;
                }
                Ok(_) => return Err(Error::decline("the server's first line is no reply")),
                Err(_) => {}
            }
        }
        loop {
            if self.unasked_first().await {
                if self.unasked().await? {
                    continue;
                }
                break;
            }
            let command = Command::read(&mut self.client, self.secrets, self.after_auth);
            match self.pace.client(command).await {
                Ok(command) => match self.exchange(command).await? {
                    Course::GoesOn => {}
                    Course::Tls => return Err(Error::switch_to("tls")),
                },
                Err(ReadError::Gap(_)) => self.commands_lost = true,
                Err(_) => self.client_gone = true,
            }
        }
        self.session.finish()
    }

    /// Whether the server speaks before the client: it should not, but where commands are missing.
    async fn unasked_first(&mut self) -> bool {
        if self.client_gone {
            return true;
        }
        let room = if self.commands_lost { 1 } else { HELD_MAX };
        let turn = turn(&mut self.client, &mut self.server, room);
        self.pace.client(turn).await == Turn::Other
    }

    /// A command, the reply to it, and what follows.
    async fn exchange(&mut self, mut command: Command) -> Result<Course> {
        self.commands_lost = false;
        if command.verb != Verb::Unknown {
            self.after_auth = command.verb == Verb::Auth;
        }
        let mut exchange = Exchange::default();
        let reply = match command.verb {
            Verb::Auth => self.auth(&mut command).await,
            _ => self.reply().await,
        };
        let ok = matches!(&reply, Ok(Some(reply)) if reply.status == Status::Ok);
        exchange.incomplete = matches!(reply, Err(ReadError::Gap(_)));
        let torn = exchange.incomplete;
        exchange.reply = reply.ok().flatten();
        let content = match command.follows() {
            Follows::Nothing => None,
            Follows::Listing if command.verb == Verb::Capa => {
                Some(Content::Capabilities(Vec::new()))
            }
            Follows::Listing => Some(Content::Listing),
            Follows::Message if torn => Some(Content::Message(Message::midway())),
            Follows::Message => Some(Content::Message(Message::new())),
        };
        if let Some(content) = content.filter(|_| ok || torn) {
            let bare_lf = exchange.reply.as_ref().is_some_and(|reply| reply.bare_lf);
            let mut lines = Lines::new(content);
            lines.read(&mut self.server, Some((&mut self.client, self.pace)), bare_lf).await;
            exchange.lines = Some(lines);
        }
        // RFC 2595 §4: TLS starts right behind the reply.
        let tls = ok && command.verb == Verb::Stls;
        if tls {
            exchange.injected = skip_to_tls(&mut self.client).await;
        }
        exchange.command = Some(command);
        self.tell(exchange)?;
        Ok(if tls { Course::Tls } else { Course::GoesOn })
    }

    /// RFC 5034 §4: a line in base64 for every challenge.
    async fn auth(&mut self, command: &mut Command) -> Result<Option<Reply>, ReadError> {
        loop {
            let reply = self.reply().await?;
            match &reply {
                Some(reply) if reply.status == Status::Continue => {}
                _ => return Ok(reply),
            }
            let turn = turn(&mut self.client, &mut self.server, HELD_MAX);
            if self.pace.client(turn).await == Turn::Other {
                continue;
            }
            match self.pace.client(self.client.get_line_part(LINE_MAX)).await {
                Ok(part) => {
                    command.respond(part.line.bytes());
                    if !part.last && skip_line(&mut self.client).await.is_err() {
                        command.incomplete = true;
                    }
                }
                Err(ReadError::Gap(_)) => command.incomplete = true,
                Err(_) => {
                    self.client_gone = true;
                    command.incomplete = true;
                }
            }
        }
    }

    /// The reply to the last command; `None` where none comes.
    async fn reply(&mut self) -> Result<Option<Reply>, ReadError> {
        // A client may be far ahead of a server that is busy, but not of one that was never heard.
        if !self.server_seen
            && turn(&mut self.server, &mut self.client, HELD_MAX).await == Turn::Other
        {
            return Ok(None);
        }
        for _ in 0..STRANGE_MAX {
            let reply = Reply::read(&mut self.server).await;
            match reply {
                Ok(Some(reply)) => {
                    self.server_seen = true;
                    return Ok(Some(reply));
                }
                Ok(None) => self.strange = self.strange.saturating_add(1),
                Err(ReadError::End(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Something of the server that answers no command that was seen. False at its end.
    async fn unasked(&mut self) -> Result<bool> {
        let reply = match Reply::read(&mut self.server).await {
            Ok(reply) => reply,
            Err(ReadError::Gap(_)) => return Ok(true),
            Err(_) if self.client_gone => return Ok(false),
            Err(_) => {
                // Only the client is left.
                self.commands_lost = false;
                return Ok(true);
            }
        };
        let Some(reply) = reply else {
            self.strange = self.strange.saturating_add(1);
            return Ok(true);
        };
        self.server_seen = true;
        let mut exchange = Exchange::default();
        if reply.status == Status::Ok && self.lines_follow().await {
            let mut lines = Lines::new(Content::Message(Message::new()));
            lines.read(&mut self.server, None, reply.bare_lf).await;
            // A listing has no header.
            if let Content::Message(message) = &lines.content
                && !message.has_header()
            {
                lines.content = Content::Listing;
            }
            exchange.lines = Some(lines);
        }
        exchange.reply = Some(reply);
        self.tell(exchange)?;
        Ok(true)
    }

    /// Whether more lines follow a reply to a command that is not known: if the server goes on with
    /// something else than another reply.
    async fn lines_follow(&mut self) -> bool {
        if turn(&mut self.server, &mut self.client, HELD_MAX).await == Turn::Other {
            return false;
        }
        match self.server.look_ahead(1).await {
            Ok(next) => !matches!(next, [b'+' | b'-']),
            Err(_) => false,
        }
    }

    fn tell(&mut self, exchange: Exchange) -> Result<()> {
        if self.strange > STRANGE_MAX && !self.session.is_confirmed() {
            return Err(Error::decline("the server does not reply as POP3 does"));
        }
        self.session.take(exchange)
    }
}
