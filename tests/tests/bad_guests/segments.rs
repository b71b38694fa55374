//! Deliveries of several packets, and parsers that lie about them.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::Conversation;
use serde_json::{Value, json};

use super::{BAD, fault_in, run_with};

/// Three packets in a row.
fn in_a_row(first: &[u8]) -> Conversation {
    let flow = Conversation::tcp(4000, BAD).open().send(Server, b"hello\n");
    flow.send(Client, first).send(Client, b"two\n").send(Client, b"three\n").close()
}

fn packets(records: &[&Value]) -> Vec<u64> {
    records.iter().filter_map(|record| record["packet"].as_u64()).collect()
}

#[test]
pub(crate) fn lies_about_segments() {
    let (run, message) = fault_in("lies_about_segments", &in_a_row(b"out\n"), "host_call");
    assert_eq!(message, "`segment` called with 3, which is not in 2..=2");
    // What is right stands, and the fault is where the parser was last.
    let notes = run.of_type("lies_about_segments.note");
    let expected = [json!(1), json!(1), json!(3)];
    assert!(notes.iter().map(|note| &note["data"]["segments"]).eq(&expected), "{notes:?}");
    let [one, _, three] = packets(&notes)[..] else { panic!("{notes:?}") };
    assert!(three > one, "the third packet is later than the first");
    assert_eq!(run.only("fault")["packet"], three);
    let (_, message) = fault_in("lies_about_segments", &in_a_row(b"back\n"), "host_call");
    assert_eq!(message, "`segment` called with 1, which is not in 2..=2");
}

#[test]
fn a_segment_may_be_told_twice() {
    let run = run_with("lies_about_segments", &[in_a_row(b"twice\n")]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stdout);
    assert_eq!(run.of_type("lies_about_segments.note").len(), 4);
}

/// What it makes of random bytes is compared in `tests/together.rs`.
#[test]
pub(crate) fn obeys() {
    let run = run_with("obeys", &[in_a_row(b"\x00one\n\x15twenty-two\n")]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stdout);
    assert!(!run.of_type("obeys.note").is_empty());
}
