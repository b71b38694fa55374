//! Which reply answers which query.
//!
//! By identifier and question (RFC 5452 §3), between the two sides, in the order of the capture: a
//! query waits for its reply; a reply that comes without its query is emitted at once, and if the
//! capture has the query just behind it, that one adds nothing.

use std::collections::VecDeque;

use flowcell_sdk::Timestamp;
use flowcell_sdk::prelude::*;

use crate::message::Message;
use crate::records;

/// What the records of all queries that wait may come to, in bytes: what the end of a flow makes of them
/// at once. About 600 usual queries.
const MAX_HELD: usize = 320 << 10;

/// Of those with the same identifier, so many are looked at: others only by intent.
const MAX_ALIKE: usize = 32;

/// After so many nanoseconds a query is not waited for any more: clients give up sooner.
const PATIENCE: u64 = 60_000_000_000;

/// A query that stands so many nanoseconds behind its reply was overtaken by it in the capture.
const OVERTAKEN: u64 = 100_000_000;

/// What came without its counterpart.
enum Waiting {
    Query {
        query: Message,
        retries: u64,
    },
    /// A reply, which is emitted already.
    Overtaken(Message),
}

/// One of many, so that what is looked at first is here and the rest elsewhere.
struct Entry {
    id: u16,
    /// Who asked.
    asker: Side,
    waiting: Box<Waiting>,
}

impl Entry {
    fn message(&self) -> &Message {
        match &*self.waiting {
            Waiting::Query { query, .. } => query,
            Waiting::Overtaken(reply) => reply,
        }
    }

    /// Its counterpart will not come any more.
    fn is_over(&self, now: Timestamp) -> bool {
        let patience = match *self.waiting {
            Waiting::Query { .. } => PATIENCE,
            Waiting::Overtaken(_) => OVERTAKEN,
        };
        now.0.saturating_sub(self.message().at.0) > patience
    }
}

/// The queries of a flow that wait for their replies, oldest first.
pub(crate) struct Pending<'f> {
    flow: &'f Flow,
    entries: VecDeque<Entry>,
    /// The weights of all entries' messages.
    held: usize,
}

impl<'f> Pending<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        Self { flow, entries: VecDeque::new(), held: 0 }
    }

    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes a message that `sender` has sent.
    pub(crate) fn take(&mut self, sender: Side, message: Message) {
        self.forget_older(message.at);
        if message.header.is_reply() {
            self.reply(other(sender), message);
        } else {
            self.query(sender, message);
        }
    }

    /// Emits all that still wait.
    pub(crate) fn finish(&mut self) {
        while self.give_up_first() {}
    }

    fn query(&mut self, asker: Side, query: Message) {
        let known = self.find(asker, &query);
        match known.and_then(|at| self.entries.get_mut(at)).map(|entry| &mut *entry.waiting) {
            Some(Waiting::Query { retries, .. }) => *retries += 1,
            Some(Waiting::Overtaken(_)) => drop(known.map(|at| self.remove(at))),
            None => self.wait(asker, Waiting::Query { query, retries: 0 }),
        }
    }

    fn reply(&mut self, asker: Side, reply: Message) {
        let known = self.find(asker, &reply);
        match known.and_then(|at| self.remove(at)) {
            Some(Waiting::Query { query, retries }) => {
                records::emit(self.flow, Some(&query), Some(&reply), retries);
            }
            Some(Waiting::Overtaken(_)) | None => {
                records::emit(self.flow, None, Some(&reply), 0);
                self.wait(asker, Waiting::Overtaken(reply.without_records()));
            }
        }
    }

    /// The first entry of the same transaction. A reply need not repeat the question, and in mDNS
    /// does not (RFC 6762 §6). What is too short for a header answers nothing and is not answered.
    fn find(&self, asker: Side, message: &Message) -> Option<usize> {
        let id = message.header.id;
        let alike = self.entries.iter().enumerate();
        let alike = alike.filter(|(_, entry)| entry.id == id && entry.asker == asker);
        let mut alike = alike.take(MAX_ALIKE).filter(|(_, entry)| !entry.is_over(message.at));
        let found = alike.find(|(_, entry)| {
            let other = entry.message();
            if other.has_header() != message.has_header() {
                return false;
            }
            match (&other.question, &message.question) {
                (Some(one), Some(other)) => one.is(other),
                (None, None) => true,
                _ => other.header.is_reply() != message.header.is_reply(),
            }
        });
        found.map(|(at, _)| at)
    }

    fn wait(&mut self, asker: Side, waiting: Waiting) {
        let waiting = Box::new(waiting);
        let mut entry = Entry { id: 0, asker, waiting };
        entry.id = entry.message().header.id;
        let weight = entry.message().weight();
        while self.held.saturating_add(weight) > MAX_HELD && self.give_up_first() {}
        self.held = self.held.saturating_add(weight);
        self.entries.push_back(entry);
    }

    fn remove(&mut self, at: usize) -> Option<Waiting> {
        let entry = self.entries.remove(at)?;
        self.held = self.held.saturating_sub(entry.message().weight());
        Some(*entry.waiting)
    }

    fn forget_older(&mut self, now: Timestamp) {
        while self.entries.front().is_some_and(|first| first.is_over(now)) {
            self.give_up_first();
        }
    }

    fn give_up_first(&mut self) -> bool {
        match self.remove(0) {
            Some(Waiting::Query { query, retries }) => {
                records::emit(self.flow, Some(&query), None, retries);
                true
            }
            Some(Waiting::Overtaken(_)) => true,
            None => false,
        }
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}
