//! What both sides share: the commands that are not completed yet, and who waits for what.
//!
//! ```text
//!   client half ── say() ──▶ ┌────┬────┬────┐ ◀── tagged() ── server half
//!                            │ a1 │ a2 │ a3 │
//!   ◀── answer() ─────────── └────┴────┴────┘ ──▶ session: records
//! ```
//!
//! Tags tell which response completes which command, so that neither half needs to know when the other's
//! bytes arrived. Where one side is missing from the capture, the other one stops waiting for it when
//! what it holds back grows beyond a limit.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use flowcell_halves::{catch_up, race, settle};
use flowcell_mail::Message;
use flowcell_sdk::ByteStream;

use crate::command::{Command, Verb};
use crate::response::Status;
use crate::session::{Of, Session};

/// Most bytes that a half holds back while it waits for the other.
const HELD_MAX: usize = 16_384;

/// Most room that commands which are not completed take, in bytes: some hundred.
const PENDING_MAX: usize = 65_536;

/// Most commands that are not completed, with lines that may be some: every response is looked up among them.
const PENDING_COUNT_MAX: usize = 256;

/// What the server says to a command that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Continue,
    Completed(Status),
    /// The answer is missing.
    Unknown,
}

/// How a half ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    GoesOn,
    /// The rest of the flow can not be read.
    Over,
    Tls,
}

/// A command that is not completed, or a line that may be one.
struct Said {
    /// In the order in which they were said.
    number: u64,
    command: Command,
    /// It may belong to the literal of this refused command instead: the server's answer tells.
    within: Option<u64>,
}

struct State<'f> {
    session: Session<'f>,
    /// By their numbers.
    pending: VecDeque<Said>,
    weight: usize,
    /// The last number.
    said: u64,
    /// The number of the last command that is one without doubt.
    latest: u64,
    /// The client half waits for an answer to the command of this number.
    waiting: Option<u64>,
    answer: Option<Answer>,
    /// The command that was said last, if the server has refused it.
    refused: Option<u64>,
    /// The server has answered a line in the literal of the latest command.
    reads_on: bool,
    /// The server said `+` before the client half waited for it.
    continued: bool,
    /// The server half waits for the command with a tag that is completed.
    server_waits: bool,
    /// Commands are missing, and none was seen since.
    commands_lost: bool,
    client_gone: bool,
    server_gone: bool,
    /// Counts what the server half does.
    steps: u64,
    /// STARTTLS that the server has agreed to.
    switching: Option<(Command, Vec<u8>)>,
}

/// Shared by the two halves.
pub(crate) struct Talk<'f> {
    state: RefCell<State<'f>>,
}

impl<'f> Talk<'f> {
    pub(crate) fn new(session: Session<'f>) -> Self {
        let state = State {
            session,
            pending: VecDeque::new(),
            weight: 0,
            said: 0,
            latest: 0,
            waiting: None,
            answer: None,
            refused: None,
            reads_on: false,
            continued: false,
            server_waits: false,
            commands_lost: false,
            client_gone: false,
            server_gone: false,
            steps: 0,
            switching: None,
        };
        Self { state: RefCell::new(state) }
    }

    /// No borrow outlives the step that takes it.
    #[inline(never)]
    fn state(&self) -> RefMut<'_, State<'f>> {
        self.state.borrow_mut()
    }

    // ---- the client half ----

    /// The client begins a command; returns its number. `waits` if the next thing is to ask for the answer.
    pub(crate) fn say(&self, command: Command, waits: bool) -> u64 {
        let mut state = self.state();
        state.commands_lost = false;
        state.reads_on = false;
        let number = state.push(command, None);
        state.latest = number;
        state.waiting = None;
        if waits {
            state.wait_for(number);
        }
        number
    }

    /// In the literal of the latest command, which is refused, the client says what may be another one.
    pub(crate) fn may_say(&self, command: Command) {
        let mut state = self.state();
        let within = Some(state.latest);
        state.push(command, within);
    }

    /// More was said of a command.
    pub(crate) fn more(&self, number: u64, change: impl FnOnce(&mut Command)) {
        let mut state = self.state();
        let command = state.pending.iter_mut().rev().find(|said| said.number == number);
        if let Some(Said { command, .. }) = command {
            let before = command.weight();
            change(command);
            let after = command.weight();
            state.weight = (state.weight + after).saturating_sub(before);
        }
    }

