//! Parsers are replaced while flows wait for theirs.

use std::fs;

use flowcell_tests::command::{Running, Scratch, program};
use flowcell_tests::guests;
use flowcell_tests::namespace::{Namespace, Traffic};
use serde_json::Value;

/// The program that makes the traffic: its server answers each line with the same.
const TRAFFIC: &str = env!("CARGO_BIN_EXE_echo-traffic");

/// A flow whose parser is being found has those to choose from that were there when it began; one that is
/// handed over gets who is there then.
#[test]
fn a_search_keeps_the_parsers_that_it_began_with() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let mut command = namespace.command(program());
    command.args(["run", "-q", "-i", "lo", "--parsers"]).arg(scratch.parsers(&["first", "third"]));
    let mut running = Running::start(&mut command);
    let mut traffic = Traffic::start(&namespace, TRAFFIC);
    let event = |name: &'static str, file: &'static str| {
        move |record: &Value| {
            let at = record["data"]["file"].as_str().is_some_and(|path| path.ends_with(file));
            at && record["type"] == "parser" && record["data"]["event"] == name
        }
    };
    let _ = running.wait_for("third", event("loaded", "third.wasm"));

    // `first` has the flow, and `third` would be next.
    traffic.say("old", "HEY a");
    // When this is seen, that was.
    traffic.say("mark", "a mark");
    let _ = running.wait_for("a mark", |record| record["data"]["request"] == "a mark");
    fs::rename(scratch.path("parsers/third.wasm"), scratch.path("third.wasm"))
        .expect("it is moved");
    let _ = running.wait_for("retired", event("retired", "third.wasm"));
    traffic.say("new", "HEY first:decline");
    traffic.say("old", "first:decline");
    let note = running.wait_for("a note", |record| record["type"] == "third.note");
    assert!(note["data"]["text"].as_str().is_some_and(|text| text.ends_with("> HEY a")), "{note}");

    // One that is handed over gets who is there by then.
    traffic.say("later", "HEY first:confirm");
    let outside = scratch.write("nameless.wasm", guests::guest("nameless"));
    fs::rename(outside, scratch.path("parsers/nameless.wasm")).expect("it is moved");
    let _ = running.wait_for("nameless", event("loaded", "nameless.wasm"));
    traffic.say("later", "first:switch=nameless");
    traffic.say("later", "there");
    let _ = running.wait_for("a note", |record| record["type"] == "nameless.note");
    for connection in ["old", "new", "later"] {
        traffic.close(connection);
    }
    let run = running.end_with("INT");
    assert!(run.of_type("fault").is_empty(), "{:?}", run.of_type("fault"));
    let mut outcomes: Vec<_> = run.of_type("flow").into_iter().map(super::outcomes_of).collect();
    outcomes.retain(|parsers| parsers != &["echo confirmed"]);
    for (parsers, expected) in outcomes.iter().zip([
        ["first declined (as told)", "third confirmed"],
        ["first declined (as told)", "echo confirmed"],
        ["first switched (nameless)", "nameless confirmed"],
    ]) {
        assert_eq!(*parsers, expected);
    }
}

/// A capture on the loopback interface with a parser that rests, of whose cells none stays as it is then.
struct Resting {
    running: Running,
    traffic: Traffic,
    scratch: Scratch,
    _namespace: Namespace,
}

impl Resting {
    fn start(limits: &str) -> Option<Self> {
        let namespace = Namespace::new()?;
        let scratch = Scratch::new();
        let mut command = namespace.command(program());
        command.args(["run", "-q", "-i", "lo", "--cell-mode", "park", "--parsers"]);
        command.arg(scratch.parsers(&["rests_as_told"]));
        command.arg("--limits").arg(scratch.write("limits.toml", limits));
        let running = Running::start(&mut command);
        let traffic = Traffic::start(&namespace, TRAFFIC);
        let mut live = Self { running, traffic, scratch, _namespace: namespace };
        let _ = live.reported("loaded");
        Some(live)
    }

    /// Waits until this is told of the parser's file.
    fn reported(&mut self, event: &str) -> Value {
        self.running.wait_for(event, |record| {
            let file = record["data"]["file"].as_str().unwrap_or_default();
            record["data"]["event"] == event && file.ends_with("rests_as_told.wasm")
        })
    }

