//! Parsers that end before their flow does, for good reasons and bad ones.

use serde_json::json;

use super::{flow_record, run_with, two_lines};

/// What stands in the flow's record; there must be no fault.
fn outcome(guest: &str) -> (serde_json::Value, usize) {
    outcome_of(guest, "note")
}

/// The same, with the number of records of this name.
fn outcome_of(guest: &str, record: &str) -> (serde_json::Value, usize) {
    let run = run_with(guest, &[two_lines()]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stderr);
    let flow = flow_record(&run)["data"].clone();
    assert_eq!(flow["end_reason"], "fin", "{flow}");
    assert_eq!(flow["orig_bytes"], 10, "{flow}");
    (flow, run.of_type(&format!("{guest}.{record}")).len())
}

#[test]
pub(crate) fn ready_at_once() {
    let (flow, _) = outcome("ready_at_once");
    let expected = json!([{ "parser": "ready_at_once@0.1.0", "outcome": "unconfirmed" }]);
    assert_eq!(flow["parsers"], expected);
}

#[test]
pub(crate) fn declines() {
    let (flow, records) = outcome("declines");
    let expected = json!([{
        "parser": "declines@0.1.0", "outcome": "declined", "reason": "it does not say please",
    }]);
    assert_eq!((&flow["parsers"], records), (&expected, 0));
    assert!(flow.get("service").is_none(), "{flow}");
}

#[test]
pub(crate) fn declines_in_open() {
    let (flow, records) = outcome("declines_in_open");
    let expected = json!([{
        "parser": "declines_in_open@0.1.0", "outcome": "declined", "reason": "not from such a port",
    }]);
    assert_eq!((&flow["parsers"], records), (&expected, 0));
}

#[test]
pub(crate) fn confirms_then_declines() {
    let (flow, _) = outcome("confirms_then_declines");
    let expected = json!([{
        "parser": "confirms_then_declines@0.1.0",
        "outcome": "failed",
        "reason": "on second thoughts",
    }]);
    assert_eq!(flow["parsers"], expected);
    assert_eq!(flow["service"], "confirms_then_declines");
}

#[test]
pub(crate) fn fails() {
    let (flow, _) = outcome("fails");
    let parser = &flow["parsers"][0];
    assert_eq!(parser["outcome"], "failed");
    let reason = parser["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("line\né"), "{reason}");
    assert_eq!(reason.len(), 1023, "at most 1024 bytes, and no half character");
}

/// Honest, but here: it is what `reload.rs` puts in the place of the echo parser.
#[test]
pub(crate) fn echo_v2() {
    use flowcell_tests::command::{Run, Scratch, flowcell};
    use flowcell_tests::{guests, packets::Pcap};

    let scratch = Scratch::new();
    let capture = scratch.capture("echo.pcap", &Pcap::of(&[super::echoes()]));
    let file = scratch.write("parsers/echo.wasm", guests::guest("echo_v2"));
    let run = Run::of(
        flowcell(["run", "--parsers"]).arg(file.parent().expect("a folder")).arg("-r").arg(capture),
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let records = run.of_type("echo.exchange");
    assert!(records.iter().all(|record| record["parser"] == "echo@2.0.0"));
    let answered: Vec<_> = records.iter().map(|record| &record["data"]["answered"]).collect();
    assert_eq!(answered, [5, 7, 7]);
}

/// What `reload.rs` and `rollback.rs` put in the place of the echo parser: it panics on each flow.
#[test]
pub(crate) fn echo_panics() {
    use flowcell_tests::command::{Run, Scratch, flowcell};
    use flowcell_tests::{guests, packets::Pcap};

    let scratch = Scratch::new();
    let capture = scratch.capture("echo.pcap", &Pcap::of(&[super::echoes()]));
    let file = scratch.write("parsers/echo.wasm", guests::guest("echo_panics"));
    let run = Run::of(
        flowcell(["run", "--parsers"]).arg(file.parent().expect("a folder")).arg("-r").arg(capture),
    );
    let fault = run.only("fault");
    assert_eq!((&fault["parser"], &fault["data"]["class"]), (&"echo@3.0.0".into(), &"trap".into()));
}

/// Nothing is delivered after the end, though more comes of either side.
#[test]
pub(crate) fn traps_after_the_end() {
    use flowcell_sdk::Side::{Client, Server};
    use flowcell_tests::packets::Conversation;

    for (order, outcome) in
        [("r", "unconfirmed"), ("d", "declined"), ("f", "failed"), ("s", "unconfirmed")]
    {
        let flow = Conversation::tcp(4000, super::BAD).open().send(Client, order.as_bytes());
        let flow = flow.send(Client, b"more").lose(Client, 7).send(Server, b"more").close();
        let run = run_with("traps_after_the_end", &[flow]);
        assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{order} {}", run.stdout);
        assert_eq!(flow_record(&run)["data"]["parsers"][0]["outcome"], outcome);
    }
    let flow = Conversation::tcp(4000, super::BAD).open().send(Client, b"x").send(Client, b"r");
    let run = run_with("traps_after_the_end", &[flow.close()]);
    assert!(run.of_type("fault").is_empty(), "it goes on while it has not ended: {}", run.stdout);
}

#[test]
pub(crate) fn skips_backwards() {
    let (_, polls) = outcome_of("skips_backwards", "poll");
    // The client's first line; all that comes is skipped then, but its end is told.
    assert_eq!(polls, 2);
}
