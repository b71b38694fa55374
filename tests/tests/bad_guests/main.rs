//! Every parser in `tests/guests` harms its own flow and nothing else.
//!
//! Each test runs the program over two conversations whose frames take turns: one for the bad parser
//! and one for the echo parser. Whatever the bad one does, the lines about the other conversation
//! must be, byte for byte, those of a run without it.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod deliveries;
mod detection;
mod faults;
mod files;
mod records;
mod refused;
mod resting;
mod secrets;
mod segments;
mod verdicts;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::for_each_guest;
use flowcell_tests::guests;
use flowcell_tests::packets::{Conversation, Pcap};
use serde_json::{Value, json};

/// The port whose flows the bad parsers want.
const BAD: u16 = 9;
/// The port of the echo parser.
const ECHO: u16 = 7;

/// A guest without a test does not get past the compiler.
macro_rules! has_a_test {
    ($guest:ident) => {
        const _: fn() = tests::$guest;
    };
}

mod tests {
    pub(crate) use super::{
        deliveries::*, detection::*, faults::*, records::*, refused::*, resting::*, secrets::*,
        segments::*, verdicts::*,
    };
}

for_each_guest!(has_a_test);

/// Two lines of the client, each answered.
fn two_lines() -> Conversation {
    Conversation::tcp(4000, BAD)
        .open()
        .send(Client, b"one\r\n")
        .send(Server, b"ONE\r\n")
        .send(Client, b"two\r\n")
        .send(Server, b"TWO\r\n")
        .close()
}

/// What the echo parser is to make three records of.
fn echoes() -> Conversation {
    let flow = Conversation::tcp(5000, ECHO).open();
    let lines: [&[u8]; 3] = [b"hello\n", b"bytes \xff\n", b"goodbye\n"];
    lines.into_iter().fold(flow, |flow, line| flow.send(Client, line).send(Server, line)).close()
}

/// Runs the program with `guest` over these conversations and the echo parser's.
fn run_with(guest: &str, conversations: &[Conversation]) -> Run {
    run_with_args(guest, conversations, &[])
}

/// As [`run_with`], with further arguments.
fn run_with_args(guest: &str, conversations: &[Conversation], arguments: &[&str]) -> Run {
    run_file(guest, &guests::guest(guest), conversations, arguments)
}

/// As [`run_with`], with the bytes of a guest of this name.
fn run_with_file(guest: &str, file: &[u8], conversations: &[Conversation]) -> Run {
    run_file(guest, file, conversations, &[])
}

fn run_file(guest: &str, file: &[u8], conversations: &[Conversation], arguments: &[&str]) -> Run {
    let scratch = Scratch::new();
    let mut all = conversations.to_vec();
    all.push(echoes());
    let capture = scratch.capture("both.pcap", &Pcap::of(&all));
    let parsers = scratch.parsers(&[]);
    scratch.write(&format!("parsers/{guest}.wasm"), file);
    let alone =
        scratch.write("alone/echo.wasm", std::fs::read(guests::parser("template")).unwrap());
    let run = |parsers: &std::path::Path| {
        let capture = capture.as_os_str();
        let words = ["run".as_ref(), "-r".as_ref(), capture, "--parsers".as_ref()];
        Run::of(flowcell(words).arg(parsers).arg("--strict").args(arguments))
    };
    let (bad, good) = (run(&parsers), run(alone.parent().unwrap()));
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    assert_eq!(good.lines_of_port(ECHO).len(), 4, "three records and the flow's\n{}", good.stdout);
    assert_eq!(bad.lines_of_port(ECHO), good.lines_of_port(ECHO), "{guest} changes another flow");
    bad
}

/// Runs `guest` over a conversation and demands a fault of this class. Returns the run, and the
/// fault's message.
fn fault_in(guest: &str, conversation: &Conversation, class: &str) -> (Run, String) {
    let run = run_with(guest, std::slice::from_ref(conversation));
    assert_eq!(run.code, Some(1), "--strict tells of faults\n{}", run.stderr);
    let fault = run.only("fault");
    assert_eq!(fault["resp_port"], BAD);
    assert_eq!(fault["data"]["class"], class, "{fault}");
    let label = fault["parser"].as_str().unwrap_or_default().to_owned();
    assert_eq!(label.split('@').next(), Some(guest), "{fault}");
    let expected = json!([{ "parser": label, "outcome": "fault", "reason": class }]);
    let flow = flow_record(&run);
    assert_eq!(flow["data"]["parsers"], expected, "{flow}");
    // The flow goes on being tracked.
    assert_eq!(flow["data"]["end_reason"], "fin", "{flow}");
    let message = fault["data"]["message"].as_str().unwrap_or_default().to_owned();
    (run, message)
}

/// As [`fault_in`], with a conversation of two lines. Returns the message.
fn fault(guest: &str, class: &str) -> String {
    fault_in(guest, &two_lines(), class).1
}

/// The record of the bad parser's flow.
fn flow_record(run: &Run) -> &Value {
    let flows = run.of_type("flow");
    let mut of_port = flows.into_iter().filter(|flow| flow["resp_port"] == BAD);
    of_port.next().unwrap_or_else(|| panic!("no flow in\n{}{}", run.stdout, run.stderr))
}
