//! SplitMix64: small, fast, and the same on every machine.

use crate::bits::{low8, low16, low32};

/// A source of numbers that looks random.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A source of its own for item `item`, unrelated to those of other items.
    pub(crate) const fn of(seed: u64, item: u64) -> Self {
        Self(mixed(seed ^ mixed(item.wrapping_add(0x5851_f42d_4c95_7f2d))))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    pub(crate) const fn u32(&mut self) -> u32 {
        low32(self.next() >> 32)
    }

    pub(crate) const fn u16(&mut self) -> u16 {
        low16(self.next() >> 48)
    }

    pub(crate) const fn u8(&mut self) -> u8 {
        low8(self.next() >> 56)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(crate) const fn below(&mut self, bound: u32) -> u32 {
        low32(((self.next() >> 32) * bound as u64) >> 32)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) const fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    pub(crate) const fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(low32(from.len() as u64)) as usize]
    }

    /// A size from `low` to `high`, bell-shaped over its logarithm as sizes of mails and pages are.
    pub(crate) fn size(&mut self, low: u32, high: u32) -> u32 {
        let octaves = (high / low.max(1)).max(1).ilog2();
        let octave = (0..3).map(|_| self.below(octaves + 1)).sum::<u32>() / 3;
        let base = low << octave;
        (base + self.below(base)).min(high)
    }
}

const fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn numbers_are_those_of_the_published_algorithm() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!(rng.next(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn sizes_stay_in_range_and_reach_most_of_it() {
        let mut rng = Rng::new(1);
        let sizes: Vec<_> = (0..10_000).map(|_| rng.size(200, 300_000)).collect();
        assert!(sizes.iter().all(|size| (200..=300_000).contains(size)));
        assert!(sizes.iter().any(|size| *size < 1000) && sizes.iter().any(|size| *size > 150_000));
    }
}
