//! The queue of what is not answered, and which response answers what.

use std::collections::VecDeque;

use flowcell_sdk::prelude::*;

use crate::body::Body;
use crate::emit::emit;
use crate::header::Header;
use crate::message::{Exchange, Request, Response};

/// Most requests that wait for their responses: behind a hole in the capture, they come all at once.
const OUTSTANDING_MAX: usize = 256;

/// Most room that they take, in bytes.
const WEIGHT_MAX: usize = 131_072;

/// What the server half has to know of the request that it reads the response to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The request is not known.
    Unknown,
    /// HEAD: the response has no body.
    Head,
    /// CONNECT: a tunnel follows.
    Connect,
    /// A request of HTTP/0.9: the response is nothing but a body.
    Oldest,
    /// Any other.
    Other,
}

/// What both halves know.
#[derive(Debug)]
pub(crate) struct State<'f> {
    pub(crate) flow: &'f Flow,
    /// In the order of their depths.
    queue: VecDeque<Exchange>,
    weight: usize,
    depth: u64,
    /// The last request.
    asked: u64,
    /// The last request that was answered.
    answered: u64,
    /// By an error.
    refused: bool,
    /// The exchange whose response is being read.
    answering: Option<u64>,
    /// Requests that were given up on before they were answered: their responses are still to come.
    given_up: u64,
    /// Something has shown that the flow is HTTP.
    pub(crate) confirmed: bool,
    /// The client sends several requests without waiting for responses.
    pipelines: bool,
    /// A response is there and waits for its request.
    pub(crate) response_waits: bool,
    /// The server has spoken first, and was not heard yet.
    pub(crate) unheard: bool,
    /// No more requests come.
    pub(crate) client_gone: bool,
    /// The server talks alone.
    pub(crate) client_absent: bool,
    /// Bytes of the client are missing behind the last known request.
    pub(crate) client_torn: bool,
    /// No more responses come.
    pub(crate) server_gone: bool,
    /// Responses are missing in front of the next.
    pub(crate) server_torn: bool,
    /// One of them is certainly missing.
    start_lost: bool,
    /// Responses were missing, and since then requests have been open: they may have been theirs.
    unsure: bool,
    /// The client has sent a request since the last response.
    asked_since: bool,
    /// What follows is another protocol.
    pub(crate) switched: bool,
    /// Counts what the server half does.
    pub(crate) steps: u64,
}

impl<'f> State<'f> {
    pub(crate) fn new(flow: &'f Flow, server_first: bool) -> Self {
        Self {
            flow,
            queue: VecDeque::new(),
            weight: 0,
            depth: 0,
            asked: 0,
            answered: 0,
            refused: false,
            answering: None,
            given_up: 0,
            confirmed: false,
            pipelines: false,
            response_waits: false,
            unheard: server_first,
            client_gone: false,
            client_absent: false,
            client_torn: false,
            server_gone: false,
            server_torn: false,
            start_lost: false,
            unsure: false,
            asked_since: false,
            switched: false,
            steps: 0,
        }
    }

    pub(crate) fn confirm(&mut self) {
        self.confirmed = true;
        self.flow.confirm();
    }

    // ---- requests ----

    /// Takes a request whose body is still to come. Returns its depth.
    pub(crate) fn push(&mut self, request: Box<Request>) -> u64 {
        self.make_room();
        self.depth += 1;
        self.asked = self.depth;
        self.asked_since = true;
        let weight = request.weight();
        self.weight += weight;
        self.queue.push_back(Exchange {
            depth: self.depth,
            request: Some(request),
            ended: false,
            response: None,
            weight,
        });
        self.client_torn = false;
        self.client_absent = false;
        self.depth
    }

    /// Takes the header of a request that was pushed without.
    pub(crate) fn amend(&mut self, depth: u64, header: Header) {
        let exchange = self.position(depth).and_then(|at| self.queue.get_mut(at));
        if let Some(request) = exchange.and_then(|exchange| exchange.request.as_mut()) {
            request.header = header;
        }
    }

    /// Nothing more comes of a request.
    pub(crate) fn request_ended(&mut self, depth: u64, body: Body, whole: bool) {
        let Some(at) = self.position(depth) else {
            return; // it was given up
        };
        if let Some(exchange) = self.queue.get_mut(at) {
            exchange.ended = true;
            if let Some(request) = &mut exchange.request {
                request.header.anomalies.add_all(body.anomalies);
                request.whole = whole && body.whole;
                request.body = body;
            }
        }
        self.close_if_done(at);
    }

    /// Gives up the oldest requests that nothing answers yet, where there are too many.
    fn make_room(&mut self) {
        while self.queue.len() >= OUTSTANDING_MAX || self.weight > WEIGHT_MAX {
            let Some(at) = self.queue.iter().position(|exchange| self.is_open(exchange)) else {
                return;
            };
            self.given_up += 1;
            self.close(at);
        }
    }

    // ---- responses ----

    /// Whether a response can be given to a request, or it is certain that it can not.
    pub(crate) fn is_addressed(&self) -> bool {
        self.given_up > 0
            || self.client_gone
            || self.client_absent
            || self.client_torn
            || self.has_open()
    }

