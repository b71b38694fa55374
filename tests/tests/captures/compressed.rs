//! Compressed captures, by our dependencies and by the usual tools.

use std::io::Write;
use std::process::Command;

use flate2::{Compression, write::GzEncoder};
use flowcell_tests::command::{Run, Scratch, flowcell, read};
use lz4_flex::frame::FrameEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{assert_same, capture, records, streams, traffic};

/// The bytes as a member of each format, with the format's name.
fn packed(bytes: &[u8]) -> [(&'static str, Vec<u8>); 3] {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).expect("memory");
    let mut lz4 = FrameEncoder::new(Vec::new());
    lz4.write_all(bytes).expect("memory");
    [
        ("gzip", gzip.finish().expect("memory")),
        ("zstd", compress_to_vec(bytes, CompressionLevel::Fastest)),
        ("lz4", lz4.finish().expect("memory")),
    ]
}

#[test]
fn a_compressed_capture_is_recognised_whatever_its_name() {
    let scratch = Scratch::new();
    let whole = traffic();
    let expected = streams([scratch.capture("whole.pcap", &whole)]);
    for (format, bytes) in packed(whole.bytes()) {
        let file = scratch.write(&format!("{format}.pcap"), &bytes);
        assert_same(&streams([file]), &expected);
        let piped = Run::with_input(&mut flowcell(["streams", "-q", "-r", "-"]), &bytes);
        assert_same(&piped, &expected);
    }
}

#[test]
fn files_of_all_kinds_are_merged() {
    let scratch = Scratch::new();
    let whole = traffic();
    let all = records(&whole);
    let expected = streams([scratch.capture("whole.pcap", &whole)]);
    for turn in 0..4 {
        let part: Vec<&[u8]> = all.iter().copied().skip(turn).step_by(4).collect();
        let plain = capture(&part);
        let [gzip, zstd, lz4] = packed(&plain).map(|(_, bytes)| bytes);
        let bytes = vec![plain, gzip, zstd, lz4].swap_remove(turn);
        scratch.write(&format!("day/{turn}"), bytes);
    }
    assert_same(&streams([scratch.path("day")]), &expected);
}

#[test]
fn what_the_usual_tools_write_is_read() {
    let scratch = Scratch::new();
    let whole = scratch.capture("whole.pcap", &traffic());
    let expected = streams([&whole]);
    let commands: [&[&str]; 9] = [
        &["gzip", "-c"],
        &["gzip", "-1c"],
        &["zstd", "-qc"],
        &["zstd", "-19qc", "--no-check"],
        &["zstd", "-qc", "--long=27"],
        &["lz4", "-qc"],
        &["lz4", "-qc", "-BD", "-B7", "--content-size"],
        &["lz4", "-qc", "-BX", "--no-frame-crc"],
        &["lz4", "-9qc"],
    ];
    for command in commands {
        let output = match Command::new(command[0]).args(&command[1..]).arg(&whole).output() {
            Ok(output) => output,
            Err(error) => {
                eprintln!("skipped: {command:?}: {error}");
                continue;
            }
        };
        assert!(output.status.success(), "{command:?}: {output:?}");
        assert!(output.stdout.len() < read(&whole).len(), "{command:?} packs");
        assert_same(&streams([scratch.write("packed", output.stdout)]), &expected);
    }
}

#[test]
fn a_cut_stream_gives_what_is_whole_and_tells_the_place() {
    let scratch = Scratch::new();
    let whole = traffic();
    for (format, bytes) in packed(whole.bytes()) {
        // The checksum or the end mark is missing, the content is whole.
        let file = scratch.write("cut.pcap", &bytes[..bytes.len() - 1]);
        let run = streams([&file]);
        assert_eq!((run.code, run.of_type("stream").len()), (Some(2), 6), "{}", run.stderr);
        let (length, frames) = (whole.bytes().len(), records(&whole).len());
        let told = format!(
            "cut.pcap: the {format} stream ends early at byte {length} (decompressed), after frame \
             {frames}; what came before was read"
        );
        assert!(run.stderr.contains(&told), "{told}\n{}", run.stderr);
        let half = streams([scratch.write("half.pcap", &bytes[..bytes.len() / 2])]);
        assert_eq!(half.code, Some(2));
        assert!(
            half.stderr.contains(&format!("half.pcap: the {format} stream ends early at byte "))
        );
    }
}

#[test]
fn damage_and_what_does_not_belong_there_are_told() {
    let scratch = Scratch::new();
    let whole = traffic();
    for (format, bytes) in packed(whole.bytes()) {
        let mut damaged = bytes.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 8].fill(0xff);
        let run = streams([scratch.write("damaged.pcap", damaged)]);
        assert_eq!(run.code, Some(2), "{format}: {}", run.stderr);
        assert!(run.stderr.contains("damaged.pcap: "), "{}", run.stderr);

        let run = streams([scratch.write("more.pcap", [&bytes[..], b"more"].concat())]);
        assert_eq!((run.code, run.of_type("stream").len()), (Some(2), 6), "{}", run.stderr);
        let told = format!("more.pcap: the {format} stream is followed by something that is not");
        assert!(run.stderr.contains(&told), "{}", run.stderr);

        let [(_, twice), ..] = packed(&bytes);
        let run = streams([scratch.write("twice.pcap", twice)]);
        assert_eq!(run.code, Some(2));
        let told = format!("it is {format}-compressed inside of gzip");
        assert!(run.stderr.contains(&told), "{}", run.stderr);
    }
}
