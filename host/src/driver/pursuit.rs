//! What is known of a flow while its parser is being found, so that each candidate gets all of it.

use flowcell_core::{EndReason, GapReason, Side};

use super::aside::Packet;
use crate::registry::{Next, Search};

/// Bytes that are held while a parser has a flow and has not said yet whether it is its own, in all. Beyond
/// it the parser has the flow for good.
pub(super) const MAX_HELD: usize = 16 << 10;

/// Things that are held at most.
const MAX_EVENTS: usize = 64;

/// What happened to a side, as the flow engine has told it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    Data { offset: u64, bytes: &'a [u8] },
    Datagram(&'a [u8]),
    Gap { offset: u64, len: u64, reason: GapReason },
    End(EndReason),
}

impl Seen<'_> {
    /// The last so many bytes of a stream, if there are any.
    pub(super) fn tail(&self, left: usize) -> Option<Self> {
        let Self::Data { offset, bytes } = *self else { return None };
        let before = bytes.len().checked_sub(left).filter(|_| left > 0)?;
        Some(Self::Data { offset: offset.saturating_add(before as u64), bytes: &bytes[before..] })
    }
}

/// The same, kept.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) packet: Packet,
    pub(super) side: Side,
    what: What,
}

#[derive(Debug)]
enum What {
    Data { offset: u64, bytes: Box<[u8]> },
    Datagram(Box<[u8]>),
    Gap { offset: u64, len: u64, reason: GapReason },
    End(EndReason),
}

impl Held {
    pub(super) fn new(packet: Packet, side: Side, seen: Seen<'_>) -> Self {
        let what = match seen {
            Seen::Data { offset, bytes } => What::Data { offset, bytes: bytes.into() },
            Seen::Datagram(bytes) => What::Datagram(bytes.into()),
            Seen::Gap { offset, len, reason } => What::Gap { offset, len, reason },
            Seen::End(reason) => What::End(reason),
        };
        Self { packet, side, what }
    }

    pub(super) fn seen(&self) -> Seen<'_> {
        match &self.what {
            What::Data { offset, bytes } => Seen::Data { offset: *offset, bytes },
            What::Datagram(bytes) => Seen::Datagram(bytes),
            What::Gap { offset, len, reason } => {
                Seen::Gap { offset: *offset, len: *len, reason: *reason }
            }
            What::End(reason) => Seen::End(*reason),
        }
    }

    /// Roughly what it takes.
    fn cost(&self) -> usize {
        let bytes = match &self.what {
            What::Data { bytes, .. } | What::Datagram(bytes) => bytes.len(),
            What::Gap { .. } | What::End(_) => 0,
        };
        size_of::<Self>() + bytes
    }
}

/// A search, and what it has to go on.
#[derive(Debug)]
pub(super) struct Pursuit {
    search: Search,
    pub(super) held: Vec<Held>,
    cost: usize,
    /// How far was looked: that many things, and bytes of the next one.
    looked_at: (usize, usize),
}

impl Pursuit {
    pub(super) fn new(search: Search) -> Self {
        Self { search, held: Vec::new(), cost: 0, looked_at: (0, 0) }
    }

    pub(super) fn hold(&mut self, held: Held) {
        self.cost += held.cost();
        self.held.push(held);
    }

    /// Roughly what all that is held takes, in bytes.
    pub(super) const fn cost(&self) -> usize {
        self.cost
    }

    /// More is not held.
    pub(super) fn is_full(&self) -> bool {
        self.cost > MAX_HELD || self.held.len() > MAX_EVENTS
    }

    /// Who is tried next, or why nobody is. It is found out from what is there now if `last`.
    pub(super) fn next(&mut self, last: bool) -> Next {
        self.look();
        if last && !self.search.has_candidates() {
            self.search.give_up_waiting();
        }
        self.search.decide()
    }

    /// Looks at what is held, up to the first match.
    fn look(&mut self) {
        while !self.search.has_candidates()
            && let Some(Held { side, what, .. }) = self.held.get(self.looked_at.0)
        {
            match what {
                What::Data { bytes, .. } => {
                    let rest = bytes.get(self.looked_at.1..).unwrap_or_default();
                    let looked_at = self.search.bytes(*side, rest);
                    if looked_at < rest.len() {
                        self.looked_at.1 += looked_at;
                        continue;
                    }
                }
                What::Datagram(bytes) => self.search.datagram(*side, bytes),
                What::Gap { .. } | What::End(_) => self.search.end(*side),
            }
            self.looked_at = (self.looked_at.0 + 1, 0);
        }
    }
}
