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

use std::cell::{Cell, RefCell, RefMut};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use flowcell_halves::{Raced, catch_up, race, settle};
use flowcell_sdk::ByteStream;

use crate::reply::Reply;
use crate::said::Said;
use crate::session::Session;
use crate::state::{Answer, Course, State, Until};
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

    /// No borrow outlives the step that takes it. Not inlined: that it is the only one is checked in one
    /// place.
    #[inline(never)]
    fn state(&self) -> RefMut<'_, State<'f>> {
        self.state.borrow_mut()
    }

    // ---- the client half ----

    /// Lets the server half catch up where replies were there before their commands, and makes room
    /// for what the client says next.
    pub(crate) async fn catch_up(&self) {
        self.yield_to_server().await;
        let mut state = self.state();
        while state.is_full() {
            state.give_up();
        }
    }

    /// The client said something.
    pub(crate) fn say(&self, said: Said) {
        let mut state = self.state();
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
        self.state().waiting = true;
        self.yield_to_server().await;
        self.race(client, HELD_MAX, Until::Answered).await;
        let mut state = self.state();
        state.waiting = false;
        let answer = state.answer.take();
        answer.unwrap_or_else(|| {
            // One direction only was captured.
            state.server_gone |= !state.server_seen;
            Answer::Unknown
        })
    }

    /// Whether the server replies before the client sends more: it takes what was sent for whole.
    /// `None` if no replies come.
    pub(crate) async fn replies_first(&self, client: &mut ByteStream) -> Option<bool> {
        self.race(client, 1, Until::Replied).await;
        let state = self.state();
        (state.reply_waits || !state.server_gone).then_some(state.reply_waits)
    }

    /// Whether the server refuses a BDAT, which is not said yet, so that none of its bytes are taken.
    /// `None` if that depends on what the client makes of it: the server knows BDAT.
    ///
    /// A server that has not announced CHUNKING takes the bytes for commands, even if they are there
    /// before it replies.
    pub(crate) async fn refuses_chunk(&self, client: &mut ByteStream) -> Option<bool> {
        let unknown = self.state().session.chunking() == Some(false);
        let room = if unknown { HELD_MAX } else { 1 };
        self.yield_to_server().await;
        let raced = self.race(client, room, Until::Replied).await;
        let state = self.state();
        let refused =
            raced == Raced::Held && state.reply_waits && matches!(state.waiting_code, 500..=503);
        match raced {
            Raced::Full if unknown => Some(true),
            _ if refused && !unknown => None,
            _ => Some(refused),
        }
    }

    /// The AUTH that was said last goes on with this line.
    pub(crate) fn respond(&self, line: &[u8]) {
        let mut state = self.state();
        if let Some(said @ Said::Command(_)) = state.said.back_mut() {
            let before = said.weight();
            if let Said::Command(command) = said {
                command.respond(line);
            }
            let after = said.weight();
            state.weight = (state.weight + after).saturating_sub(before);
        }
    }

    /// A reply is there to something that was not said.
    pub(crate) fn reply_waits(&self) -> bool {
        self.state().reply_waits
    }

    /// The server asked for a message, in reply to something that was not seen.
    pub(crate) fn message_asked_for(&self) -> bool {
        self.state().last_code == 354
    }

    /// Whether what the client says are not the commands that they seem to be. Asking starts the
    /// count afresh if so.
    pub(crate) fn is_strange(&self) -> bool {
        let strange = &mut self.state().strange;
        let is_strange = *strange > STRANGE_MAX;
        if is_strange {
            *strange = 0;
        }
        is_strange
    }

    /// Neither side has said anything that is SMTP.
    pub(crate) fn is_foreign(&self) -> bool {
        let state = self.state();
        !state.client_known && !state.server_seen
    }

    /// The client will say no more.
    pub(crate) fn client_ended(&self) {
        self.state().client_gone = true;
        self.changed();
    }

    // ---- the server half ----

    /// The server replied: finds what it replies to. `server` holds back what follows meanwhile.
    pub(crate) async fn hear(&self, reply: &Reply, server: &mut ByteStream) -> Course {
        let alone = {
            let mut state = self.state();
            state.server_seen = true;
            state.reply_waits = true;
            state.waiting_code = reply.code;
            state.steps += 1;
            state.is_alone(reply.code)
        };
        self.changed();
        let raced = self.race(server, HELD_MAX, Until::Addressed(reply.code)).await;
        let course = {
            let mut state = self.state();
            let addressed = raced == Raced::Held && state.addressed(reply.code) == Some(true);
            // One direction only was captured.
            state.client_absent |= raced == Raced::Full;
            state.take(reply, addressed, alone)
        };
        self.changed();
        if matches!(course, Course::GoesOn | Course::Tls) {
            settle().await;
        }
        course
    }

    /// Replies are missing here.
    pub(crate) async fn replies_lost(&self) {
        self.state().lose_replies();
        self.changed();
        settle().await;
    }

    /// The server will say no more; waits for the client to end as well.
    pub(crate) async fn server_ended(&self) {
        self.state().server_gone = true;
        self.changed();
        poll_fn(|cx| match self.is_so(cx, |state| state.client_gone) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    // ---- the end ----

    /// Switches to TLS without having seen the server agree.
    pub(crate) fn switched_to_tls(&self) {
        let mut state = self.state();
        while !state.said.is_empty() {
            state.resolve(None);
        }
        state.session.switched_to_tls();
    }

    /// So many bytes stood between STARTTLS and the start of TLS.
    pub(crate) fn injected(&self, bytes: Option<u64>) {
        self.state().session.injected(bytes);
    }

    /// Tells what was not answered and not finished.
    pub(crate) fn finish(&self) {
        let mut state = self.state();
        while !state.said.is_empty() {
            state.resolve(None);
        }
        state.session.finish();
    }

    // ---- waiting ----

    /// Waits for `until`, or until `stream` holds back `room` bytes or has a gap.
    async fn race(&self, stream: &mut ByteStream, room: usize, until: Until) -> Raced {
        race(stream, room, |cx| self.is_so(cx, |state| state.holds(until))).await
    }

    /// Whether the state is as it should be; if not, has the half polled again when it has changed. Every
    /// change is followed by `changed`.
    fn is_so(&self, cx: &Context<'_>, is: impl FnOnce(&State<'f>) -> bool) -> bool {
        let is = is(&self.state());
        if !is {
            self.waker.set(Some(cx.waker().clone()));
        }
        is
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
        if self.reply_waits() {
            catch_up(|| self.state().steps).await;
        }
    }
}
