//! One side of a TCP connection, put back in order.
//!
//! A [`Stream`] works on 64-bit stream offsets; sequence numbers stop at its caller. Bytes that are
//! next go straight to the [`Outlet`], borrowed from the frame. Bytes behind a hole are copied and
//! held until the hole is filled or given up:
//!
//! ```text
//!   0            next        first piece           next piece      highest
//!   ├────────────┼─ ─ hole ─ ─┼███████████┼─ hole ─┼██████████████┼ ─ ─ ─ FIN?
//!    delivered or              held                 held
//!    given up
//! ```
//!
//! At any time delivered + missed + held + open holes = highest, until the side is stopped.
//!
//! A hole becomes a gap when the peer acknowledged all of it although bytes beyond it are here, and
//! this has been so for a moment; when bytes beyond it have waited for longer than the reorder window;
//! when a limit is hit; or when the flow ends. The moment is there because captures mix up the order
//! of packets: bytes may come after the acknowledgment that they caused. What is held is bounded per side in bytes and segments, and over all flows by the
//! [`HoldPool`].

pub(crate) use super::disorder::Counts;
use super::disorder::{Disorder, PIECE_OVERHEAD, Yielded};
use super::overlap::{Chunk, Piece};
use crate::event::AnomalyDetail;
use crate::limits::FAIR_SHARE;
use crate::{Counters, Demand, EndReason, GapReason, Limits, OverlapPolicy, Timestamp};

/// Takes what comes out of a stream.
pub(crate) trait Outlet {
    /// Takes the next bytes; there is at least one.
    fn data(&mut self, offset: u64, bytes: &[u8]) -> Demand;
    /// Takes the news that the next `len` bytes will not come.
    fn gap(&mut self, offset: u64, len: u64, reason: GapReason) -> Demand;
    /// Takes note that two copies of the same bytes differ.
    fn conflict(&mut self, detail: &AnomalyDetail);
    /// Returns where to count.
    fn counters(&mut self) -> &mut Counters;
}

/// The memory that all streams share, and the rules they share.
///
/// What a stream holds up to [`FAIR_SHARE`] is its base; the rest is its excess. The excess of all
/// streams gets at most half of the memory, and of that a stream gets at most as much as it leaves
/// to others. So however much some streams would like to hold, every stream can hold its fair share
/// as long as no more than `max_total / 2 / FAIR_SHARE` of them hold something.
#[derive(Debug)]
pub(crate) struct HoldPool {
    /// Packet time, never going backwards.
    pub(crate) now: Timestamp,
    /// Bytes held by all streams, overhead included; ≤ `max_total`.
    total: u64,
    /// Those of them that are excess.
    excess: u64,
    max_total: u64,
    max_bytes: u64,
    max_segments: u64,
    /// Reorder window in nanoseconds.
    window: u64,
    /// The same for a hole that the peer has acknowledged.
    acked_window: u64,
    /// First offset that is not reassembled; `u64::MAX` if there is none.
    depth: u64,
}

impl HoldPool {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            now: Timestamp(0),
            total: 0,
            excess: 0,
            max_total: limits.hold_total,
            max_bytes: limits.hold_bytes,
            max_segments: limits.hold_segments,
            window: limits.reorder_window_ms.saturating_mul(1_000_000),
            acked_window: limits.acked_window_ms.saturating_mul(1_000_000),
            depth: if limits.depth == 0 { u64::MAX } else { limits.depth },
        }
    }

    /// Takes `bytes` for something that is not held behind a hole; returns whether there is room: half of
    /// all is for holes.
    pub(super) const fn lend(&mut self, bytes: u64) -> bool {
        let fits = self.total.saturating_add(bytes) <= self.max_total / 2;
        if fits {
            self.total += bytes;
        }
        fits
    }

    /// Takes back what was lent.
    pub(super) const fn give_back(&mut self, bytes: u64) {
        self.total = self.total.saturating_sub(bytes);
    }

    /// Returns whether a stream that holds `before` may hold `after`, which is more.
    fn allows(&self, before: u64, after: u64) -> bool {
        let more = excess(after) - excess(before);
        let free = (self.max_total / 2).saturating_sub(self.excess);
        self.total + (after - before) <= self.max_total
            && (more == 0 || excess(after) <= free.saturating_sub(more))
    }

    /// Takes note that a stream that held `before` holds `after`.
    const fn account(&mut self, before: u64, after: u64) {
        self.total = self.total + after - before;
        self.excess = self.excess + excess(after) - excess(before);
    }

    /// Returns how many bytes all streams hold, bookkeeping included.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }
}

