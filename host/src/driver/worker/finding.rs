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

use flowcell_core::{Demand, EndReason, FlowId, FlowView, Side, Transport};

use super::super::aside::{Aside, Packet};
use super::super::flow_task::{FlowTask, MAX_DELIVERY};
use super::super::flows::Tracked;
use super::super::pursuit::{Held, Pursuit, Seen};
use super::Worker;
use crate::output::FlowLabel;
use crate::registry::{Candidate, Next, Search};

/// Parsers that a flow is handed to, at most.
pub(in crate::driver) const HANDED_OVER: usize = 8;

impl Worker {
    /// Takes what was seen of a side of a flow.
    pub(super) fn follow(&mut self, flow: &FlowView<'_>, side: Side, seen: Seen<'_>) -> Demand {
        let packet = Packet::of(flow, self.digits);
        let has_begun = self.flows.followed(flow.id).is_some_and(|followed| followed.begun);
        if !has_begun && !self.begin(flow, packet, side, &seen) {
            return Demand::More;
        }
        self.feed(flow, packet, side, seen);
        let Some(followed) = self.flows.followed(flow.id) else { return Demand::More };
        let other = side.other();
        if followed.demand(other) == Demand::Done && !followed.stopped[other.index()] {
            followed.stopped[other.index()] = true;
            self.done.push((flow.id, other));
        }
        followed.demand(side)
    }

    /// A flow says its first: finds out who may parse it. Returns whether anybody may.
    fn begin(&mut self, flow: &FlowView<'_>, packet: Packet, side: Side, seen: &Seen<'_>) -> bool {
        if !matches!(flow.tuple.transport, Transport::Tcp | Transport::Udp) {
            return false;
        }
        // An attempt that came to nothing is nobody's, and not what was expected.
        if matches!(seen, Seen::End(reason) if *reason != EndReason::Fin) {
            return false;
        }
        let guess = flow.midstream || flow.tuple.transport == Transport::Udp;
        let generation = Arc::clone(&self.parsers.current());
        // The operator's word comes before what traffic says.
        let mapped = Search::mapped(&generation, &self.mapping, flow.tuple, guess);
        let expectation = if mapped.is_some() {
            None
        } else {
            self.expectations.take(flow, guess, &mut self.books.stats.expectations)
        };
        if let (None, Seen::End(_)) = (&expectation, seen) {
            // The other side may yet say something.
            self.flows.entry(flow.id).ended[side.index()] = true;
            return false;
        }
        let mut settled = mapped.map(|candidate| (candidate, None));
        let followed = self.flows.entry(flow.id);
        followed.begun = true;
        if let Some((expectation, server)) = expectation {
            followed.more().parent = Some(expectation.parent);
            let candidate = generation.named(&expectation.parser, server);
            settled = candidate.map(|candidate| (candidate, Some(expectation.context)));
        }
        if settled.is_none() {
            let pursuit = Pursuit::new(Search::new(generation, flow.tuple, guess));
            self.held += pursuit.cost() as u64;
            followed.pursuit = Some(Box::new(pursuit));
        }
        let ended = followed.ended;
        if let Some((candidate, context)) = settled {
            self.start(flow, candidate, context);
        }
        for side in Side::BOTH.into_iter().filter(|side| ended[side.index()]) {
            self.feed(flow, packet, side, Seen::End(EndReason::Fin));
        }
        true
    }

    fn start(&mut self, flow: &FlowView<'_>, candidate: Candidate, context: Option<Box<[u8]>>) {
        let file = candidate.file.clone();
        let mut task = FlowTask::new(candidate, context, self.secrets);
        if let (Some(repro), Some(file)) = (&self.books.repro, file) {
            task.recording = Some(repro.recording(&file));
        }
        if let Some(followed) = self.flows.followed(flow.id) {
            followed.tracked = Some(Box::new(Tracked::new(task, flow.ts)));
        }
    }

