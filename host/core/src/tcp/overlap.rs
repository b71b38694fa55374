//! Ranges of a stream, and which copy counts where two of them overlap.

use core::str::FromStr;

use super::OverlapPoliciesError;
use crate::Timestamp;
use crate::event::{AnomalyDetail, Excerpt, named};

named! {
    /// Which copy wins where bytes not yet delivered were sent twice with different contents.
    ///
    /// Each system has its own rule, and who knows it can show the receiver one stream and an
    /// observer another (Ptacek and Newsham 1998). The rules here are those of target-based
    /// reassembly (Shankar and Paxson 2003; Novak and Sturges 2007): they look at where a new
    /// segment starts and ends in comparison to one that is held. A held segment is what is left of
    /// it after earlier overlaps, as it is in the queue of a real receiver.
    ///
    /// What has been delivered can't be taken back, whatever the policy.
    OverlapPolicy {
        /// The bytes seen first.
        First = "first",
        /// The bytes seen last.
        Last = "last",
        /// The held ones, unless the new segment starts before them. BSD and what descends from it.
        Bsd = "bsd",
        /// As BSD, but a new segment that starts at the same place and ends later wins, too.
        Linux = "linux",
        /// As BSD.
        Windows = "windows",
        /// The new ones, if the new segment starts no later and ends no sooner, or starts later and
        /// ends later.
        Solaris = "solaris",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro declares the variants")]
impl Default for OverlapPolicy {
    fn default() -> Self {
        Self::First
    }
}

impl FromStr for OverlapPolicy {
    type Err = OverlapPoliciesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|policy| policy.name() == text);
        found.copied().ok_or_else(|| OverlapPoliciesError::Policy(text.into()))
    }
}

impl OverlapPolicy {
    /// Returns whether the new one of two overlapping segments wins, given both as start and end.
    fn new_wins(self, held: (u64, u64), new: (u64, u64)) -> bool {
        match self {
            Self::First => false,
            Self::Last => true,
            Self::Bsd | Self::Windows => new.0 < held.0,
            Self::Linux => new.0 < held.0 || (new.0 == held.0 && new.1 > held.1),
            Self::Solaris if new.0 <= held.0 => new.1 >= held.1,
            Self::Solaris => new.1 > held.1,
        }
    }

    /// Returns whether a new segment that wins takes its place in the queue, so that it matters for
    /// later overlaps where it starts and ends.
    const fn cares_for_ends(self) -> bool {
        !matches!(self, Self::First | Self::Last)
    }
}

/// A range of a stream as one segment carried it. The capture may have cut its tail.
///
/// Invariant: `bytes.len() ≤ len`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk<'a> {
    pub(crate) offset: u64,
    pub(crate) bytes: &'a [u8],
    pub(crate) len: u64,
}

impl<'a> Chunk<'a> {
    /// Returns the offset behind the last byte.
    pub(crate) const fn end(&self) -> u64 {
        self.offset.saturating_add(self.len)
    }

    /// Returns the part at and behind `offset`.
    pub(crate) fn from(self, offset: u64) -> Self {
        let skip = offset.saturating_sub(self.offset).min(self.len);
        let bytes = usize::try_from(skip).ok().and_then(|skip| self.bytes.get(skip..));
        Self { offset: self.offset + skip, bytes: bytes.unwrap_or_default(), len: self.len - skip }
    }

    /// Returns the part before `offset`.
    pub(crate) fn until(self, offset: u64) -> Self {
        let len = offset.saturating_sub(self.offset).min(self.len);
        let bytes: Option<&'a [u8]> =
            usize::try_from(len).ok().and_then(|len| self.bytes.get(..len));
        Self { bytes: bytes.unwrap_or(self.bytes), len, ..self }
    }
}

/// A range of a stream that waits behind a hole.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The bytes as far as they were captured.
    pub(crate) bytes: Box<[u8]>,
    /// How many more there were on the wire.
    pub(crate) cut: u64,
    /// Since when bytes at or behind this place have been waiting.
    pub(crate) since: Timestamp,
}

/// What is to become of a held piece that a new segment overlaps.
#[derive(Debug)]
pub(crate) enum Resolution {
    /// It stays where it is.
    Stays,
    /// It makes room for the new segment; what the new one does not cover comes back under its offset.
    Yields(Option<(u64, Piece)>),
}

impl Piece {
    /// Makes a piece of a range.
    pub(crate) fn of(chunk: Chunk<'_>, since: Timestamp) -> Self {
        let cut = chunk.len - chunk.bytes.len() as u64;
        Self { bytes: chunk.bytes.into(), cut, since }
    }

    /// Returns the length on the wire.
    pub(crate) const fn len(&self) -> u64 {
        self.bytes.len() as u64 + self.cut
    }

    /// Returns the piece as a range that starts at `offset`.
    pub(crate) fn chunk(&self, offset: u64) -> Chunk<'_> {
        Chunk { offset, bytes: &self.bytes, len: self.len() }
    }

    /// Settles an overlap with `chunk`, given that this piece starts at `at`; tells `conflict` if the
    /// two copies differ.
    ///
    /// A tail that the capture cut is not compared, and stays cut: waiting for another copy of it
    /// would hold up what follows.
    pub(crate) fn resolve(
        &mut self,
        at: u64,
        chunk: Chunk<'_>,
        policy: OverlapPolicy,
        conflict: &mut dyn FnMut(&AnomalyDetail),
    ) -> Resolution {
        let end = at + self.len();
        let theirs = chunk.from(at);
        let skip = theirs.offset.saturating_sub(at);
        let ours = usize::try_from(skip).ok().and_then(|skip| self.bytes.get_mut(skip..));
        let ours = ours.unwrap_or_default();
        let both = ours.len().min(theirs.bytes.len());
        let (ours, bytes) = (&mut ours[..both], &theirs.bytes[..both]);
        if bytes.is_empty() {
            return Resolution::Stays;
        }
        let wins = policy.new_wins((at, end), (chunk.offset, chunk.end()));
        if let Some(found) = difference(theirs.offset, ours, bytes, wins) {
            conflict(&found);
        }
        if !wins {
            return Resolution::Stays;
        }
        let taken = (theirs.offset, theirs.offset + both as u64);
        if !policy.cares_for_ends() || (taken.0 > at && taken.1 < end) {
            ours.copy_from_slice(bytes);
            return Resolution::Stays;
        }
        let whole = self.chunk(at);
        let rest = if taken.0 > at { whole.until(taken.0) } else { whole.from(taken.1) };
        let rest = (rest.len != 0).then(|| (rest.offset, Self::of(rest, self.since)));
        Resolution::Yields(rest)
    }
}

/// Returns where two copies that start at `offset` differ, if they do.
fn difference(offset: u64, held: &[u8], new: &[u8], new_wins: bool) -> Option<AnomalyDetail> {
    let differ = |(a, b): (&u8, &u8)| a != b;
    let first = held.iter().zip(new).position(differ)?;
    let last = held.iter().zip(new).rposition(differ)?;
    let [held, new] =
        [held, new].map(|copy| Excerpt::of(copy.get(first..=last).unwrap_or_default()));
    let (kept, rejected) = if new_wins { (new, held) } else { (held, new) };
    let (first, last) = (first as u64, last as u64);
    Some(AnomalyDetail { offset: offset + first, len: last - first + 1, kept, rejected })
}

#[cfg(test)]
mod tests;
