//! `--limits FILE`, from outside: every limit is set once and then reached, and every mistake in a
//! file is told with its place and its cure.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod cells;
mod deterministic;
mod engine;
mod faults;
mod resting;
mod room;
mod wrong;

use std::path::Path;

use flowcell_tests::command::{Run, Scratch, flowcell, read};
use flowcell_tests::packets::Pcap;
use serde_json::Value;

/// A run and its counters.
struct Counted {
    run: Run,
    stats: Value,
}

/// Runs the program over `pcap` with the echo parser, these guests, and a file of limits if there is
/// one.
fn run_with(guests: &[&str], pcap: &Pcap, limits: Option<&str>) -> Counted {
    let scratch = Scratch::new();
    let capture = scratch.capture("some.pcap", pcap);
    let parsers = scratch.parsers(guests);
    let stats = scratch.path("stats.json");
    let mut command = flowcell(["run", "-q", "--parsers"]);
    command.arg(parsers).arg("--stats-json").arg(&stats).arg("-r").arg(capture);
    if let Some(text) = limits {
        command.arg("--limits").arg(scratch.write("limits.toml", text));
    }
    let run = Run::of(&mut command);
    let stats = if stats.exists() { json(&stats) } else { Value::Null };
    Counted { run, stats }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&read(path)).expect("counters are JSON")
}