    /// Goes on with what was seen of a side in `packet`, in pieces that are cut where it makes a difference:
    /// behind the last byte that is held, and behind the largest delivery.
    fn feed(&mut self, flow: &FlowView<'_>, packet: Packet, side: Side, seen: Seen<'_>) {
        let Some(followed) = self.flows.followed(flow.id) else { return };
        let mut left = followed.without_skipped(side, seen);
        while let Some(seen) = left {
            let Some(followed) = self.flows.followed(flow.id) else { return };
            let room = followed.pursuit.as_ref().map_or(MAX_DELIVERY, |pursuit| pursuit.room());
            let (now, later) = seen.split(room.clamp(1, MAX_DELIVERY));
            let has_parser = followed.tracked.is_some();
            if followed.pursuit.is_some() {
                self.hold(flow.id, Held::new(packet, side, now));
            }
            if has_parser {
                self.give(flow, packet, side, now);
                self.heed(flow, packet);
            } else {
                self.pursue(flow, packet);
            }
            left = later;
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
    fn pursue(&mut self, flow: &FlowView<'_>, now: Packet) {
        let crowded = self.held > self.parking.search_bytes();
        loop {
            let Some(followed) = self.flows.followed(flow.id) else { return };
            let Some(pursuit) = &mut followed.pursuit else { return };
            let last = crowded || pursuit.is_full();
            let candidate = match pursuit.next(last) {
                Next::Wait => return,
                Next::Nobody => return self.drop_pursuit(flow.id),
                Next::Try(candidate) => candidate,
            };
            let held = std::mem::take(&mut pursuit.held);
            self.start(flow, candidate, None);
            let given = self.give_all(flow, now, &held);
            if self.gives_way(flow.id) {
                self.hold_again(flow.id, held);
            } else if self.flows.get_mut(flow.id).is_some_and(|tracked| tracked.task.is_over()) {
                return self.end_early(flow, now, &held, given);
            } else {
                self.hold_again(flow.id, held);
                return self.heed(flow, now);
            }
        }
    }

    fn hold_again(&mut self, id: FlowId, held: Vec<Held>) {
        let followed = self.flows.followed(id);
        if let Some(pursuit) = followed.and_then(|followed| followed.pursuit.as_mut()) {
            pursuit.held = held;
        }
    }

    /// Gives a flow's parser what was held, as if it came now: records are about the packets that it came
    /// in, and stand where the present one's do. Returns how many of it were given.
    fn give_all(&mut self, flow: &FlowView<'_>, now: Packet, held: &[Held]) -> usize {
        for (index, item) in held.iter().enumerate() {
            let (then, packet) = item.when(flow, now);
            self.give(&then, packet, item.side, item.seen());
            if self.flows.get_mut(flow.id).is_none_or(|tracked| tracked.task.is_over()) {
                return index + 1;
            }
        }
        held.len()
    }

    /// The flow's parser has ended for good with the last that was given of what is held. If it has handed
    /// over, the next one gets the rest.
    fn end_early(&mut self, flow: &FlowView<'_>, now: Packet, held: &[Held], given: usize) {
        self.drop_pursuit(flow.id);
        let (before, rest) = held.split_at(given.min(held.len()));
        let (then, packet) = before.last().map_or((*flow, now), |item| item.when(flow, now));
        self.heed(&then, packet);
        for item in rest {
            let (then, packet) = item.when(flow, now);
            self.feed(&then, packet, item.side, item.seen());
        }
    }

    /// If the flow's parser makes way for another one, sets it aside.
    fn gives_way(&mut self, id: FlowId) -> bool {
        let Some(followed) = self.flows.followed(id) else { return false };
        let gives_way = |tracked: &mut Box<Tracked>| tracked.task.gives_way();
        let Some(past) = followed.tracked.take_if(gives_way) else { return false };
        followed.more().past.push(past.task);
        true
    }

    /// Acts on what the flow's parser has said, last in `packet`.
    fn heed(&mut self, flow: &FlowView<'_>, packet: Packet) {
        let crowded = self.held > self.parking.search_bytes();
        let Some(followed) = self.flows.followed(flow.id) else { return };
        let Some(tracked) = &mut followed.tracked else { return };
        let task = &mut tracked.task;
        if !task.expected.is_empty() {
            let expected = std::mem::take(&mut task.expected);
            let before = std::mem::take(&mut task.expected_before);
            let label = tracked.label.get_or_insert_with(|| FlowLabel::new(flow));
            let uid = label.uid().to_owned();
            let of_flow = &mut followed.more().expects;
            let stats = &mut self.books.stats.expectations;
            stats.expected += before;
            stats.forgotten += before;
            // Nobody takes the flows of another protocol's usual port away from it.
            let generation = self.parsers.current();
            let (expected, refused) =
                expected.into_iter().partition::<Vec<_>, _>(|it| generation.may_expect(it));
            stats.refused += refused.len() as u64;
            self.expectations.add(flow, &uid, expected, of_flow, stats);
        }
        let Some(followed) = self.flows.followed(flow.id) else { return };
        let Some(Tracked { task, .. }) = followed.tracked.as_deref() else { return };
        if let Some(pursuit) = &followed.pursuit {
            if task.gives_way() {
                self.gives_way(flow.id);
                return self.pursue(flow, packet);
            }
            if task.confirmed() || task.is_over() || pursuit.is_full() || crowded {
                self.drop_pursuit(flow.id);
            }
        }
        self.hand_over(flow, packet);
    }

    /// If the flow's parser has handed it over, gives it to the next one.
    fn hand_over(&mut self, flow: &FlowView<'_>, packet: Packet) {
        let Some(followed) = self.flows.followed(flow.id) else { return };
        let Some(tracked) = &mut followed.tracked else { return };
        let Some(legacy) = tracked.task.take_legacy() else { return };
        let past = followed.tracked.take().map(|tracked| tracked.task);
        let more = followed.more();
        more.past.extend(past);
        if more.past.iter().filter(|task| task.has_handed_over()).count() > HANDED_OVER {
            return;
        }
        let generation = Arc::clone(&self.parsers.current());
        if legacy.protocol.is_empty() {
            let pursuit = Pursuit::new(Search::inside(generation, flow.tuple));
            self.held += pursuit.cost() as u64;
            followed.pursuit = Some(Box::new(pursuit));
        } else if let Some(candidate) = generation.named(&legacy.protocol, legacy.server) {
            self.start(flow, candidate, None);
        } else {
            return;
        }
        if flow.tuple.transport == Transport::Tcp {
            for (side, offset, bytes) in &legacy.handed {
                self.feed(flow, packet, *side, Seen::Data { offset: *offset, bytes });
            }
        }
        for (side, reason) in legacy.ends {
            self.feed(flow, packet, side, Seen::End(reason));
        }
        // What comes is skipped behind what was handed back.
        if legacy.skip != [0; 2]
            && let Some(followed) = self.flows.followed(flow.id)
        {
            for (skip, more) in followed.more().skip.iter_mut().zip(legacy.skip) {
                *skip = skip.saturating_add(more);
            }
        }
    }

    /// The parser that has got what was aside has handed the flow over in its packet `last`: the next one
    /// gets what came behind it. Returns how many bytes nobody wanted.
    pub(super) fn hand_over_aside(&mut self, aside: &Aside, last: u32) -> u64 {
        let flow = aside.view();
        let at = |packet: Packet| FlowView { ts: packet.ts, packet: packet.number, ..flow };
        if let Some(packet) = aside.packets.get(last as usize).or(aside.packets.last()) {
            self.hand_over(&at(*packet), *packet);
        }
        let mut unwanted = 0;
        for (packet, seen) in aside.seen_behind(last) {
            let Some(followed) = self.flows.followed(flow.id) else { break };
            if let (Demand::Done, Seen::Data { bytes, .. }) = (followed.demand(aside.side), seen) {
                unwanted += bytes.len() as u64;
            } else {
                self.feed(&at(packet), packet, aside.side, seen);
            }
        }
        unwanted
    }
}
