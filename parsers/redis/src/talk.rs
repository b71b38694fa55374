//! What both sides share: the commands that are not answered yet.
//!
//! The n-th reply answers the n-th command, but for what servers say unasked and commands whose replies
//! a client has switched off. Where bytes are missing, what comes next is matched as it comes, and says that it
//! is uncertain, until the two sides are known to be in step again.

use flowcell_halves::settle;
use flowcell_sdk::prelude::*;
use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;

use crate::command::{Command, Effect};
use crate::tell::{tell, tell_push};
use crate::value::Value;

/// Most room that commands take which are not answered, in bytes.
const MAX_WEIGHT: usize = 262_144;

/// What the server is expected to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Value,
    /// Something of which the start is missing.
    Nothing,
    /// The data of a replication, which are no values.
    Data,
}

#[derive(Debug, Default)]
struct State {
    /// Commands that are not answered, in order.
    said: VecDeque<Command>,
    /// The room that they take, in bytes.
    weight: usize,
    /// Commands that were given up on before they were answered: their replies are still to come.
    given_up: u64,
    /// The client does not want replies (CLIENT REPLY OFF).
    replies_off: bool,
    /// The client does not want a reply to the next command (CLIENT REPLY SKIP).
    skips_next: bool,
    /// The client has begun a transaction.
    in_transaction: bool,
    /// Something that asks for passwords was, or may have been, queued in the transaction at hand.
    queued_secret: bool,
    /// The client has subscribed to something: messages come as arrays (RESP2).
    is_subscribed: bool,
    /// Bytes of either side are missing.
    uncertain: bool,
    /// A reply was read since then.
    was_answered: bool,
    /// Replies are missing: what the server says is the rest of one, until the client says more.
    replies_lost: bool,
}

/// Shared by the two halves.
pub(crate) struct Talk<'f> {
    flow: &'f Flow,
    state: RefCell<State>,
    confirmed: Cell<bool>,
    client_over: Cell<bool>,
    /// A reply waits for its command.
    reply_waits: Cell<bool>,
    over: Cell<bool>,
}

impl<'f> Talk<'f> {
    pub(crate) fn new(flow: &'f Flow, midstream: bool) -> Self {
        let state = State {
            uncertain: midstream,
            replies_lost: midstream,
            queued_secret: midstream,
            ..State::default()
        };
        Self {
            flow,
            state: RefCell::new(state),
            confirmed: Cell::new(false),
            client_over: Cell::new(false),
            reply_waits: Cell::new(false),
            over: Cell::new(false),
        }
    }

    /// No borrow outlives the method that takes it.
    fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    pub(crate) fn confirm(&self) {
        self.confirmed.set(true);
        self.flow.confirm();
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed.get()
    }

    /// What follows is not for this parser.
    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// What is wrong means that it is not Redis, unless there was something that is nothing else.
    pub(crate) fn refuse(&self, reason: &'static str) -> Error {
        match self.is_confirmed() {
            true => Error::violation(reason),
            false => Error::decline(reason),
        }
    }

    pub(crate) fn secrets(&self) -> Secrets {
        self.flow.secrets()
    }

    // ---- the client half ----

    /// The client said something.
    pub(crate) fn say(&self, mut command: Command) -> Result<()> {
        let mut state = self.state();
        if state.said.is_empty() && state.was_answered {
            state.uncertain = false;
        }
        state.replies_lost = false;
        command.uncertain = state.uncertain;
        command.is_silent = state.silences(&command);
        command.hides_reply |= state.hides_transaction(&command);
        state.weight += command.weight();
        state.said.push_back(command);
        if state.weight > MAX_WEIGHT && !self.is_confirmed() {
            return Err(Error::decline("nobody answers to what may be commands"));
        }
        while state.weight > MAX_WEIGHT {
            self.give_up(&mut state);
        }
        self.pass_over_silent(&mut state);
        Ok(())
    }