/// Returns how much of what a stream holds is more than its fair share.
const fn excess(held: u64) -> u64 {
    held.saturating_sub(FAIR_SHARE)
}

/// Why nothing more of a side is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It is delivered.
    No,
    /// The sink wants no more.
    Done,
    /// The depth is reached.
    Depth,
}

/// The stream of one side. See the module's text for what the offsets mean.
#[derive(Debug)]
pub(crate) struct Stream {
    /// First offset neither delivered nor given up; `next ≤ highest`.
    next: u64,
    /// Offset behind the last byte seen.
    highest: u64,
    /// Offset up to which the peer has acknowledged, its FIN included.
    acked: u64,
    /// Bytes delivered.
    delivered: u64,
    /// What most streams do without.
    disorder: Option<Box<Disorder>>,
    /// Whether the FIN was seen; it is at `highest`.
    fin: bool,
    stop: Stop,
    policy: OverlapPolicy,
}

impl Stream {
    pub(crate) const fn new(policy: OverlapPolicy) -> Self {
        Self {
            next: 0,
            highest: 0,
            acked: 0,
            delivered: 0,
            disorder: None,
            fin: false,
            stop: Stop::No,
            policy,
        }
    }

    /// Returns the first offset neither delivered nor given up.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Returns the offset behind the last byte seen.
    pub(crate) const fn highest(&self) -> u64 {
        self.highest
    }

    /// Returns the offset up to which the peer has acknowledged.
    pub(crate) const fn acked(&self) -> u64 {
        self.acked
    }

    /// Returns the offset of the FIN, once it was seen.
    pub(crate) fn fin(&self) -> Option<u64> {
        self.fin.then_some(self.highest)
    }

    /// Returns whether the FIN was seen.
    pub(crate) const fn ends(&self) -> bool {
        self.fin
    }

    /// Returns what was counted of the side's bytes.
    pub(crate) fn counts(&self) -> Counts {
        let counts = self.disorder.as_ref().map(|disorder| disorder.counts).unwrap_or_default();
        let missed = match self.stop {
            Stop::No => self.next - self.delivered,
            Stop::Done | Stop::Depth => counts.missed,
        };
        Counts { delivered: self.delivered, missed, ..counts }
    }

    /// Returns whether everything up to the FIN was delivered or given up.
    pub(crate) const fn at_fin(&self) -> bool {
        self.fin && self.next == self.highest
    }

    /// Returns whether no byte has been seen.
    pub(crate) const fn is_untouched(&self) -> bool {
        self.highest == 0 && !self.fin
    }

    /// Returns whether the side is still delivered, or why not.
    pub(crate) const fn stopped(&self) -> Stop {
        self.stop
    }

