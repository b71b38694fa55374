//! The same fault comes again.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::read;
use flowcell_tests::packets::Conversation;
use serde_json::{Value, json};

use super::{BAD, Kept, lines, replay, two_lines};

/// What is the same in a record of the run and in that of its replay.
fn shown(record: &Value) -> Value {
    let mut record = record.clone();
    record.as_object_mut().expect("an object").remove("packet");
    record
}

/// Runs a guest, and replays what came of it. Returns the bundle's lines.
fn again(guest: &str, flow: Conversation, class: &str) -> Vec<Value> {
    let kept = Kept::of(guest, flow);
    let fault = kept.run.only("fault");
    assert_eq!(fault["data"]["class"], class, "{guest}");
    let bundle = kept.bundle();
    let name = bundle.file_name().unwrap().to_str().unwrap().to_owned();
    let uid = fault["uid"].as_str().unwrap();
    let label = fault["parser"].as_str().unwrap().replace('@', "-");
    assert_eq!(name, format!("{label}-{class}-{uid}.flowrepro"));
    let lines = lines(&bundle);
    let head = &lines[0];
    let mut seen = fault["data"].clone();
    seen.as_object_mut().unwrap().entry("backtrace").or_insert(json!([]));
    assert_eq!(head["fault"], seen, "{guest}");
    assert_eq!(head["inputs"], lines.len() as u64 - 1);
    assert_eq!(head["truncated"], Value::Null);

    let replayed = replay(&bundle, &[]);
    assert_eq!(replayed.code, Some(0), "{guest}: {}", replayed.stderr);
    assert!(replayed.stderr.contains("flowcell: the same fault, "), "{}", replayed.stderr);
    let message = fault["data"]["message"].as_str().unwrap();
    assert!(replayed.stderr.contains(message.lines().last().unwrap()), "{}", replayed.stderr);
    for frame in seen["backtrace"].as_array().unwrap() {
        assert!(replayed.stderr.contains(frame.as_str().unwrap()), "{frame}: {}", replayed.stderr);
    }
    // All that the parser said, word for word.
    let said = kept.run.records.iter().filter(|record| record["parser"].is_string());
    let said: Vec<Value> = said.map(shown).collect();
    assert_eq!(replayed.records, said, "{guest}");
    lines
}

#[test]
fn what_a_parser_did_it_does_again() {
    for (guest, class) in [
        ("panic_in_open", "trap"),
        ("panic_in_poll", "trap"),
        ("loop_in_open", "deadline"),
        ("loop_in_poll", "deadline"),
        ("deep_recursion", "stack"),
        ("memory_bomb", "memory"),
        ("table_bomb", "memory"),
        ("garbage_record", "bad_record"),
        ("long_record", "bad_record"),
        ("record_flood", "record_flood"),
        ("long_log", "host_call"),
        ("emit_in_realloc", "trap"),
        ("bad_progress", "trap"),
    ] {
        let lines = again(guest, two_lines(4000), class);
        let inputs = match guest {
            "panic_in_open" | "loop_in_open" => 0,
            "panic_in_poll" => 3,
            _ => 1,
        };
        assert_eq!(lines.len(), 1 + inputs, "{guest}");
    }
}

#[test]
fn a_bundle_holds_what_was_delivered_and_nothing_else() {
    // A hole of the server, and both ends before the fault.
    let flow = Conversation::tcp(4000, BAD).open().send(Client, b"on");
    let flow = flow.send(Server, b"abc").lose(Server, 7).send(Server, b"x\xff").fin(Server);
    let flow = flow.send(Client, b"e\r\n").send(Client, b"more").close();
    let lines = again("loop_in_poll", flow, "deadline");
    let head = &lines[0];
    assert_eq!((&head["flowrepro"], &head["flowcell"]), (&json!(1), &json!("0.1.0")));
    assert_eq!(head["limits"]["memory"], 4 << 20);
    assert_eq!(head["limits"]["call_time"], 100);
    let flow = json!({
        "client": "10.0.0.1:4000", "server": "10.0.0.2:9", "transport": "tcp",
        "at": "2024-01-01T00:00:00.600000000Z", "midstream": false, "originator": "client",
    });
    assert_eq!(head["flow"], flow);
    let at = |ms: u64| format!("2024-01-01T00:00:0{}.{:03}000000Z", ms / 1000, ms % 1000);
    let data = |side: &str, offset: u64, ms, bytes: &str| json!({"data": {"side": side, "offset": offset, "at": at(ms), "bytes": bytes}});
    let wanted = [
        data("client", 0, 600, "b24="),
        data("server", 0, 800, "YWJj"),
        json!({"gap": {"side": "server", "offset": 3, "length": 7, "reason": "lost"}}),
        data("server", 10, 1300, "eP8="), // when the hole was given up
        json!({"end": {"side": "server", "at": at(1400), "reason": "fin"}}),
        data("client", 2, 1800, "ZQ0K"),
    ];
    assert_eq!(lines[1..], wanted);
}

