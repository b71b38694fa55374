//! What a stream holds behind its holes.

use std::collections::BTreeMap;

use super::OverlapPolicy;
use super::overlap::{Chunk, Piece, Resolution};
use crate::Timestamp;
use crate::event::AnomalyDetail;

/// What a held segment costs besides its bytes: its place in the tree and its allocation.
pub(super) const PIECE_OVERHEAD: u64 = 96;

/// How many gaps a side remembers, to tell late bytes from duplicates.
const GAPS_REMEMBERED: usize = 4;

/// What became of the bytes of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Bytes delivered.
    pub(crate) delivered: u64,
    /// Bytes given up; while the side is delivered, all up to its position that were not delivered.
    pub(crate) missed: u64,
    /// Bytes seen more than once.
    pub(crate) duplicate: u64,
    /// Segments that came before bytes of a lower offset.
    pub(crate) out_of_order: u32,
}

/// What only a stream with losses, reordering or retransmissions needs.
#[derive(Debug, Default)]
pub(super) struct Disorder {
    /// What was counted. Of `delivered`, and of `missed` until it stops, the stream keeps account.
    pub(super) counts: Counts,
    /// Held ranges by offset; they don't overlap, and all of them start behind `next`.
    pub(super) pieces: BTreeMap<u64, Piece>,
    /// Sum of their captured bytes.
    pub(super) bytes: u64,
    /// Since when the end of the stream, though nothing held, has been known to be beyond a hole.
    pub(super) tail_since: Option<Timestamp>,
    /// How far the peer had acknowledged when the first hole was first seen to be acknowledged, and
    /// when that was.
    pub(super) acked: Option<(u64, Timestamp)>,
    /// The latest gaps, as start and end, in no order.
    pub(super) gaps: [(u64, u64); GAPS_REMEMBERED],
    gap_at: usize,
}

/// A range of which nothing is held.
#[derive(Debug)]
pub(super) struct FreePart {
    start: u64,
    end: u64,
    /// Since when bytes behind it have been waiting, if there are any.
    pub(super) since: Option<Timestamp>,
}

impl FreePart {
    pub(super) fn of<'a>(&self, chunk: Chunk<'a>) -> Chunk<'a> {
        chunk.from(self.start).until(self.end)
    }
}

/// What was taken out to make room for a chunk: the offsets, and since when bytes at or behind them
/// have been waiting.
pub(super) type Yielded = Vec<(u64, Timestamp)>;

impl Disorder {
    pub(super) fn cost(&self) -> u64 {
        self.bytes + self.pieces.len() as u64 * PIECE_OVERHEAD
    }

    /// Since when bytes behind the first hole have been waiting.
    pub(super) fn waiting_since(&self) -> Option<Timestamp> {
        self.pieces.first_key_value().map_or(self.tail_since, |(_, piece)| Some(piece.since))
    }

    /// Drops what is held. What was counted stays.
    pub(super) fn release(&mut self) {
        self.pieces.clear();
        (self.bytes, self.tail_since, self.acked) = (0, None, None);
    }

    pub(super) fn remember_gap(&mut self, start: u64, end: u64) {
        self.gaps[self.gap_at] = (start, end);
        self.gap_at = (self.gap_at + 1) % GAPS_REMEMBERED;
    }

    /// Returns where the first piece starts that reaches beyond `offset`, if it starts before.
    pub(super) fn start_at(&self, offset: u64) -> u64 {
        match self.pieces.range(..offset).next_back() {
            Some((&at, piece)) if at + piece.len() > offset => at,
            _ => offset,
        }
    }

    /// Returns the parts of a chunk that are not held, given what has made room for it.
    pub(super) fn free_parts(&self, chunk: Chunk<'_>, yielded: &Yielded) -> Vec<FreePart> {
        let mut parts = Vec::new();
        let mut push = |start: u64, end: u64, behind: Option<Timestamp>| {
            let within = yielded.iter().find(|(at, _)| (start..end).contains(at));
            parts.push(FreePart { start, end, since: within.map(|&(_, at)| at).or(behind) });
        };
        let mut start = chunk.offset;
        for (&at, piece) in self.pieces.range(self.start_at(start)..chunk.end()) {
            if at > start {
                push(start, at, Some(piece.since));
            }
            start = at + piece.len();
        }
        if start < chunk.end() {
            let behind = self.pieces.range(chunk.end()..).next();
            let since = behind.map(|(_, piece)| piece.since).or(self.tail_since);
            push(start, chunk.end(), since);
        }
        parts
    }

    /// Settles the overlaps of a chunk with what is held; returns what made room for it.
    ///
    /// Afterwards no piece overlaps the chunk but those that win, and those that have its bytes.
    pub(super) fn settle(
        &mut self,
        chunk: Chunk<'_>,
        policy: OverlapPolicy,
        conflict: &mut dyn FnMut(&AnomalyDetail),
    ) -> Yielded {
        let mut yielded = Vec::new();
        let mut rests = Vec::new();
        for (&at, piece) in self.pieces.range_mut(self.start_at(chunk.offset)..chunk.end()) {
            let end = chunk.end().min(at + piece.len());
            self.counts.duplicate += end.saturating_sub(at.max(chunk.offset));
            if let Resolution::Yields(rest) = piece.resolve(at, chunk, policy, conflict) {
                yielded.push((at, piece.since));
                rests.push(rest);
            }
        }
        for ((at, _), rest) in yielded.iter_mut().zip(rests) {
            let gone = self.pieces.remove(at).map_or(0, |piece| piece.bytes.len() as u64);
            self.bytes -= gone;
            if let Some((offset, piece)) = rest {
                self.bytes += piece.bytes.len() as u64;
                self.pieces.insert(offset, piece);
            }
            // A place within the chunk.
            *at = (*at).max(chunk.offset);
        }
        yielded
    }
}
