//! What is known of a flow while its parser is being found, so that each candidate gets all of it.

use flowcell_core::{EndReason, FlowView, GapReason, Side};

use super::aside::Packet;
use crate::registry::{Next, Search};

/// Bytes that are held while a parser has a flow and has not said yet whether it is its own, in all. When
/// so many are, the parser has the flow for good.
pub(super) const MAX_HELD: usize = 16 << 10;

/// What everything but bytes of a stream counts besides its bytes. How streams are cut into packets counts
/// nothing: no outcome may depend on it.
const WEIGHT: usize = 256;

/// What happened to a side, as the flow engine has told it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    Data {
        offset: u64,
        bytes: &'a [u8],
    },
    /// `offset`: bytes of all datagrams of the side before this one.
    Datagram {
        offset: u64,
        bytes: &'a [u8],
    },
    Gap {
        offset: u64,
        len: u64,
        reason: GapReason,
    },
    End(EndReason),
}

impl<'a> Seen<'a> {
    /// Cuts bytes of a stream behind the first `most`. Everything else is whole.
    pub(super) fn split(self, most: usize) -> (Self, Option<Self>) {
        match self {
            Self::Data { offset, bytes } if bytes.len() > most => {
                let (now, later) = bytes.split_at(most);
                let behind = offset.saturating_add(most as u64);
                (
                    Self::Data { offset, bytes: now },
                    Some(Self::Data { offset: behind, bytes: later }),
                )
            }
            whole => (whole, None),
        }
    }

    /// What is left behind the next `skip` bytes of the side, which are taken off that number.
    pub(super) fn behind(self, skip: &mut u64) -> Option<Self> {
        let length = match self {
            Self::Data { bytes, .. } | Self::Datagram { bytes, .. } => bytes.len() as u64,
            Self::Gap { len, .. } => len,
            Self::End(_) => return Some(self),
        };
        let skipped = length.min(*skip);
        *skip -= skipped;
        if skipped == length && length > 0 {
            return None;
        }
        // It is at most their length.
        let left = |bytes: &'a [u8]| {
            bytes.get(usize::try_from(skipped).unwrap_or(0)..).unwrap_or_default()
        };
        let behind = |offset: u64| offset.saturating_add(skipped);
        Some(match self {
            Self::Data { offset, bytes } => {
                Self::Data { offset: behind(offset), bytes: left(bytes) }
            }
            Self::Datagram { offset, bytes } => {
                Self::Datagram { offset: behind(offset), bytes: left(bytes) }
            }
            Self::Gap { offset, len, reason } => {
                Self::Gap { offset: behind(offset), len: len - skipped, reason }
            }
            Self::End(_) => self,
        })
    }

    /// How much of what may be held it takes.
    const fn weight(&self) -> usize {
        match self {
            Self::Data { bytes, .. } => bytes.len(),
            Self::Datagram { bytes, .. } => WEIGHT + bytes.len(),
            Self::Gap { .. } | Self::End(_) => WEIGHT,
        }
    }
}

/// The same, kept.
#[derive(Debug)]
pub(super) struct Held {
    packet: Packet,
    pub(super) side: Side,
    what: What,
}

#[derive(Debug)]
enum What {
    Data { offset: u64, bytes: Box<[u8]> },
    Datagram { offset: u64, bytes: Box<[u8]> },
    Gap { offset: u64, len: u64, reason: GapReason },
    End(EndReason),
}

impl Held {
    pub(super) fn new(packet: Packet, side: Side, seen: Seen<'_>) -> Self {
        let what = match seen {
            Seen::Data { offset, bytes } => What::Data { offset, bytes: bytes.into() },
            Seen::Datagram { offset, bytes } => What::Datagram { offset, bytes: bytes.into() },
            Seen::Gap { offset, len, reason } => What::Gap { offset, len, reason },
            Seen::End(reason) => What::End(reason),
        };
        Self { packet, side, what }
    }

    pub(super) fn seen(&self) -> Seen<'_> {
        match &self.what {
            What::Data { offset, bytes } => Seen::Data { offset: *offset, bytes },
            What::Datagram { offset, bytes } => Seen::Datagram { offset: *offset, bytes },
            What::Gap { offset, len, reason } => {
                Seen::Gap { offset: *offset, len: *len, reason: *reason }
            }
            What::End(reason) => Seen::End(*reason),
        }
    }

    /// When it was, if records about it stand where those of `now` do.
    pub(super) fn when<'a>(&self, flow: &FlowView<'a>, now: Packet) -> (FlowView<'a>, Packet) {
        let packet = Packet { place: now.place, ..self.packet };
        (FlowView { ts: packet.ts, packet: packet.number, ..*flow }, packet)
    }

    /// Roughly what it takes.
    fn cost(&self) -> usize {
        let bytes = match &self.what {
            What::Data { bytes, .. } | What::Datagram { bytes, .. } => bytes.len(),
            What::Gap { .. } | What::End(_) => 0,
        };
        size_of::<Self>() + bytes
    }
}

/// Roughly what a search takes besides what is held, in bytes.
const SEARCH: usize = 768;

/// A search, and what it has to go on.
#[derive(Debug)]
pub(super) struct Pursuit {
    search: Search,
    pub(super) held: Vec<Held>,
    weight: usize,
    cost: usize,
    /// How far was looked: that many things, and bytes of the next one.
    looked_at: (usize, usize),
}

impl Pursuit {
    pub(super) fn new(search: Search) -> Self {
        // Most flows are known by their first bytes.
        let held = Vec::with_capacity(1);
        Self { search, held, weight: 0, cost: SEARCH, looked_at: (0, 0) }
    }

    pub(super) fn hold(&mut self, held: Held) {
        self.weight = self.weight.saturating_add(held.seen().weight());
        self.cost += held.cost();
        self.held.push(held);
    }

    /// Roughly what all that is held takes, in bytes.
    pub(super) const fn cost(&self) -> usize {
        self.cost
    }

    /// Bytes of a stream that are still held.
    pub(super) const fn room(&self) -> usize {
        MAX_HELD.saturating_sub(self.weight)
    }

    /// More is not held.
    pub(super) const fn is_full(&self) -> bool {
        self.room() == 0
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
                What::Datagram { bytes, .. } => self.search.datagram(*side, bytes),
                What::Gap { .. } => self.search.gap(*side),
                What::End(_) => self.search.end(*side),
            }
            self.looked_at = (self.looked_at.0 + 1, 0);
        }
    }
}