    /// A response begins: finds the request that it answers.
    pub(crate) fn begin(&mut self) -> Asked {
        self.response_waits = false;
        self.steps += 1;
        if self.given_up > 0 {
            self.given_up -= 1;
            return Asked::Unknown;
        }
        let torn = self.server_torn;
        let (found, pipelines) = self.next_asked();
        let Some(depth) = found.map(|exchange| exchange.depth) else {
            return Asked::Unknown;
        };
        let asked = found.and_then(|exchange| exchange.request.as_deref()).map_or(
            Asked::Unknown,
            |request| match () {
                () if request.line.is("HEAD") => Asked::Head,
                () if request.line.is("CONNECT") => Asked::Connect,
                () if request.line.version.major == 0 => Asked::Oldest,
                () => Asked::Other,
            },
        );
        self.pipelines = pipelines;
        // Those that are passed over get no response.
        while let Some(at) =
            self.queue.iter().position(|exchange| exchange.depth < depth && self.is_open(exchange))
        {
            self.close(at);
        }
        (self.server_torn, self.start_lost) = (false, false);
        self.unsure |= torn;
        self.answering = Some(depth);
        asked
    }

    /// The exchange that the next response is given to, and whether the client pipelines.
    fn next_asked(&self) -> (Option<&Exchange>, bool) {
        let mut open = self.queue.iter().filter(|exchange| self.is_open(exchange));
        let (first, last) = (open.next(), open.next_back());
        let second = open.next().or(last);
        let torn = self.server_torn;
        let pipelines = self.pipelines || (last.is_some() && !torn && !self.unsure);
        // Behind a gap, as few responses as can be are missing: those behind a hole come late and all
        // at once. If they were more, the next request shows it: a client mostly waits for the
        // response before it sends another.
        let found = match (torn, self.unsure && self.asked_since && !pipelines) {
            (true, _) if self.start_lost => second.or(first),
            (false, true) => last.or(first),
            _ => first,
        };
        (found, pipelines)
    }

    /// Whether the request that a response would be given to is one of HTTP/0.9.
    pub(crate) fn expects_oldest(&self) -> bool {
        let first = self.queue.iter().find(|exchange| self.is_open(exchange));
        let request = first.and_then(|exchange| exchange.request.as_deref());
        self.given_up == 0 && request.is_some_and(|request| request.line.version.major == 0)
    }

    /// The protocols that the request that the next response is given to offers to switch to; nothing if
    /// it is missing from the capture.
    pub(crate) fn offered(&self) -> Option<Vec<u8>> {
        if self.given_up > 0 {
            return Some(Vec::new()); // a client that offers waits
        }
        let request = self.next_asked().0?.request.as_ref()?;
        let offered = request.header.get(crate::header::Field::Upgrade);
        Some(offered.unwrap_or_default().to_vec())
    }

    /// The response has ended.
    pub(crate) fn answered(&mut self, response: Box<Response>) {
        self.steps += 1;
        let answering = self.answering.take();
        self.answered = answering.unwrap_or(self.answered);
        self.refused = response.code.is_some_and(|code| code >= 400);
        let at = match answering.and_then(|depth| self.position(depth)) {
            Some(at) => at,
            None => {
                self.depth += 1;
                self.queue.push_back(Exchange {
                    depth: self.depth,
                    request: None,
                    ended: true,
                    response: None,
                    weight: 0,
                });
                self.queue.len().saturating_sub(1)
            }
        };
        if let Some(exchange) = self.queue.get_mut(at) {
            exchange.response = Some(response);
        }
        self.close_if_done(at);
        self.asked_since = false;
        self.unsure &= self.has_open();
    }

    /// Bytes of the server are missing.
    pub(crate) fn server_torn(&mut self, start: bool) {
        self.server_torn = true;
        self.start_lost |= start;
        self.steps += 1;
    }

    /// No more responses come.
    pub(crate) fn server_ended(&mut self) {
        self.server_gone = true;
        self.answering = None;
        while let Some(at) = self.queue.iter().position(|exchange| exchange.ended) {
            self.close(at);
        }
    }

    // ---- exchanges ----

    /// Requests wait for their responses.
    pub(crate) fn has_open(&self) -> bool {
        self.queue.iter().any(|exchange| self.is_open(exchange))
    }

    /// The client is at the end of a request.
    pub(crate) fn is_between(&self) -> bool {
        self.client_gone || self.queue.iter().all(|exchange| exchange.ended)
    }

    /// No response was begun.
    fn is_open(&self, exchange: &Exchange) -> bool {
        exchange.response.is_none() && self.answering != Some(exchange.depth)
    }

    /// The last request was answered, by an error.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_answered() && self.refused
    }

    /// The last request was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.answered == self.asked
    }

    fn position(&self, depth: u64) -> Option<usize> {
        self.queue.binary_search_by_key(&depth, |exchange| exchange.depth).ok()
    }

    fn close_if_done(&mut self, at: usize) {
        let server_gone = self.server_gone;
        let done =
            |exchange: &Exchange| exchange.ended && (exchange.response.is_some() || server_gone);
        if self.queue.get(at).is_some_and(done) {
            self.close(at);
        }
    }

    /// Emits an exchange as it is, if the flow is HTTP.
    fn close(&mut self, at: usize) {
        if let Some(exchange) = self.queue.remove(at) {
            self.weight = self.weight.saturating_sub(exchange.weight);
            if self.confirmed {
                emit(self.flow, &exchange);
            }
        }
    }

    /// Emits what is left.
    pub(crate) fn finish(&mut self) {
        while !self.queue.is_empty() {
            self.close(0);
        }
    }
}
