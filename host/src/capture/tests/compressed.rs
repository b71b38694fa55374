//! Compressed captures: whole, cut at every byte, damaged, and those that we do not unpack.

use std::io::Write as _;

use flate2::{Compression as Level, write::GzEncoder};
use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// With all checksums, and blocks that depend on each other.
fn lz4(bytes: &[u8]) -> Vec<u8> {
    let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_checksums(true);
    let mut encoder = FrameEncoder::with_frame_info(info.content_checksum(true), Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Pack = fn(&[u8]) -> Vec<u8>;

const ALL: [(&str, Pack); 3] = [("gzip", gzip), ("zstd", zstd), ("lz4", lz4)];

/// A capture of `count` frames of `length` bytes that do not compress well.
fn capture(count: u32, length: usize) -> Vec<u8> {
    let mut file = classic(Order::Little, 0xa1b2_c3d4, 4, 1);
    let mut state = 1_u32;
    for second in 0..count {
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        let bytes: Vec<u8> = noise.take(length).collect();
        file.extend(record(Order::Little, second, 0, &bytes, u32::try_from(length).unwrap()));
    }
    file
}

/// A frame of metadata, as zstd and lz4 know it.
fn skippable(length: u8) -> Vec<u8> {
    let head = [0x5a, 0x2a, 0x4d, 0x18, length, 0, 0, 0];
    [&head[..], &vec![7; length.into()]].concat()
}

#[test]
fn what_is_packed_reads_as_if_it_were_not() {
    for file in [capture(3, 10), capture(300, 1500)] {
        let expected = frames(file.clone());
        for (name, pack) in ALL {
            assert_eq!(frames(pack(&file)), expected, "{name}");
        }
    }
}

#[test]
fn members_follow_each_other_at_any_byte() {
    let file = capture(3, 10);
    let expected = frames(file.clone());
    for (name, pack) in ALL {
        for cut in 0..=file.len() {
            let (a, b) = file.split_at(cut);
            assert_eq!(
                frames([pack(a), pack(b"").repeat(2), pack(b)].concat()),
                expected,
                "{name}"
            );
        }
    }
}

#[test]
fn metadata_is_skipped() {
    let file = capture(3, 10);
    let expected = frames(file.clone());
    for pack in [zstd, lz4] {
        let (a, b) = file.split_at(50);
        let parts = [skippable(0), skippable(9), pack(a), skippable(3), pack(b), skippable(200)];
        assert_eq!(frames(parts.concat()), expected);
        let cut = parts.concat();
        let (read, text) = damage(cut[..cut.len() - 1].to_vec());
        assert_eq!(read, 3, "{text}");
        assert!(
            text.contains("stream ends early at byte 102 (decompressed), after frame 3"),
            "{text}"
        );
    }
    assert!(damage(skippable(9)[..12].to_vec()).1.contains("the zstd stream ends early at byte 0"));
}

#[test]
fn every_cut_is_told_behind_the_frames_before_it() {
    let file = capture(20, 100);
    for (name, pack) in ALL {
        let packed = pack(&file);
        let mut most = 0;
        for cut in 4..packed.len() {
            let (read, text) = damage(packed[..cut].to_vec());
            assert!(read >= most, "{name} cut at {cut}: {text}");
            most = read;
            let wanted = format!("test.pcap: the {name} stream ends early at byte ");
            assert!(text.starts_with(&wanted), "cut at {cut}: {text}");
            assert!(
                text.contains(&format!(" (decompressed), after frame {read}; what came before"))
            );
        }
        // What is behind the last block is a checksum or an end mark.
        assert_eq!(most, 20, "{name}");
    }
}

#[test]
fn a_cut_zstd_frame_gives_away_its_window() {
    let file = capture(400, 1000); // several blocks, all within one window
    let packed = zstd(&file);
    let (read, text) = damage(packed[..packed.len() / 2].to_vec());
    assert!((100..300).contains(&read), "{read}: {text}");
}

#[test]
fn damage_of_a_byte_is_told_or_changes_nothing() {
    let file = capture(6, 40);
    let expected = frames(file.clone());
    for (name, pack) in ALL {
        let packed = pack(&file);
        let mut told = 0;
        for at in 4..packed.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = packed.clone();
                bytes[at] ^= flip;
                let (seen, errors) = match open(bytes) {
                    Ok(mut source) => drain(&mut source),
                    Err(error) => (vec![], vec![error]),
                };
                assert!(!errors.is_empty() || seen == expected, "{name}, byte {at} ^ {flip}");
                told += errors.len();
            }
        }
        assert!(told > 2 * file.len(), "{name}: {told} of {}", 3 * packed.len());
    }
}