    /// What the server says to a command that has got so far. `client` holds back what follows.
    pub(crate) async fn answer(&self, number: u64, client: &mut ByteStream) -> Answer {
        {
            let mut state = self.state();
            if state.waiting != Some(number) {
                state.wait_for(number);
            }
        }
        self.catch_up().await;
        let mut held_back = pin!(client.backlog(HELD_MAX));
        poll_fn(|cx| {
            let state = self.state();
            if state.answer.is_some() || state.server_gone {
                return Poll::Ready(());
            }
            drop(state);
            held_back.as_mut().poll(cx)
        })
        .await;
        let mut state = self.state();
        state.waiting = None;
        state.answer.take().unwrap_or(Answer::Unknown)
    }

    /// Whether the server has refused a command before more of it is there.
    pub(crate) async fn refuses_first(&self, number: u64, client: &mut ByteStream) -> bool {
        let mut more = pin!(client.look_ahead(1));
        poll_fn(|cx| {
            if self.state().refused == Some(number) {
                return Poll::Ready(true);
            }
            more.as_mut().poll(cx).map(|_| false)
        })
        .await
    }

    /// Behind a refused command, whether the server answers a line of this length at which the client seems
    /// to wait for it.
    pub(crate) async fn answers_line(&self, length: usize, client: &mut ByteStream) -> bool {
        let answered = |state: &State<'_>| state.server_waits || state.reads_on || state.continued;
        race(client, length.saturating_add(1), |_| {
            let state = self.state();
            answered(&state) || state.server_gone
        })
        .await;
        answered(&self.state())
    }

    /// Whether the server has completed a command behind the refused one.
    pub(crate) fn server_reads_on(&self) -> bool {
        let state = self.state();
        state.server_waits || state.reads_on
    }

    /// Lets the server half go on, if it waits for what the client has said just now.
    pub(crate) async fn catch_up(&self) {
        if self.state().server_waits {
            catch_up(|| self.state().steps).await;
        }
    }

    /// Commands are missing here.
    pub(crate) fn commands_lost(&self) {
        self.state().commands_lost = true;
    }

    /// The client will say no more.
    pub(crate) fn client_ended(&self) {
        self.state().client_gone = true;
    }

    /// The server has agreed to switch to TLS.
    pub(crate) fn switches(&self) -> bool {
        self.state().switching.is_some()
    }

    /// The switch to TLS that the server has agreed to takes place; so many bytes stood in front of it.
    pub(crate) fn switched(&self, injected: Option<u64>) {
        let mut state = self.state();
        if let Some((command, text)) = state.switching.take() {
            let tag = command.tag.clone();
            state.session.completed(&tag, Some(command), Some((Status::Ok, &text)), injected);
        }
    }

    // ---- the server half ----

    /// The server greets.
    pub(crate) fn greeted(&self, status: Status, text: &[u8]) {
        self.state().session.greeted(status, text);
    }

    /// A response that completes nothing.
    pub(crate) fn untagged(&self) {
        self.state().session.untagged();
    }

    /// `+`
    pub(crate) async fn continued(&self) {
        {
            let mut state = self.state();
            state.steps += 1;
            let completed = matches!(state.answer, Some(Answer::Completed(_)));
            if state.waiting.is_some() && !completed {
                state.answer = Some(Answer::Continue);
            } else {
                // RFC 2177: IDLE is told to go on and has nothing to say.
                state.continued = !state.pending.iter().any(|said| said.command.verb == Verb::Idle);
            }
        }
        settle().await;
    }

    /// The server completes the command with this tag. `server` holds back what follows.
    pub(crate) async fn tagged(
        &self,
        tag: &[u8],
        status: Status,
        text: &[u8],
        server: &mut ByteStream,
    ) -> Course {
        let (said, known) = {
            let mut state = self.state();
            state.steps += 1;
            state.server_waits = true;
            (state.said, state.position(tag).is_some())
        };
        if !known {
            settle().await; // the client half may wait for the server at a line that may be it
        }
        let mut held_back = pin!(server.backlog(HELD_MAX));
        poll_fn(|cx| {
            let state = self.state();
            // Another command than this one was said meanwhile: this one is missing.
            let missing = state.client_gone || state.commands_lost || state.said != said;
            if missing || state.position(tag).is_some() {
                return Poll::Ready(());
            }
            drop(state);
            held_back.as_mut().poll(cx)
        })
        .await;
        let course = self.state().completed(tag, status, text);
        if matches!(course, Course::GoesOn | Course::Tls) {
            settle().await;
        }
        course
    }

