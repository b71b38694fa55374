//! Captures built in memory, one variation or one kind of damage each.

use std::{
    env, fs,
    io::{self, Cursor, Read},
    path::PathBuf,
    process,
};

use super::*;

mod build;
mod compressed;
mod merge;
mod snoop;

use build::{Ng, Order, classic, enhanced, interface, option, record, section, simple};

/// What a test compares of a frame: number, time in ns, link type, wire length, bytes.
type Seen = (u64, u64, u32, u32, Vec<u8>);

/// Reads all frames, and the error that ended them if one did.
fn drain(source: &mut dyn Source) -> (Vec<Seen>, Vec<CaptureError>) {
    let (mut frames, mut errors) = (Vec::new(), Vec::new());
    loop {
        match source.next() {
            Ok(Next::Frame(Frame { raw, .. })) => {
                frames.push((raw.number, raw.ts.0, raw.link.0, raw.len, raw.bytes.to_vec()));
            }
            Ok(Next::Idle | Next::Filtered) => {}
            Ok(Next::End) => return (frames, errors),
            Err(error) => errors.push(error),
        }
    }
}

fn open(bytes: Vec<u8>) -> Result<FileSource, CaptureError> {
    FileSource::read("test.pcap", Box::new(Cursor::new(bytes)))
}

/// Reads a capture that has nothing wrong.
fn frames(bytes: Vec<u8>) -> Vec<Seen> {
    let (frames, errors) = drain(&mut open(bytes).unwrap());
    assert!(errors.is_empty(), "{errors:?}");
    frames
}

/// Reads a capture that goes wrong, and returns how many frames came before and the message.
fn damage(bytes: Vec<u8>) -> (usize, String) {
    let mut source = match open(bytes) {
        Ok(source) => source,
        Err(error) => return (0, error.to_string()),
    };
    let (frames, mut errors) = drain(&mut source);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(matches!(source.next(), Ok(Next::End)), "an error is followed by the end");
    (frames.len(), errors.remove(0).to_string())
}

fn precision(bytes: Vec<u8>) -> Precision {
    match open(bytes).unwrap().next() {
        Ok(Next::Frame(frame)) => frame.precision,
        other => panic!("no frame but {other:?}"),
    }
}

#[test]
fn pcap_in_both_byte_orders_and_precisions() {
    for order in [Order::Little, Order::Big] {
        for (magic, nanos, wanted) in
            [(0xa1b2_c3d4, 1_000, Precision::Micro), (0xa1b2_3c4d, 1, Precision::Nano)]
        {
            let mut file = classic(order, magic, 4, 113);
            file.extend(record(order, 7, 5, b"abc", 60));
            file.extend(record(order, 8, 0, b"", 0));
            let expected = vec![
                (1, 7_000_000_000 + 5 * nanos, 113, 60, b"abc".to_vec()),
                (2, 8_000_000_000, 113, 0, vec![]),
            ];
            assert_eq!(precision(file.clone()), wanted);
            assert_eq!(frames(file), expected, "{order:?} {magic:x}");
        }
    }
}

#[test]
fn pcap_with_longer_record_headers() {
    let mut file = classic(Order::Little, 0xa1b2_cd34, 4, 1);
    let mut frame = record(Order::Little, 1, 0, b"abc", 3);
    frame.splice(16..16, [0; 8]);
    file.extend(frame.repeat(2));
    assert_eq!(frames(file).len(), 2);
}

#[test]
fn pcap_of_old_versions_has_its_lengths_swapped() {
    for (minor, caplen, len) in [(2, 60, 3), (3, 60, 3), (3, 3, 60), (4, 3, 60)] {
        let mut file = classic(Order::Big, 0xa1b2_c3d4, minor, 1);
        let mut frame = record(Order::Big, 1, 0, b"abc", 0);
        frame[8..12].copy_from_slice(&u32::to_be_bytes(caplen));
        frame[12..16].copy_from_slice(&u32::to_be_bytes(len));
        file.extend(frame);
        assert_eq!(frames(file), [(1, 1_000_000_000, 1, 60, b"abc".to_vec())], "2.{minor}");
    }
}

#[test]
fn pcap_link_type_is_the_lower_half() {
    let mut file = classic(Order::Little, 0xa1b2_c3d4, 4, 0x2400_0001); // FCS of 4 bytes
    file.extend(record(Order::Little, 0, 0, b"x", 1));
    assert_eq!(frames(file)[0].2, 1);
}

