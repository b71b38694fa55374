//! The digests that the host computes for a guest.

use sha2::{Digest as _, Sha256};

/// How many there are, as the contract says.
const COUNT: u32 = 16;

/// A guest's digests, by number. Those that it has not begun take nothing.
#[derive(Default)]
pub(crate) struct Digests(Vec<Option<Box<Sha256>>>);

impl Digests {
    /// Adds bytes to one. `None`: there is none of that number.
    pub(crate) fn add(&mut self, number: u32, bytes: &[u8]) -> Option<()> {
        let index = Self::index(number)?;
        if self.0.len() <= index {
            self.0.resize_with(index + 1, || None);
        }
        self.0.get_mut(index)?.get_or_insert_default().update(bytes);
        Some(())
    }

    /// Ends one. `None`: there is none of that number.
    pub(crate) fn end(&mut self, number: u32) -> Option<[u64; 4]> {
        let index = Self::index(number)?;
        let begun = self.0.get_mut(index).and_then(Option::take);
        let digest: [u8; 32] = begun.unwrap_or_default().finalize().into();
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(digest.as_chunks().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        Some(words)
    }

    fn index(number: u32) -> Option<usize> {
        (number < COUNT).then_some(number as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4's "abc", and nothing at all.
    #[test]
    fn digests_are_separate() {
        let mut digests = Digests::default();
        assert_eq!(digests.add(15, b"a"), Some(()));
        assert_eq!(digests.add(3, b"x"), Some(()));
        assert_eq!(digests.add(15, b"bc"), Some(()));
        assert_eq!(digests.add(16, b"bc"), None);
        let abc = [
            0xba78_16bf_8f01_cfea,
            0x4141_40de_5dae_2223,
            0xb003_61a3_9617_7a9c,
            0xb410_ff61_f200_15ad,
        ];
        let nothing = [
            0xe3b0_c442_98fc_1c14,
            0x9afb_f4c8_996f_b924,
            0x27ae_41e4_649b_934c,
            0xa495_991b_7852_b855,
        ];
        assert_eq!(digests.end(15), Some(abc));
        assert_eq!(digests.end(15), Some(nothing));
        assert_eq!(digests.end(0), Some(nothing));
        assert_eq!(digests.end(16), None);
    }
}