    /// The server will say no more.
    pub(crate) fn server_ended(&self) {
        self.state().server_gone = true;
    }

    // ---- both ----

    /// A mail has passed.
    pub(crate) fn mail(&self, of: &Of<'_>, message: &mut Message) {
        self.state().session.mail(of, message);
    }

    /// Neither side has said enough to tell what is spoken.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.state().session.is_confirmed()
    }

    /// Tells what was not completed.
    pub(crate) fn finish(&self) -> flowcell_sdk::Result<()> {
        let mut state = self.state();
        while !state.pending.is_empty() {
            state.complete(0, None);
        }
        state.session.finish()
    }
}

impl State<'_> {
    fn push(&mut self, command: Command, within: Option<u64>) -> u64 {
        self.weight += command.weight();
        while !self.pending.is_empty()
            && (self.weight > PENDING_MAX || self.pending.len() >= PENDING_COUNT_MAX)
        {
            let oldest_doubtful = self.pending.iter().position(|said| said.within.is_some());
            self.complete(oldest_doubtful.unwrap_or(0), None);
        }
        self.said += 1;
        self.pending.push_back(Said { number: self.said, command, within });
        self.said
    }

    fn wait_for(&mut self, number: u64) {
        self.waiting = Some(number);
        self.answer = std::mem::take(&mut self.continued).then_some(Answer::Continue);
    }

    fn position(&self, tag: &[u8]) -> Option<usize> {
        self.pending.iter().position(|said| said.command.tag == tag)
    }

    /// The line of this number, in the literal of a refused command, was a command: so are those behind it.
    /// Those in front of it would have been answered first, and may still be. What has passed is read no
    /// more for literals, and a switch to TLS that does not stand last there ends what can be read.
    fn admit(&mut self, number: u64, refused: u64) {
        for said in &mut self.pending {
            if said.number > number && said.within == Some(refused) {
                said.within = None;
            }
        }
        self.reads_on |= refused == self.latest;
    }

    fn completed(&mut self, tag: &[u8], status: Status, text: &[u8]) -> Course {
        self.steps += 1;
        self.server_waits = false;
        let position = self.position(tag);
        let found = position.and_then(|position| Some((position, self.pending.get(position)?)));
        let Some((position, said)) = found else {
            self.session.completed(tag, None, Some((status, text)), None);
            return Course::GoesOn;
        };
        let (number, verb, within) = (said.number, said.command.verb, said.within);
        if let Some(refused) = within {
            self.admit(number, refused);
        }
        if status != Status::Ok && number == self.latest {
            self.refused = Some(number);
            self.continued = false; // it was this one that was to go on
        }
        let awaited = self.waiting == Some(number);
        if awaited {
            self.answer = Some(Answer::Completed(status));
        }
        match (verb, status) {
            (Verb::StartTls, Status::Ok) if awaited => {
                let said = self.pending.remove(position);
                self.switching = said.map(|said| (said.command, text.to_vec()));
                return Course::Tls;
            }
            _ => self.complete(position, Some((status, text))),
        }
        match (verb, status) {
            // RFC 4978 §3: both sides compress from here on.
            (Verb::Compress | Verb::StartTls, Status::Ok) => Course::Over,
            _ => Course::GoesOn,
        }
    }

    /// Takes a command off the list and tells the session; of a line that may be none only if it is answered.
    fn complete(&mut self, position: usize, reply: Option<(Status, &[u8])>) {
        let Some(Said { command, within, .. }) = self.pending.remove(position) else {
            return;
        };
        self.weight = self.weight.saturating_sub(command.weight());
        if within.is_none() || reply.is_some() {
            let tag = command.tag.clone();
            self.session.completed(&tag, Some(command), reply, None);
        }
    }
}