#[test]
fn pcap_oddities_that_are_tolerated() {
    let mut file = classic(Order::Little, 0xa1b2_c3d4, 4, 50_000); // a link type nobody knows
    file.extend(record(Order::Little, 1, 2_500_000, b"late", 4)); // two and a half seconds
    file.extend(record(Order::Little, u32::MAX, u32::MAX, b"abcd", 2)); // longer than its packet
    file.extend(record(Order::Little, 0, 0, &[7; 70_000], 70_000)); // longer than the snaplen
    let seen = frames(file);
    assert_eq!(seen[0].1, 3_500_000_000);
    assert_eq!(seen[1].1, u64::from(u32::MAX) * 1_000_001_000);
    assert_eq!(seen[1].3, 4, "the length on the wire is no less than what was captured");
    assert_eq!(seen[2].4.len(), 70_000);
}

#[test]
fn the_longest_frame_and_one_byte_more() {
    let mut file = classic(Order::Little, 0xa1b2_c3d4, 4, 1);
    let longest = record(Order::Little, 0, 0, &vec![1; MAX_CAPLEN as usize], MAX_CAPLEN);
    for _ in 0..3 {
        file.extend(&longest); // across the end of the buffer
    }
    file.extend(record(Order::Little, 0, 0, &vec![1; MAX_CAPLEN as usize + 1], MAX_CAPLEN + 1));
    let (whole, text) = damage(file);
    assert_eq!(whole, 3);
    assert_eq!(
        text,
        "test.pcap: damaged: frame 4 at byte 786504 claims 262145 captured bytes, more than the \
         limit of 262144; what came before was read, record or copy the file again for the rest"
    );
}

#[test]
fn pcapng_in_both_byte_orders() {
    for order in [Order::Little, Order::Big] {
        let mut file = Ng::new(order);
        file.push(section(order, 1, 0));
        file.push(interface(order, 1, 0, &[]));
        let fine = [option(order, 9, &[9]), option(order, 14, &order.i64(100))].concat();
        file.push(interface(order, 101, 2, &fine));
        file.push(enhanced(order, 0, 1_500_000, b"abc", 60));
        file.push(enhanced(order, 1, 42, b"", 0));
        file.push((0x0bad, vec![0; 9])); // a custom block
        file.push(simple(order, b"abcdef", 6));
        let mut obsolete = enhanced(order, 1, 43, b"xyz", 3);
        obsolete.0 = 2;
        obsolete.1[..4].copy_from_slice(&[order.u16(1), order.u16(9)].concat()); // interface, drops
        file.push(obsolete);
        let expected = vec![
            (1, 1_500_000_000, 1, 60, b"abc".to_vec()),
            (2, 100_000_000_042, 101, 0, vec![]),
            (3, 100_000_000_042, 1, 6, b"abcdef".to_vec()), // no time: the one before
            (4, 100_000_000_043, 101, 3, b"xyz".to_vec()),
        ];
        assert_eq!(frames(file.bytes), expected, "{order:?}");
    }
}

#[test]
fn pcapng_precision_is_the_interfaces() {
    for (exponent, wanted) in [(6, Precision::Micro), (9, Precision::Nano)] {
        let mut file = Ng::new(Order::Little);
        file.push(section(Order::Little, 1, 0));
        file.push(interface(Order::Little, 1, 0, &option(Order::Little, 9, &[exponent])));
        file.push(enhanced(Order::Little, 0, 0, b"x", 1));
        assert_eq!(precision(file.bytes), wanted);
    }
}

#[test]
fn pcapng_clocks_tick_as_their_interfaces_say() {
    for order in [Order::Little, Order::Big] {
        let mut file = Ng::new(order);
        file.push(section(order, 1, 0));
        for (exponent, offset) in [(0x80 | 10, 0), (3, 1_000), (9, -1)] {
            let options = [option(order, 9, &[exponent]), option(order, 14, &order.i64(offset))];
            file.push(interface(order, 1, 0, &options.concat()));
        }
        file.push(enhanced(order, 0, 2_560, b"a", 1)); // of 1024
        file.push(enhanced(order, 1, 2_500, b"b", 1));
        file.push(enhanced(order, 2, 2_500_000_000, b"c", 1));
        let times: Vec<u64> = frames(file.bytes).iter().map(|frame| frame.1).collect();
        assert_eq!(times, [2_500_000_000, 1_002_500_000_000, 1_500_000_000], "{order:?}");
    }
}