#[test]
fn flows_over_ipv6_and_flows_without_a_start_are_replayed_as_such() {
    let endpoint = |text: &str| text.parse::<SocketAddr>().unwrap();
    let flow = Conversation::between(endpoint("[2001:db8::1]:4000"), endpoint("[fe80::2]:9"));
    let lines =
        again("panic_in_poll", flow.send(Client, b"one\r\n").send(Client, b"two\r\n"), "trap");
    let flow = &lines[0]["flow"];
    assert_eq!(
        (&flow["client"], &flow["server"]),
        (&json!("[2001:db8::1]:4000"), &json!("[fe80::2]:9"))
    );
    assert_eq!(flow["midstream"], true);
}

#[test]
fn the_records_that_are_wanted_say_nothing_of_bundles() {
    let kept = Kept::with("panic_in_poll", &[two_lines(4000)], "", &["--types", "flow"]);
    assert_eq!(kept.run.records.len(), 1);
    assert_eq!(replay(&kept.bundle(), &[]).code, Some(0));
}

#[test]
fn without_a_fault_there_is_nothing_to_replay() {
    let kept = Kept::of("declines", two_lines(4000));
    assert_eq!(super::list(&kept.folder()), Vec::<PathBuf>::new());
    assert_eq!(kept.stats()["repro"]["written"], 0);
}

/// The instance that faulted is replayed, not those before it that rested.
#[test]
fn a_flow_that_has_rested_is_replayed_from_where_it_was_opened_again() {
    let flow = |number: u16| Conversation::tcp(4000 + number, BAD);
    let first = flow(0).datagram(Client, b"a").datagram(Client, b"x");
    // As many as make the first one give its place up.
    let others = (1..=16).map(|it| flow(it).datagram(Client, b"a"));
    let flows: Vec<Conversation> = std::iter::once(first).chain(others).collect();
    let kept = Kept::with("rests", &flows, "", &[]);
    let head = lines(&kept.bundle()).swap_remove(0);
    assert_eq!((&head["inputs"], &head["flow"]["confirmed"]), (&1.into(), &true.into()), "{head}");
    let replayed = replay(&kept.bundle(), &[]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
}

/// However often it has rested, whatever else is in force: with its context, and what the flow was told before.
#[test]
fn a_flow_that_was_expected_and_has_rested_is_replayed_with_its_context() {
    let control =
        Conversation::tcp(4000, BAD).datagram(Client, b"expect=2000,rests_as_told,x+state");
    let child = Conversation::tcp(5000, 2000).frame(b"no packet".to_vec()).datagram(Client, b"a");
    let child =
        child.datagram(Server, b"bc").datagram(Client, b"de").datagram(Client, b"state trap");
    for limits in ["", "[repro]\nrepro_bytes = 1000\n"] {
        let flows = [control.clone(), child.clone()];
        let words = ["--cell-mode", "park", "--deterministic"];
        let kept = Kept::with("rests_as_told", &flows, limits, &words);
        let bundle = lines(&kept.bundle());
        let head = &bundle[0];
        assert_eq!((&head["inputs"], &head["flow"]["confirmed"]), (&1.into(), &true.into()));
        assert_eq!(head["flow"]["context"], "eCBzdGF0ZQ==");
        assert_eq!(head["truncated"], Value::Null);
        assert_eq!(bundle[1]["data"]["offset"], 3);
        let replayed = replay(&kept.bundle(), &[]);
        assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
        // What the last cell said.
        let of_child = kept.run.of_type("rests_as_told.note").into_iter();
        let of_child = of_child.filter(|note| note["resp_port"] == 2000).map(shown);
        let said = of_child.collect::<Vec<_>>();
        let again: Vec<Value> =
            replayed.of_type("rests_as_told.note").into_iter().cloned().collect();
        assert_eq!(again.len(), 4);
        assert_eq!(again, said[said.len() - 4..]);
    }
}

/// What earlier instances have used up is not in the bundle.
#[test]
fn a_flood_of_several_instances_does_not_come_again() {
    let say = |flow: Conversation, _| flow.datagram(Client, b"emit=29");
    let flow = (0..4).fold(Conversation::tcp(4000, BAD), say);
    let limits = "[cells]\nrecords_per_second = 100\n";
    let kept = Kept::with("rests_as_told", &[flow], limits, &["--cell-mode", "park"]);
    assert_eq!(kept.run.only("fault")["data"]["class"], "record_flood");
    let replayed = replay(&kept.bundle(), &[]);
    assert_eq!(replayed.code, Some(1), "{}", replayed.stderr);
    assert!(replayed.stderr.contains("the fault does not happen"), "{}", replayed.stderr);
}

/// A parser is told once more that the operator wanted secrets: without that, this one has no fault.
#[test]
fn secrets_are_shown_again_if_they_were() {
    let flow = Conversation::tcp(4000, BAD).datagram(Client, b"x");
    assert_eq!(Kept::of("rests", flow.clone()).bundles(), Vec::<PathBuf>::new());
    let kept = Kept::with("rests", &[flow], "", &["--show-secrets"]);
    let head = lines(&kept.bundle()).swap_remove(0);
    assert_eq!(head["flow"]["secrets"], true, "{head}");
    let replayed = replay(&kept.bundle(), &[]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);

    let text = String::from_utf8(read(&kept.bundle())).expect("UTF-8");
    let other = kept.folder().join("other.flowrepro");
    fs::write(&other, text.replace(r#","secrets":true"#, "")).expect("written");
    let replayed = replay(&other, &[]);
    assert!(replayed.stderr.contains("the fault does not happen"), "{}", replayed.stderr);
}
