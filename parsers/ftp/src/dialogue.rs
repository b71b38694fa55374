//! Which reply answers which command.
//!
//! ```text
//!   client half ── command() ─▶ ┌────┬────┬────┐ ◀── reply() ── server half
//!                               │TYPE│PASV│RETR│
//!                               └────┴────┴────┘ ──▶ session: records
//! ```
//!
//! The n-th reply answers the n-th command (RFC 959 §5.4), preliminary replies aside, so that it does not
//! matter when they arrive. Where bytes are missing from the capture, or one side altogether, the codes
//! tell.

use flowcell_sdk::prelude::*;

use crate::command::Command;
use crate::reply::Reply;
use crate::session::Session;
use crate::verb::Verb;

/// Most commands that wait for their replies.
const UNANSWERED_MAX: usize = 128;

/// Most room that they take, in bytes.
const WEIGHT_MAX: usize = 32_768;

/// Most commands that wait for the server's first reply: a client waits for the greeting.
const UNGREETED_MAX: usize = 4;

/// Most replies that wait for their commands, which another order of packets can have made late.
const EARLY_MAX: usize = 4;

/// What the client said.
#[derive(Debug)]
enum Said {
    /// Nothing yet: the connection itself, which the greeting answers.
    Opening,
    Command(Box<Command>),
    /// Bytes that are missing, and an unknown number of commands in them.
    Lost,
}

/// What is known of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Unseen,
    Speaks,
    Ended,
}

/// The conversation.
#[derive(Debug)]
pub(crate) struct Dialogue<'f> {
    session: Session<'f>,
    /// What is not answered, in order.
    said: Vec<Said>,
    weight: usize,
    /// Replies to commands that are not here yet.
    early: Vec<Reply>,
    /// Commands that were given up on before they were answered: their replies are still to come.
    given_up: usize,
    /// Replies are missing in front of the next.
    replies_lost: bool,
    server: Server,
    /// The client says no more, or never said anything.
    client_gone: bool,
    /// The last that was said of TLS is that it comes.
    tls_near: bool,
    /// The client half can go on: the server has refused TLS, or will not answer.
    turn: bool,
}