#[test]
fn pcapng_blocks_that_are_no_packets_are_skipped() {
    let order = Order::Little;
    let mut file = Ng::new(order);
    file.push(section(order, 1, 0));
    file.push(interface(order, 1, 0, &[]));
    // Names, statistics, a journal entry, secrets, custom blocks, and one that nobody knows.
    for kind in [4, 5, 9, 10, 0xbad, 0x4000_0bad, 0x8000_1234] {
        for length in [0, 1, 8, 40] {
            file.push((kind, vec![0xff; length]));
        }
        file.push(enhanced(order, 0, kind, b"x", 1));
    }
    assert_eq!(frames(file.bytes).len(), 7);
}

#[test]
fn pcapng_simple_packets_are_cut_at_the_snaplen() {
    let mut file = Ng::new(Order::Little);
    file.push(section(Order::Little, 1, 0));
    file.push(interface(Order::Little, 1, 3, &[]));
    file.push(simple(Order::Little, b"abc", 60));
    assert_eq!(frames(file.bytes), [(1, 0, 1, 60, b"abc".to_vec())]);
}

#[test]
fn pcapng_sections_have_their_own_order_and_interfaces() {
    let mut bytes = Vec::new();
    for (order, link) in [(Order::Little, 1), (Order::Big, 113), (Order::Little, 276)] {
        let mut file = Ng::new(order);
        file.push(section(order, 1, 2));
        file.push(interface(order, link, 0, &[]));
        file.push(enhanced(order, 0, 1, b"x", 1));
        bytes.extend(file.bytes);
    }
    let links: Vec<u32> = frames(bytes).iter().map(|frame| frame.2).collect();
    assert_eq!(links, [1, 113, 276]);
}

#[test]
fn pcapng_skips_a_block_larger_than_any_buffer() {
    let mut file = Ng::new(Order::Little);
    file.push(section(Order::Little, 1, 0));
    file.push((10, vec![0; 3_000_000])); // decryption secrets
    file.push(interface(Order::Little, 1, 0, &[]));
    let mut with_options = enhanced(Order::Little, 0, 0, b"x", 1);
    for _ in 0..20 {
        with_options.1.extend(option(Order::Little, 1, &[b'c'; 60_000])); // a comment
    }
    file.push(with_options);
    file.push(enhanced(Order::Little, 0, 0, b"y", 1));
    assert_eq!(frames(file.bytes).len(), 2);
}

#[test]
fn every_cut_of_a_file_yields_the_whole_frames_before_it() {
    let mut pcap = classic(Order::Little, 0xa1b2_c3d4, 4, 1);
    let mut pcapng = Ng::new(Order::Big);
    pcapng.push(section(Order::Big, 1, 0));
    pcapng.push(interface(Order::Big, 1, 0, &option(Order::Big, 9, &[9])));
    // Where each frame's bytes end, and where a file may end without complaint.
    let (mut pcap_frames, mut pcap_ends) = (vec![], vec![pcap.len()]);
    let (mut pcapng_frames, mut pcapng_ends) = (vec![], vec![28, pcapng.bytes.len()]);
    for _ in 0..3 {
        pcap.extend(record(Order::Little, 1, 2, b"abcd", 4));
        pcap_frames.push(pcap.len());
        pcap_ends.push(pcap.len());
        pcapng_frames.push(pcapng.bytes.len() + 32);
        pcapng.push(enhanced(Order::Big, 0, 1, b"abcd", 4));
        pcapng_ends.push(pcapng.bytes.len());
    }
    for (file, ends_of_frames, ends) in
        [(pcap, pcap_frames, pcap_ends), (pcapng.bytes, pcapng_frames, pcapng_ends)]
    {
        for cut in 0..=file.len() {
            let bytes = file[..cut].to_vec();
            if ends.contains(&cut) {
                let whole = ends_of_frames.iter().filter(|end| **end <= cut).count();
                assert_eq!(frames(bytes).len(), whole, "cut at {cut}");
                continue;
            }
            let (read, text) = damage(bytes);
            assert_eq!(read, ends_of_frames.iter().filter(|end| **end <= cut).count(), "{cut}");
            let wanted = match cut {
                0 => "is empty (0 bytes)",
                1..4 => "not a pcap or pcapng capture",
                _ => "cut short: it ends inside the",
            };
            assert!(text.contains(wanted), "cut at {cut}: {text}");
        }
    }
}

