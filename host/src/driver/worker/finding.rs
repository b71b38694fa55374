//! Finding the parser of a flow, and handing the flow from one to the next.
//!
//! ```text
//!            first byte
//!                │  expected by another flow's parser, or mapped by the operator ─► that parser, settled
//!                ▼
//!             Pursuit ──► Try(parser): gets all from the first byte on
//!                ▲            │ confirms, or holds out ─► settled: the pursuit is dropped
//!                └────────────┘ declines, faults ─► the next one
//!
//!  settled ──► hands over ──► the parser of that name, or a new pursuit; with what it has not read
//! ```

use std::sync::Arc;

use flowcell_core::{Demand, FlowId, FlowView, Side, Transport};

use super::super::aside::Packet;
use super::super::flow_task::FlowTask;
use super::super::flows::{Followed, Tracked};
use super::super::pursuit::{Held, Pursuit, Seen};
use super::Worker;
use crate::output::FlowLabel;
use crate::registry::{Candidate, Next, Search};

/// Parsers that a flow is handed to, at most.
const HANDED_OVER: usize = 8;

impl Worker {
    /// Takes what was seen of a side of a flow.
    pub(super) fn follow(&mut self, flow: &FlowView<'_>, side: Side, seen: Seen<'_>) -> Demand {
        let packet = Packet::of(flow, self.digits);
        if self.flows.followed(flow.id).is_none() && !self.begin(flow, &seen) {
            return Demand::More;
        }
        let other_was_done = self.demand(flow.id, side.other()) == Demand::Done;
        let Some(followed) = self.flows.followed(flow.id) else { return Demand::More };
        if let Seen::End(reason) = seen {
            followed.ends[side.index()] = Some(reason);
        }
        let has_parser = followed.tracked.is_some();
        if followed.pursuit.is_some() {
            self.hold(flow.id, Held::new(packet, side, seen));
        }
        if has_parser {
            let left = self.give(flow, packet, side, seen);
            self.heed(flow, packet, &mut || {
                let tail = seen.tail(left).map(|seen| Held::new(packet, side, seen));
                tail.into_iter().collect()
            });
        } else {
            self.pursue(flow);
        }
        // Only now it is known who has the flow.
        if !other_was_done && self.demand(flow.id, side.other()) == Demand::Done {
            self.done.push((flow.id, side.other()));
        }
        self.demand(flow.id, side)
    }

    /// What is wanted of a side from now on. As long as another parser might get the flow, all is.
    pub(super) fn demand(&mut self, id: FlowId, side: Side) -> Demand {
        let Some(followed) = self.flows.followed(id) else { return Demand::More };
        let tracked = followed.tracked.as_ref().filter(|_| followed.is_settled());
        let is_done = tracked.is_some_and(|tracked| tracked.task.is_done(side));
        if is_done { Demand::Done } else { Demand::More }
    }

    /// A flow says its first: finds out who may parse it. Returns whether anybody may.
    fn begin(&mut self, flow: &FlowView<'_>, seen: &Seen<'_>) -> bool {
        if !matches!(flow.tuple.transport, Transport::Tcp | Transport::Udp) {
            return false;
        }
        let generation = self.parsers.current();
        if let Some((expectation, server)) =
            self.expectations.take(flow, &mut self.books.stats.expectations)
            && let Some(candidate) = generation.named(&expectation.parser, server)
        {
            drop(generation);
            let parent = Some(expectation.parent);
            self.flows.insert(flow.id, Followed { parent, ..Followed::default() });
            self.start(flow, candidate, Some(expectation.context));
            return true;
        }
        if let Seen::End(_) = seen {
            return false; // a flow without data
        }
        let guess = flow.midstream || flow.tuple.transport == Transport::Udp;
        let mapped = Search::mapped(&generation, &self.mapping, flow.tuple, guess);
        let mut followed = Followed::default();
        if mapped.is_none() {
            let search = Search::new(Arc::clone(&generation), flow.tuple, guess);
            followed.pursuit = Some(Box::new(Pursuit::new(search)));
        }
        drop(generation);
        self.flows.insert(flow.id, followed);
        if let Some(candidate) = mapped {
            self.start(flow, candidate, None);
        }
        true
    }

