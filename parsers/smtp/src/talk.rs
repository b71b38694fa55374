//! What both sides share: what the client has said and the server has not answered yet.
//!
//! ```text
//!   client half ── say() ──▶ ┌────┬────┬──────┐ ◀── hear() ── server half
//!                            │MAIL│RCPT│ DATA │
//!   ◀── answer() ─────────── └────┴────┴──────┘ ──▶ session: records
//! ```
//!
//! The n-th reply answers the n-th command (RFC 2920 §3.1), so that neither half needs to know when
//! the other's bytes arrived. The client half runs ahead, except where the reply decides what its
//! next bytes are: DATA, AUTH, STARTTLS. Where replies or commands are missing from the capture, the
//! halves stop waiting for them when what they hold back grows beyond a limit.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};

use flowcell_sdk::futures::future::{Either, select};
use flowcell_sdk::{ByteStream, ReadError};

use crate::reply::Reply;
use crate::said::Said;
use crate::session::Session;
use crate::state::{Answer, Course, State};
use crate::verb::Verb;

/// Most bytes that a half holds back while it waits for the other, in bytes: more than a client sends
/// before it waits for the server (the initial window of RFC 6928 is 14,600).
const HELD_MAX: usize = 16_384;

/// Most commands in a row that are unknown and have no reply yet. A client that is talking to the
/// server waits after each; more of them is something else, say a message whose start was not seen.
const STRANGE_MAX: usize = 8;

/// Shared by the two halves.
pub(crate) struct Talk<'f> {
    state: RefCell<State<'f>>,
    waker: Cell<Option<Waker>>,
}

impl<'f> Talk<'f> {
    pub(crate) fn new(session: Session<'f>) -> Self {
        Self { state: RefCell::new(State::new(session)), waker: Cell::new(None) }
    }

    // ---- the client half ----

    /// Lets the server half catch up where replies were there before their commands, and makes room
    /// for what the client says next.
    pub(crate) async fn catch_up(&self) {
        self.yield_to_server().await;
        let mut state = self.state.borrow_mut();
        while state.is_full() {
            state.give_up();
        }
    }

    /// The client said something.
    pub(crate) fn say(&self, said: Said) {
        let mut state = self.state.borrow_mut();
        if state.server_gone && (state.client_known || state.server_seen) {
            while !state.said.is_empty() {
                state.give_up();
            }
        }
        match said.verb() {
            Some(Verb::Unknown) => state.strange += 1,
            Some(_) => {
                state.strange = 0;
                state.client_known = true;
            }
            None => {}
        }
        state.push(said);
        drop(state);
        self.changed();
    }

    /// What the server answers to what was said last. `client` holds back what follows meanwhile.
    pub(crate) async fn answer(&self, client: &mut ByteStream) -> Answer {
        self.state.borrow_mut().waiting = true;
        self.yield_to_server().await;
        let answer = {
            let decided = pin!(self.until(|state| {
                let unknown = state.server_gone.then_some(Answer::Unknown);
                state.answer.take().or(unknown)
            }));
            match select(decided, pin!(client.look_ahead(HELD_MAX))).await {
                Either::Left((answer, _)) => Some(answer),
                // The client has finished: the answer may still come.
                Either::Right((Err(ReadError::End(_)), decided)) => Some(decided.await),
                Either::Right(_) => None,
            }
        };
        let mut state = self.state.borrow_mut();
        state.waiting = false;
        state.answer = None;
        answer.unwrap_or_else(|| {
            // One direction only was captured.
            state.server_gone |= !state.server_seen;
            Answer::Unknown
        })
    }

    /// Whether the server replies before the client sends more: it takes what was sent for whole.
    /// `None` if no replies come.
    pub(crate) async fn replies_first(&self, client: &mut ByteStream) -> Option<bool> {
        let replied = pin!(self.until(|state| match state.reply_waits {
            true => Some(Some(true)),
            false => state.server_gone.then_some(None),
        }));
        match select(replied, pin!(client.look_ahead(1))).await {
            Either::Left((replied, _)) => replied,
            Either::Right((Err(ReadError::End(_)), replied)) => replied.await,
            Either::Right(_) => Some(false),
        }
    }

