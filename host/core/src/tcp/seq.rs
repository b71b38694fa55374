//! Sequence numbers: the only place that does arithmetic on them.
//!
//! On the wire a position in a stream is a 32-bit number that starts anywhere and wraps. Inside the
//! engine it is a 64-bit stream offset, first data byte = 0, that never wraps. [`SeqNo::offset`]
//! converts: of all offsets with the same low 32 bits it takes the one nearest to where the stream
//! is now, so streams of any length work as long as no segment is 2 GiB away from its neighbours.

use core::fmt;

/// A TCP sequence number as it is on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SeqNo(pub u32);

impl SeqNo {
    /// Returns the number `n` further on, modulo 2³².
    #[must_use]
    #[inline]
    pub const fn plus(self, n: u32) -> Self {
        Self(self.0.wrapping_add(n))
    }

    /// Returns the stream offset of this number.
    ///
    /// `first` is the sequence number of offset 0 and `near` an offset that the stream has reached.
    /// The result is negative for numbers before the start of the stream, such as the SYN's own.
    #[must_use]
    #[inline]
    pub const fn offset(self, first: Self, near: u64) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32 is what is wanted")]
        let expected = first.0.wrapping_add(near as u32);
        // RFC 9293 §3.4: comparisons are modulo 2^32; the sign of the difference says which is first.
        let ahead = self.0.wrapping_sub(expected).cast_signed();
        let near = if near > i64::MAX.cast_unsigned() { i64::MAX } else { near.cast_signed() };
        near.saturating_add(ahead as i64)
    }
}

impl fmt::Display for SeqNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offset_is_exact_across_the_wrap() {
        let first = SeqNo(u32::MAX - 9);
        assert_eq!(first.offset(first, 0), 0);
        assert_eq!(SeqNo(u32::MAX).offset(first, 0), 9);
        assert_eq!(SeqNo(0).offset(first, 0), 10);
        assert_eq!(SeqNo(5).offset(first, 10), 15);
        assert_eq!(SeqNo(u32::MAX).offset(first, 15), 9);
    }

    #[test]
    fn offset_counts_past_four_gib() {
        let first = SeqNo(1000);
        for near in [0, 1 << 31, 1 << 32, (1 << 32) + 5, 7 << 32, 1 << 50] {
            let seq = first.plus(u32::try_from(near & 0xffff_ffff).unwrap());
            assert_eq!(seq.offset(first, near), near.cast_signed());
            assert_eq!(seq.plus(100).offset(first, near), near.cast_signed() + 100);
            assert_eq!(seq.plus(u32::MAX).offset(first, near), near.cast_signed() - 1);
        }
    }

    #[test]
    fn offset_before_the_start_is_negative() {
        assert_eq!(SeqNo(41).offset(SeqNo(42), 0), -1);
        assert_eq!(SeqNo(u32::MAX).offset(SeqNo(0), 0), -1);
    }

    #[test]
    fn zero_is_an_ordinary_number() {
        assert_eq!(SeqNo(0).offset(SeqNo(0), 0), 0);
        assert_eq!(SeqNo(u32::MAX).plus(1), SeqNo(0));
    }
}