    /// Takes `len` bytes at `offset`, of which `bytes` were captured.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        offset: u64,
        bytes: &[u8],
        len: u64,
        pool: &mut HoldPool,
        out: &mut impl Outlet,
    ) {
        let chunk = Chunk { offset, bytes, len };
        let end = chunk.end();
        // The usual case: no hole is open, these bytes are next, and all of them are here.
        if offset == self.next
            && self.next == self.highest
            && bytes.len() as u64 == len
            && self.stop == Stop::No
            && end <= pool.depth
        {
            self.highest = end;
            self.deliver(chunk, pool, out);
        } else {
            self.insert_slow(chunk, pool, out);
        }
    }

    fn insert_slow(&mut self, mut chunk: Chunk<'_>, pool: &mut HoldPool, out: &mut impl Outlet) {
        let end = chunk.end();
        if chunk.offset < self.next {
            self.count_behind(chunk.offset, end.min(self.next), out);
            chunk = chunk.from(self.next);
        }
        self.highest = self.highest.max(end);
        if self.stop != Stop::No {
            self.next = self.highest;
            return;
        }
        if chunk.len != 0 && chunk.offset > self.next {
            let counts = &mut self.disorder().counts;
            counts.out_of_order = counts.out_of_order.saturating_add(1);
            out.counters().out_of_order += 1;
        }
        if end > pool.depth {
            chunk = chunk.until(pool.depth);
            self.note_tail(pool);
        }
        let (before, yielded) = (self.next, self.resolve(chunk, pool, out));
        while self.stop == Stop::No {
            chunk = chunk.from(self.next);
            if chunk.len == 0 {
                break;
            }
            if chunk.offset == self.next {
                self.merge(chunk, pool, out);
                break;
            }
            if self.hold(chunk, &yielded, pool, out) {
                break;
            }
            let edge = self.first_piece().map_or(chunk.offset, |at| at.min(chunk.offset));
            self.give_up(edge, GapReason::Memory, pool, out);
        }
        // What is still sent in order is no sign that the rest up to a FIN is lost.
        if self.fin
            && self.next != before
            && let Some(disorder) = self.disorder.as_mut().filter(|held| held.pieces.is_empty())
        {
            disorder.tail_since = Some(pool.now);
        }
        self.mark_acked(pool);
    }

    /// Takes the peer's acknowledgment of everything before `offset`.
    #[inline]
    pub(crate) fn acknowledge(&mut self, offset: u64, pool: &HoldPool) {
        if offset > self.acked {
            self.acked = offset;
            self.mark_acked(pool);
        }
    }

    /// Takes note that the stream ends at `offset`, which must not be below [`Self::highest`].
    pub(crate) fn set_fin(&mut self, offset: u64, pool: &HoldPool) {
        debug_assert!(offset >= self.highest);
        self.highest = self.highest.max(offset);
        self.fin = true;
        if self.stop != Stop::No {
            self.next = self.highest;
        } else if self.next < self.highest {
            self.note_tail(pool);
            self.mark_acked(pool);
        }
    }

    /// Returns when the first hole is to be given up.
    #[inline]
    pub(crate) fn deadline(&self, pool: &HoldPool) -> Option<Timestamp> {
        if self.next == self.highest {
            return None;
        }
        let disorder = self.disorder.as_ref()?;
        let aged = disorder.waiting_since().map(|since| since.saturating_add(pool.window));
        let acked = disorder.acked.map(|(_, since)| since.saturating_add(pool.acked_window));
        aged.into_iter().chain(acked).min()
    }

    /// Gives up the holes whose deadline is not after `now`.
    pub(crate) fn expire(&mut self, now: Timestamp, pool: &mut HoldPool, out: &mut impl Outlet) {
        while self.deadline(pool).is_some_and(|due| due <= now) {
            let marked = self.disorder().acked;
            match marked.filter(|(_, since)| since.saturating_add(pool.acked_window) <= now) {
                Some((acked, _)) => {
                    // All that was acknowledged when the mark was set is equally old.
                    self.disorder().acked = None;
                    while self.next < self.highest && acked >= self.hole_edge() {
                        out.counters().holes_acked += 1;
                        self.give_up(self.hole_edge(), GapReason::Lost, pool, out);
                    }
                }
                None => {
                    out.counters().holes_aged += 1;
                    self.give_up(self.hole_edge(), GapReason::Lost, pool, out);
                }
            }
            self.mark_acked(pool);
        }
    }

    /// Gives up all holes and delivers all that is held: the flow ends, for `reason`.
    ///
    /// Returns how the stream ended. If its FIN was waiting behind a hole, that is what it is.
    pub(crate) fn flush(
        &mut self,
        reason: EndReason,
        pool: &mut HoldPool,
        out: &mut impl Outlet,
    ) -> EndReason {
        while self.next < self.highest {
            self.give_up(self.hole_edge(), GapReason::Lost, pool, out);
        }
        self.release(pool);
        if self.stop == Stop::Depth && self.highest > pool.depth {
            let len = self.highest - pool.depth;
            self.disorder().counts.missed += len;
            // The answer changes nothing: this is the last that is said of the side.
            let _: Demand = out.gap(pool.depth, len, GapReason::Depth);
        }
        if self.at_fin() { EndReason::Fin } else { reason }
    }

    /// Returns whether no hole is open, or nobody would be told of it.
    #[inline]
    pub(crate) fn is_straight(&self) -> bool {
        self.stop != Stop::No || self.next == self.highest
    }

    /// Returns whether bytes are next, are all there, and lead to nothing but their delivery.
    #[inline]
    pub(crate) fn goes_straight(
        &self,
        offset: u64,
        bytes: &[u8],
        len: u64,
        pool: &HoldPool,
    ) -> bool {
        self.stop == Stop::No
            && offset == self.next
            && self.next == self.highest
            && bytes.len() as u64 == len
            && offset.saturating_add(len) < pool.depth
    }

    /// Takes note that the sink did not want some of the bytes that were delivered last.
    pub(crate) fn take_back(&mut self, bytes: u64) {
        self.delivered = self.delivered.saturating_sub(bytes);
    }

    /// Stops delivering and holding. Offsets go on being counted.
    pub(crate) fn stop(&mut self, why: Stop, pool: &mut HoldPool) {
        let missed = self.next - self.delivered;
        if self.stop == Stop::No && missed != 0 {
            self.disorder().counts.missed = missed;
        }
        self.stop = why;
        self.next = self.highest;
        self.release(pool);
    }

    /// Drops what is held.
    fn release(&mut self, pool: &mut HoldPool) {
        if let Some(disorder) = &mut self.disorder {
            pool.account(disorder.cost(), 0);
            disorder.release();
        }
    }

    fn disorder(&mut self) -> &mut Disorder {
        self.disorder.get_or_insert_default()
    }

    fn first_piece(&self) -> Option<u64> {
        Some(*self.disorder.as_ref()?.pieces.first_key_value()?.0)
    }

    /// Returns where the first hole ends; equal to `next` if there is no hole.
    fn hole_edge(&self) -> u64 {
        self.first_piece().unwrap_or(self.highest)
    }

    /// Takes note that the stream goes on behind a hole although nothing there is held.
    fn note_tail(&mut self, pool: &HoldPool) {
        let now = pool.now;
        self.disorder().tail_since.get_or_insert(now);
    }

    /// Counts bytes below `next`: late if they are in a gap, duplicates otherwise.
    fn count_behind(&mut self, from: u64, to: u64, out: &mut impl Outlet) {
        let late = self.disorder.as_ref().map_or(0, |disorder| {
            let within = |&(start, end): &(u64, u64)| to.min(end).saturating_sub(from.max(start));
            disorder.gaps.iter().map(within).sum::<u64>()
        });
        let duplicate = (to - from).saturating_sub(late);
        self.disorder().counts.duplicate += duplicate;
        out.counters().late_bytes += late;
        out.counters().duplicate_bytes += duplicate;
    }

    /// Delivers a chunk that starts at `next`.
    fn deliver(&mut self, chunk: Chunk<'_>, pool: &mut HoldPool, out: &mut impl Outlet) {
        debug_assert_eq!(chunk.offset, self.next);
        if !chunk.bytes.is_empty() {
            let len = chunk.bytes.len() as u64;
            self.next += len;
            self.delivered += len;
            if out.data(chunk.offset, chunk.bytes) == Demand::Done {
                return self.stop(Stop::Done, pool);
            }
        }
        if self.next < chunk.end() {
            self.gap(chunk.end(), GapReason::Snaplen, pool, out);
        } else if self.next >= pool.depth {
            self.stop(Stop::Depth, pool);
        }
    }

    /// Moves `next` to `edge` without delivering.
    fn gap(&mut self, edge: u64, why: GapReason, pool: &mut HoldPool, out: &mut impl Outlet) {
        let (start, edge) = (self.next, edge.min(pool.depth));
        let len = edge.saturating_sub(start);
        if len != 0 {
            self.next = edge;
            if why != GapReason::Snaplen {
                self.disorder().remember_gap(start, edge);
            }
            if out.gap(start, len, why) == Demand::Done {
                return self.stop(Stop::Done, pool);
            }
        }
        if self.next >= pool.depth {
            self.stop(Stop::Depth, pool);
        }
    }

    /// Turns the first hole, up to `edge`, into a gap and delivers what was waiting for it.
    fn give_up(&mut self, edge: u64, why: GapReason, pool: &mut HoldPool, out: &mut impl Outlet) {
        self.gap(edge, why, pool, out);
        self.drain(pool, out);
    }

    /// Takes note since when the first hole has been acknowledged although bytes beyond it are here.
    ///
    /// An acknowledgment alone is not enough: it may have overtaken the bytes in the capture.
    #[inline]
    fn mark_acked(&mut self, pool: &HoldPool) {
        let marked = self.next < self.highest && self.acked >= self.hole_edge();
        let acked = self.acked;
        if let Some(disorder) = &mut self.disorder {
            if marked {
                disorder.acked.get_or_insert((acked, pool.now));
            } else {
                disorder.acked = None;
            }
        }
    }

    /// Delivers a chunk that starts at `next`, and what is held within it and behind it.
    fn merge(&mut self, mut chunk: Chunk<'_>, pool: &mut HoldPool, out: &mut impl Outlet) {
        while self.stop == Stop::No && chunk.len != 0 {
            match self.first_piece().filter(|&at| at < chunk.end()) {
                Some(at) if at > self.next => self.deliver(chunk.until(at), pool, out),
                Some(at) => {
                    let Some(piece) = self.pop(pool) else { break };
                    self.deliver(piece.chunk(at), pool, out);
                }
                None => self.deliver(chunk, pool, out),
            }
            chunk = chunk.from(self.next);
        }
        self.drain(pool, out);
    }

    /// Delivers held pieces as long as they are next.
    fn drain(&mut self, pool: &mut HoldPool, out: &mut impl Outlet) {
        while self.stop == Stop::No && self.first_piece() == Some(self.next) {
            let Some(piece) = self.pop(pool) else { break };
            self.deliver(piece.chunk(self.next), pool, out);
        }
    }

    /// Takes the first held piece out.
    fn pop(&mut self, pool: &mut HoldPool) -> Option<Piece> {
        let disorder = self.disorder.as_mut()?;
        let before = disorder.cost();
        let (_, piece) = disorder.pieces.pop_first()?;
        disorder.bytes -= piece.bytes.len() as u64;
        pool.account(before, disorder.cost());
        Some(piece)
    }

    /// Settles the overlaps of a chunk with what is held; returns what made room for it.
    fn resolve(&mut self, chunk: Chunk<'_>, pool: &mut HoldPool, out: &mut impl Outlet) -> Yielded {
        let Some(disorder) = self.disorder.as_mut().filter(|held| !held.pieces.is_empty()) else {
            return Yielded::new();
        };
        let (before, duplicate) = (disorder.cost(), disorder.counts.duplicate);
        let yielded = disorder.settle(chunk, self.policy, &mut |detail| out.conflict(detail));
        pool.account(before, disorder.cost());
        out.counters().duplicate_bytes += disorder.counts.duplicate - duplicate;
        yielded
    }

    /// Holds the parts of a chunk that are not held yet; returns false if a limit forbids it.
    fn hold(
        &mut self,
        chunk: Chunk<'_>,
        yielded: &Yielded,
        pool: &mut HoldPool,
        out: &mut impl Outlet,
    ) -> bool {
        let disorder = self.disorder();
        let free = disorder.free_parts(chunk, yielded);
        let segments = free.len() as u64;
        let bytes = free.iter().map(|part| part.of(chunk).bytes.len() as u64).sum::<u64>();
        let before = disorder.cost();
        let after = before + bytes + segments * PIECE_OVERHEAD;
        if free.is_empty() {
            return true;
        }
        if disorder.pieces.len() as u64 + segments > pool.max_segments {
            out.counters().hold_segments_hit += 1;
            return false;
        }
        if disorder.bytes + bytes > pool.max_bytes {
            out.counters().hold_bytes_hit += 1;
            return false;
        }
        if !pool.allows(before, after) {
            out.counters().hold_total_hit += 1;
            return false;
        }
        pool.account(before, after);
        disorder.bytes += bytes;
        for part in free {
            let chunk = part.of(chunk);
            let since = part.since.unwrap_or(pool.now);
            disorder.pieces.insert(chunk.offset, Piece::of(chunk, since));
        }
        true
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