    fn start(&mut self, flow: &FlowView<'_>, candidate: Candidate, context: Option<Box<[u8]>>) {
        let file = candidate.file.clone();
        let mut task = FlowTask::new(candidate, context);
        if let (Some(repro), Some(file)) = (&self.books.repro, file) {
            task.recording = Some(repro.recording(&file));
        }
        if let Some(followed) = self.flows.followed(flow.id) {
            followed.tracked = Some(Box::new(Tracked::new(task, flow.ts)));
        }
    }

    fn hold(&mut self, id: FlowId, held: Held) {
        let Some(followed) = self.flows.followed(id) else { return };
        if let Some(pursuit) = &mut followed.pursuit {
            let before = pursuit.cost();
            pursuit.hold(held);
            self.held += (pursuit.cost() - before) as u64;
        }
    }

    /// Forgets what led to the parser that a flow has, or to nobody.
    pub(super) fn drop_pursuit(&mut self, id: FlowId) {
        let Some(followed) = self.flows.followed(id) else { return };
        if let Some(pursuit) = followed.pursuit.take() {
            self.held = self.held.saturating_sub(pursuit.cost() as u64);
        }
    }

    /// Tries one parser after the other, until one holds out or more has to be seen.
    fn pursue(&mut self, flow: &FlowView<'_>) {
        let crowded = self.held > self.parking.search_bytes();
        loop {
            let Some(followed) = self.flows.followed(flow.id) else { return };
            let Some(pursuit) = &mut followed.pursuit else { return };
            let last = crowded || pursuit.is_full();
            match pursuit.next(last) {
                Next::Wait => return,
                Next::Nobody => return self.drop_pursuit(flow.id),
                Next::Try(candidate) => {
                    let held = std::mem::take(&mut pursuit.held);
                    self.start(flow, candidate, None);
                    let (given, left) = self.give_all(flow, &held);
                    let is_over = self.flows.get_mut(flow.id).is_some_and(|it| it.task.is_over());
                    let gave_way = self.gives_way(flow.id);
                    if is_over && !gave_way {
                        self.drop_pursuit(flow.id);
                        let packet = Packet::of(flow, self.digits);
                        let mut rest = not_given(held, given, left);
                        return self.heed(flow, packet, &mut || std::mem::take(&mut rest));
                    }
                    let followed = self.flows.followed(flow.id);
                    if let Some(pursuit) = followed.and_then(|followed| followed.pursuit.as_mut()) {
                        pursuit.held = held;
                    }
                    if !gave_way {
                        return self.heed(flow, Packet::of(flow, self.digits), &mut Vec::new);
                    }
                }
            }
        }
    }

    /// Gives a flow's parser what was held, as if it came now: records are about the packets that it came
    /// in, and stand where the present one's do. Returns how many of it were given, and how many bytes of the
    /// last of these not.
    fn give_all(&mut self, flow: &FlowView<'_>, held: &[Held]) -> (usize, usize) {
        let now = Packet::of(flow, self.digits).place;
        for (index, item) in held.iter().enumerate() {
            let packet = Packet { place: now, ..item.packet };
            let then = FlowView { ts: packet.ts, packet: packet.number, ..*flow };
            let left = self.give(&then, packet, item.side, item.seen());
            if self.flows.get_mut(flow.id).is_none_or(|tracked| tracked.task.is_over()) {
                return (index + 1, left);
            }
        }
        (held.len(), 0)
    }

