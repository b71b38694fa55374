//! Captures and command lines that are wrong: all that can be read is read, and what is wrong is
//! told with the file, the place and the cure.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};

/// Runs over these files with the bundled parsers.
fn run(files: &[&Path]) -> Run {
    Run::of(flowcell(["run", "-q", "-r"]).args(files))
}

/// The same with counters.
fn run_counting(file: &Path) -> (Run, serde_json::Value) {
    let stats = file.with_extension("json");
    let run = Run::of(flowcell(["run", "-q", "--stats-json"]).arg(&stats).arg("-r").arg(file));
    let json = std::fs::read_to_string(stats).expect("counters");
    (run, serde_json::from_str(&json).expect("JSON"))
}

fn conversation(port: u16) -> Conversation {
    Conversation::tcp(port, 7).open().send(Client, b"hello\n").send(Server, b"hello\n").close()
}

fn capture() -> Pcap {
    Pcap::of(&[conversation(4000)])
}

/// An input error that says all of `parts`, in one line, and how many flows were seen.
#[track_caller]
fn assert_told(run: &Run, flows: usize, parts: &[&str]) {
    assert_eq!(run.code, Some(2), "an input error\n{}", run.stderr);
    assert_eq!(run.of_type("flow").len(), flows, "flows\n{}", run.stdout);
    let all_in = |line: &&str| parts.iter().all(|part| line.contains(part));
    let line = run.stderr.lines().find(all_in);
    assert!(
        line.is_some_and(|line| line.starts_with("flowcell: ")),
        "{parts:?} in\n{}",
        run.stderr
    );
}

#[test]
fn an_empty_file() {
    let scratch = Scratch::new();
    let file = scratch.write("empty.pcap", "");
    assert_told(&run(&[&file]), 0, &["empty.pcap: is empty (0 bytes)"]);
}

#[test]
fn a_file_that_is_no_capture() {
    let scratch = Scratch::new();
    let file = scratch.write("notes.pcap", "These are my notes on the incident.\n");
    assert_told(&run(&[&file]), 0, &["notes.pcap: not a pcap or pcapng capture"]);
}

#[test]
fn a_missing_file() {
    let scratch = Scratch::new();
    let file = scratch.path("mising.pcap");
    assert_told(
        &run(&[&file]),
        0,
        &["mising.pcap: cannot open it; check the path", "No such file"],
    );
}

#[test]
fn a_folder() {
    let scratch = Scratch::new();
    assert_told(&run(&[&scratch.path("")]), 0, &["there is no capture in this folder"]);
}

#[test]
fn a_file_cut_inside_of_a_packet() {
    let scratch = Scratch::new();
    let whole = capture();
    let expected = run(&[&scratch.capture("whole.pcap", &whole)]);
    assert_eq!(expected.only("flow")["data"]["orig_pkts"], 5, "{}", expected.stdout);
    // Inside the last frame's bytes, inside of its header, and right behind the header before it.
    let length = whole.bytes().len();
    for missing in [1, 53, 60] {
        let file = scratch.write("cut.pcap", &whole.bytes()[..length - missing]);
        let run = run(&[&file]);
        assert_told(&run, 1, &["cut.pcap: cut short", "after frame 8", "record or copy"]);
        let data = &run.only("flow")["data"];
        assert_eq!((&data["orig_pkts"], &data["resp_pkts"]), (&4.into(), &4.into()), "{data}");
    }
}

#[test]
fn a_cut_between_two_packets_is_no_error() {
    let scratch = Scratch::new();
    let whole = capture();
    let last = 16 + 54; // the record's header; Ethernet, IP and TCP without data
    let file = scratch.write("cut.pcap", &whole.bytes()[..whole.bytes().len() - last]);
    let run = run(&[&file]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.only("flow")["data"]["orig_pkts"], 4);
}

#[test]
fn packets_without_bytes_and_packets_that_make_no_sense_are_counted() {
    let scratch = Scratch::new();
    let noise: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let pcap = Pcap::of(&[conversation(4000)]).frame(&[]).frame(&[0x45]).frame(&noise);
    // Ethernet and IPv4 by name, nothing behind it.
    let pcap = pcap.frame(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
    let (run, stats) = run_counting(&scratch.capture("odd.pcap", &pcap));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.of_type("flow").len(), 1);
    assert_eq!(stats["engine"]["frames"], 13, "{stats}");
    assert_eq!(stats["engine"]["decode_too_short"], 3, "{stats}");
}

#[test]
fn a_packet_that_claims_too_much() {
    let scratch = Scratch::new();
    let pcap = capture().record(300_000, 300_000, &[0; 100]);
    let file = scratch.capture("damaged.pcap", &pcap);
    let parts = ["damaged.pcap: damaged: frame 10", "300000 captured bytes", "262144"];
    assert_told(&run(&[&file]), 1, &parts);
}

#[test]
fn a_packet_that_the_capture_has_cut_leaves_a_gap() {
    let scratch = Scratch::new();
    let opened = Conversation::tcp(4000, 7).open();
    let sent = opened.clone().send(Client, &[b'x'; 1000]);
    let mut pcap = Pcap::of(&[opened]);
    let frame = sent.frames().last().expect("a frame");
    let whole = u32::try_from(frame.len()).expect("short");
    pcap = pcap.record(whole - 400, whole, &frame[..frame.len() - 400]);
    let (run, stats) = run_counting(&scratch.capture("snaplen.pcap", &pcap));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let data = &run.only("flow")["data"];
    assert_eq!((&data["orig_bytes"], &data["missed_bytes"]), (&1000.into(), &400.into()), "{data}");
    assert_eq!(stats["engine"]["frames_truncated"], 1, "{stats}");
}

