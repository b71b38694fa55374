//! Who parses which flow: found by how flows begin, on any port; handed from one parser to the next;
//! expected by another flow's parser.
//!
//! Parsers of `tests/guests` do what the lines of a flow tell them (`orders.rs`): `first` and `second` say
//! nothing unless they are told to, `third` and others tell of each line that they get.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod cuts;
mod declining;
mod digests;
mod expecting;
mod expecting_whom;
mod finding;
mod handing;
mod handing_chains;
mod reloading;
mod resting;
mod roles;

use flowcell_tests::command::{Run, Scratch, flowcell, read};
use flowcell_tests::packets::{Conversation, Pcap};
use serde_json::Value;

/// A run and its counters.
struct Counted {
    run: Run,
    stats: Value,
}

/// Runs the program over `pcap` with these guests and the echo parser.
fn run_pcap(guests: &[&str], pcap: &Pcap, arguments: &[&str], limits: &str) -> Counted {
    let scratch = Scratch::new();
    let capture = scratch.capture("some.pcap", pcap);
    let parsers = scratch.parsers(guests);
    let stats = scratch.path("stats.json");
    let limits = scratch.write("limits.toml", limits);
    let mut command = flowcell(["run", "-q", "--parsers"]);
    command.arg(parsers).arg("--stats-json").arg(&stats).arg("--limits").arg(limits);
    let mut run = Run::of(command.args(arguments).arg("-r").arg(capture));
    // The same in every run: some records name files.
    let folder = scratch.path("").display().to_string();
    run.stdout = run.stdout.replace(&folder, "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    Counted { run, stats: serde_json::from_slice(&read(&stats)).expect("counters are JSON") }
}

/// The same over one conversation.
fn run(guests: &[&str], flow: Conversation) -> Run {
    run_pcap(guests, &Pcap::of(&[flow]), &[], "").run
}

/// What became of the parsers of a flow's record, in order: "first declined (as told)".
fn outcomes_of(flow: &Value) -> Vec<String> {
    let parsers = flow["data"]["parsers"].as_array().into_iter().flatten();
    let outcome = |candidate: &Value| {
        let text = |name: &str| candidate[name].as_str().unwrap_or_default().to_owned();
        let name = text("parser").split('@').next().unwrap_or_default().to_owned();
        match text("reason") {
            reason if reason.is_empty() => format!("{name} {}", text("outcome")),
            reason => format!("{name} {} ({reason})", text("outcome")),
        }
    };
    parsers.map(outcome).collect()
}

/// The same of the only flow.
fn outcomes(run: &Run) -> Vec<String> {
    outcomes_of(run.only("flow"))
}

/// The notes of a parser, in order: what each is about.
fn notes(run: &Run, parser: &str) -> Vec<String> {
    let notes = run.of_type(&format!("{parser}.note")).into_iter();
    notes.map(|note| note["data"]["text"].as_str().expect("text").to_owned()).collect()
}

/// The lines that a parser has written, as they stand in the output.
fn lines<'a>(run: &'a Run, parser: &str) -> Vec<&'a str> {
    let ty = format!("{parser}.note");
    let lines = run.stdout.lines().zip(&run.records);
    lines.filter(|(_, record)| record["type"] == ty.as_str()).map(|(line, _)| line).collect()
}

/// The flow to this port of the responder.
fn flow_to(run: &Run, port: u16) -> &Value {
    let flows = run.of_type("flow").into_iter();
    let mut flows = flows.filter(|flow| flow["resp_port"] == port);
    let flow = flows.next().unwrap_or_else(|| panic!("no flow to {port} in\n{}", run.stdout));
    assert!(flows.next().is_none(), "two flows to {port} in\n{}", run.stdout);
    flow
}
