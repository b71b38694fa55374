//! A parser that faults too often gets no new flows for a while, and nothing else changes.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell, read};
use flowcell_tests::packets::{Conversation, Pcap};

/// The port whose flows the bad parser wants.
const BAD: u16 = 9;
/// The port of the echo parser.
const ECHO: u16 = 7;

/// A flow that `panic_in_poll` panics on, if it has a second line.
fn flow(index: u16, port: u16, second: &[u8]) -> Conversation {
    let flow = Conversation::tcp(1000 + index, port).open();
    let flow = flow.send(Client, b"one\n").send(Server, b"one\n");
    let flow = if second.is_empty() { flow } else { flow.send(Client, second) };
    flow.send(Server, second).close()
}

/// Flows one after the other, a millisecond from frame to frame; every third is the echo parser's.
/// Those that `panics` says panic.
fn capture(flows: u16, panics: impl Fn(u16) -> bool) -> Pcap {
    let frames = (0..flows).flat_map(|index| {
        let port = if index % 3 == 0 { ECHO } else { BAD };
        let second: &[u8] = if port == ECHO || panics(index) { b"two\n" } else { b"" };
        flow(index, port, second).frames().to_vec()
    });
    frames.fold(Pcap::new(1).every(1000), |pcap, frame| pcap.frame(&frame))
}

fn run(parsers: &Path, capture: &Path, limits: Option<&Path>) -> Run {
    let mut command = flowcell(["run", "-q", "--parsers"]);
    command.arg(parsers).arg("-r").arg(capture);
    if let Some(limits) = limits {
        command.arg("--limits").arg(limits);
    }
    let run = Run::of(&mut command);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run
}

/// The events of `parser` records, in order.
fn events(run: &Run) -> Vec<&str> {
    let events = run.of_type("parser").into_iter();
    events.map(|record| record["data"]["event"].as_str().expect("an event")).collect()
}

/// What came of the flows to the bad parser's port, in the order of their first packets.
fn outcomes(run: &Run) -> Vec<&str> {
    let mut flows = run.of_type("flow");
    flows.retain(|flow| flow["resp_port"] == BAD);
    flows.sort_by_key(|flow| flow["packet"].as_u64());
    let outcomes = flows.into_iter().map(|flow| &flow["data"]["parsers"][0]["outcome"]);
    outcomes.map(|outcome| outcome.as_str().expect("a parser")).collect()
}

