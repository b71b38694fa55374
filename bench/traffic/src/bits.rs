//! The low bits of wider numbers, where that is meant.

#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is asked for")]
pub(crate) const fn low32(value: u64) -> u32 {
    value as u32
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is asked for")]
pub(crate) const fn low16(value: u64) -> u16 {
    value as u16
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is asked for")]
pub(crate) const fn low8(value: u64) -> u8 {
    value as u8
}

/// Lengths in this crate stay far below 4 GiB.
pub(crate) const fn len32(bytes: &[u8]) -> u32 {
    low32(bytes.len() as u64)
}