    /// If the flow's parser makes way for another one, sets it aside.
    fn gives_way(&mut self, id: FlowId) -> bool {
        let Some(followed) = self.flows.followed(id) else { return false };
        let gives_way = |tracked: &mut Box<Tracked>| tracked.task.gives_way();
        let past = followed.tracked.take_if(gives_way);
        let gave_way = past.is_some();
        followed.past.extend(past.map(|tracked| tracked.task));
        gave_way
    }

    /// Acts on what the flow's parser has said, last in `packet`. `rest`: what it was to be given and has not
    /// looked at.
    pub(super) fn heed(
        &mut self,
        flow: &FlowView<'_>,
        packet: Packet,
        rest: &mut dyn FnMut() -> Vec<Held>,
    ) {
        let crowded = self.held > self.parking.search_bytes();
        let Some(followed) = self.flows.followed(flow.id) else { return };
        let Some(tracked) = &mut followed.tracked else { return };
        let task = &mut tracked.task;
        if !task.expected.is_empty() {
            let expected = std::mem::take(&mut task.expected);
            let label = tracked.label.get_or_insert_with(|| FlowLabel::new(flow));
            let (uid, stats) = (label.uid(), &mut self.books.stats.expectations);
            self.expectations.add(flow, uid, expected, &mut followed.expects, stats);
        }
        if let Some(pursuit) = &followed.pursuit {
            if task.gives_way() {
                self.gives_way(flow.id);
                return self.pursue(flow);
            }
            if task.confirmed() || task.is_over() || pursuit.is_full() || crowded {
                self.drop_pursuit(flow.id);
            }
        }
        self.hand_over(flow, packet, rest);
    }

    /// If the flow's parser has handed it over, gives it to the next one.
    fn hand_over(
        &mut self,
        flow: &FlowView<'_>,
        packet: Packet,
        rest: &mut dyn FnMut() -> Vec<Held>,
    ) {
        let Some(followed) = self.flows.followed(flow.id) else { return };
        let Some(tracked) = &mut followed.tracked else { return };
        let Some((protocol, handed)) = tracked.task.take_switch() else { return };
        let (server, owed) = (tracked.task.server(), tracked.owed);
        let past = followed.tracked.take().map(|tracked| tracked.task);
        followed.past.extend(past);
        if flow.tuple.transport == Transport::Udp || followed.past.len() > HANDED_OVER {
            return;
        }
        let mut held: Vec<Held> = Vec::new();
        for (side, offset, bytes) in &handed {
            let (offset, bytes) = (*offset, bytes.as_slice());
            held.push(Held::new(packet, *side, Seen::Data { offset, bytes }));
        }
        held.extend(rest());
        for (side, reason) in followed.ends() {
            held.push(Held::new(packet, side, Seen::End(reason)));
        }
        let generation = Arc::clone(&self.parsers.current());
        if protocol.is_empty() {
            let search = Search::inside(generation, flow.tuple);
            followed.pursuit = Some(Box::new(Pursuit::new(search)));
            held.into_iter().for_each(|held| self.hold(flow.id, held));
            self.pursue(flow);
        } else if let Some(candidate) = generation.named(&protocol, server) {
            self.start(flow, candidate, None);
            if let Some(tracked) = self.flows.get_mut(flow.id) {
                tracked.owed = owed;
            }
            let (given, left) = self.give_all(flow, &held);
            let mut rest = not_given(held, given, left);
            self.heed(flow, packet, &mut || std::mem::take(&mut rest));
        }
    }
}

/// What is left when so much was given, and of the last of it so many bytes not.
fn not_given(held: Vec<Held>, given: usize, left: usize) -> Vec<Held> {
    let last = given.checked_sub(1).and_then(|index| held.get(index));
    let tail = last.and_then(|last| {
        last.seen().tail(left).map(|seen| Held::new(last.packet, last.side, seen))
    });
    // How sides have ended is known all the same.
    let later = held.into_iter().skip(given).filter(|held| !matches!(held.seen(), Seen::End(_)));
    tail.into_iter().chain(later).collect()
}
