//! Parsers are replaced while flows wait for theirs.

use std::fs;

use flowcell_tests::command::{Running, Scratch, program};
use flowcell_tests::guests;
use flowcell_tests::namespace::{Namespace, Traffic};

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
        move |record: &serde_json::Value| {
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
    let outcomes: Vec<_> = run.of_type("flow").into_iter().map(super::outcomes_of).collect();
    for (parsers, expected) in outcomes.iter().zip([
        ["first declined (as told)", "third confirmed"],
        ["first declined (as told)", "echo confirmed"],
        ["first switched (nameless)", "nameless confirmed"],
    ]) {
        assert_eq!(*parsers, expected);
    }
}