    /// The AUTH that was said last goes on with this line.
    pub(crate) fn respond(&self, line: &[u8]) {
        if let Some(Said::Command(command)) = self.state.borrow_mut().said.back_mut()
            && let Some(auth) = &mut command.auth
        {
            auth.respond(line);
        }
    }

    /// A reply is there to something that was not said.
    pub(crate) fn reply_waits(&self) -> bool {
        self.state.borrow().reply_waits
    }

    /// The server asked for a message, in reply to something that was not seen.
    pub(crate) fn message_asked_for(&self) -> bool {
        self.state.borrow().last_code == 354
    }

    /// Whether what the client says are not the commands that they seem to be. Asking starts the
    /// count afresh if so.
    pub(crate) fn is_strange(&self) -> bool {
        let strange = &mut self.state.borrow_mut().strange;
        let is_strange = *strange > STRANGE_MAX;
        if is_strange {
            *strange = 0;
        }
        is_strange
    }

    /// Neither side has said anything that is SMTP.
    pub(crate) fn is_foreign(&self) -> bool {
        let state = self.state.borrow();
        !state.client_known && !state.server_seen
    }

    /// The client will say no more.
    pub(crate) fn client_ended(&self) {
        self.state.borrow_mut().client_gone = true;
        self.changed();
    }

    // ---- the server half ----

    /// The server replied: finds what it replies to. `server` holds back what follows meanwhile.
    pub(crate) async fn hear(&self, reply: &Reply, server: &mut ByteStream) -> Course {
        {
            let mut state = self.state.borrow_mut();
            state.server_seen = true;
            state.reply_waits = true;
            state.steps += 1;
        }
        self.changed();
        let addressed = {
            let addressed = pin!(self.until(|state| state.addressed(reply.code)));
            match select(addressed, pin!(server.look_ahead(HELD_MAX))).await {
                Either::Left((addressed, _)) => addressed,
                Either::Right((Err(ReadError::End(_)), addressed)) => addressed.await,
                Either::Right((outcome, _)) => {
                    // One direction only was captured.
                    self.state.borrow_mut().client_absent |= outcome.is_ok();
                    false
                }
            }
        };
        let course = self.state.borrow_mut().take(reply, addressed);
        self.changed();
        if course == Course::GoesOn {
            self.settle().await;
        }
        course
    }

    /// Replies are missing here.
    pub(crate) async fn replies_lost(&self) {
        self.state.borrow_mut().lose_replies();
        self.changed();
        self.settle().await;
    }

    /// The server will say no more; waits for the client to end as well.
    pub(crate) async fn server_ended(&self) {
        self.state.borrow_mut().server_gone = true;
        self.changed();
        self.until(|state| state.client_gone.then_some(())).await;
    }

    // ---- the end ----

    /// Switches to TLS without having seen the server agree.
    pub(crate) fn switched_to_tls(&self) {
        let mut state = self.state.borrow_mut();
        while !state.said.is_empty() {
            state.resolve(None);
        }
        state.session.switched_to_tls();
    }

    /// Tells what was not answered and not finished.
    pub(crate) fn finish(&self) {
        let mut state = self.state.borrow_mut();
        while !state.said.is_empty() {
            state.resolve(None);
        }
        state.session.finish();
    }

    // ---- waiting ----

    /// Waits until `condition` holds; every change of the state is followed by `changed`.
    async fn until<T>(&self, mut condition: impl FnMut(&mut State<'f>) -> Option<T>) -> T {
        poll_fn(|cx| match condition(&mut self.state.borrow_mut()) {
            Some(value) => Poll::Ready(value),
            None => {
                self.waker.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }

    fn changed(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    // The halves take turns so that the records do not depend on how much of a side is there at
    // once. Of the two, only one can have a backlog: the client half, while it waits for a reply, or
    // the server half, while a reply waits for its command. When the other side's bytes arrive, each
    // unit of them is followed by as much of the backlog as it sets free.

    /// After a unit of the client: the backlog is the server's.
    async fn yield_to_server(&self) {
        if !self.reply_waits() {
            return;
        }
        loop {
            let steps = self.state.borrow().steps;
            self.settle().await;
            if self.state.borrow().steps == steps {
                return;
            }
        }
    }

    /// Has both halves polled once more, the client half first. After a unit of the server: the
    /// backlog is the client's.
    async fn settle(&self) {
        let mut polled = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut polled, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}