impl<'f> Dialogue<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        let first = if flow.info().midstream { Said::Lost } else { Said::Opening };
        Self {
            session: Session::new(flow),
            said: vec![first],
            weight: 0,
            early: Vec::new(),
            given_up: 0,
            replies_lost: false,
            server: Server::Unseen,
            client_gone: false,
            tls_near: false,
            turn: false,
        }
    }

    // ---- the client half ----

    /// The client sent a command.
    pub(crate) fn command(&mut self, mut command: Box<Command>) -> Result<()> {
        let mut ahead = self.said.iter().filter_map(Said::verb);
        let port_awaited = ahead.any(Verb::is_passive);
        command.pipelined = self.said.iter().any(|said| said.verb().is_some());
        self.session.sent(&mut command, port_awaited)?;
        self.tls_near = command.asks_for_tls();
        self.weight += command.weight();
        self.said.push(Said::Command(command));
        while !self.early.is_empty() && self.said.iter().any(|said| said.verb().is_some()) {
            let reply = self.early.remove(0);
            self.reply(reply)?;
        }
        let most = match self.server {
            Server::Unseen => UNGREETED_MAX,
            Server::Speaks => UNANSWERED_MAX,
            Server::Ended => 0,
        };
        while self.said.len() > most || self.weight > WEIGHT_MAX {
            if self.server == Server::Speaks && matches!(self.said.first(), Some(Said::Command(_)))
            {
                self.given_up += 1;
            }
            self.pass_over()?;
        }
        Ok(())
    }

    /// Bytes of the client are missing.
    pub(crate) fn commands_lost(&mut self) {
        if !matches!(self.said.last(), Some(Said::Lost)) {
            self.said.push(Said::Lost);
        }
    }

    /// The client waits for the server to agree to TLS.
    pub(crate) fn awaits_tls(&self) -> bool {
        self.said.iter().any(Said::asks_for_tls)
    }

    /// The next bytes may be of TLS: the client has asked for it, or the server has agreed.
    pub(crate) fn tls_is_near(&self) -> bool {
        self.tls_near || self.awaits_tls()
    }

    pub(crate) fn server_was_seen(&self) -> bool {
        self.server != Server::Unseen
    }

    pub(crate) fn client_ended(&mut self) -> Result<()> {
        self.client_gone = true;
        self.tell_early()
    }

    // ---- the server half ----

    /// The server replied.
    pub(crate) fn reply(&mut self, reply: Reply) -> Result<()> {
        if self.server == Server::Unseen {
            self.server = Server::Speaks;
        }
        self.tls_near &= !reply.is_refusal();
        // The command may be missing.
        self.tls_near |= reply.code == Some(234);
        if self.given_up > 0 {
            self.given_up -= usize::from(!reply.is_preliminary());
            return self.session.exchange(None, Some(reply));
        }
        if let Some(position) = self.answered_by(&reply) {
            return self.answer(position, reply);
        }
        // Where all was seen so far, the command is yet to be seen.
        let may_be_late = self.said.is_empty() && !self.client_gone;
        if !may_be_late || is_unasked(reply.code) {
            self.tell_early()?;
            return self.session.exchange(None, Some(reply));
        }
        self.early.push(reply);
        if self.early.len() > EARLY_MAX {
            self.client_gone = true;
            return self.tell_early();
        }
        Ok(())
    }

    /// Bytes of the server are missing.
    pub(crate) fn replies_lost(&mut self) {
        self.server = Server::Speaks;
        self.replies_lost = true;
        self.said.retain(|said| !matches!(said, Said::Opening));
    }

    /// The server's line is no reply.
    pub(crate) fn noise(&self) -> Result<()> {
        if self.session.is_certain() || self.server == Server::Speaks {
            return Ok(());
        }
        Err(Error::decline("the server's first line is no reply"))
    }

    pub(crate) fn server_ended(&mut self) -> Result<()> {
        self.server = Server::Ended;
        while !self.said.is_empty() {
            self.pass_over()?;
        }
        Ok(())
    }

    pub(crate) fn has_turn(&self) -> bool {
        self.turn
    }

    /// Whether the client half can go on, since this was last asked.
    pub(crate) fn take_turn(&mut self) -> bool {
        std::mem::take(&mut self.turn)
    }

    // ---- both ----

    /// One side begins with TLS.
    pub(crate) fn tls_begins(&mut self) -> Error {
        let told = self.server_ended().and_then(|()| self.tell_early());
        let told = told.and_then(|()| self.session.tls_begins());
        told.err().unwrap_or(Error::switch_to("tls"))
    }

    /// Neither side says more.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.server_ended()?;
        self.tell_early()?;
        self.session.finish()
    }

    // ---- matching ----

    /// What a reply answers: the first thing that it can, or behind missing replies the last, since a client
    /// mostly waits for a reply before it goes on. `None` if it answers nothing that was seen.
    fn answered_by(&self, reply: &Reply) -> Option<usize> {
        let may_get = |said: &Said| said.may_get(reply.code);
        if self.replies_lost {
            return self.said.iter().rposition(may_get);
        }
        if let Some(position) = self.said.iter().position(may_get) {
            return Some(position);
        }
        // A server may use the wrong code, but some codes are also sent unasked.
        if is_unasked(reply.code) {
            return None;
        }
        self.said.iter().position(|said| said.verb().is_some())
    }

    fn answer(&mut self, position: usize, reply: Reply) -> Result<()> {
        // RFC 959 §4.1.3: STAT is answered while a transfer goes on.
        let verb_at = |position| self.said.get(position).and_then(Said::verb);
        let overtakes = verb_at(position) == Some(Verb::Stat)
            && verb_at(0).is_some_and(|verb| verb.direction().is_some());
        let passed_over = if overtakes { 0 } else { position };
        for _ in 0..passed_over {
            self.pass_over()?;
        }
        let position = position - passed_over;
        self.replies_lost = false;
        if reply.is_preliminary() {
            match self.said.get_mut(position) {
                Some(Said::Command(command)) => {
                    self.session.begun(command, &reply);
                    command.begun = Some(reply);
                }
                _ => return self.session.exchange(None, Some(reply)),
            }
            return Ok(());
        }
        let said = self.said.remove(position);
        self.weight = self.weight.saturating_sub(said.weight());
        let Said::Command(command) = said else {
            return self.session.exchange(None, Some(reply));
        };
        let asked_for_tls = command.asks_for_tls();
        let agreed = asked_for_tls && matches!(reply.code, Some(234 | 334));
        self.session.exchange(Some(command), Some(reply))?;
        if agreed {
            return Err(self.tls_begins());
        }
        self.turn |= asked_for_tls;
        self.announce_next();
        Ok(())
    }

    /// Takes the first thing that was said for unanswered.
    fn pass_over(&mut self) -> Result<()> {
        if self.said.is_empty() {
            return Ok(());
        }
        let said = self.said.remove(0);
        self.weight = self.weight.saturating_sub(said.weight());
        if let Said::Command(command) = said {
            self.turn |= command.asks_for_tls();
            let begun = command.begun.clone();
            self.session.exchange(Some(command), begun)?;
        }
        Ok(())
    }

    /// A transfer that was asked for ahead of the replies is next: what it depends on is known only now.
    fn announce_next(&mut self) {
        if let Some(Said::Command(command)) = self.said.first()
            && command.pipelined
            && command.verb.direction().is_some()
        {
            self.session.announce(command, None);
        }
    }

    fn tell_early(&mut self) -> Result<()> {
        for reply in std::mem::take(&mut self.early) {
            self.session.exchange(None, Some(reply))?;
        }
        Ok(())
    }
}

impl Said {
    fn verb(&self) -> Option<Verb> {
        match self {
            Self::Command(command) => Some(command.verb),
            Self::Opening | Self::Lost => None,
        }
    }

    fn asks_for_tls(&self) -> bool {
        matches!(self, Self::Command(command) if command.asks_for_tls())
    }

    fn weight(&self) -> usize {
        match self {
            Self::Command(command) => command.weight(),
            Self::Opening | Self::Lost => 0,
        }
    }

    /// Whether a reply can be the answer.
    fn may_get(&self, code: Option<u16>) -> bool {
        match self {
            Self::Opening => true,
            Self::Command(command) => code.is_none_or(|code| command.verb.may_get(code)),
            Self::Lost => false,
        }
    }
}

/// Servers say these unasked: that they shut down or were idle for too long, and what became of a
/// transfer.
fn is_unasked(code: Option<u16>) -> bool {
    matches!(code, Some(221 | 225 | 226 | 421 | 425 | 426))
}