#[test]
fn a_cut_names_the_place_and_the_cure() {
    let mut file = classic(Order::Little, 0xa1b2_c3d4, 4, 1);
    file.extend(record(Order::Little, 1, 2, b"abcd", 4));
    file.extend(&record(Order::Little, 1, 2, b"abcd", 4)[..18]);
    let (_, text) = damage(file);
    assert_eq!(
        text,
        "test.pcap: cut short: it ends inside the packet at byte 44, after frame 1; what came \
         before was read, record or copy the file again for the rest"
    );
}

#[test]
fn pcapng_damage_is_named() {
    let order = Order::Little;
    let mut start = Ng::new(order);
    start.push(section(order, 1, 0));
    start.push(interface(order, 1, 0, &[]));
    start.push(enhanced(order, 0, 0, b"x", 1));
    let after = |kind: u32, body: &[u8], total: Option<u32>| {
        let mut file = start.bytes.clone();
        let at = file.len();
        let mut more = Ng::new(order);
        more.push((kind, body.to_vec()));
        file.extend(more.bytes);
        if let Some(total) = total {
            file[at + 4..at + 8].copy_from_slice(&order.u32(total));
        }
        let (whole, text) = damage(file);
        (whole, text)
    };
    let packet = |id, caplen: u32| {
        let mut body = enhanced(order, id, 0, b"abcd", 4).1;
        body[12..16].copy_from_slice(&order.u32(caplen));
        body
    };
    for ((whole, text), frames, wanted) in [
        (after(5, &[], Some(11)), 1, "byte 84, after frame 1: a block claims a length of 11 bytes"),
        (after(5, &[], Some(14)), 1, "claims a length of 14 bytes"),
        (after(5, &[0; 8], Some(16)), 1, "two different lengths, 16 bytes in front and 0 behind"),
        (after(6, &packet(3, 4), None), 1, "is of interface 3, but its section describes 1"),
        (after(6, &packet(0, 5), None), 1, "claims 5 captured bytes, but its block has room for 4"),
        (after(6, &packet(0, 9_999_999), None), 1, "frame 2 at byte 84 claims 9999999 captured"),
        (after(6, &[0; 16], None), 1, "too short for its header"),
        (after(3, &[], None), 1, "too short for its header"),
        (after(1, &[0; 4], None), 1, "an interface description has a body of 4 bytes"),
        (after(pcapng::SECTION, &[0; 16], None), 1, "a section header has no byte-order mark"),
        (after(pcapng::SECTION, &order.u32(0x1a2b_3c4d), None), 1, "section header is too short"),
        (after(pcapng::SECTION, &section(order, 2, 0).1, None), 1, "pcapng version 2.0 at byte 84"),
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in {text:?}");
        assert_eq!(whole, frames, "{text}");
    }
}

#[test]
fn pcap_versions_from_another_age_are_refused() {
    let mut file = classic(Order::Little, 0xa1b2_c3d4, 5, 1);
    let (_, text) = damage(file.clone());
    assert!(text.starts_with("test.pcap: pcap version 2.5 at byte 0 is not supported"), "{text}");
    file[4] = 1;
    assert!(damage(file).1.contains("pcap version 1.5"));
}

#[test]
fn what_is_no_capture_says_what_it_looks_like() {
    for (bytes, wanted) in [
        (&b""[..], "test.pcap: is empty (0 bytes)"),
        (b"\xfd7zXZ\0\0\0", "not a pcap or pcapng capture: it is xz-compressed"),
        (b"x", "it is a text file"),
    ] {
        let text = open(bytes.to_vec()).unwrap_err().to_string();
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn no_damage_of_a_byte_panics() {
    let mut pcapng = Ng::new(Order::Little);
    pcapng.push(section(Order::Little, 1, 0));
    pcapng.push(interface(Order::Little, 1, 0, &option(Order::Little, 9, &[9])));
    pcapng.push(enhanced(Order::Little, 0, 5, b"abcde", 5));
    pcapng.push(simple(Order::Little, b"abc", 3));
    let mut pcap = classic(Order::Big, 0xa1b2_3c4d, 4, 1);
    pcap.extend(record(Order::Big, 1, 2, b"abcd", 4));
    for file in [pcapng.bytes, pcap] {
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = file.clone();
                bytes[at] = value;
                if let Ok(mut source) = open(bytes) {
                    assert!(drain(&mut source).0.len() <= 2);
                }
            }
        }
    }
}

