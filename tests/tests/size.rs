//! Guests are small: every host has the bundled ones in it and compiles them.
#![expect(clippy::expect_used, reason = "a test may panic")]

use flowcell_tests::command::read;
use flowcell_tests::guests::{PARSERS, parser};

/// Pages of 64 KiB that a core module's memory starts with, from its memory section.
fn pages(module: &[u8]) -> u32 {
    let mut rest = &module[8..];
    loop {
        let (id, body) = rest.split_first().expect("a memory section");
        let (length, body) = leb128(body);
        let (section, later) = body.split_at(length as usize);
        if *id == 5 {
            // One memory, its flags, and the pages that it has at least.
            return leb128(&section[2..]).0;
        }
        rest = later;
    }
}

fn leb128(bytes: &[u8]) -> (u32, &[u8]) {
    let (mut value, mut at) = (0, 0);
    loop {
        value |= u32::from(bytes[at] & 0x7f) << (7 * at);
        at += 1;
        if bytes[at - 1] < 0x80 {
            return (value, &bytes[at..]);
        }
    }
}

/// Those whose protocols are too large for the bounds of the others.
const LARGE: [&str; 2] = ["smb", "tls"];

#[test]
fn parsers_are_at_most_300_kib_and_start_with_at_most_four_pages() {
    for name in PARSERS {
        let module = read(&parser(name));
        let (length, pages) = (module.len(), pages(&module));
        println!("{name}: {length} bytes, {pages} pages");
        if !LARGE.contains(name) {
            assert!(length <= 300 << 10, "{name}: {length} bytes");
            assert!(pages <= 4, "{name}: {pages} pages");
        }
    }
}

#[test]
fn the_template_starts_with_one_page() {
    assert_eq!(pages(&read(&parser("template"))), 1);
}