    /// Lets the server half go on where its reply was there before the command. The halves take turns
    /// so that the records do not depend on how much of a side is there at once.
    pub(crate) async fn let_server_answer(&self) {
        if self.reply_waits.get() {
            settle().await;
        }
    }

    /// Commands are missing here.
    pub(crate) fn lose_commands(&self) {
        let mut state = self.state();
        state.uncertain = true;
        state.was_answered = false;
        state.queued_secret = true;
    }

    pub(crate) fn client_is_over(&self) {
        self.client_over.set(true);
    }

    // ---- the server half ----

    /// What comes next, and starts with this byte.
    pub(crate) fn expects(&self, first: u8) -> Next {
        let mut state = self.state();
        if state.replies_lost {
            return Next::Nothing;
        }
        let asks = state.said.front().is_some_and(|said| said.effect == Effect::Replication);
        let is_reply = matches!(first, b'+' | b'-');
        if !asks || is_reply || state.given_up > 0 || !self.is_confirmed() {
            return Next::Value;
        }
        self.resolve(&mut state, None, false);
        self.over.set(true);
        Next::Data
    }

    /// Whether the server said this unasked. The confirmation of a subscription is both: the first
    /// answers the command.
    pub(crate) fn pushed(&self, value: &Value) -> bool {
        let Some(kind) = value.items.first().map(|item| &item.bytes[..]) else {
            return value.kind == b'>';
        };
        let mut state = self.state();
        let is_push = match kind {
            _ if value.kind == b'>' => true,
            _ if value.kind != b'*' => false,
            b"message" | b"smessage" => {
                value.length == Some(3) && (state.is_subscribed || state.said.is_empty())
            }
            b"pmessage" => {
                value.length == Some(4) && (state.is_subscribed || state.said.is_empty())
            }
            _ => {
                value.length == Some(3) && is_confirmation(kind) && {
                    state.is_subscribed
                        || state.said.front().is_some_and(|said| confirms(said, kind))
                }
            }
        };
        if !is_push {
            return false;
        }
        if is_confirmation(kind) {
            let left = value.items.get(2).map(|item| &item.bytes[..]);
            state.is_subscribed = value.kind == b'*' && left != Some(b"0");
            if state.given_up == 0 && state.said.front().is_some_and(|said| confirms(said, kind)) {
                self.resolve(&mut state, Some(value), false);
                return true;
            }
        }
        if self.is_confirmed() {
            tell_push(self.flow, kind, value);
        }
        true
    }

    pub(crate) fn reply_waits(&self, waits: bool) {
        self.reply_waits.set(waits);
    }

    /// There is something that a reply can answer, or there will be nothing. Where commands are missing,
    /// a reply without one belongs to them.
    pub(crate) fn has_command(&self) -> bool {
        let state = self.state();
        let will_have_none = state.uncertain || self.client_over.get();
        !state.said.is_empty() || state.given_up > 0 || will_have_none
    }

    /// The server replied.
    pub(crate) fn answer(&self, value: &Value) {
        let mut state = self.state();
        state.was_answered = true;
        if state.given_up > 0 {
            state.given_up -= 1;
            return;
        }
        let Some(command) = state.said.front() else {
            if self.is_confirmed() {
                tell(self.flow, None, Some(value), state.uncertain, false);
            }
            return;
        };
        // A line that somebody may have typed, and a value that answers it.
        if !self.is_confirmed() {
            self.confirm();
        }
        let hands_over = matches!(command.effect, Effect::Monitor | Effect::Replication);
        let hands_over = hands_over && !value.is_error() && value.text != b"QUEUED";
        self.resolve(&mut state, Some(value), false);
        if hands_over {
            self.over.set(true);
        }
    }

    /// The rest of a value will never be seen.
    pub(crate) fn break_off(&self, value: &Value) {
        let mut state = self.state();
        let is_reply = value.kind != 0 && value.kind != b'>' && self.is_confirmed();
        if is_reply && state.given_up == 0 && !state.said.is_empty() {
            self.resolve(&mut state, Some(value), true);
        }
    }

