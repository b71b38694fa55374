//! A delivery of several packets, of which the parser is given one after the other.

use std::cell::Cell;

use crate::info::Side;

/// How far the parser got in the delivery.
///
/// ```text
///   segment 0 │ segment 1 │ segment 2 │ segment 3 │ segment 4
///   ──────────┴───────────┴───────────┴───────────┴──────────
///    given to the parser   ▲ now       ├──── behind ────────┤
///                                      ├─ skip ─┤
/// ```
#[derive(Debug, Default)]
pub(crate) struct Batch {
    side: Cell<Option<Side>>,
    /// Segments that were looked at; the one that the parser has is the last of them.
    count: Cell<u32>,
    /// The index that the host knows of.
    told: Cell<u32>,
    /// Bytes of later segments.
    behind: Cell<usize>,
    /// How many of them the parser does not want, from the first on; ≤ `behind`.
    skip: Cell<usize>,
}

impl Batch {
    /// Starts with a delivery of so many bytes.
    pub(crate) fn begin(&self, side: Side, length: usize) {
        self.side.set(Some(side));
        self.count.set(0);
        self.behind.set(length);
        self.skip.set(0);
    }

    /// Goes on to the next segment; returns what the parser wants of it.
    pub(crate) fn next<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let skipped = self.skip.get().min(bytes.len());
        self.skip.set(self.skip.get() - skipped);
        self.behind.set(self.behind.get().saturating_sub(bytes.len()));
        self.count.set(self.count.get() + 1);
        &bytes[skipped..]
    }

    /// The delivery was dealt with: what comes next is about a packet of its own.
    pub(crate) fn end(&self) {
        self.side.set(None);
        self.count.set(0);
        self.told.set(0);
    }

    /// Leaves out `bytes` of the next bytes of `side`; returns how many of them are still to come.
    pub(crate) fn skip(&self, side: Side, bytes: u64) -> u64 {
        if self.side.get() != Some(side) {
            return bytes;
        }
        let free = self.behind.get() - self.skip.get();
        let here = usize::try_from(bytes).map_or(free, |bytes| bytes.min(free));
        self.skip.set(self.skip.get() + here);
        bytes - here as u64
    }

    /// Leaves out the rest of `side`.
    pub(crate) fn done(&self, side: Side) {
        self.skip(side, u64::MAX);
    }

    /// The index of the segment that the parser has, unless the host knows it. It does after this.
    pub(crate) fn untold(&self) -> Option<u32> {
        let index = self.count.get().saturating_sub(1);
        (self.told.replace(index) != index).then_some(index)
    }
}
