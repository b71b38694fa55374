//! Snoop captures.

use super::*;

fn header(version: u32, datalink: u32) -> Vec<u8> {
    [&b"snoop\0\0\0"[..], &version.to_be_bytes(), &datalink.to_be_bytes()].concat()
}

fn packet(seconds: u32, bytes: &[u8], len: u32) -> Vec<u8> {
    let caplen = u32::try_from(bytes.len()).unwrap();
    let padded = bytes.len().next_multiple_of(4);
    let record = 24 + u32::try_from(padded).unwrap();
    let mut out = [len, caplen, record, 0, seconds, 250_000].map(u32::to_be_bytes).concat();
    out.extend(bytes);
    out.resize(24 + padded, 0);
    out
}

#[test]
fn padded_records_are_read() {
    for (datalink, link) in [(4, 1), (0, 1), (8, 10), (26, 226), (3, u32::MAX)] {
        let file = [header(2, datalink), packet(7, b"abc", 60), packet(8, b"", 0)].concat();
        let expected =
            [(1, 7_250_000_000, link, 60, b"abc".to_vec()), (2, 8_250_000_000, link, 0, vec![])];
        assert_eq!(frames(file), expected);
    }
}

#[test]
fn damage_is_named() {
    let whole = [header(2, 4), packet(7, b"abc", 60), packet(8, b"defg", 4)].concat();
    let mut far = whole.clone();
    far[44 + 4..44 + 8].copy_from_slice(&300_000_u32.to_be_bytes());
    let mut long = whole.clone();
    long[44 + 4..44 + 8].copy_from_slice(&5_u32.to_be_bytes());
    let mut short = whole.clone();
    short[44 + 8..44 + 12].copy_from_slice(&23_u32.to_be_bytes());
    for (file, read, wanted) in [
        (whole[..8].to_vec(), 0, "cut short: it ends inside the file header at byte 0"),
        (whole[..42].to_vec(), 0, "inside the packet at byte 16, after frame 0"),
        (whole[..43].to_vec(), 1, "inside the padding of a packet at byte 16, after frame 1"),
        (whole[..60].to_vec(), 1, "inside the packet header at byte 44, after frame 1"),
        (whole[..70].to_vec(), 1, "inside the packet at byte 44, after frame 1"),
        (far, 1, "frame 2 at byte 44 claims 300000 captured bytes"),
        (long, 1, "damaged at byte 44, after frame 1: a record of 28 bytes claims 5 captured"),
        (short, 1, "a record of 23 bytes claims 4 captured bytes"),
        (header(1, 4), 0, "snoop version 1.0 at byte 0 is not supported"),
    ] {
        let (seen, text) = damage(file);
        assert_eq!(seen, read, "{text}");
        assert!(text.contains(wanted), "{wanted:?} in {text:?}");
    }
    assert!(damage(b"snoopy\0\0".to_vec()).1.contains("not a pcap"));
}
