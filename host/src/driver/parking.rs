//! Which cells of a lane are awake, and what all of them have.
//!
//! A cell is parked when its flow has been quiet for a while, or when the lane has more memory than it
//! may; and if it keeps nothing of what it was given, soon. Packets decide when that is, so that it is
//! the same in every run.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use flowcell_core::{FlowId, Timestamp};
use serde::Serialize;

use super::room::Room;
use crate::documented::documented;
use crate::runtime::{Footprint, Parser};

documented! {
    /// What parking came to.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
    pub struct ParkingStats {
        /// How often a cell was parked.
        pub parks: u64,
        /// How often one was brought back, or begun anew.
        pub unparks: u64,
        /// Bytes that were kept of parked memories, of all times together.
        pub parked_bytes: u64,
    }
}

impl ParkingStats {
    pub(super) fn merge(&mut self, other: &Self) {
        let Self { parks, unparks, parked_bytes } = other;
        self.parks += parks;
        self.unparks += unparks;
        self.parked_bytes += parked_bytes;
    }
}

/// Tells parsers apart. Its cells keep a parser where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whose(usize);

impl Whose {
    pub(super) fn of(parser: &Arc<Parser>) -> Self {
        Self(Arc::as_ptr(parser).addr())
    }
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    InAll,
    OfParser,
}

/// Keeps account of a lane's cells. `I` tells flows apart.
#[derive(Debug)]
pub(super) struct Parking<I = FlowId> {
    room: Room,
    /// For tests: every cell is parked as soon as it waits.
    always: bool,
    cells: u64,
    memory: u64,
    /// Those that have cells.
    parsers: Vec<Share<I>>,
    /// Cells that keep nothing of what they were given, and since when; the longest in front. Some may have
    /// been given more since.
    resting: VecDeque<(I, Timestamp)>,
}

/// One parser's cells.
#[derive(Debug)]
struct Share<I> {
    whose: Whose,
    cells: u64,
    memory: u64,
    /// Those that are awake, and since when they are here; the longest in front. Some may be gone by now, or
    /// be here again further behind.
    awake: VecDeque<(I, Timestamp)>,
}

/// A cell that may be parked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<I> {
    pub(super) flow: I,
    pub(super) whose: Whose,
    /// It was not used since, when it was put here.
    pub(super) since: Timestamp,
    /// Memory is short: it is not because of the time.
    pub(super) short: bool,
    /// It is parked even if it was: there is far too little memory.
    pub(super) urgent: bool,
}

/// Bytes by which a lane may always be over its limits: a few cells that are in use.
const SLACK: u64 = 1 << 20;

/// Cells of a lane that stay though they keep nothing, in case that their flows go on soon: making another
/// one takes longer than a delivery.
const RESTING: usize = 16;

/// Cells that are looked at, and parked, at one event: what one packet may take is bounded.
pub(super) const LOOKS: usize = 8;

impl<I: Copy + Eq + Hash> Parking<I> {
    pub(super) fn new(room: Room, always: bool) -> Self {
        Self { room, always, cells: 0, memory: 0, parsers: Vec::new(), resting: VecDeque::new() }
    }

    /// Bytes that searches for parsers may hold.
    pub(super) const fn search_bytes(&self) -> u64 {
        self.room.search_bytes
    }

    pub(super) const fn always(&self) -> bool {
        self.always
    }

    /// Says why a parser can have no further cell, if it can't.
    pub(super) fn full(&self, whose: Whose) -> Option<Full> {
        if self.cells >= self.room.cells { Some(Full::InAll) } else { self.short(whose) }
    }

    /// Says whose memory is used up, if a parser's or that of all is.
    pub(super) fn short(&self, whose: Whose) -> Option<Full> {
        if self.memory >= self.room.memory_in_all {
            return Some(Full::InAll);
        }
        let memory = self.share(whose).map_or(0, |share| share.memory);
        (memory >= self.room.memory_of_parser).then_some(Full::OfParser)
    }

    /// Returns whether so much memory is used that even cells that are in use have to go.
    pub(super) fn far_beyond(&self, whose: Whose) -> bool {
        let beyond = |memory: u64, limit: u64| memory > limit.saturating_add(limit / 8 + SLACK);
        let of_parser = self.share(whose).map_or(0, |share| share.memory);
        beyond(self.memory, self.room.memory_in_all)
            || beyond(of_parser, self.room.memory_of_parser)
    }

