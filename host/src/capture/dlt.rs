//! `LINKTYPE_` numbers of files and `DLT_` numbers of libpcap: equal but for a few historic ones.

use flowcell_core::LinkType;

/// Pairs of `LINKTYPE_` and `DLT_` numbers that differ, on Linux and macOS.
const DIFFERENT: [(u32, i32); 3] = [
    (100, 11), // ATM with RFC 1483 encapsulation
    (101, 12), // raw IP
    (106, 19), // classical IP over ATM
];

/// Loopback frames whose address family is in the capturing host's byte order.
const NULL: u32 = 0;
/// The same in network byte order, as `DLT_`.
const LOOP: i32 = 108;

/// Returns the number by which libpcap knows `link`; a number it cannot know becomes -1.
pub(super) fn of_link(link: LinkType) -> i32 {
    DIFFERENT
        .iter()
        .find(|(linktype, _)| *linktype == link.0)
        .map_or_else(|| i32::try_from(link.0).unwrap_or(-1), |(_, dlt)| *dlt)
}

/// As [`of_link`], but sees from a loopback frame's bytes that a big-endian host captured it:
/// libpcap assumes this host's byte order, which is right for live captures only.
pub(super) fn of_frame(link: LinkType, bytes: &[u8]) -> i32 {
    match (link.0, bytes) {
        // Address families are small numbers, so the zeros tell the order.
        (NULL, [0, 0, high, low, ..]) if (*high, *low) != (0, 0) => LOOP,
        _ => of_link(link),
    }
}

/// Returns the number that a file would carry for what libpcap calls `dlt`.
pub(super) fn to_link(dlt: i32) -> LinkType {
    LinkType(
        DIFFERENT
            .iter()
            .find(|(_, other)| *other == dlt)
            .map_or_else(|| u32::try_from(dlt).unwrap_or(u32::MAX), |(linktype, _)| *linktype),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_map_there_and_back() {
        for (link, dlt) in [(1, 1), (101, 12), (113, 113), (276, 276)] {
            assert_eq!(of_link(LinkType(link)), dlt);
            assert_eq!(to_link(dlt), LinkType(link));
        }
        assert_eq!(of_link(LinkType(12)), 12); // written so by some
        assert_eq!(of_link(LinkType(u32::MAX)), -1);
        assert_eq!(to_link(-1), LinkType(u32::MAX));
    }

    #[test]
    fn a_loopback_frame_shows_its_byte_order() {
        assert_eq!(of_frame(LinkType(0), &[2, 0, 0, 0, 0x45]), 0);
        assert_eq!(of_frame(LinkType(0), &[0, 0, 0, 2, 0x45]), 108);
        assert_eq!(of_frame(LinkType(0), &[]), 0);
        assert_eq!(of_frame(LinkType(1), &[0, 0, 0, 2]), 1);
    }
}
