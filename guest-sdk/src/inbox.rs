//! What was delivered and not read yet.
//!
//! ```text
//!   stream.buffer (owned by the parser's reads)      inbox.buffer (filled by deliveries)
//!   ┌──────────┬───────────────────┐                 ┌──────────────────────────┐
//!   │ consumed │ unread            │                 │ delivered since          │
//!   └──────────┴───────────────────┘                 └──────────────────────────┘
//!              ▲ start      marks: gap, end, boundary at an index of `bytes`
//! ```
//!
//! A slice returned by a read borrows the stream's buffer, so a delivery must not move it: it goes to
//! the inbox. A read that has to wait hands its unread remainder to the inbox first, and then new
//! bytes land directly behind it: no copy where the parser waits for the side that sends.

use std::task::Waker;

use crate::read_error::{EndReason, GapReason};

/// Something that happened between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Gap {
        length: u64,
        reason: GapReason,
    },
    End(EndReason),
    /// A datagram ended here.
    Boundary,
}

/// Bytes of one side with the marks between them.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    /// `bytes[..start]` is consumed; `start ≤ bytes.len()`.
    pub(crate) start: usize,
    /// By index into `bytes`, ascending; each index ≥ `start`.
    marks: Vec<(usize, Mark)>,
    /// `marks[..passed]` are gone; `passed ≤ marks.len()`.
    passed: usize,
}

impl Buffer {
    /// Neither bytes nor marks are left.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.bytes.len() && self.passed == self.marks.len()
    }

    /// The unread bytes up to the next gap or end.
    pub(crate) fn readable(&self) -> &[u8] {
        let stop = match self.stop() {
            Some((index, _)) => index,
            None => self.bytes.len(),
        };
        &self.bytes[self.start..stop]
    }

    /// The unread bytes, if there is no mark among them or behind them.
    #[inline(always)]
    pub(crate) fn unmarked(&self) -> Option<&[u8]> {
        if self.passed == self.marks.len() { self.bytes.get(self.start..) } else { None }
    }

    /// Marks `count` of the [`unmarked`](Self::unmarked) bytes as read, and returns them.
    #[inline(always)]
    pub(crate) fn consume_unmarked(&mut self, count: usize) -> &[u8] {
        let start = self.start;
        self.start += count;
        &self.bytes[start..self.start]
    }

    /// The gap or end that stops reading, and where.
    pub(crate) fn stop(&self) -> Option<(usize, Mark)> {
        let marks = self.marks.get(self.passed..)?;
        marks.iter().find(|(_, mark)| *mark != Mark::Boundary).copied()
    }

    /// Length of the first datagram, if one is complete.
    pub(crate) fn datagram(&self) -> Option<usize> {
        match self.marks.get(self.passed) {
            Some((index, Mark::Boundary)) => Some(index - self.start),
            _ => None,
        }
    }

    /// Marks `count` readable bytes as read, and forgets datagram boundaries on the way.
    pub(crate) fn consume(&mut self, count: usize) {
        if count == 0 {
            return; // an empty datagram that stands here is not read
        }
        self.start += count;
        debug_assert!(self.start <= self.bytes.len());
        while let Some((index, Mark::Boundary)) = self.marks.get(self.passed)
            && *index <= self.start
        {
            self.passed += 1;
        }
    }

    /// Marks the first datagram, of `length` bytes, as read.
    pub(crate) fn consume_datagram(&mut self, length: usize) {
        self.start += length;
        self.passed += 1;
    }

    /// Steps over the gap at the front, giving up the bytes before it. Returns how many those were.
    pub(crate) fn pass_gap(&mut self) -> usize {
        let cut = self.readable().len();
        self.start += cut;
        self.pass_boundaries();
        if let Some((_, Mark::Gap { .. })) = self.marks.get(self.passed) {
            self.passed += 1;
        }
        cut
    }

    /// Takes `by` bytes off the front of the gap that stops reading. Nothing is readable before it.
    pub(crate) fn shorten_gap(&mut self, by: u64) {
        self.pass_boundaries();
        if let Some((_, Mark::Gap { length, .. })) = self.marks.get_mut(self.passed) {
            *length -= by;
        }
    }

    /// Forgets the datagram boundaries before the gap or end that stops reading.
    fn pass_boundaries(&mut self) {
        while let Some((_, Mark::Boundary)) = self.marks.get(self.passed) {
            self.passed += 1;
        }
    }

    /// The unread bytes behind the last gap.
    pub(crate) fn tail(&self) -> &[u8] {
        let marks = self.marks.get(self.passed..).unwrap_or_default();
        let gap = marks.iter().rfind(|(_, mark)| matches!(mark, Mark::Gap { .. }));
        &self.bytes[gap.map_or(self.start, |(index, _)| *index)..]
    }

    /// Empties the buffer and keeps its room.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
        self.marks.clear();
        self.passed = 0;
    }

    pub(crate) fn push_mark(&mut self, mark: Mark) {
        self.marks.push((self.bytes.len(), mark));
    }

    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        self.compact();
        self.bytes.extend_from_slice(bytes);
    }

    /// Drops what is consumed, so that a buffer holds one incomplete unit and what follows it.
    pub(crate) fn compact(&mut self) {
        if self.passed > 0 {
            self.marks.copy_within(self.passed.., 0);
            self.marks.truncate(self.marks.len() - self.passed);
            self.passed = 0;
        }
        if self.start == 0 {
            return;
        }
        self.bytes.copy_within(self.start.., 0);
        self.bytes.truncate(self.bytes.len() - self.start);
        for (index, _) in &mut self.marks {
            *index -= self.start;
        }
        self.start = 0;
    }

    /// Moves all of `later` behind what is here.
    pub(crate) fn append(&mut self, later: &mut Self) {
        self.compact();
        later.compact();
        let shift = self.bytes.len();
        self.bytes.append(&mut later.bytes);
        for (index, mark) in &later.marks {
            self.marks.push((index + shift, *mark));
        }
        later.marks.clear();
    }
}

/// One side's deliveries and who waits for them.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) buffer: Buffer,
    pub(crate) waker: Option<Waker>,
}

/// When so many bytes of one side wait for a parser that reads the other, 256 KiB, what comes next is
/// a gap: a peer that only talks must not use up the parser's memory.
const MAX_WAITING: usize = 256 << 10;

impl Inbox {
    /// So much waits that nothing more can.
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.bytes.len() - self.buffer.start >= MAX_WAITING
    }

    /// Wakes the read that waits for this side, if any.
    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
