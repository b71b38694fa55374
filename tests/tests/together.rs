//! Whether the bytes of several packets are delivered together or each packet's alone, whether cells are
//! parked whenever they wait or never, by any number of threads: the output is the same, byte by byte,
//! and so are the counters.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::{OsStr, OsString};
use std::path::Path;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell, read};
use flowcell_tests::packets::layers::forged;
use flowcell_tests::packets::{Conversation, Pcap};
use flowcell_tests::{for_each_guest, guests};
use flowcell_traffic::{Impairments, Mix, Rate, Weights, write_pcap};
use serde_json::Value;

/// Runs the program; returns the run and its counters.
fn run(arguments: &[OsString], workers: &str, mode: Option<&str>) -> (Run, Value) {
    let scratch = Scratch::new();
    let stats = scratch.path("stats.json");
    let mut program = flowcell(["run", "-q", "--workers", workers]);
    program.args(arguments).arg("--stats-json").arg(&stats);
    if let Some(mode) = mode {
        program.args(["--cell-mode", mode]);
    }
    let run = Run::of(&mut program);
    let mut counted: Value = serde_json::from_slice(&read(&stats)).expect("JSON");
    let parsers = counted["parsers"].as_object_mut().expect("counters of parsers");
    // Log lines are let through in the order in which they are heard.
    for counter in ["parks", "unparks", "parked_bytes", "log_lines_dropped"] {
        parsers.remove(counter).expect("a counter");
    }
    (run, counted)
}

/// A line without what no two runs have in common: where an endless loop was when its time was over.
fn without_chance(line: &str) -> &str {
    let end = line.find("\"backtrace\"").filter(|_| line.contains("\"class\":\"deadline\""));
    &line[..end.unwrap_or(line.len())]
}

/// Demands the same output however packets are delivered. Returns the run.
#[track_caller]
fn same(what: &str, arguments: &[OsString], workers: &[&str]) -> Run {
    let (expected, counted) = run(arguments, "1", Some("alone"));
    let modes = [("1", Some("park")), ("1", Some("alone,park"))];
    for (workers, mode) in workers.iter().map(|workers| (*workers, None)).chain(modes) {
        let (made, counts) = run(arguments, workers, mode);
        let lines = expected.stdout.lines().zip(made.stdout.lines());
        for (number, (alone, together)) in lines.enumerate() {
            let [alone, together] = [alone, together].map(without_chance);
            assert_eq!(alone, together, "{what}, {workers} workers, {mode:?}, line {number}");
        }
        let [alone, together] = [&expected, &made].map(|run| run.stdout.lines().count());
        assert_eq!(alone, together, "{what}, {workers} workers, {mode:?}");
        assert_eq!(counted, counts, "{what}, {workers} workers, {mode:?}");
        assert_eq!(expected.code, made.code, "{what}: {}", made.stderr);
    }
    expected
}

fn arguments(capture: &Path, parsers: Option<&Path>) -> Vec<OsString> {
    let parsers =
        parsers.into_iter().flat_map(|folder| [OsStr::new("--parsers"), folder.as_os_str()]);
    [OsStr::new("-r"), capture.as_os_str()].into_iter().chain(parsers).map(OsString::from).collect()
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_in(&mut self, end: u64) -> bool {
        self.below(end) == 0
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let byte = |random: &mut Self| match random.below(12) {
            0 => b'\n',
            _ => u8::try_from(random.below(256)).unwrap(),
        };
        (0..=self.below(most)).map(|_| byte(self)).collect()
    }
}

/// A flow that sends `say` again and again, mostly several packets in a row, with all that goes wrong in
/// networks.
fn troubled(port: u16, random: &mut Random, say: impl Fn(&mut Random) -> Vec<u8>) -> Vec<Vec<u8>> {
    let mut flow = Conversation::tcp(port, 9);
    if !random.one_in(6) {
        flow = flow.open();
    }
    let mut side = Client;
    for _ in 0..random.below(80) {
        if random.one_in(6) {
            side = if random.one_in(2) { Client } else { Server };
        }
        flow = match random.below(40) {
            0 => flow.lose(side, usize::try_from(random.below(200)).unwrap() + 1),
            1 => flow.acknowledged(side),
            _ => flow.send(side, &say(random)),
        };
    }
    flow = match random.below(4) {
        0 => flow.reset(side),
        1 => flow,
        2 => flow.fin(side),
        _ => flow.close(),
    };
    let mut frames = flow.frames().to_vec();
    for index in 1..frames.len() {
        match random.below(25) {
            0 => frames.swap(index - 1, index),
            1 => frames.insert(index, frames[index].clone()),
            2 if frames[index].len() > 60 => {
                let length = frames[index].len() - 54;
                frames.insert(index - 1, forged(&frames[index], &vec![b'!'; length]));
            }
            _ => {}
        }
    }
    frames
}

