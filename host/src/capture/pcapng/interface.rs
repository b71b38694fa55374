//! What an interface description says about its packets: link type, snaplen and clock.

use flowcell_core::{LinkType, Timestamp};

use crate::capture::{Precision, endian::Endian};

const END_OF_OPTIONS: u16 = 0;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

/// One interface of a section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    pub(super) link: LinkType,
    /// Most bytes kept per frame; 0 means all.
    pub(super) snaplen: u32,
    resolution: Resolution,
    /// Added to every time, in seconds.
    offset: i64,
}

/// How long a tick of the interface's clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    /// 10^-n seconds.
    Decimal(u32),
    /// 2^-n seconds.
    Binary(u32),
}

impl Interface {
    /// Reads an interface description block's body, which has 8 bytes at least.
    pub(super) fn parse(endian: Endian, body: &[u8]) -> Self {
        let mut interface = Self {
            link: LinkType(u32::from(endian.u16(body, 0))),
            snaplen: endian.u32(body, 4),
            resolution: Resolution::Decimal(6),
            offset: 0,
        };
        let mut options = body.get(8..).unwrap_or_default();
        while options.len() >= 4 {
            let (code, length) = (endian.u16(options, 0), usize::from(endian.u16(options, 2)));
            let Some(value) = options.get(4..4 + length) else { break };
            match (code, value) {
                (END_OF_OPTIONS, _) => break,
                (IF_TSRESOL, [exponent, ..]) => {
                    let n = u32::from(exponent & 0x7f);
                    interface.resolution = match exponent & 0x80 {
                        0 => Resolution::Decimal(n),
                        _ => Resolution::Binary(n),
                    };
                }
                (IF_TSOFFSET, [_, _, _, _, _, _, _, _, ..]) => {
                    interface.offset = endian.i64(value, 0);
                }
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
        interface
    }

    /// Turns a packet's ticks into a time; one outside the years 1970 to 2554 becomes the nearer
    /// end of that range.
    pub(super) fn time(&self, ticks: u64) -> Timestamp {
        let ticks = i128::from(ticks);
        let nanos = match self.resolution {
            Resolution::Decimal(n @ 0..=9) => ticks * 10_i128.pow(9 - n),
            // An overflow means ticks so short that 2^64 of them are less than a nanosecond.
            Resolution::Decimal(n) => 10_i128.checked_pow(n - 9).map_or(0, |unit| ticks / unit),
            Resolution::Binary(n) => (ticks * 1_000_000_000) >> n.min(127),
        };
        let nanos = nanos + i128::from(self.offset) * 1_000_000_000;
        Timestamp(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
    }

    /// Microseconds unless the clock's ticks are shorter; 2^-20 s is about one.
    pub(super) fn precision(&self) -> Precision {
        match self.resolution {
            Resolution::Decimal(0..=6) | Resolution::Binary(0..=20) => Precision::Micro,
            _ => Precision::Nano,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(resolution: Resolution, offset: i64) -> Interface {
        Interface { link: LinkType(1), snaplen: 0, resolution, offset }
    }

    #[test]
    fn ticks_of_any_length_become_nanoseconds() {
        for (resolution, ticks, nanos) in [
            (Resolution::Decimal(0), 3, 3_000_000_000),
            (Resolution::Decimal(6), 1_500_000, 1_500_000_000),
            (Resolution::Decimal(9), 7, 7),
            (Resolution::Decimal(12), 1_999, 1),
            (Resolution::Decimal(127), u64::MAX, 0),
            (Resolution::Binary(0), 2, 2_000_000_000),
            (Resolution::Binary(10), 1_536, 1_500_000_000),
            (Resolution::Binary(127), u64::MAX, 0),
            (Resolution::Decimal(0), u64::MAX, u64::MAX),
        ] {
            assert_eq!(clock(resolution, 0).time(ticks), Timestamp(nanos), "{resolution:?}");
        }
    }

    #[test]
    fn the_offset_moves_times_both_ways_and_saturates() {
        assert_eq!(clock(Resolution::Decimal(6), 10).time(5), Timestamp(10_000_005_000));
        assert_eq!(clock(Resolution::Decimal(0), -2).time(5), Timestamp(3_000_000_000));
        assert_eq!(clock(Resolution::Decimal(0), i64::MIN).time(5), Timestamp(0));
        assert_eq!(clock(Resolution::Decimal(0), i64::MAX).time(5), Timestamp(u64::MAX));
    }

    #[test]
    fn precision_follows_the_resolution() {
        for (resolution, precision) in [
            (Resolution::Decimal(3), Precision::Micro),
            (Resolution::Decimal(6), Precision::Micro),
            (Resolution::Decimal(7), Precision::Nano),
            (Resolution::Binary(20), Precision::Micro),
            (Resolution::Binary(30), Precision::Nano),
        ] {
            assert_eq!(clock(resolution, 0).precision(), precision, "{resolution:?}");
        }
    }

    #[test]
    fn a_malformed_option_ends_the_options_only() {
        let mut body = vec![1, 0, 0, 0, 0, 0, 4, 0]; // Ethernet, snaplen 262144
        body.extend([9, 0, 1, 0, 9, 0, 0, 0]); // if_tsresol 9
        body.extend([14, 0, 255, 0, 1]); // if_tsoffset that runs over the end
        let interface = Interface::parse(Endian::Little, &body);
        assert_eq!(interface.resolution, Resolution::Decimal(9));
        assert_eq!((interface.snaplen, interface.offset), (262_144, 0));
    }
}
