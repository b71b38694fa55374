//! One datagram, as far as it is there.

use std::collections::BTreeMap;

use super::{Fragment, FragmentAnomaly, fingerprint};
use crate::decode::VlanTags;

/// What a held fragment costs besides its bytes: its place in the tree and its allocation.
pub(super) const PIECE_OVERHEAD: u64 = 96;

/// The bytes of a fragment and where they belong. Never empty, and ends within 65,535 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) start: u32,
    pub(super) bytes: &'a [u8],
    /// Whether the datagram ends with it.
    pub(super) last: bool,
}

impl Part<'_> {
    fn end(&self) -> u32 {
        self.start.saturating_add(length(self.bytes))
    }

    /// Returns what it costs to hold it.
    pub(super) const fn cost(&self) -> u64 {
        PIECE_OVERHEAD + self.bytes.len() as u64
    }
}

/// What a part is to its datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of its bytes are new.
    New,
    /// The same part has come before.
    Duplicate,
    /// It can't be true together with what is held.
    Contradiction(FragmentAnomaly),
}

/// The parts of a datagram that have come.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// By where they start; they don't overlap.
    pieces: BTreeMap<u32, Box<[u8]>>,
    /// Sum of their bytes.
    bytes: u32,
    /// Where the datagram ends, once its last part has come. Nothing held is behind it.
    end: Option<u32>,
    /// Sum of the packets' lengths, IP headers included.
    pub(super) ip_len: u64,
    /// Of the first part.
    pub(super) vlan: VlanTags,
    /// Of the first part.
    pub(super) protocol: u8,
}

impl Partial {
    pub(super) fn fragments(&self) -> usize {
        self.pieces.len()
    }

    /// Compares a part with what is held.
    pub(super) fn check(&self, part: Part<'_>) -> Verdict {
        let (start, end) = (part.start, part.end());
        // If any piece overlaps the part, then so does the last one that starts before its end.
        if let Some((&at, piece)) = self.pieces.range(..end).next_back()
            && at.saturating_add(length(piece)) > start
        {
            return if at != start || **piece != *part.bytes {
                Verdict::Contradiction(FragmentAnomaly::Overlap)
            } else if part.last != (self.end == Some(end)) {
                Verdict::Contradiction(FragmentAnomaly::Inconsistent)
            } else {
                Verdict::Duplicate
            };
        }
        let behind = self.pieces.range(end..).next().is_some();
        let contradiction = match self.end {
            Some(known) => part.last || end > known,
            None => part.last && behind,
        };
        if contradiction {
            Verdict::Contradiction(FragmentAnomaly::Inconsistent)
        } else {
            Verdict::New
        }
    }

    /// Adds a new part; returns whether the datagram is whole.
    pub(super) fn add(&mut self, fragment: &Fragment<'_>, part: Part<'_>) -> bool {
        if part.start == 0 {
            (self.vlan, self.protocol) = (fragment.vlan, fragment.protocol);
        }
        if part.last {
            self.end = Some(part.end());
        }
        self.ip_len = self.ip_len.saturating_add(fragment.ip_len);
        self.bytes = self.bytes.saturating_add(length(part.bytes));
        self.pieces.insert(part.start, part.bytes.into());
        self.end == Some(self.bytes)
    }

    /// Returns the bytes of all parts, and how to recognise the parts.
    pub(super) fn join(&self, secret: [u64; 2]) -> (Vec<u8>, Prints) {
        let mut bytes = Vec::with_capacity(self.bytes as usize);
        let mut prints = Vec::with_capacity(self.pieces.len());
        for (&start, piece) in &self.pieces {
            bytes.extend_from_slice(piece);
            prints.push(Print { start, len: length(piece), hash: fingerprint(piece, secret) });
        }
        (bytes, Prints(prints.into()))
    }
}

#[cfg(test)]
impl Partial {
    /// Returns what its pieces cost, counted anew.
    pub(super) fn cost(&self) -> u64 {
        self.pieces.values().map(|piece| PIECE_OVERHEAD + piece.len() as u64).sum()
    }
}

/// What is remembered of one part.
#[derive(Debug)]
struct Print {
    start: u32,
    len: u32,
    hash: u64,
}

/// What is remembered of the parts of a whole datagram, in order.
#[derive(Debug)]
pub(super) struct Prints(Box<[Print]>);

impl Prints {
    /// Returns whether the datagram had this very part.
    pub(super) fn contain(&self, part: Part<'_>, secret: [u64; 2]) -> bool {
        let Ok(at) = self.0.binary_search_by_key(&part.start, |print| print.start) else {
            return false;
        };
        self.0.get(at).is_some_and(|print| {
            print.len == length(part.bytes)
                && part.last == (at + 1 == self.0.len())
                && print.hash == fingerprint(part.bytes, secret)
        })
    }

    /// Returns what they take, in bytes.
    pub(super) fn cost(&self) -> u64 {
        size_of_val(&*self.0) as u64
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// Returns the most that a place in a B-tree takes: a node has room for 11 entries, 12 children and
/// a header, is an allocation, and is at least 5 entries full unless it is the root.
pub(super) const fn tree_share(entry: usize) -> u64 {
    (tree_node(entry) / 5) as u64
}

/// Returns the most that a node of a B-tree takes.
pub(super) const fn tree_node(entry: usize) -> usize {
    11 * entry + 12 * size_of::<usize>() + 16 + 16
}

/// What a piece takes in the tree, its own size aside.
const PIECE: usize = size_of::<u32>() + size_of::<Box<[u8]>>();

/// The tree's first node, which a datagram has however few pieces it has.
pub(super) const PIECES_ROOT: u64 = tree_node(PIECE) as u64;

// 24 bytes are what an allocation of a few bytes loses to its header and to rounding.
const _: () = assert!(PIECE_OVERHEAD >= tree_share(PIECE) + 24);
