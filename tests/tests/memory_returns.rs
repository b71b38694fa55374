//! Whatever a parser does to its flow, all its memory is back when the flow is gone.
//!
//! A process of its own, because the memory of the whole process is what is looked at.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use flowcell::registry::load;
use flowcell::runtime::{
    Cell, CellLimits, Chunk, End, EndReason, Engine, Gap, GapReason, Input, Parser, Progress, Side,
};
use flowcell_tests::{for_each_guest, guests};

/// Flows before the first look: until then there is room that is kept for the next ones.
const BEFORE: usize = 50;
/// Flows between the two looks.
const BETWEEN: usize = 300;
/// What the process may have grown by in between. Any cell that is left behind takes more than 10 KiB.
const SLACK: usize = 3 << 20;

/// Resident memory of this process in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib << 10
}

/// One flow from its beginning to its end, or the parser's.
fn run(parser: &Arc<Parser>) {
    let data =
        |side, offset, bytes| Input::Data(Chunk { side, offset, at: 0, segments: None, bytes });
    let much = [b'x'; 60_000];
    let reason = EndReason::Fin;
    let inputs = [
        data(Side::Client, 0, b"one\r\n"),
        data(Side::Server, 0, b"ONE\r\n"),
        data(Side::Client, 5, b"two\r\n"),
        Input::Gap(Gap { side: Side::Client, offset: 10, length: 5, reason: GapReason::Lost }),
        data(Side::Client, 15, &much),
        Input::End(End { side: Side::Client, at: 0, reason }),
        Input::End(End { side: Side::Server, at: 0, reason }),
    ];
    let Ok(mut cell) = Cell::open(parser, guests::flow()) else { return };
    for input in inputs {
        let outcome = cell.poll(input);
        let output = std::mem::take(cell.output());
        if !matches!(outcome, Ok(Progress::Pending)) || output.verdict.is_some() {
            return;
        }
    }
}

fn check(engine: &Engine, name: &str) {
    // One that is refused has no flows.
    let Ok(loaded) = load(engine, name.into(), &guests::guest(name), limits()) else { return };
    let parser = loaded.parser;
    (0..BEFORE).for_each(|_| run(&parser));
    let before = resident();
    (0..BETWEEN).for_each(|_| run(&parser));
    let after = resident();
    let grown = after.saturating_sub(before);
    assert!(grown < SLACK, "{name} took {grown} bytes in {BETWEEN} flows");
}

/// Those that spin, or fill their memory, are to be through with it soon.
fn limits() -> CellLimits {
    let mut limits = CellLimits::default();
    limits.call_time = Duration::from_millis(1);
    limits.memory = 2 << 20;
    limits
}

#[test]
fn every_guest_gives_back_what_it_took() {
    let engine = Engine::new().expect("wasmtime");
    let mut looked_at = 0;
    macro_rules! look_at {
        ($guest:ident) => {
            check(&engine, stringify!($guest));
            looked_at += 1;
        };
    }
    for_each_guest!(look_at);
    assert!(looked_at > 50, "{looked_at} guests");
}