#[test]
fn a_wrong_checksum_is_told_behind_all_frames() {
    let file = capture(6, 40);
    for (name, pack) in ALL {
        let mut packed = pack(&file);
        let at = packed.len() - if name == "gzip" { 5 } else { 1 };
        packed[at] ^= 1;
        let (read, text) = damage(packed);
        assert_eq!(read, 6, "{name}");
        let wanted = format!("test.pcap: the {name} stream is damaged (");
        assert!(text.starts_with(&wanted), "{text}");
        assert!(text.contains("at byte 360 (decompressed), after frame 6"), "{text}");
    }
}

#[test]
fn what_follows_the_stream_is_told() {
    let file = capture(2, 10);
    for (name, pack) in ALL {
        for garbage in [&b"\0"[..], b"garbage", &file] {
            let (read, text) = damage([&pack(&file)[..], garbage].concat());
            assert_eq!(read, 2);
            let wanted = format!("the {name} stream is followed by something that is not {name}");
            assert!(text.contains(&wanted), "{text}");
        }
    }
}

#[test]
fn damage_inside_is_at_a_byte_of_what_was_unpacked() {
    let mut file = capture(2, 10);
    file.truncate(file.len() - 3);
    let (read, text) = damage(gzip(&file));
    assert_eq!(read, 1);
    let wanted = "test.pcap: cut short: it ends inside the packet at byte 50 (decompressed), after";
    assert!(text.starts_with(wanted), "{text}");
}

#[test]
fn what_is_packed_twice_is_refused() {
    let twice = open(gzip(&zstd(&capture(1, 10)))).unwrap_err().to_string();
    assert!(twice.contains("it is zstd-compressed inside of gzip"), "{twice}");
    assert!(twice.contains("gzip -dc FILE"), "{twice}");
    let text = open(zstd(b"some notes\n")).unwrap_err().to_string();
    assert!(
        text.contains("not a pcap or pcapng capture: inside of zstd, it is a text file"),
        "{text}"
    );
    let text = open(lz4(b"")).unwrap_err().to_string();
    assert!(text.contains("the lz4 stream in it has 0 bytes"), "{text}");
}

#[test]
fn a_zstd_window_beyond_the_limit_and_a_dictionary_are_refused() {
    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let last_block = [1, 0, 0];
    // A frame header of a descriptor and a window of 2^(10 + exponent) bytes.
    let window = |exponent: u8| [&MAGIC[..], &[0, exponent << 3], &last_block].concat();
    let text = open(window(18)).unwrap_err().to_string();
    assert!(text.contains("wants more than 128 MiB of memory to be unpacked"), "{text}");
    assert!(text.contains("--long"), "{text}");
    let text = open(window(17)).unwrap_err().to_string();
    assert!(text.contains("the zstd stream in it has 0 bytes"), "128 MiB are granted: {text}");
    let dictionary = [&MAGIC[..], &[1, 0, 42], &last_block].concat();
    let text = open(dictionary).unwrap_err().to_string();
    assert!(text.contains("the zstd stream needs a dictionary"), "{text}");
}

#[test]
fn what_unpacks_to_very_much_is_read_as_a_stream() {
    // 300 frames of 256 KiB of zeros: 75 MiB from 80 KiB.
    let length = MAX_CAPLEN;
    let mut file = classic(Order::Little, 0xa1b2_c3d4, 4, 1);
    for _ in 0..300 {
        file.extend(record(Order::Little, 1, 0, &vec![0; length as usize], length));
    }
    let packed = gzip(&file);
    assert!(packed.len() < 100_000);
    let mut source = open(packed).unwrap();
    let mut read = 0;
    while let Ok(Next::Frame(frame)) = source.next() {
        read += frame.raw.bytes.len();
    }
    assert_eq!(read, 300 * length as usize);
}

#[test]
fn a_read_error_is_no_damage_of_the_stream() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    for (name, pack) in ALL {
        let packed = pack(&capture(20, 100));
        let start = Cursor::new(packed[..packed.len() - 2].to_vec());
        let mut source = FileSource::read("share.pcap", Box::new(start.chain(Broken))).unwrap();
        let (_, errors) = drain(&mut source);
        let text = errors[0].to_string();
        assert!(text.starts_with("share.pcap: cannot read on at byte "), "{name}: {text}");
        let source = std::error::Error::source(&errors[0]).unwrap().to_string();
        assert!(source.contains("the disk is gone"), "{name}: {source}");
    }
}