#[test]
fn an_unknown_link_type_is_counted_and_the_run_goes_on() {
    let scratch = Scratch::new();
    let odd = scratch.capture("odd.pcap", &Pcap::new(9999).frame(b"whatever").frame(b"it is"));
    let good = scratch.capture("good.pcap", &capture());
    let stats = scratch.path("stats.json");
    let run =
        Run::of(flowcell(["run", "-q", "--stats-json"]).arg(&stats).arg("-r").args([&odd, &good]));
    assert_eq!((run.code, run.of_type("flow").len()), (Some(0), 1), "{}", run.stderr);
    let stats = std::fs::read_to_string(stats).expect("counters");
    let stats: serde_json::Value = serde_json::from_str(&stats).expect("JSON");
    assert_eq!(stats["engine"]["unsupported_link"], 2, "{stats}");
}

#[test]
fn a_bad_file_among_good_ones() {
    let scratch = Scratch::new();
    let first = scratch.capture("first.pcap", &Pcap::of(&[conversation(4000)]));
    let whole = Pcap::of(&[conversation(4001)]);
    let bad = scratch.write("bad.pcap", &whole.bytes()[..whole.bytes().len() - 10]);
    let missing = scratch.path("missing.pcap");
    let last = scratch.capture("last.pcap", &Pcap::of(&[conversation(4002)]));
    let run = run(&[&first, &bad, &missing, &last]);
    assert_told(&run, 3, &["bad.pcap: cut short"]);
    assert_told(&run, 3, &["missing.pcap: cannot open it"]);
    let ports: Vec<_> = run.of_type("flow").iter().map(|flow| flow["orig_port"].clone()).collect();
    assert_eq!(ports, [4000, 4001, 4002]);
}

#[test]
fn a_bad_filter() {
    let scratch = Scratch::new();
    let file = scratch.capture("good.pcap", &capture());
    let run = Run::of(flowcell(["run", "-r"]).arg(&file).args(["tcp", "prot", "25"]));
    assert_told(&run, 0, &["bad filter `tcp prot 25`", "pcap-filter(7)"]);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_file_behind_the_filter() {
    let scratch = Scratch::new();
    let file = scratch.capture("good.pcap", &capture());
    let run = Run::of(flowcell(["run", "-r"]).arg(&file).args(["tcp", "and"]).arg(&file));
    assert_told(&run, 0, &["is a file behind the filter", "right after -r"]);
}

#[test]
fn an_output_that_can_not_be_written() {
    let scratch = Scratch::new();
    let file = scratch.capture("good.pcap", &capture());
    let nowhere = scratch.path("no/such/folder/out.jsonl");
    let run = Run::of(flowcell(["run", "-r"]).arg(&file).arg("-o").arg(nowhere));
    assert_told(&run, 0, &["no/such/folder/out.jsonl: the output can not be written", "No such"]);
}

#[test]
fn an_output_that_is_full() {
    if !Path::new("/dev/full").exists() {
        println!("skipped: there is no /dev/full");
        return;
    }
    let scratch = Scratch::new();
    let file = scratch.capture("good.pcap", &capture());
    let run = Run::of(flowcell(["run", "-o", "/dev/full", "-r"]).arg(&file));
    assert_told(&run, 0, &["the output can not be written", "No space left"]);
}

#[test]
fn counters_that_can_not_be_written() {
    let scratch = Scratch::new();
    let file = scratch.capture("good.pcap", &capture());
    let nowhere = scratch.path("no/stats.json");
    let run = Run::of(flowcell(["run", "-r"]).arg(&file).arg("--stats-json").arg(nowhere));
    assert_told(&run, 1, &["no/stats.json: the counters can not be written"]);
}

#[test]
fn a_folder_of_parsers_that_is_not_there_or_no_folder() {
    let scratch = Scratch::new();
    let file = scratch.capture("good.pcap", &capture());
    for folder in [scratch.path("parsrs"), file.clone()] {
        let run = Run::of(flowcell(["run", "-r"]).arg(&file).arg("--parsers").arg(&folder));
        let name = folder.display().to_string();
        assert_told(&run, 0, &[&name, "--parsers wants a folder with .wasm files"]);
    }
}

#[test]
fn a_folder_without_parsers_tracks_flows_and_says_so() {
    let scratch = Scratch::new();
    let file = scratch.capture("good.pcap", &capture());
    let folder = scratch.write("empty/README.txt", "nothing here").with_file_name("");
    let run = Run::of(flowcell(["run", "-r"]).arg(&file).arg("--parsers").arg(folder));
    assert_eq!((run.code, run.of_type("flow").len()), (Some(0), 1), "{}", run.stderr);
    assert!(run.stderr.contains("no .wasm files in it; flows are tracked only"), "{}", run.stderr);
}

#[test]
fn a_command_line_without_input_or_with_nonsense() {
    assert_told(&Run::of(&mut flowcell(["run"])), 0, &["nothing to read", "-r", "-i"]);
    for words in [&["run", "--no-such-option"][..], &["rum"], &[], &["run", "-i", "x", "-r", "y"]] {
        let run = Run::of(&mut flowcell(words));
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{words:?}\n{}", run.stderr);
        assert!(run.stderr.contains("Usage: flowcell"), "{words:?}\n{}", run.stderr);
    }
}