    fn share(&self, whose: Whose) -> Option<&Share<I>> {
        self.parsers.iter().find(|share| share.whose == whose)
    }

    fn share_mut(&mut self, whose: Whose) -> Option<&mut Share<I>> {
        self.parsers.iter_mut().find(|share| share.whose == whose)
    }

    /// A cell of a parser was `before` and is `after`; `None` where it is not.
    pub(super) fn account(
        &mut self,
        whose: Whose,
        before: Option<Footprint>,
        after: Option<Footprint>,
    ) {
        if before == after {
            return;
        }
        if self.share(whose).is_none() {
            self.parsers.push(Share { whose, cells: 0, memory: 0, awake: VecDeque::new() });
        }
        let count = |footprint: Option<Footprint>| u64::from(footprint.is_some());
        let bytes = |footprint: Option<Footprint>| footprint.map_or(0, |footprint| footprint.bytes);
        let change = |number: u64, of: &dyn Fn(Option<Footprint>) -> u64| {
            (number + of(after)).saturating_sub(of(before))
        };
        self.cells = change(self.cells, &count);
        self.memory = change(self.memory, &bytes);
        if let Some(share) = self.share_mut(whose) {
            share.cells = change(share.cells, &count);
            share.memory = change(share.memory, &bytes);
        }
        self.parsers.retain(|share| share.cells > 0);
    }

    /// A cell is awake. `is_awake` says of others whether they still are, and the parser's.
    pub(super) fn woke(
        &mut self,
        whose: Whose,
        flow: I,
        now: Timestamp,
        mut is_awake: impl FnMut(I) -> bool,
    ) {
        let Some(share) = self.share_mut(whose) else { return };
        if share.awake.len() as u64 > 2 * share.cells + 64 {
            // A cell may have come and gone many times: its last place is the one that counts.
            let mut known = HashSet::from([flow]);
            let mut last_place = |flow: I| known.insert(flow) && is_awake(flow);
            let kept = share.awake.iter().rev().filter(|(flow, _)| last_place(*flow)).copied();
            share.awake = kept.collect();
            share.awake.make_contiguous().reverse();
        }
        share.awake.push_back((flow, now));
    }

    /// A cell keeps nothing of what it was given, up to `now`. Returns one that is to be freed, if it was given
    /// nothing since the time returned.
    pub(super) fn rests(&mut self, flow: I, now: Timestamp) -> Option<(I, Timestamp)> {
        if let Some(at) = self.resting.iter().rposition(|(other, _)| *other == flow) {
            self.resting.remove(at);
        }
        self.resting.push_back((flow, now));
        if self.resting.len() > RESTING { self.resting.pop_front() } else { None }
    }

    /// Takes out the cell that was put here longest ago, if it may be time to park it. `whose` is the parser
    /// that wants memory: if it has too much, only its own cells make room.
    pub(super) fn next(&mut self, whose: Whose, now: Timestamp) -> Option<Candidate<I>> {
        let (short, urgent) = (self.short(whose), self.far_beyond(whose));
        let index = match short {
            Some(Full::OfParser) => self.parsers.iter().position(|share| share.whose == whose)?,
            Some(Full::InAll) => {
                let awake = self.parsers.iter().enumerate().filter(|(_, it)| !it.awake.is_empty());
                let (index, _) = awake.max_by_key(|(_, share)| share.memory)?;
                index
            }
            None if self.memory <= self.room.park_above => return None,
            None => {
                // A time in the future is as wrong as one long ago.
                let after = self.room.park_after_ms.saturating_mul(1_000_000);
                let quiet = |since: &Timestamp| now.0.abs_diff(since.0) >= after;
                let is_due = |share: &Share<I>| share.awake.front().is_some_and(|it| quiet(&it.1));
                self.parsers.iter().position(is_due)?
            }
        };
        let share = self.parsers.get_mut(index)?;
        let (flow, since) = share.awake.pop_front()?;
        Some(Candidate { flow, whose: share.whose, since, short: short.is_some(), urgent })
    }
}

#[cfg(test)]
mod tests;
