//! What both sides share: the version that they speak, and what is not answered yet.

use std::cell::{Cell, RefCell, RefMut};

use flowcell_sdk::prelude::*;

use crate::body::Kept;
use crate::head::Kind;
use crate::in_flight::InFlight;
use crate::pending::{ConnAck, Connect, Publish, Request};

/// Most requests that are not answered.
const MAX_REQUESTS: usize = 16;

/// Most aliases of topics that are remembered for a side.
const MAX_ALIASES: usize = 64;

/// From this reason code on, something failed (MQTT 5 §2.4).
const FAILED: u8 = 0x80;

#[derive(Debug, Default)]
struct State {
    /// The level of the protocol, without the bit of a bridge.
    level: Option<u8>,
    connect: Option<Connect>,
    /// The client has asked for a session, be it answered or not.
    has_connected: bool,
    in_flight: InFlight,
    requests: Vec<Request>,
    /// Of the server, of the client.
    aliases: [Vec<(u16, Kept)>; 2],
}

/// Shared by the two halves.
pub(crate) struct Session<'f> {
    flow: &'f Flow,
    state: RefCell<State>,
    confirmed: Cell<bool>,
    /// Nothing is known of the client that the server's side should wait for.
    client_over: Cell<bool>,
}

impl<'f> Session<'f> {
    pub(crate) fn new(flow: &'f Flow, midstream: bool) -> Self {
        let confirmed = Cell::new(false);
        Self { flow, state: RefCell::default(), confirmed, client_over: Cell::new(midstream) }
    }

    /// No borrow outlives the method that takes it.
    fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    pub(crate) fn secrets(&self) -> Secrets {
        self.flow.secrets()
    }

    pub(crate) fn confirm(&self) {
        self.confirmed.set(true);
        self.flow.confirm();
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed.get()
    }

    /// The client will say nothing more.
    pub(crate) fn client_is_over(&self) {
        self.client_over.set(true);
    }

    /// What the server says can be understood.
    pub(crate) fn server_may_speak(&self) -> bool {
        self.client_over.get() || self.state().has_connected
    }

    /// Packets have properties and reason codes.
    pub(crate) fn is_version_5(&self) -> bool {
        self.state().level.is_some_and(|level| level >= 5)
    }

    /// A packet can only be one of version 5.
    pub(crate) fn must_be_version_5(&self) {
        self.state().level.get_or_insert(5);
    }

    pub(crate) fn speaks(&self, level: u8) {
        self.state().level = Some(level);
    }

    pub(crate) fn connect(&self, connect: Connect) {
        if connect.name.is_none() {
            return; // it broke off before it said anything
        }
        let mut state = self.state();
        state.has_connected = true;
        if let Some(earlier) = state.connect.replace(connect) {
            earlier.emit(self.flow, None);
        }
    }

    pub(crate) fn connect_answered(&self, answer: &ConnAck) {
        self.confirm();
        let connect = self.state().connect.take().unwrap_or_default();
        connect.emit(self.flow, Some(answer));
    }

    pub(crate) fn publish(&self, mut publish: Publish) {
        self.confirm();
        let mut state = self.state();
        state.resolve_alias(&mut publish);
        if publish.qos == 0 {
            let status = if publish.incomplete { "incomplete_qos" } else { "ok" };
            publish.emit(self.flow, status, None);
            return;
        }
        if let Some(earlier) = state.in_flight.take(publish.from_client, publish.id)
            && !publish.dup
        {
            earlier.emit(self.flow, "incomplete_qos", None);
        }
        state.in_flight.push(publish);
        while let Some(oldest) = state.in_flight.evict() {
            oldest.emit(self.flow, "incomplete_qos", None);
        }
    }

    /// One of the four acknowledgements (MQTT 3.1.1 §4.3).
    pub(crate) fn acknowledge(&self, kind: Kind, from_client: bool, id: u16, code: Option<u8>) {
        let mut state = self.state();
        // PUBREL comes from who has published, the others from who has received.
        let by_client = from_client == (kind == Kind::PubRel);
        let Some(publish) = state.in_flight.find(by_client, Some(id)) else {
            return;
        };
        let failed = code.is_some_and(|code| code >= FAILED);
        let status = match (kind, publish.qos) {
            (Kind::PubRel, 2) => {
                publish.released = true;
                return;
            }
            (Kind::PubAck, 1) | (Kind::PubRec, 2) if failed => "refused",
            (Kind::PubAck, 1) => "ok",
            (Kind::PubRec, 2) => {
                publish.received = true;
                return;
            }
            (Kind::PubComp, 2) if publish.received && publish.released => "ok",
            (Kind::PubComp, 2) => "incomplete_qos",
            _ => return,
        };
        if let Some(publish) = state.in_flight.take(by_client, Some(id)) {
            publish.emit(self.flow, status, code);
        }
    }

    pub(crate) fn request(&self, request: Request) {
        self.confirm();
        let mut state = self.state();
        state.requests.push(request);
        if state.requests.len() > MAX_REQUESTS {
            state.requests.remove(0).emit(self.flow, None);
        }
    }

    pub(crate) fn request_answered(&self, unsubscribe: bool, id: u16, answer: &[u16]) {
        let mut state = self.state();
        let is_it = |request: &Request| request.id == id && request.unsubscribe == unsubscribe;
        if let Some(position) = state.requests.iter().position(is_it) {
            state.requests.remove(position).emit(self.flow, Some(answer));
        }
    }

    /// Tells what was not answered.
    pub(crate) fn finish(&self) {
        let state = self.state.take();
        if let Some(connect) = state.connect {
            connect.emit(self.flow, None);
        }
        for request in state.requests {
            request.emit(self.flow, None);
        }
        for publish in state.in_flight.into_all() {
            publish.emit(self.flow, "incomplete_qos", None);
        }
    }
}

impl State {
    /// MQTT 5 §3.3.2.3.4: a topic with an alias sets what the alias stands for, an alias alone uses it.
    fn resolve_alias(&mut self, publish: &mut Publish) {
        let Some(alias) = publish.properties.topic_alias else {
            return;
        };
        let aliases = &mut self.aliases[usize::from(publish.from_client)];
        let known = aliases.iter_mut().find(|(known, _)| *known == alias);
        match (&mut publish.topic, known) {
            (Some(topic), Some((_, known))) if topic.length > 0 => *known = topic.clone(),
            (Some(topic), None) if topic.length > 0 => {
                if aliases.len() < MAX_ALIASES {
                    aliases.push((alias, topic.clone()));
                }
            }
            (topic, Some((_, known))) => *topic = Some(known.clone()),
            (topic, None) => *topic = None,
        }
    }
}