    /// Sends a datagram to and fro, and waits for the note of the second. Returns the parser.
    fn say(&mut self, name: &str, text: &str) -> Value {
        self.traffic.say(name, text);
        let note = format!("< {text}");
        self.running.wait_for(&note, |record| record["data"]["text"] == note)["parser"].take()
    }

    /// Waits for the next note of what a parser knew of its flow.
    fn state(&mut self, parser: &str) -> Value {
        let is_it =
            |record: &Value| record["parser"] == parser && record["data"]["text"] == "state";
        self.running.wait_for("state", is_it)["data"]["number"].take()
    }
}

/// The same parser with another version.
fn next_version() -> Vec<u8> {
    let mut guest = guests::guest("rests_as_told");
    let version = b"0.1.0";
    let places: Vec<_> = (1..guest.len() - version.len())
        .filter(|at| guest[*at..].starts_with(version) && guest[at - 1] != b'@')
        .collect();
    assert!(!places.is_empty(), "no version");
    for place in places {
        guest[place + 2] = b'2';
    }
    guest
}

const OLD: &str = "rests_as_told@0.1.0";
const NEW: &str = "rests_as_told@0.2.0";

/// A flow goes on with the version that it began with, however often its cell was freed, and even if
/// there is none any more.
#[test]
fn a_flow_that_rests_keeps_its_version() {
    let Some(mut live) = Resting::start("") else { return };
    assert_eq!(live.say("old/udp", "one state"), OLD);
    assert_eq!([live.state(OLD), live.state(OLD)], [0, 2]);
    let file = live.scratch.path("parsers/rests_as_told.wasm");
    let outside = live.scratch.write("outside", next_version());
    fs::rename(outside, &file).expect("it is moved");
    assert_eq!(live.reported("replaced")["parser"], NEW);
    assert_eq!(live.say("new/udp", "two state"), NEW);
    assert_eq!([live.state(NEW), live.state(NEW)], [0, 2]);
    assert_eq!(live.say("old/udp", "three state"), OLD);
    assert_eq!([live.state(OLD), live.state(OLD)], [2, 2]);
    fs::remove_file(file).expect("it is removed");
    assert_eq!(live.reported("retired")["parser"], NEW);
    live.traffic.say("nobody/udp", "four");
    assert_eq!(live.say("old/udp", "five state"), OLD);
    assert_eq!([live.state(OLD), live.state(OLD)], [2, 2]);
    assert_eq!(live.say("new/udp", "six"), NEW);
    let run = live.running.end_with("INT");
    assert!(run.of_type("fault").is_empty(), "{:?}", run.of_type("fault"));
    let flows = run.of_type("flow").into_iter();
    let mut parsers: Vec<_> =
        flows.map(|flow| flow["data"]["parsers"][0]["parser"].as_str()).collect();
    parsers.sort_unstable();
    assert_eq!(parsers, [None, Some(OLD), Some(NEW)]);
}

/// One that rests is no new flow when it goes on.
#[test]
fn a_flow_that_rests_goes_on_while_its_parser_is_throttled() {
    let limits = "[cells]\nparser_cpu = 10\ncall_time = '400 ms'\n";
    let Some(mut live) = Resting::start(limits) else { return };
    assert_eq!(live.say("old/udp", "one"), OLD);
    live.traffic.say("bad/udp", "spin");
    let fault = live.running.wait_for("a fault", |record| record["type"] == "fault");
    assert_eq!(fault["data"]["class"], "deadline");
    live.traffic.say("new/udp", "two");
    assert_eq!(live.say("old/udp", "three state"), OLD);
    assert_eq!([live.state(OLD), live.state(OLD)], [2, 2]);
    let run = live.running.end_with("INT");
    let flows = run.of_type("flow").into_iter();
    let mut outcomes: Vec<_> = flows.map(|flow| super::outcomes_of(flow).concat()).collect();
    outcomes.sort_unstable();
    let expected =
        ["rests_as_told confirmed", "rests_as_told fault (deadline)", "rests_as_told throttled"];
    assert_eq!(outcomes, expected);
}
