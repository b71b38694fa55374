//! Which cells of a lane are awake, and what all of them have.
//!
//! A cell is parked when its flow has been quiet for a while, or when the lane has more memory than it
//! may. Packets decide when that is, so that it is the same in every run.

use std::collections::VecDeque;
use std::sync::Arc;

use flowcell_core::{FlowId, Timestamp};
use serde::Serialize;

use super::room::Room;
use crate::runtime::{Footprint, Parser};

/// What parking came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ParkingStats {
    /// How often a cell was parked.
    pub parks: u64,
    /// How often one was brought back.
    pub unparks: u64,
    /// Bytes that were kept of parked memories, of all times together.
    pub parked_bytes: u64,
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

/// Keeps account of a lane's cells.
#[derive(Debug)]
pub(super) struct Parking {
    room: Room,
    /// For tests: every cell is parked as soon as it waits.
    always: bool,
    cells: u64,
    memory: u64,
    /// Of each parser that has cells: how many, and their memory.
    parsers: Vec<(Whose, u64, u64)>,
    /// Cells that are awake, and when each was put here; the longest ago in front.
    awake: VecDeque<(FlowId, Timestamp)>,
}

/// A cell that is to be looked at.
pub(super) enum Next {
    /// It is parked, unless it was used since the given time and that is not urgent.
    Park(FlowId, Timestamp, Urgency),
    Nothing,
}

/// How urgently cells have to be parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Only those that are quiet.
    Idle,
    /// Others as well.
    Pressure,
}

impl Parking {
    pub(super) fn new(room: Room, always: bool) -> Self {
        Self { room, always, cells: 0, memory: 0, parsers: Vec::new(), awake: VecDeque::new() }
    }

    pub(super) const fn always(&self) -> bool {
        self.always
    }

    /// Says why a parser can have no further cell, if it can't.
    pub(super) fn full(&self, parser: Whose) -> Option<Full> {
        if self.cells >= self.room.cells || self.memory >= self.room.memory_in_all {
            return Some(Full::InAll);
        }
        (self.memory_of(parser) >= self.room.memory_of_parser).then_some(Full::OfParser)
    }

    fn memory_of(&self, parser: Whose) -> u64 {
        let known = self.parsers.iter().find(|(known, ..)| *known == parser);
        known.map_or(0, |(_, _, memory)| *memory)
    }

    /// A cell of `parser` was `before` and is `after`; `None` where it is not.
    pub(super) fn account(
        &mut self,
        parser: Whose,
        before: Option<Footprint>,
        after: Option<Footprint>,
    ) {
        if before == after {
            return;
        }
        let cells = |footprint: Option<Footprint>| u64::from(footprint.is_some());
        let bytes = |footprint: Option<Footprint>| footprint.map_or(0, |footprint| footprint.bytes);
        self.cells = self.cells + cells(after) - cells(before);
        self.memory = self.memory + bytes(after) - bytes(before);
        let known = self.parsers.iter().position(|(known, ..)| *known == parser);
        let at = known.unwrap_or_else(|| {
            self.parsers.push((parser, 0, 0));
            self.parsers.len() - 1
        });
        if let Some((_, count, memory)) = self.parsers.get_mut(at) {
            *count = *count + cells(after) - cells(before);
            *memory = *memory + bytes(after) - bytes(before);
            if *count == 0 {
                self.parsers.swap_remove(at);
            }
        }
    }

    /// A cell is awake that was not.
    pub(super) fn woke(&mut self, flow: FlowId, now: Timestamp) {
        self.awake.push_back((flow, now));
    }

    /// Takes out the cell that was put here longest ago, if it may be time to park it. `parser` is the one
    /// that wants memory.
    pub(super) fn next(&mut self, parser: Whose, now: Timestamp) -> Next {
        let Some((flow, since)) = self.awake.front().copied() else { return Next::Nothing };
        let urgency = if self.full(parser).is_some() { Urgency::Pressure } else { Urgency::Idle };
        let quiet =
            now.0.saturating_sub(since.0) >= self.room.park_after_ms.saturating_mul(1_000_000);
        if quiet || urgency == Urgency::Pressure {
            self.awake.pop_front();
            Next::Park(flow, since, urgency)
        } else {
            Next::Nothing
        }
    }
}