    /// Replies are missing here: those to the commands so far may be among them.
    pub(crate) fn lose_replies(&self) {
        let mut state = self.state();
        state.replies_lost = true;
        state.uncertain = true;
        state.was_answered = false;
        if self.is_confirmed() {
            while !state.said.is_empty() {
                self.resolve(&mut state, None, false);
            }
            state.given_up = 0;
        }
    }

    pub(crate) fn is_uncertain(&self) -> bool {
        self.state().uncertain
    }

    // ---- both ----

    /// Tells what was not answered.
    pub(crate) fn finish(&self) {
        let mut state = self.state();
        while !state.said.is_empty() {
            self.resolve(&mut state, None, false);
        }
    }

    /// Stops waiting for the reply to the first command.
    fn give_up(&self, state: &mut State) {
        let is_silent = state.said.front().is_some_and(|said| said.is_silent);
        state.given_up = state.given_up.saturating_add(u64::from(!is_silent));
        self.resolve(state, None, false);
    }

    /// Emits the first command with its reply.
    fn resolve(&self, state: &mut State, reply: Option<&Value>, incomplete: bool) {
        if let Some(command) = state.said.pop_front() {
            state.weight = state.weight.saturating_sub(command.weight());
            tell(self.flow, Some(&command), reply, command.uncertain, incomplete);
        }
        self.pass_over_silent(state);
    }

    /// What has no reply does not wait for one.
    fn pass_over_silent(&self, state: &mut State) {
        while self.is_confirmed() && state.said.front().is_some_and(|said| said.is_silent) {
            if let Some(command) = state.said.pop_front() {
                state.weight = state.weight.saturating_sub(command.weight());
                tell(self.flow, Some(&command), None, command.uncertain, false);
            }
        }
    }
}

impl State {
    /// Whether the server will say nothing to this command (CLIENT REPLY).
    fn silences(&mut self, command: &Command) -> bool {
        let skipped = std::mem::take(&mut self.skips_next);
        let is_reply = command.name == b"CLIENT" && command.subcommand.as_deref() == Some(b"REPLY");
        let mode = command.value.as_ref().filter(|_| is_reply);
        match mode.map(|mode| mode.bytes.to_ascii_uppercase()).as_deref() {
            Some(b"ON") => {
                self.replies_off = false;
                return false;
            }
            Some(b"OFF") => {
                self.replies_off = true;
                return true;
            }
            Some(b"SKIP") if !self.replies_off => {
                self.skips_next = true;
                return true;
            }
            _ => {}
        }
        skipped || self.replies_off
    }

    /// Whether this command's reply holds those to what was queued, and one of those may hold passwords.
    fn hides_transaction(&mut self, command: &Command) -> bool {
        match &command.name[..] {
            // Within a transaction it is an error and changes nothing.
            b"MULTI" if !self.in_transaction => {
                self.in_transaction = true;
                self.queued_secret = false;
            }
            b"EXEC" => {
                self.in_transaction = false;
                return std::mem::take(&mut self.queued_secret);
            }
            b"DISCARD" | b"RESET" => {
                self.in_transaction = false;
                self.queued_secret = false;
            }
            _ => self.queued_secret |= command.hides_reply,
        }
        false
    }
}

/// Whether this is how the server confirms a change of subscriptions.
pub(crate) fn is_confirmation(kind: &[u8]) -> bool {
    matches!(
        kind,
        b"subscribe"
            | b"psubscribe"
            | b"ssubscribe"
            | b"unsubscribe"
            | b"punsubscribe"
            | b"sunsubscribe"
    )
}

fn confirms(command: &Command, kind: &[u8]) -> bool {
    command.effect == Effect::Subscription && command.name.eq_ignore_ascii_case(kind)
}