#[test]
fn it_opens_backs_off_tries_again_and_recovers() {
    let scratch = Scratch::new();
    // 9 or 10 frames a flow: the first quarter lasts about 20 s and 20 rounds.
    let capture = scratch.capture("flows.pcap", &capture(8000, |index| index < 2000));
    let parsers = scratch.parsers(&["panic_in_poll"]);
    let run = run(&parsers, &capture, None);

    let records = run.of_type("parser");
    let events = events(&run);
    println!("{events:?}");
    assert_eq!(events[..3], ["breaker_open", "breaker_half_open", "breaker_open"]);
    assert_eq!(events[events.len() - 2..], ["breaker_half_open", "breaker_closed"]);
    for pair in events.windows(2) {
        let (open, half) = ("breaker_open", "breaker_half_open");
        let next = if pair[0] == open { &[half][..] } else { &[open, "breaker_closed"] };
        assert!(next.contains(&pair[1]), "{events:?}");
    }

    // The first time it is after the first round, of 1023 frames: numbers begin with 1.
    let first = &records[0];
    assert_eq!(first["parser"], format!("panic_in_poll@{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(first["ts"], "2024-01-01T00:00:01.023000Z");
    let data = &first["data"];
    assert!(data["file"].as_str().is_some_and(|file| file.ends_with("/panic_in_poll.wasm")));
    assert_eq!(data["sha256"].as_str().map(str::len), Some(64));
    let (started, faults) = (data["started"].as_u64(), data["faults"].as_u64());
    assert!(faults >= Some(60) && started >= faults, "{first}");
    assert_eq!(data["class"], "trap", "{first}");
    assert!(data["message"].as_str().is_some_and(|text| text.contains("a line of 3 bytes")));
    assert_eq!(
        (&data["back_off_ms"], &data["retry"]),
        (&1000.into(), &"2024-01-01T00:00:02.023000Z".into())
    );
    let back_offs = records.iter().filter_map(|record| record["data"]["back_off_ms"].as_u64());
    let back_offs: Vec<u64> = back_offs.collect();
    assert_eq!(back_offs[..3], [1000, 2000, 4000], "each time twice as long");
    for told in
        ["gets no new flows", "the last trap: ", "to be tried again at 2024-01-01T00:00:02.0"]
    {
        assert!(run.stderr.contains(told), "`{told}` in {}", run.stderr);
    }

    // While it is open, flows go without the parser and nothing faults; at the end all is as at first.
    let outcomes = outcomes(&run);
    let of = |wanted: &str| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!(of("fault"), run.of_type("fault").len());
    assert!(of("breaker_open") > 600, "{}", of("breaker_open"));
    assert!(of("fault") < 700, "{}", of("fault"));
    assert_eq!(outcomes[0], "fault");
    let last = outcomes.iter().rev().take_while(|outcome| **outcome == "confirmed");
    assert!(last.count() > 300, "it has recovered");
}

#[test]
fn other_parsers_and_all_else_of_the_flows_stay_the_same() {
    let scratch = Scratch::new();
    let capture = scratch.capture("flows.pcap", &capture(1500, |_| true));
    let alone = run(&scratch.parsers(&[]), &capture, None);
    let both = run(&scratch.parsers(&["panic_in_poll"]), &capture, None);
    assert!(outcomes(&both).contains(&"breaker_open"));
    assert_eq!(both.lines_of_port(ECHO), alone.lines_of_port(ECHO));
    assert_eq!(alone.of_type("echo.exchange").len(), 1000);
    let bare = |run: &Run| {
        let flows = run.of_type("flow").into_iter().cloned();
        let flows = flows.map(|mut flow| {
            for field in ["parsers", "service"] {
                flow["data"].as_object_mut().expect("data").remove(field);
            }
            flow
        });
        flows.collect::<Vec<_>>()
    };
    assert_eq!(bare(&both), bare(&alone));
}

#[test]
fn flows_that_go_on_keep_their_parser() {
    let scratch = Scratch::new();
    // One that begins first, waits, and speaks again when the breaker has long been open.
    let first = flow(50_000, BAD, b"");
    let (before, after) = first.frames().split_at(5);
    let middle = (0..1000).flat_map(|index| flow(index, BAD, b"two\n").frames().to_vec());
    let late = Conversation::tcp(61_000, BAD).open().send(Client, b"one\n").send(Server, b"one\n");
    assert_eq!(late.frames().len(), before.len());
    let patient = late.clone().send(Client, b"two\n").close();
    let frames = patient.frames()[..5].iter().cloned().chain(before.to_vec()).chain(middle);
    let frames = frames.chain(patient.frames()[5..].to_vec()).chain(after.to_vec());
    let pcap = frames.fold(Pcap::new(1).every(1), |pcap, frame| pcap.frame(&frame));
    let capture = scratch.capture("flows.pcap", &pcap);
    let run = run(&scratch.parsers(&["panic_in_poll"]), &capture, None);
    assert_eq!(events(&run), ["breaker_open"], "nothing is tried within a few milliseconds");
    let outcomes = outcomes(&run);
    assert_eq!(outcomes[..2], ["fault", "confirmed"], "those that began before");
    assert_eq!(outcomes.last(), Some(&"breaker_open"));
}

#[test]
fn a_few_faults_among_many_flows_are_no_reason() {
    let scratch = Scratch::new();
    let parsers = scratch.parsers(&["panic_in_poll"]);
    // One in 40 of the bad parser's flows, together far more than 20.
    let capture = scratch.capture("flows.pcap", &capture(3000, |index| index % 60 == 1));
    let all = run(&parsers, &capture, None);
    assert_eq!((events(&all).len(), all.of_type("fault").len()), (0, 50));
    // But where the operator wants less, it is.
    let limits = scratch.write(
        "limits.toml",
        "[breaker]\npercent = 2\nback_off = '1 h'\n\
                                               longest_back_off = '1 h'\n",
    );
    let less = run(&parsers, &capture, Some(&limits));
    assert_eq!(events(&less), ["breaker_open"]);
    assert!(less.of_type("fault").len() < 40);
}

#[test]
fn the_operator_can_set_every_part_of_it() {
    let scratch = Scratch::new();
    let parsers = scratch.parsers(&["panic_in_poll"]);
    let capture = scratch.capture("flows.pcap", &capture(1500, |_| true));
    let with = |text: &str| {
        let limits = scratch.write("limits.toml", format!("[breaker]\n{text}\n"));
        let run = run(&parsers, &capture, Some(&limits));
        let tried = outcomes(&run).iter().filter(|outcome| **outcome == "fault").count();
        (events(&run).len(), tried)
    };
    let (changes, tried) = with("");
    assert!(changes > 2 && tried < 1000, "{changes} {tried}");
    assert_eq!(with("faults = 2000"), (0, 1000));
    assert_eq!(with("percent = 100\nfaults = 1001"), (0, 1000));
    let (more_changes, _) = with("longest_back_off = 1");
    assert!(more_changes > changes, "{more_changes}");
    let (fewer_changes, _) = with("back_off = '20 s'");
    assert_eq!(fewer_changes, 1);
    let (_, more_tried) = with("trial_flows = 10");
    assert!(more_tried > tried, "{more_tried}");
    // 1023 frames are just over a second, of which the window then sees about the last two thirds.
    assert_eq!(with("window = 1000\nfaults = 90"), (0, 1000));
    assert!(with("window = 10000\nfaults = 90").0 > 0);
}

#[test]
fn what_it_does_is_counted() {
    let scratch = Scratch::new();
    let capture = scratch.capture("flows.pcap", &capture(1500, |_| true));
    let (parsers, stats) = (scratch.parsers(&["panic_in_poll"]), scratch.path("stats.json"));
    let mut command = flowcell(["run", "--parsers"]);
    let run = Run::of(command.arg(parsers).arg("-r").arg(capture).arg("--stats-json").arg(&stats));
    let stats: serde_json::Value = serde_json::from_slice(&read(&stats)).expect("JSON");
    let of = |event: &str| events(&run).iter().filter(|other| **other == event).count();
    let outcomes = outcomes(&run);
    let shut = outcomes.iter().filter(|outcome| **outcome == "breaker_open").count();
    assert!(shut > 0 && of("breaker_open") > 1);
    assert_eq!(stats["parsers"]["breaker_open"], shut);
    assert_eq!(stats["parsers"]["breakers_opened"], of("breaker_open"));
    assert_eq!(stats["parsers"]["parsed_flows"], 1500 - shut);
    assert_eq!(stats["records"]["parser"], events(&run).len());
    for row in ["breaker_open", "breakers_opened"] {
        assert!(run.stderr.contains(&format!("parsers  {row} ")), "{}", run.stderr);
    }
}

/// Frames that are nothing, for so many rounds to pass.
fn rounds(count: usize) -> Vec<Vec<u8>> {
    vec![b"no packet".to_vec(); count * 1024]
}

/// A flow that has rested is no new one when it goes on: it gets its parser though the breaker is open,
/// and takes no place in a trial.
#[test]
fn flows_that_rest_go_on_whatever_the_breaker_does() {
    let say =
        |port, text: &[u8]| Conversation::tcp(port, BAD).datagram(Client, text).frames().to_vec();
    let resting = |text: &[u8]| (4000..4020).flat_map(|port| say(port, text)).collect::<Vec<_>>();
    let frames = [
        resting(b"a"),
        (5000..5030).flat_map(|port| say(port, b"trap")).collect(),
        rounds(6),
        resting(b"b state"),
        (6000..6005).flat_map(|port| say(port, b"a")).collect(),
        rounds(22),
        resting(b"c state"),
        (7000..7002).flat_map(|port| say(port, b"a")).collect(),
        rounds(30),
    ];
    let pcap =
        frames.concat().iter().fold(Pcap::new(1).every(1000), |pcap, frame| pcap.frame(frame));
    let scratch = Scratch::new();
    let capture = scratch.capture("flows.pcap", &pcap);
    let limits = "[breaker]\nback_off = '20 s'\ntrial_flows = 1\n";
    let limits = scratch.write("limits.toml", limits);
    let mut command = flowcell(["run", "-q", "--cell-mode", "park", "--parsers"]);
    command.arg(scratch.parsers(&["rests_as_told"])).arg("-r").arg(capture);
    let run = Run::of(command.arg("--limits").arg(limits));
    assert_eq!(events(&run), ["breaker_open", "breaker_half_open", "breaker_closed"]);
    let records = run.of_type("parser");
    let numbers = |index: usize, name: &str| records[index]["data"][name].as_u64();
    assert_eq!((numbers(0, "started"), numbers(0, "faults")), (Some(50), Some(30)));
    assert_eq!(numbers(2, "started"), Some(1));
    let states = run.of_type("rests_as_told.note").into_iter();
    let states: Vec<_> = states
        .filter(|note| note["data"]["text"] == "state")
        .map(|note| note["data"]["number"].as_u64())
        .collect();
    assert_eq!(states, [Some(2); 40]);
    let shut = outcomes(&run).into_iter().filter(|outcome| *outcome == "breaker_open").count();
    assert_eq!(shut, 6);
}
