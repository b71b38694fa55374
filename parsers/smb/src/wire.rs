//! Little-endian fields of a message, none of which need be there.

use flowcell_sdk::prelude::*;

/// The `N` bytes at `at`.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(crate) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// An offset or a length of the wire as an index; one that does not fit is beyond all bytes.
pub(crate) fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// The `length` bytes from `offset` on, as far as they are there: what a pair of fields points to.
/// Nothing if the offset lies outside.
pub(crate) fn part(bytes: &[u8], offset: usize, length: usize) -> &[u8] {
    let rest = bytes.get(offset..).unwrap_or_default();
    rest.get(..length).unwrap_or(rest)
}

/// What the 16-bit offset at `at` and the 16-bit length behind it point to.
pub(crate) fn pointed(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let offset = u16_at(bytes, at)?;
    let length = u16_at(bytes, at.checked_add(2)?)?;
    Some(part(bytes, offset.into(), length.into()))
}

/// The 100-nanosecond intervals from 1601 to 1970.
const EPOCH: u64 = 116_444_736_000_000_000;

/// A FILETIME (MS-DTYP §2.3.3). Absent if it is 0, before 1970 or beyond what nanoseconds can say.
pub(crate) fn time_at(bytes: &[u8], at: usize) -> Option<Timestamp> {
    let ticks = u64_at(bytes, at)?.checked_sub(EPOCH)?;
    ticks.checked_mul(100).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_never_reach_outside() {
        assert_eq!(part(b"abcd", 1, 2), b"bc");
        assert_eq!(part(b"abcd", 2, 9), b"cd");
        assert_eq!(part(b"abcd", 4, 1), b"");
        assert_eq!(part(b"abcd", 5, 0), b"");
        assert_eq!(part(b"abcd", usize::MAX, usize::MAX), b"");
        assert_eq!(pointed(&[4, 0, 9, 0, 7], 0), Some(&[7][..]));
        assert_eq!(pointed(&[4, 0, 9], 0), None);
        assert_eq!(u16_at(&[1, 2], usize::MAX), None);
    }

    #[test]
    fn times_outside_what_can_be_said_are_absent() {
        let time = |ticks: u64| time_at(&ticks.to_le_bytes(), 0);
        assert_eq!(time(EPOCH + 1), Some(Timestamp(100)));
        assert_eq!(time(0), None);
        assert_eq!(time(EPOCH - 1), None);
        assert_eq!(time(u64::MAX), None);
    }
}