/// The frames of all flows, mixed at random.
fn mixed(mut flows: Vec<Vec<Vec<u8>>>, random: &mut Random) -> Pcap {
    let step = [20, 3_000, 150_000][usize::try_from(random.below(3)).unwrap()];
    let mut pcap = Pcap::new(1).every(step);
    flows.iter_mut().for_each(|flow| flow.reverse());
    while !flows.is_empty() {
        let index = usize::try_from(random.below(flows.len() as u64)).unwrap();
        // Often some frames of one flow in a row.
        for _ in 0..=random.below(12) {
            if let Some(frame) = flows[index].pop() {
                pcap = pcap.frame(&frame);
            }
        }
        if flows[index].is_empty() {
            flows.swap_remove(index);
        }
    }
    pcap
}

#[test]
fn a_parser_that_does_everything() {
    let scratch = Scratch::new();
    let parsers = scratch.parsers(&["obeys"]);
    let (mut failed, mut records, mut anomalies) = (0, 0, 0);
    for seed in 0..12 {
        let mut random = Random(seed);
        let flows =
            (0..120).map(|port| troubled(4000 + port, &mut random, |random| random.bytes(120)));
        let flows: Vec<_> = flows.collect();
        let capture = scratch.capture("troubled.pcap", &mixed(flows, &mut random));
        let mut arguments = arguments(&capture, Some(&parsers));
        if seed % 3 == 2 {
            let text = [
                "[engine]\ndepth = 700\n",
                "[cells]\ncells = 20\n",
                "[engine]\nmax_flows = 30\n",
                "[engine]\ntcp_timeout_ms = 40\n",
            ][usize::try_from(seed / 3).unwrap()];
            let limits = scratch.write("limits.toml", text);
            arguments.extend(["--limits".into(), limits.into_os_string()]);
        }
        let run = same(&format!("seed {seed}"), &arguments, &["1", "2", "4"]);
        let flows = run.of_type("flow");
        failed +=
            flows.iter().filter(|flow| flow["data"]["parsers"][0]["outcome"] == "failed").count();
        records += run.of_type("obeys.note").len();
        anomalies += run.of_type("anomaly").len();
    }
    assert!(failed > 10 && records > 5000 && anomalies > 10, "{failed} {records} {anomalies}");
}

#[test]
fn mixes_of_flows() {
    let scratch = Scratch::new();
    for (seed, concurrent, trouble) in [(1, 3, 0), (2, 30, 20_000), (3, 300, 20_000)] {
        let rate = Rate::per_million(trouble);
        let impairments = Impairments {
            loss: rate,
            retransmit: rate,
            reorder: rate,
            duplicate: rate,
            overlap: rate,
            conflict: rate,
        };
        let weights = Weights { mail: 8, web: 1, dns: 1, ..Weights::NONE };
        let mix = Mix { flows: 300, concurrent, seed, impairments, weights, ..Mix::default() };
        let mut bytes = Vec::new();
        write_pcap(&mut bytes, |output| mix.frames(output)).expect("memory");
        let capture = scratch.write("mix.pcap", bytes);
        let run = same(&format!("mix {seed}"), &arguments(&capture, None), &["1", "2", "4"]);
        assert!(!run.of_type("smtp.mail").is_empty());
    }
}

/// Lines in many packets, for parsers that break down on some of them.
fn lines(port: u16, random: &mut Random) -> Vec<Vec<u8>> {
    troubled(port, random, |random| match random.below(3) {
        0 => b"one\r\n".to_vec(),
        1 => b"two lines\nat once\n".to_vec(),
        _ => b"a part".to_vec(),
    })
}

macro_rules! hostile {
    ($guest:ident) => {
        hostile(stringify!($guest));
    };
}

fn hostile(guest: &str) {
    // One tells how many packets there are; others are stopped by the clock.
    if ["lies_about_segments", "spins_and_tells", "slow_and_steady"].contains(&guest) {
        return;
    }
    let scratch = Scratch::new();
    let parsers = scratch.parsers(&[guest]);
    let mut random = Random(7);
    let flows = (0..3).map(|port| lines(4000 + port, &mut random)).collect();
    let capture = scratch.capture("lines.pcap", &mixed(flows, &mut random));
    same(guest, &arguments(&capture, Some(&parsers)), &["1"]);
}

#[test]
fn parsers_that_break_down() {
    for_each_guest!(hostile);
}

#[test]
fn the_demo() {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/mail.pcap");
    assert!(read(&guests::parser("smtp")).len() > 1000);
    same("the demo", &arguments(&capture, None), &["1", "2", "4"]);
}
