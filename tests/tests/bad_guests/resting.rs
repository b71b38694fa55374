//! Parsers of datagrams that keep nothing of what they were given: their cells are freed, and begun anew.
//!
//! The guest `rests` tells of each delivery: which one of its instance it is, and whether an instance
//! before it had the flow (2).

use flowcell_sdk::Side::{self, Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell, read};
use flowcell_tests::packets::{Conversation, Pcap};
use serde_json::Value;

/// A run over these conversations, and its counters.
fn run(flows: &[Conversation], arguments: &[&str]) -> (Run, Value) {
    run_of("rests", flows, arguments)
}

fn run_of(guest: &str, flows: &[Conversation], arguments: &[&str]) -> (Run, Value) {
    let scratch = Scratch::new();
    let capture = scratch.capture("some.pcap", &Pcap::of(flows));
    let stats = scratch.path("stats.json");
    let mut command = flowcell(["run", "-q", "--parsers"]);
    command.arg(scratch.parsers(&[guest])).arg("--stats-json").arg(&stats);
    let run = Run::of(command.args(arguments).arg("-r").arg(capture));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    (run, serde_json::from_slice(&read(&stats)).expect("counters are JSON"))
}

/// A flow that has a lane in common with the others.
fn flow(number: u16) -> Conversation {
    Conversation::tcp(5000 + number, 9)
}

/// What was told of all flows, in order.
fn told(run: &Run) -> Vec<(&str, u64, u64)> {
    let told = run.of_type("rests.told").into_iter().map(|record| {
        let data = &record["data"];
        let number = |name: &str| data[name].as_u64().unwrap();
        (data["what"].as_str().unwrap(), number("given"), number("state"))
    });
    told.collect()
}

/// One whose flow goes on soon stays, and is not told the end.
#[test]
pub(crate) fn rests() {
    let (run, stats) = run(&[flow(0).datagram(Client, b"a").datagram(Server, b"b")], &[]);
    assert_eq!(told(&run), [("data", 1, 0), ("data", 2, 0)]);
    assert_eq!(stats["parsers"]["parks"], 0);
    assert_eq!(run.only("flow")["data"]["service"], "rests");
}

#[test]
fn sixteen_stay() {
    let flows = |count| (0..count).map(|it| flow(it).datagram(Client, b"a").datagram(Server, b"b"));
    let (of_16, _) = run(&flows(16).collect::<Vec<_>>(), &[]);
    assert_eq!(told(&of_16), [[("data", 1, 0); 16], [("data", 2, 0); 16]].concat());
    // With one more, each is freed before its turn comes again.
    let (of_17, stats) = run(&flows(17).collect::<Vec<_>>(), &[]);
    assert_eq!(told(&of_17), [[("data", 1, 0); 17], [("data", 1, 2); 17]].concat());
    assert_eq!(stats["parsers"]["parked_bytes"], 0);
    assert_eq!(stats["parsers"]["unparks"], 17);
    assert_eq!(of_17.of_type("flow").len(), 17);
}

/// A flow of many datagrams counts once.
#[test]
fn a_busy_flow_does_not_drive_out_others() {
    let busy = (0..40).fold(flow(0), |flow, _| flow.datagram(Client, b"a"));
    let quiet = flow(1).datagram(Client, b"a");
    let quiet = (0..38).fold(quiet, |flow, _| flow.frame(b"no packet".to_vec()));
    let (run, stats) = run(&[busy, quiet.datagram(Client, b"b")], &[]);
    assert_eq!(stats["parsers"]["parks"], 0);
    assert_eq!(told(&run).last(), Some(&("data", 2, 0)));
}

#[test]
fn one_that_waits_for_something_is_kept_and_told_the_ends() {
    let flows = (0..20).map(|it| flow(it).datagram(Client, b"p").datagram(Server, b"p"));
    let (run, _) = run(&flows.collect::<Vec<_>>(), &[]);
    let told = told(&run);
    assert_eq!(told[..40], [[("data", 1, 0); 20], [("data", 2, 0); 20]].concat());
    // It rests after the first end, and is not told of the second.
    assert_eq!(told[40..], [("end", 3, 0); 20]);
}

#[test]
fn streams_do_not_rest() {
    let flow = flow(0).open().send(Client, b"a").send(Server, b"b").lose(Client, 3);
    let flow = flow.send(Client, b"c").acknowledged(Server).close();
    for mode in ["alone", "alone,park"] {
        let (run, _) = run(std::slice::from_ref(&flow), &["--cell-mode", mode]);
        let what: Vec<_> = told(&run).into_iter().map(|(what, ..)| what).collect();
        assert_eq!(what, ["data", "data", "gap", "data", "end", "end"], "{mode}");
        let given: Vec<_> = told(&run).into_iter().map(|(_, given, _)| given).collect();
        assert_eq!(given, [1, 2, 3, 4, 5, 6], "{mode}");
    }
}

/// A flow's parser can't get more than its share by resting.
#[test]
fn what_a_flow_may_use_is_not_granted_anew() {
    let say = |flow: Conversation, side: Side| flow.datagram(side, b"a");
    let flow = (0..20).fold(flow(0), |flow, _| say(flow, Client));
    let (run, stats) = run(&[flow], &["--cell-mode", "park"]);
    assert_eq!(told(&run)[1..], [("data", 1, 2); 19]);
    assert_eq!(stats["parsers"]["log_lines_dropped"], 4);
}

/// Whatever it is told, instances that take turns do what one would.
#[test]
pub(crate) fn rests_as_told() {
    let words = ["state", "emit=3", "skip=3", "xyz", "pend", "trap", "over"];
    let say = |flow: Conversation, word: &str| flow.datagram(Client, word.as_bytes());
    let flow = words.iter().fold(flow(0), |flow, word| say(flow, word));
    let [kept, freed] = ["alone", "park"]
        .map(|mode| run_of("rests_as_told", std::slice::from_ref(&flow), &["--cell-mode", mode]).0);
    let texts = |run: &Run| {
        let notes = run.of_type("rests_as_told.note").into_iter();
        notes.map(|note| note["data"].to_string()).collect::<Vec<_>>()
    };
    let (kept_texts, freed_texts) = (texts(&kept), texts(&freed));
    println!("{kept_texts:?}");
    assert_eq!(kept_texts, freed_texts);
    assert_eq!(kept_texts.len(), 9);
    for run in [kept, freed] {
        assert_eq!(run.only("fault")["data"]["class"], "trap");
    }
}
