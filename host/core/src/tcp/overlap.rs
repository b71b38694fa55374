//! Ranges of a stream, and which copy counts where two of them overlap.

use crate::Timestamp;

/// Which copy wins where bytes not yet delivered were sent twice with different contents.
///
/// What has been delivered can't be taken back, whatever the policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverlapPolicy {
    /// The bytes seen first.
    #[default]
    First,
    /// The bytes seen last.
    Last,
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

impl Piece {
    /// Returns the length on the wire.
    pub(crate) const fn len(&self) -> u64 {
        self.bytes.len() as u64 + self.cut
    }

    /// Returns the piece as a range that starts at `offset`.
    pub(crate) fn chunk(&self, offset: u64) -> Chunk<'_> {
        Chunk { offset, bytes: &self.bytes, len: self.len() }
    }

    /// Settles an overlap with `chunk`, given that this piece starts at `offset`.
    ///
    /// Returns whether the two copies differ. A tail that the capture cut is not compared, and
    /// stays cut: waiting for another copy of it would hold up what follows.
    pub(crate) fn resolve(&mut self, offset: u64, chunk: Chunk<'_>, policy: OverlapPolicy) -> bool {
        let theirs = chunk.from(offset);
        let skip = theirs.offset.saturating_sub(offset);
        let ours = usize::try_from(skip).ok().and_then(|skip| self.bytes.get_mut(skip..));
        let ours = ours.unwrap_or_default();
        let both = ours.len().min(theirs.bytes.len());
        let (ours, theirs) = (&mut ours[..both], &theirs.bytes[..both]);
        if ours == theirs {
            return false;
        }
        match policy {
            OverlapPolicy::First => {}
            OverlapPolicy::Last => ours.copy_from_slice(theirs),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(bytes: &[u8], cut: u64) -> Piece {
        Piece { bytes: bytes.into(), cut, since: Timestamp(0) }
    }

    fn chunk(offset: u64, bytes: &[u8]) -> Chunk<'_> {
        Chunk { offset, bytes, len: bytes.len() as u64 }
    }

    #[test]
    fn chunk_parts_keep_the_cut_tail() {
        let cut = Chunk { offset: 10, bytes: b"abc", len: 8 };
        let behind = cut.from(12);
        assert_eq!((behind.offset, behind.bytes, behind.len), (12, &b"c"[..], 6));
        let behind = cut.from(15);
        assert_eq!((behind.offset, behind.bytes, behind.len), (15, &b""[..], 3));
        let before = cut.until(12);
        assert_eq!((before.offset, before.bytes, before.len), (10, &b"ab"[..], 2));
        let before = cut.until(16);
        assert_eq!((before.offset, before.bytes, before.len), (10, &b"abc"[..], 6));
        assert_eq!(cut.from(99).len, 0);
        assert_eq!(cut.until(9).len, 0);
    }

    #[test]
    fn equal_overlap_is_no_conflict() {
        let mut held = piece(b"abcdef", 0);
        assert!(!held.resolve(100, chunk(98, b"yzab"), OverlapPolicy::Last));
        assert!(!held.resolve(100, chunk(104, b"efgh"), OverlapPolicy::Last));
        assert!(!held.resolve(100, chunk(90, b"nowhere"), OverlapPolicy::Last));
    }

    #[test]
    fn conflicting_overlap_follows_the_policy() {
        let mut held = piece(b"abcdef", 0);
        assert!(held.resolve(100, chunk(98, b"yzAB"), OverlapPolicy::First));
        assert_eq!(&*held.bytes, b"abcdef");
        assert!(held.resolve(100, chunk(98, b"yzAB"), OverlapPolicy::Last));
        assert_eq!(&*held.bytes, b"ABcdef");
        assert!(held.resolve(100, chunk(104, b"EFGH"), OverlapPolicy::Last));
        assert_eq!(&*held.bytes, b"ABcdEF");
    }

    #[test]
    fn cut_tail_is_not_compared() {
        let mut held = piece(b"ab", 4);
        assert!(!held.resolve(100, chunk(102, b"cdef"), OverlapPolicy::Last));
        assert_eq!((&*held.bytes, held.len()), (&b"ab"[..], 6));
    }
}
