//! `--repro-dir` and `flowcell parser replay`, from outside.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod folder;
mod limits;
mod parsers;
mod replay;

use std::fs;
use std::path::{Path, PathBuf};

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell, read};
use flowcell_tests::packets::{Conversation, Pcap};
use serde_json::Value;

/// The port whose flows the bad parsers want.
const BAD: u16 = 9;

/// A run with `--repro-dir`.
struct Kept {
    scratch: Scratch,
    run: Run,
}

impl Kept {
    /// Runs a guest over these conversations. `limits` is a file, `words` are further arguments.
    fn with(guest: &str, flows: &[Conversation], limits: &str, words: &[&str]) -> Self {
        let scratch = Scratch::new();
        let run = run(&scratch, guest, flows, limits, words);
        Self { scratch, run }
    }

    fn of(guest: &str, flow: Conversation) -> Self {
        Self::with(guest, &[flow], "", &[])
    }

    /// The folder.
    fn folder(&self) -> PathBuf {
        self.scratch.path("kept")
    }

    fn bundles(&self) -> Vec<PathBuf> {
        let mut bundles = list(&self.folder());
        bundles.retain(|path| path.extension().is_some_and(|extension| extension == "flowrepro"));
        bundles
    }

    fn bundle(&self) -> PathBuf {
        let bundles = self.bundles();
        assert_eq!(bundles.len(), 1, "{}", self.run.stderr);
        bundles[0].clone()
    }

    /// The parser beside the bundles.
    fn parser(&self) -> PathBuf {
        let files = list(&self.folder());
        let mut parsers =
            files.into_iter().filter(|path| path.extension().is_some_and(|it| it == "wasm"));
        parsers.next().expect("a parser beside the bundles")
    }

    fn stats(&self) -> Value {
        serde_json::from_slice(&read(&self.scratch.path("stats.json"))).expect("counters are JSON")
    }
}

fn run(
    scratch: &Scratch,
    guest: &str,
    flows: &[Conversation],
    limits: &str,
    words: &[&str],
) -> Run {
    let capture = scratch.capture("some.pcap", &Pcap::of(flows));
    let mut command = flowcell(["run", "-q"]);
    command.arg("--parsers").arg(scratch.parsers(&[guest])).args(words);
    command.arg("--limits").arg(scratch.write("limits.toml", limits));
    command.arg("--repro-dir").arg(scratch.path("kept"));
    command.arg("--stats-json").arg(scratch.path("stats.json"));
    let run = Run::of(command.arg("-r").arg(capture));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run
}

/// The files of a folder, in order.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Replays a bundle.
fn replay(bundle: &Path, words: &[&str]) -> Run {
    Run::of(flowcell(["parser", "replay"]).arg(bundle).args(words))
}

/// The lines of a bundle.
fn lines(bundle: &Path) -> Vec<Value> {
    let text = String::from_utf8(read(bundle)).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Two lines of the client, each answered.
fn two_lines(port: u16) -> Conversation {
    let flow = Conversation::tcp(port, BAD).open();
    let flow = flow.send(Client, b"one\r\n").send(Server, b"ONE\r\n");
    flow.send(Client, b"two\r\n").send(Server, b"TWO\r\n").close()
}
