//! Parsers that misuse what there is to find, hand over and expect flows with. What parsers that do as they are told
//! make of it is told in `tests/detection`; here, that they leave others alone.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::Run;
use flowcell_tests::packets::Conversation;
use serde_json::Value;

use super::refused::{assert_says, refused};
use super::{BAD, fault, fault_in, flow_record, run_with};

#[test]
pub(crate) fn asks_around() {
    let message = refused("asks_around");
    assert_says(&message, &["pattern `^GET$`", "asks for what is around it", "only begin with ^"]);
}

#[test]
pub(crate) fn large_pattern() {
    let message = refused("large_pattern");
    assert_says(&message, &["pattern `^[ab]*a[ab]{20}`", "more than 262144 bytes", "say less"]);
}

#[test]
pub(crate) fn many_patterns() {
    assert_says(&refused("many_patterns"), &["a list of patterns with more than 32"]);
}

#[test]
pub(crate) fn expects_together() {
    let message = refused("expects_together");
    assert_says(&message, &["`segments` true where `expects` is", "takes effect at once"]);
}

#[test]
pub(crate) fn switches_in_describe() {
    let message = refused("switches_in_describe");
    assert_says(&message, &["describe()", "host_call", "`switch-to` called from `describe`"]);
}

fn candidates(run: &Run) -> &Value {
    &flow_record(run)["data"]["parsers"]
}

/// Nobody of that name is there; it is not polled.
#[test]
pub(crate) fn switches_in_open() {
    let run = run_with("switches_in_open", &[super::two_lines()]);
    assert!(run.of_type("fault").is_empty(), "{}", run.stdout);
    assert_eq!(candidates(&run)[0]["outcome"], "switched");
}

#[test]
pub(crate) fn expects_unasked() {
    let message = fault("expects_unasked", "host_call");
    assert_says(&message, &["`expect` called", "`description.expects` is false"]);
}

/// A flow that begins with this byte.
fn order(order: u8) -> Conversation {
    Conversation::tcp(4000, BAD).open().send(Client, &[order]).send(Server, b"x")
}

#[test]
pub(crate) fn misuses() {
    for (byte, said) in [
        (b'm', "`switch-to` with 2 and 0 bytes, of which not so many were delivered"),
        (b'n', "there is no digest 16: they are numbered from 0 to 15"),
        (b'e', "there is no digest 16: they are numbered from 0 to 15"),
        (b'b', "`sha256-add` with 65537 bytes, 65536 allowed"),
        (b'c', "`expect` with a context of 1025 bytes, 1024 allowed"),
        (b'p', "`expect` of a parser's name of 33 bytes, 32 allowed"),
    ] {
        let (_, message) = fault_in("misuses", &order(byte).close(), "host_call");
        assert_says(&message, &[said]);
    }
    let flow = (0..10).fold(order(b'l'), |flow, _| flow.send(Client, &vec![b'x'; 30_000])).close();
    let (_, message) = fault_in("misuses", &flow, "host_call");
    assert_says(&message, &["`switch-to` with 262145 and 0 bytes", "262144 allowed"]);
}

#[test]
fn the_first_switch_counts() {
    let run = run_with("misuses", &[order(b't').close()]);
    let candidate = &candidates(&run)[0];
    assert_eq!(
        (&candidate["outcome"], &candidate["reason"]),
        (&"switched".into(), &"nameless".into())
    );
}

/// Of a million flows, the last 32 are expected; none of them matters to anybody else.
#[test]
fn a_million_flows_to_come() {
    let run = run_with("misuses", &[order(b'f').close()]);
    // It may also be that it takes too long.
    let faults = run.of_type("fault");
    assert!(faults.iter().all(|fault| fault["data"]["class"] == "deadline"), "{faults:?}");
}

/// Told in `tests/detection`, each in its flow.
macro_rules! obedient {
    ($($guest:ident: $outcome:literal,)+) => {$(
        #[test]
        pub(crate) fn $guest() {
            let run = run_with(stringify!($guest), &[super::two_lines()]);
            assert!(run.of_type("fault").iter().all(|fault| fault["resp_port"] == BAD));
            let outcome = candidates(&run)[0]["outcome"].as_str().unwrap_or_default();
            assert_eq!(outcome, $outcome, "{}", run.stdout);
        }
    )+};
}

// Those that want the port are found; nothing in the two lines is for the others.
obedient! {
    first: "unconfirmed",
    second: "",
    third: "",
    expecting: "",
    nameless: "",
    late: "",
    digests: "",
    itself: "",
}

/// It takes what no one else is given by name, as it may: the other flow, too.
#[test]
pub(crate) fn everything() {
    let flow = super::two_lines();
    let scratch = flowcell_tests::command::Scratch::new();
    let capture =
        scratch.capture("both.pcap", &flowcell_tests::packets::Pcap::of(&[flow, super::echoes()]));
    let mut command = flowcell_tests::command::flowcell(["run", "--map", "7=echo", "--parsers"]);
    let run = Run::of(command.arg(scratch.parsers(&["everything"])).arg("-r").arg(capture));
    assert_eq!(run.of_type("echo.exchange").len(), 3, "what is mapped, it does not get");
    assert_eq!(candidates(&run)[0]["outcome"], "unconfirmed");
}

/// It is tried first on each flow, and harms none.
#[test]
pub(crate) fn everything_traps() {
    let flow = super::two_lines();
    let scratch = flowcell_tests::command::Scratch::new();
    let capture =
        scratch.capture("both.pcap", &flowcell_tests::packets::Pcap::of(&[flow, super::echoes()]));
    let mut command = flowcell_tests::command::flowcell(["run", "--parsers"]);
    let run = Run::of(command.arg(scratch.parsers(&["everything_traps"])).arg("-r").arg(capture));
    assert_eq!((run.of_type("echo.exchange").len(), run.of_type("fault").len()), (3, 2));
}
