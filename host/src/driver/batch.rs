//! Packets on their way from the dispatcher to the lanes.

use flowcell_core::{Arrival, Detached, Timestamp};

/// Frames in a batch, at most. Timers of lanes without packets fire between batches, whenever
/// so many frames have come, so that when they fire does not depend on how frames come in.
pub(super) const FRAMES: u64 = 1024;

/// Frames in a batch, at most, when what is made of them takes much memory.
pub(super) const FEW_FRAMES: u64 = 16;

/// Bytes of records made of one batch that are much.
pub(super) const MUCH_OUTPUT: usize = 8 << 20;

/// Bytes after which a batch is full.
pub(super) const BYTES: usize = 1 << 20;

/// The packets of some frames that follow each other.
#[derive(Debug)]
pub(super) struct Batch {
    /// What packets have borrowed from their frames.
    bytes: Vec<u8>,
    /// The packets of each lane.
    lanes: Vec<Vec<Packed>>,
    /// Number of the last frame, and the time that it then is.
    pub(super) end: (u64, Timestamp),
    /// Digits that times have behind the second.
    pub(super) digits: usize,
    pub(super) frames: u64,
    /// Timers of all lanes are to be looked at behind this batch.
    pub(super) ends_round: bool,
    /// Breakers are judged behind this batch.
    pub(super) judged: bool,
}

/// A packet without its bytes.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) arrival: Detached,
    start: u32,
    len: u32,
    /// Digits that its time has behind the second.
    pub(super) digits: u8,
}

impl Batch {
    pub(super) fn new(lanes: usize) -> Self {
        Self {
            bytes: Vec::new(),
            lanes: (0..lanes).map(|_| Vec::new()).collect(),
            end: (0, Timestamp(0)),
            digits: 6,
            frames: 0,
            ends_round: false,
            judged: false,
        }
    }

    /// Takes all out, so that it can be used for the frames to come; memory is kept.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.lanes.iter_mut().for_each(Vec::clear);
        (self.frames, self.ends_round, self.judged) = (0, false, false);
    }

    /// Adds a packet.
    #[inline]
    pub(super) fn push(&mut self, arrival: Arrival<'_>, digits: usize) {
        let (start, len) = (self.bytes.len(), arrival.bytes().len());
        self.bytes.extend_from_slice(arrival.bytes());
        // All flows between two hosts have the same lane: one may be expected by another.
        let lane = (arrival.hosts >> 32) % self.lanes.len().max(1) as u64;
        if let Some(lane) = usize::try_from(lane).ok().and_then(|lane| self.lanes.get_mut(lane)) {
            // A batch is full long before it has 4 GiB, and there are at most nine digits.
            let short = |len: usize| u32::try_from(len).unwrap_or(0);
            let (start, len) = (short(start), short(len));
            let digits = u8::try_from(digits).unwrap_or(9);
            lane.push(Packed { arrival: arrival.detach(), start, len, digits });
        }
    }

    /// Returns whether it is to be handed on, given how many frames it may have.
    pub(super) fn is_full(&self, frames: u64) -> bool {
        self.bytes.len() >= BYTES || self.frames >= frames
    }

    /// Returns whether there are packets of a lane.
    pub(super) fn concerns(&self, lane: usize) -> bool {
        self.lanes.get(lane).is_some_and(|packets| !packets.is_empty())
    }

    /// Returns a lane's packets, in portions of `size`.
    pub(super) fn portions(&self, lane: usize, size: usize) -> impl Iterator<Item = &[Packed]> {
        self.lanes.get(lane).map(|lane| lane.chunks(size)).into_iter().flatten()
    }

    /// Returns a packet with its bytes.
    pub(super) fn arrival(&self, packed: &Packed) -> Arrival<'_> {
        let start = packed.start as usize;
        let bytes = self.bytes.get(start..start + packed.len as usize);
        packed.arrival.attach(bytes.unwrap_or_default())
    }
}
