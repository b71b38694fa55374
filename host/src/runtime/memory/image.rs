//! What is kept of the memory of a cell that is parked.
//!
//! Most of a quiet guest's memory is as it was when the guest was made. What is kept is the
//! difference, page by page, compressed.

use std::sync::Arc;

use lz4_flex::block::{compress, decompress_into};

use super::mapping::{Mapping, is_zero};

const PAGE: usize = Mapping::PAGE;

/// The largest memory that is parked, in bytes: more takes too long.
pub(crate) const LARGEST: usize = 1 << 20;

/// A guest's memory when it has just been made, without the zeros at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Initial {
    bytes: Arc<[u8]>,
    /// Bytes of the memory, zeros included.
    len: usize,
}

impl Initial {
    pub(crate) fn of(memory: &[u8]) -> Self {
        let end = memory.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Self { bytes: memory.get(..end).unwrap_or_default().into(), len: memory.len() }
    }

    /// Bytes of the memory.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The bytes of one page; those that are missing at its end are zero.
    fn page(&self, index: usize) -> &[u8] {
        let start = index.saturating_mul(PAGE).min(self.bytes.len());
        let end = start.saturating_add(PAGE).min(self.bytes.len());
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Makes `memory`, all of it zero, what it was at first.
    pub(crate) fn put_into(&self, memory: &mut [u8]) {
        for (to, from) in memory.iter_mut().zip(self.bytes.iter()) {
            *to = *from;
        }
    }

    /// Makes `memory` what it was at first, whatever has become of it. Pages that did not change are only
    /// read.
    pub(crate) fn renew(&self, memory: &mut [u8]) {
        for (index, now) in memory.chunks_mut(PAGE).enumerate() {
            let first = self.page(index);
            let Some((with_data, zeros)) = now.split_at_mut_checked(first.len()) else { continue };
            if with_data != first {
                with_data.copy_from_slice(first);
            }
            if !is_zero(zeros) {
                zeros.fill(0);
            }
        }
    }

    /// Returns whether a page is as it was at first.
    fn has(&self, index: usize, now: &[u8]) -> bool {
        let first = self.page(index);
        now.strip_prefix(first).is_some_and(is_zero)
    }
}

/// A memory as its difference to what it was at first.
#[derive(Debug)]
pub(crate) struct Image {
    /// Bytes of the memory.
    len: u32,
    /// Bytes of the difference before it was compressed.
    plain: u32,
    packed: Box<[u8]>,
}

/// An image does not fit the memory that it is to be put into.
#[derive(Debug, thiserror::Error)]
#[error("what was kept of a parked parser's memory can not be put back")]
pub(crate) struct Misfit;

impl Image {
    /// Takes the image of a memory, unless it is larger than [`LARGEST`].
    pub(crate) fn of(memory: &[u8], initial: &Initial) -> Option<Self> {
        let len = u32::try_from(memory.len()).ok().filter(|_| memory.len() <= LARGEST)?;
        let mut plain = Vec::new();
        for (index, page) in (0_u16..).zip(memory.chunks(PAGE)) {
            if initial.has(index.into(), page) {
                continue;
            }
            plain.extend_from_slice(&index.to_le_bytes());
            let start = plain.len();
            plain.extend_from_slice(page);
            // What is as at first becomes zero, and zeros take next to nothing.
            xor(plain.get_mut(start..)?, initial.page(index.into()));
        }
        let packed = compress(&plain).into_boxed_slice();
        Some(Self { len, plain: u32::try_from(plain.len()).ok()?, packed })
    }

    /// Bytes of the memory.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Bytes that the image takes.
    pub(crate) const fn stored(&self) -> usize {
        self.packed.len()
    }

    /// Puts the image into a memory that is as it was at first.
    pub(crate) fn put_into(&self, memory: &mut [u8]) -> Result<(), Misfit> {
        let mut plain = vec![0; self.plain as usize];
        let filled = decompress_into(&self.packed, &mut plain).map_err(|_| Misfit)?;
        if filled != plain.len() || memory.len() != self.len as usize {
            return Err(Misfit);
        }
        for entry in plain.chunks(2 + PAGE) {
            let (index, difference) = entry.split_first_chunk().ok_or(Misfit)?;
            let start = usize::from(u16::from_le_bytes(*index)) * PAGE;
            let page = memory.get_mut(start..start + difference.len()).ok_or(Misfit)?;
            xor(page, difference);
        }
        Ok(())
    }
}

fn xor(bytes: &mut [u8], with: &[u8]) {
    for (byte, with) in bytes.iter_mut().zip(with) {
        *byte ^= with;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(pages: usize, bytes: &[(usize, u8)]) -> Vec<u8> {
        let mut memory = vec![0; pages * PAGE];
        for (at, byte) in bytes {
            memory[*at] = *byte;
        }
        memory
    }

    #[test]
    fn an_image_brings_every_byte_back() {
        let first = memory(16, &[(0, 1), (5000, 2), (5001, 3)]);
        let initial = Initial::of(&first);
        let cases = [
            first.clone(),
            memory(16, &[]),
            memory(16, &[(0, 1), (5000, 9), (65_535, 7)]),
            memory(32, &[(0, 1), (100_000, 1)]),
            (0..=250).cycle().take(16 * PAGE).collect(),
        ];
        for case in cases {
            let image = Image::of(&case, &initial).expect("it is small enough");
            let mut again = vec![0; case.len()];
            initial.put_into(&mut again);
            image.put_into(&mut again).expect("it fits");
            assert!(again == case);
        }
    }

    #[test]
    fn a_memory_is_made_what_it_was_at_first() {
        let first = memory(16, &[(0, 1), (5000, 2), (5001, 3)]);
        let initial = Initial::of(&first);
        for mut used in [
            first.clone(),
            memory(16, &[]),
            memory(16, &[(0, 2), (4096, 1), (5002, 3), (9000, 1), (65_535, 7)]),
            vec![0xff; 16 * PAGE],
        ] {
            initial.renew(&mut used);
            assert!(used == first);
        }
    }

    #[test]
    fn what_did_not_change_takes_nothing() {
        let first = memory(16, &[(4096, 1)]);
        let image = Image::of(&first, &Initial::of(&first)).expect("it is small enough");
        assert!(image.stored() < 4, "{}", image.stored());
    }

    #[test]
    fn misfits_are_told() {
        let initial = Initial::of(&[]);
        let image = Image::of(&memory(2, &[(1, 1)]), &initial).expect("it is small enough");
        assert!(image.put_into(&mut memory(1, &[])).is_err());
        assert!(image.put_into(&mut memory(3, &[])).is_err());
        assert!(Image::of(&vec![0; LARGEST + PAGE], &initial).is_none());
    }
}
