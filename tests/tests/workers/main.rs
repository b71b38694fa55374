//! However many threads work on the flows, and however often: the output is the same, byte by byte, and
//! so are the counters.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod corpus;
mod inputs;
mod limits;
mod resting;
mod traffic;

use std::ffi::OsStr;
use std::path::Path;

use flowcell_tests::command::{Run, Scratch, flowcell, read};

/// Numbers of threads: one, which has no threads beside it, and up to more than this machine has.
const WORKERS: [&str; 4] = ["1", "2", "4", "8"];

/// A run and its counters, if it writes any.
struct Made {
    run: Run,
    stats: Vec<u8>,
}

/// Runs `command` with these arguments on so many threads, with `input` on its standard input.
fn made<S: AsRef<OsStr>>(
    command: &str,
    arguments: &[S],
    workers: &str,
    input: Option<&[u8]>,
) -> Made {
    let scratch = Scratch::new();
    let stats = scratch.path("stats.json");
    let mut program = flowcell([command, "-q", "--workers", workers]);
    if command == "run" {
        program.arg("--stats-json").arg(&stats);
    }
    program.args(arguments);
    let run = match input {
        Some(bytes) => Run::with_input(&mut program, bytes),
        None => Run::of(&mut program),
    };
    let stats = if stats.exists() { read(&stats) } else { Vec::new() };
    Made { run, stats }
}

/// Runs `command` with these arguments on every number of threads, and twice on the largest; all must
/// write the same. Returns the run.
#[track_caller]
fn same_on_all<S: AsRef<OsStr>>(command: &str, arguments: &[S], input: Option<&[u8]>) -> Run {
    let first = made(command, arguments, WORKERS[0], input);
    assert!(!first.run.stdout.is_empty(), "nothing was written: {}", first.run.stderr);
    assert_eq!(command == "run", !first.stats.is_empty(), "counters of `{command}`");
    for workers in WORKERS.iter().skip(1).chain(WORKERS.last()) {
        let other = made(command, arguments, workers, input);
        assert_eq!(other.run.code, first.run.code, "{workers} workers: {}", other.run.stderr);
        assert_equal(&first.run.stdout, &other.run.stdout, workers);
        let [ours, theirs] = [&first, &other].map(|made| String::from_utf8_lossy(&made.stats));
        assert_eq!(ours, theirs, "counters of {workers} workers");
    }
    first.run
}

/// The whole output would be far too long for a message.
#[track_caller]
fn assert_equal(one: &str, other: &str, workers: &str) {
    if one == other {
        return;
    }
    let differs = one.lines().zip(other.lines()).position(|(one, other)| one != other);
    let line = differs.unwrap_or_else(|| one.lines().count().min(other.lines().count()));
    let shown = |text: &str| text.lines().nth(line).unwrap_or("(nothing)").to_owned();
    let (one, other) = (shown(one), shown(other));
    panic!("line {} with 1 worker:\n{one}\nand with {workers}:\n{other}", line + 1);
}

/// Both commands over a file.
#[track_caller]
fn same_for_file(file: &Path) -> [Run; 2] {
    ["run", "streams"].map(|command| {
        let run = same_on_all(command, &[OsStr::new("-r"), file.as_os_str()], None);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run
    })
}