/// A folder of files for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("flowcell-capture-{test}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0); // a leftover in the temporary folder harms nobody
    }
}

#[test]
fn several_files_are_one_run_in_spite_of_bad_ones() {
    let folder = Folder::new("run");
    let mut two = classic(Order::Little, 0xa1b2_c3d4, 4, 1);
    two.extend(record(Order::Little, 1, 0, b"abcd", 4).repeat(2));
    let cut = &two[..two.len() - 1];
    let paths = vec![
        folder.file("one.pcap", &two),
        folder.file("cut.pcap", cut),
        folder.file("note.txt", b"hello\n"),
        folder.0.join("missing.pcap"),
        folder.0.clone(),
        folder.file("last.pcap", &two),
    ];
    let mut files = Files::new(paths, many::Order::Given, None);
    let (frames, errors) = drain(&mut files);
    let numbers: Vec<u64> = frames.iter().map(|frame| frame.0).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    assert_eq!(files.stats(), Stats { received: 5, ..Stats::default() });
    for (error, (name, wanted)) in errors.iter().zip([
        ("cut.pcap", "cut short"),
        ("note.txt", "text file"),
        ("missing.pcap", "cannot open it"),
        ("flowcell-capture-run", "is a folder"),
    ]) {
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(wanted), "{text}");
    }
    assert_eq!(errors.len(), 4);
    let missing = std::error::Error::source(&errors[2]).unwrap().to_string();
    assert!(missing.contains("No such file"), "{missing}");
}

#[test]
fn frames_that_the_filter_rejects_keep_their_numbers() {
    let folder = Folder::new("filter");
    let mut file = Ng::new(Order::Little);
    file.push(section(Order::Little, 1, 0));
    file.push(interface(Order::Little, 1, 0, &[]));
    file.push(interface(Order::Little, 65_000, 0, &[])); // unknown to libpcap
    for (interface, length) in [(0, 10), (1, 10), (0, 100), (1, 100), (0, 20), (0, 200)] {
        file.push(enhanced(Order::Little, interface, 0, &vec![0; length as usize], length));
    }
    let path = folder.file("a.pcapng", &file.bytes);
    let filter = Filter::new("greater 50").unwrap();
    let mut files = Files::new(vec![path.clone(), path], many::Order::Time, Some(filter));
    let (frames, errors) = drain(&mut files);
    let numbers: Vec<u64> = frames.iter().map(|frame| frame.0).collect();
    assert_eq!(numbers, [3, 6, 9, 12]);
    assert_eq!(files.stats(), Stats { received: 12, filtered: 8, ..Stats::default() });
    assert_eq!(errors.len(), 2, "once per file: {errors:?}");
    let text = errors[0].to_string();
    assert!(
        text.contains("filter `greater 50` cannot be used on link type 65000 (frame 2)"),
        "{text}"
    );
}

#[test]
fn a_read_error_tells_how_far_it_came() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let mut file = classic(Order::Little, 0xa1b2_c3d4, 4, 1);
    file.extend(record(Order::Little, 1, 0, b"abcd", 4));
    let input = Box::new(Cursor::new(file).chain(Broken));
    let mut source = FileSource::read("share.pcap", input).unwrap();
    let (frames, errors) = drain(&mut source);
    assert_eq!(frames.len(), 1);
    let text = errors[0].to_string();
    assert!(text.starts_with("share.pcap: cannot read on at byte 44, after frame 1; "), "{text}");
}

#[test]
fn live_errors_name_the_interface_and_the_cure() {
    let (interface, message) = ("eth0".to_owned(), "not allowed".to_owned());
    let program = "/usr/bin/flowcell".to_owned();
    let text = CaptureError::Permission { interface, message, program }.to_string();
    assert_eq!(
        text,
        "eth0: no permission to capture (not allowed); run as root, or once: sudo setcap \
         cap_net_raw,cap_net_admin=eip /usr/bin/flowcell"
    );
    let (interface, message) = ("eth0".to_owned(), "it is down".to_owned());
    let text = CaptureError::Live { interface, frames: 7, message }.to_string();
    assert_eq!(
        text,
        "eth0: capturing failed after frame 7: it is down; check that the interface is up (ip \
         link show)"
    );
}
