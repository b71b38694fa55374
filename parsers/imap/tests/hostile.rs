//! What nobody sends in good faith: sizes that lie, lines without end, talk without end.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use std::iter;

use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};
use flowcell_sdk::{GapReason, Side};

const OPENING: &str = "client 10.0.0.1:4000 server 10.0.0.2:143\n";
const GREETING: &[u8] = b"* OK IMAP4rev1\r\n";

/// A flow of alternating sides, the server first.
fn flow(turns: &[&[u8]]) -> FlowScript {
    let mut script = FlowScript::parse(OPENING).expect("script");
    let sides = iter::repeat([Side::Server, Side::Client]).flatten();
    let data =
        turns.iter().zip(sides).map(|(bytes, side)| Step::Data { side, bytes: bytes.to_vec() });
    script.steps = data.chain(script.steps).collect();
    script
}

/// The outcome of a flow, the same for all ways to cut it.
fn run(turns: &[&[u8]]) -> Outcome {
    let script = flow(turns);
    let outcome = script.run(&imap::PARSER, Cut::Whole);
    for cut in [Cut::Lines, Cut::Bytes, Cut::At(1_000)] {
        assert_eq!(script.run(&imap::PARSER, cut), outcome, "{cut:?}");
    }
    outcome
}

#[test]
fn sizes_that_lie() {
    let fetch = |size: &str| {
        let response = format!("* 1 FETCH (RFC822 {{{size}}}\r\nSubject: s\r\n\r\nx)\r\n1 OK\r\n");
        run(&[GREETING, b"1 FETCH 1 RFC822\r\n", response.as_bytes()])
    };
    // Too large: all that follows is content.
    for size in ["1000", "18446744073709551615", "99999999999999999999"] {
        let outcome = fetch(size);
        assert_eq!(outcome.records[1].1["subject"], "s", "{size}");
        assert_eq!(outcome.records[1].1["incomplete"], true);
        assert_eq!(outcome.records.len(), 3);
    }
    // Too small: the rest is no response.
    let outcome = fetch("3");
    assert_eq!(outcome.records[1].1["size"], 3);
    assert_eq!(outcome.records[2].1["status"], "OK");
    let outcome = run(&[
        GREETING,
        b"1 APPEND x {18446744073709551615+}\r\nSubject: s\r\n\r\n",
        b"1 BAD too big\r\n",
    ]);
    assert_eq!(outcome.records[1].1["status"], "BAD");
}

#[test]
fn a_literal_of_gigabytes_is_not_held() {
    let mut script = flow(&[GREETING, b"1 FETCH 1 RFC822\r\n"]);
    let ends = script.steps.split_off(script.steps.len() - 2);
    let start = b"* 1 FETCH (RFC822 {8000000000}\r\nSubject: s\r\n\r\n".to_vec();
    let length = 7_999_999_000;
    let end = [&[b'x'; 1_000 - 14][..], b")\r\n1 OK\r\n"].concat();
    script.steps.push(Step::Data { side: Side::Server, bytes: start });
    script.steps.push(Step::Gap { side: Side::Server, length, reason: GapReason::Depth });
    script.steps.push(Step::Data { side: Side::Server, bytes: end });
    script.steps.extend(ends);
    let outcome = script.run(&imap::PARSER, Cut::Bytes);
    assert_eq!(outcome.records[1].1["size"], 1_000);
    assert_eq!(outcome.records[1].1["missed_bytes"], length);
    assert_eq!(outcome.records[2].1["status"], "OK");
}

#[test]
fn lines_without_end() {
    let long = "a".repeat(100_000);
    let response = format!("* LIST () \"{long}\" {long} {{3}}\r\nabc\r\n1 OK {long}\r\n2 OK\r\n");
    let command = format!("1 LIST \"\" {long}\r\n2 NOOP\r\n");
    let outcome = run(&[GREETING, command.as_bytes(), response.as_bytes()]);
    assert_eq!(outcome.records.len(), 3);
    assert_eq!(outcome.records[1].1["truncated"], true);
    assert_eq!(outcome.records[1].1["argument"].as_str().map(str::len), Some(512));
    assert_eq!(outcome.records[2].1["command"], "NOOP");
    // The words of a response may be cut anywhere.
    let sequence = "1,".repeat(30_000);
    let response =
        format!("* 1 FETCH (X ({sequence}) BODY[TEXT] \"{long}\" Y {{2}}\r\nab)\r\n1 OK\r\n");
    let outcome = run(&[GREETING, b"1 FETCH 1 BODY[TEXT]\r\n", response.as_bytes()]);
    assert_eq!(outcome.records[1].1["size"], 100_000);
    assert_eq!(outcome.records[2].1["status"], "OK");
}

#[test]
fn parentheses_without_end() {
    let nested =
        format!("* 1 FETCH (BODYSTRUCTURE {} {{1}}\r\nx)\r\n1 OK\r\n", "(".repeat(100_000));
    let outcome = run(&[GREETING, b"1 FETCH 1 BODYSTRUCTURE\r\n", nested.as_bytes()]);
    assert_eq!(outcome.records.len(), 2);
}

#[test]
fn commands_that_are_never_completed() {
    let commands: String = (0..4_000).map(|n| format!("a{n} NOOP\r\n")).collect();
    let outcome = run(&[GREETING, commands.as_bytes()]);
    assert_eq!(outcome.records.len(), 4_001);
    // The same where the server is missing, and the client has tags that repeat.
    let outcome = run(&[b"", &b"a NOOP\r\n".repeat(4_000)]);
    assert_eq!(outcome.records.len(), 4_000);
}

#[test]
fn lines_in_doubt_without_end() {
    let lines: String =
        ('a'..='z').flat_map(|a| ('a'..='z').map(move |b| format!("{a}{b} NOOP\r\n"))).collect();
    let outcome = run(&[
        GREETING,
        b"1 STATUS {90000+}\r\n",
        b"1 BAD\r\n",
        lines.as_bytes(),
        b"aa OK\r\nzz OK\r\n",
    ]);
    let command = |at: usize| &outcome.records[at].1["command"];
    assert_eq!(outcome.records.len(), 4);
    assert!(command(2).is_null(), "the oldest ones are forgotten");
    assert_eq!(command(3), "NOOP");
}

#[test]
fn responses_to_nothing() {
    let responses: String = (0..4_000).map(|n| format!("* {n} EXISTS\r\na{n} OK\r\n")).collect();
    let outcome = run(&[&[GREETING, responses.as_bytes()].concat()]);
    assert_eq!(outcome.records.len(), 4_001);
}

#[test]
fn literals_without_end() {
    let command = format!("1 SEARCH{}\r\n", " {1+}\r\na".repeat(5_000));
    let outcome = run(&[GREETING, command.as_bytes(), b"1 OK\r\n"]);
    let search = &outcome.records[1].1;
    assert_eq!((&search["literal_bytes"], &search["truncated"]), (&5_000.into(), &true.into()));
    let message = format!("1 APPEND x{}\r\n", " {1+}\r\na".repeat(3_000));
    let outcome = run(&[GREETING, message.as_bytes(), b"1 OK\r\n"]);
    assert_eq!(outcome.records.len(), 3_002);
}

#[test]
fn junk_of_both_sides_is_declined() {
    let junk: Vec<u8> =
        (0..50_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for turns in [[&b""[..], &junk], [&junk, b""]] {
        let outcome = run(&turns);
        assert!(outcome.records.is_empty() && outcome.verdicts[0].starts_with("decline"));
    }
}
