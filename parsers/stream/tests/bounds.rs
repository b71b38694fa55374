//! What is bounded.
#![allow(clippy::expect_used, reason = "a test that can not be set up fails")]

use flowcell_sdk::testing::{Cut, FlowScript};

/// What is listed is bounded, what is counted is not.
#[test]
fn many_bytes_and_gaps() {
    let pieces = "> \"0123456789abcdef\"\n> gap 1\n".repeat(100);
    let script =
        format!("client 10.0.0.1:1 server 10.0.0.2:2\n> \"{}\"\n{pieces}", "x".repeat(100));
    let script = FlowScript::parse(&script).expect("script");
    let outcome = script.run(&stream::PARSER, Cut::Lines);
    let (name, side) = outcome.records.first().expect("a record");
    assert_eq!(name, "side");
    assert_eq!(side["bytes"], 1_700);
    assert_eq!(side["missed"], 100);
    assert_eq!(side["gap_count"], 100);
    assert_eq!(side["gaps"].as_array().map(Vec::len), Some(64));
    assert_eq!(side["first"].as_str().map(str::len), Some(88), "64 bytes in base 64");
    for cut in [Cut::Whole, Cut::Bytes] {
        assert_eq!(script.run(&stream::PARSER, cut), outcome);
    }
}
