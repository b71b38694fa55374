//! What both halves share, and how they wait for each other.
//!
//! ```text
//!   client half ── push() ──▶ ┌───┬────┬───┐ ◀── begin(), answered() ── server half
//!                             │GET│POST│GET│
//!   ◀── answer() ──────────── └───┴────┴───┘ ──▶ records
//! ```
//!
//! The n-th response answers the n-th request (RFC 9112 §9.3), so neither half needs to know when the
//! other's bytes arrived. The server half waits where a response is there before its request, since a
//! response's length depends on that (RFC 9112 §6.3); the client half waits where the response decides
//! what its next bytes are: CONNECT and Upgrade. What they hold back meanwhile is bounded, so that a
//! side that is missing from the capture stops nothing.

use std::cell::{RefCell, RefMut};
use std::future::{pending, poll_fn};
use std::task::Poll;

use flowcell_halves::{Raced, catch_up, race, settle};
use flowcell_sdk::prelude::*;

use crate::body::Body;
use crate::header::Header;
use crate::message::{Request, Response};
use crate::state::{Asked, State};

/// Most bytes that a half holds back while it waits for the other, in bytes: more than an endpoint
/// sends before it waits for the other (the initial window of RFC 6928 is 14,600).
const HELD_MAX: usize = 16_384;

/// Shared by the two halves.
#[derive(Debug)]
pub(crate) struct Talk<'f> {
    pub(crate) flow: &'f Flow,
    state: RefCell<State<'f>>,
}

impl<'f> Talk<'f> {
    pub(crate) fn new(flow: &'f Flow, server_first: bool) -> Self {
        Self { flow, state: RefCell::new(State::new(flow, server_first)) }
    }

    /// No borrow outlives the step that takes it. Not inlined: that it is the only one is checked in one
    /// place.
    #[inline(never)]
    fn state(&self) -> RefMut<'_, State<'f>> {
        self.state.borrow_mut()
    }

    /// Something has shown that the flow is HTTP.
    pub(crate) fn confirm(&self) {
        self.state().confirm();
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.state().confirmed
    }

    // ---- the client half ----

    /// Lets the server half catch up where responses were there before their requests.
    pub(crate) async fn catch_up(&self) {
        let waits = |state: RefMut<'_, State<'f>>| state.response_waits || state.unheard;
        if waits(self.state()) {
            catch_up(|| self.state().steps).await;
        }
        self.state().unheard = false;
        if self.state().switched {
            pending().await // what follows is not for this parser
        }
    }

    /// The client has sent a request up to its body. Returns a name for it.
    pub(crate) fn push(&self, request: Box<Request>) -> u64 {
        self.state().push(request)
    }

    /// The header of a request was read behind its start.
    pub(crate) fn amend(&self, depth: u64, header: Header) {
        self.state().amend(depth, header);
    }

    /// The request has ended, or nothing more of it can be read.
    pub(crate) fn request_ended(&self, depth: u64, body: Body, whole: bool) {
        self.state().request_ended(depth, body, whole);
    }

    /// Waits for the response to the last request. `client` holds back what follows meanwhile. False if
    /// no response is seen.
    pub(crate) async fn answer(&self, client: &mut ByteStream) -> bool {
        self.catch_up().await;
        self.race(client, |state| state.is_answered() || state.server_gone || state.server_torn)
            .await;
        self.is_answered()
    }

    /// Whether something shows that the flow is HTTP, before the client says much more.
    pub(crate) async fn is_confirmed_soon(&self, client: &mut ByteStream) -> bool {
        self.race(client, |state| state.confirmed || state.server_gone).await;
        self.is_confirmed()
    }

    /// The last request was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.state().is_answered()
    }

    /// The last request was answered, by an error.
    pub(crate) fn is_refused(&self) -> bool {
        self.state().is_refused()
    }

    /// Bytes of the client are missing, and requests may be among them.
    pub(crate) fn client_torn(&self) {
        self.state().client_torn = true;
    }

    /// The client will say no more.
    pub(crate) fn client_ended(&self) {
        self.state().client_gone = true;
    }

    // ---- the server half ----

    /// A response is there: finds the request that it answers. `server` holds back what follows
    /// meanwhile.
    pub(crate) async fn begin(&self, server: &mut ByteStream) -> Asked {
        self.addressed(server).await;
        self.state().begin()
    }

    /// The server answers to a request of HTTP/0.9.
    pub(crate) fn expects_oldest(&self) -> bool {
        self.state().expects_oldest()
    }

    async fn addressed(&self, server: &mut ByteStream) {
        self.state().response_waits = true;
        if self.race(server, State::is_addressed).await != Raced::Held {
            self.state().client_absent = true; // one direction only was captured
        }
    }

    /// The protocols that the request that a response is to offers to switch to; nothing if the request
    /// is not known. `server` holds back what follows meanwhile.
    pub(crate) async fn offered(&self, server: &mut ByteStream) -> Option<Vec<u8>> {
        self.addressed(server).await;
        let mut state = self.state();
        state.response_waits = false;
        state.offered()
    }

    /// The response has ended, or nothing more of it can be read.
    pub(crate) fn answered(&self, response: Box<Response>) {
        self.state().answered(response);
    }

    /// The response switches to another protocol: waits until the client has got there as well.
    /// `server` holds back what follows meanwhile.
    pub(crate) async fn switched(&self, server: &mut ByteStream) {
        self.state().switched = true;
        self.race(server, State::is_between).await;
    }

    /// Bytes of the server are missing here, and the start of a response among them, if it is known.
    pub(crate) async fn server_torn(&self, start: bool) {
        self.state().server_torn(start);
        settle().await;
    }

    /// The server will say no more; waits for the client to end as well.
    pub(crate) async fn server_ended(&self) {
        self.state().server_ended();
        settle().await;
        poll_fn(|_| match self.state().client_gone {
            true => Poll::Ready(()),
            false => Poll::Pending, // the client half is polled first
        })
        .await;
    }

    // ---- the end ----

    /// Tells what was not answered and not finished.
    pub(crate) fn finish(&self) {
        self.state().finish();
    }

    // ---- waiting ----

    /// Waits for `until`, or until `stream` holds back all that it may or has a gap.
    async fn race(&self, stream: &mut ByteStream, until: fn(&State<'f>) -> bool) -> Raced {
        race(stream, HELD_MAX, |_| until(&self.state())).await
    }
}
