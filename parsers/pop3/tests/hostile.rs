//! What nobody sends in good faith: lines without end, talk without end, nesting without end.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use std::iter;

use flowcell_sdk::Side;
use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Random, Step};

const OPENING: &str = "client 10.0.0.1:4000 server 10.0.0.2:110\n";

/// A flow of alternating sides, the server first; the same for three ways to cut it.
fn run(turns: &[&[u8]]) -> Outcome {
    let mut script = FlowScript::parse(OPENING).expect("script");
    let sides = iter::repeat([Side::Server, Side::Client]).flatten();
    let data =
        turns.iter().zip(sides).map(|(bytes, side)| Step::Data { side, bytes: bytes.to_vec() });
    script.steps = data.chain(script.steps).collect();
    let outcome = script.run(&pop3::PARSER, Cut::Whole);
    for cut in [Cut::Lines, Cut::Bytes, Cut::At(1_000)] {
        assert_eq!(script.run(&pop3::PARSER, cut), outcome, "{cut:?}");
    }
    outcome
}

#[test]
fn lines_without_end() {
    let long = vec![b'a'; 100_000];
    let reply = [b"+OK POP3 ", &long[..], b"\r\n"].concat();
    let command = [b"UIDL ", &long[..], b"\r\n"].concat();
    let outcome = run(&[&reply, &command, b"-ERR\r\n", b"QUIT\r\n", b"+OK\r\n"]);
    assert_eq!(outcome.records.len(), 3);
    assert_eq!(outcome.records[0].1["truncated"], true);
    assert_eq!(outcome.records[1].1["truncated"], true);
    assert_eq!(outcome.records[2].1["command"], "QUIT");
    let mail = [b"+OK\r\nSubject: s\r\n\r\n.", &long[..], b"\r\n.\r\n"].concat();
    let outcome = run(&[b"+OK POP3\r\n", b"RETR 1\r\n", &mail]);
    assert_eq!(outcome.records[2].1["size"], 14 + 100_002);
}

#[test]
fn a_listing_without_end() {
    let capabilities = [&b"+OK\r\n"[..], &b"X-CAPABILITY\r\n".repeat(20_000), b".\r\n"].concat();
    let outcome = run(&[b"+OK POP3\r\n", b"CAPA\r\n", &capabilities, b"QUIT\r\n", b"+OK\r\n"]);
    let listed = &outcome.records[1].1;
    assert_eq!(listed["capabilities"].as_array().map(Vec::len), Some(32));
    assert_eq!((&listed["lines"], &listed["truncated"]), (&20_000.into(), &true.into()));
}

#[test]
fn a_client_that_does_not_wait() {
    let commands = b"RETR 1\r\n".repeat(4_000);
    let replies = b"+OK\r\nSubject: s\r\n\r\n.\r\n".repeat(4_000);
    let outcome = run(&[b"+OK POP3\r\n", &commands, &replies]);
    assert_eq!(outcome.records.len(), 1 + 2 * 4_000);
}

#[test]
fn one_side_without_end() {
    let commands = b"RETR 1\r\n".repeat(4_000);
    let outcome = run(&[b"", &commands]);
    assert_eq!(outcome.records.len(), 4_000, "the server is missing from the capture");
    let replies = [b"+OK POP3\r\n", &b"+OK\r\nSubject: s\r\n\r\n.\r\n".repeat(4_000)[..]].concat();
    let outcome = run(&[&replies]);
    assert_eq!(outcome.records.len(), 1 + 2 * 4_000, "the client is missing from the capture");
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

#[test]
fn challenges_without_end() {
    let challenges = b"+ YQ==\r\n".repeat(2_000);
    let responses = [&b"AUTH LOGIN\r\n"[..], &b"YQ==\r\n".repeat(2_000)].concat();
    let outcome = run(&[b"+OK POP3\r\n", &responses, &challenges]);
    assert_eq!(outcome.records.len(), 2);
}

#[test]
fn a_lone_dot_for_a_client_that_does_not_wait() {
    let outcome = run(&[
        b"+OK POP3\r\n",
        b"RETR 1\r\nRETR 2\r\nQUIT\r\n",
        b"+OK\r\nSubject: one\n.\r\nrest\r\n.\r\n+OK\r\nSubject: two\n.\r\n+OK bye\r\n",
    ]);
    let sizes = outcome.records.iter().filter_map(|(_, data)| data.get("size")?.as_u64());
    assert_eq!(sizes.collect::<Vec<_>>(), [21, 13], "it ends a mail where a reply follows");
    assert_eq!(outcome.records[5].1["reply"], "bye");
}

/// Commands, and replies with lone dots, in any order of the sides: sometimes the client is ahead, sometimes
/// the server. How either's bytes are cut must not matter.
#[test]
fn lone_dots_in_whatever_order() {
    const CLIENT: [&[u8]; 4] =
        [b"RETR 1\r\n", b"TOP 1 0\r\n", b"QUIT\r\n", b"AUTH X\r\nYQ==\r\nRETR 2\r\n"];
    const SERVER: [&[u8]; 5] =
        [b"+OK\r\n", b"Subject: s\n.\r\n", b"rest\r\n.\r\n", b"-ERR no\r\n", b"+ \r\n"];
    let mut random = Random::new(1);
    for round in 0..3_000 {
        let mut script = FlowScript::parse(OPENING).expect("script");
        script.info.midstream = random.below(4) == 0;
        let ends = std::mem::take(&mut script.steps);
        for _ in 0..random.below(24) {
            let (side, bytes) = match random.below(5) {
                0 | 1 => (Side::Client, CLIENT[random.below(CLIENT.len())]),
                _ => (Side::Server, SERVER[random.below(SERVER.len())]),
            };
            script.steps.push(Step::Data { side, bytes: bytes.to_vec() });
        }
        script.steps.extend(ends);
        let whole = script.run(&pop3::PARSER, Cut::Whole);
        for cut in [Cut::Lines, Cut::Bytes, Cut::At(random.below(200))] {
            assert_eq!(script.run(&pop3::PARSER, cut), whole, "{round}, {cut:?}: {script:?}");
        }
    }
}
