//! What nobody sends in good faith: depth and length without end, and more than is kept.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use flowcell_sdk::Side;
use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// A flow of alternating sides, the client first; the same for two ways to cut it.
fn flow(turns: &[&[u8]]) -> Outcome {
    let opening = "client 10.0.0.1:4000 server 10.0.0.2:6379\n";
    let mut script = FlowScript::parse(opening).expect("script");
    let sides = [Side::Client, Side::Server].into_iter().cycle();
    let data =
        turns.iter().zip(sides).map(|(bytes, side)| Step::Data { side, bytes: bytes.to_vec() });
    script.steps = data.chain(script.steps).collect();
    let outcome = script.run(&redis::PARSER, Cut::Whole);
    assert_eq!(script.run(&redis::PARSER, Cut::Bytes), outcome);
    outcome
}

#[test]
fn values_nested_without_end() {
    for head in [&b"*1\r\n"[..], b"*2\r\n", b"|1\r\n", b"*?\r\n", b"*?\r\n%1\r\n"] {
        let outcome = flow(&[PING, &head.repeat(100_000)]);
        assert_eq!(outcome.verdicts, ["confirm"]);
        assert_eq!(outcome.records.len(), 1);
        assert_eq!(outcome.records[0].1["incomplete"], head[0] == b'*');
    }
    let deep = [&b"*1\r\n".repeat(32)[..], b":1\r\n"].concat();
    let outcome = flow(&[PING, &deep]);
    let shown = "[".repeat(32) + "1" + &"]".repeat(32);
    assert_eq!(outcome.records[0].1["reply"], shown.as_str());
}

#[test]
fn values_nested_too_deeply_to_be_shown() {
    let around = b"*2\r\n:1\r\n".repeat(32);
    let inner = [
        &b"*1\r\n".repeat(10_000)[..],
        b"*3\r\n*0\r\n%1\r\n+a\r\n$1\r\nb\r\n|1\r\n+a\r\n+b\r\n*?\r\n|?\r\n.\r\n*1\r\n:1\r\n",
        b"$?\r\n;1\r\na\r\n;0\r\n.\r\n",
    ]
    .concat();
    let outcome = flow(&[&PING.repeat(2), &[&around, &inner, &b"+PONG\r\n"[..]].concat()]);
    assert_eq!(outcome.verdicts, ["confirm"]);
    let shown = "[1, ".repeat(32) + "[]" + &"]".repeat(32);
    assert_eq!(outcome.records[0].1["reply"], shown.as_str());
    assert_eq!(outcome.records[0].1["truncated"][0], "reply");
    assert_eq!(outcome.records[1].1["reply"], "PONG");
}

#[test]
fn a_value_whose_end_is_lost_hides_nothing_behind_the_next_command() {
    let deep = b"*?\r\n".repeat(400);
    let outcome = flow(&[PING, &deep, PING, b"+PONG\r\n"]);
    assert_eq!(outcome.verdicts, ["confirm"]);
    assert_eq!(outcome.records[0].1["incomplete"], true);
    assert_eq!(outcome.records[1].1["reply"], "PONG");
    assert_eq!(outcome.records[1].1["uncertain"], true);
}

#[test]
fn attributes_without_end() {
    let outcome = flow(&[PING, &b"|0\r\n".repeat(50_000)]);
    assert_eq!(outcome.records.len(), 1);
}

#[test]
fn lengths_that_are_not_kept() {
    let outcome = flow(&[PING, b"*4294967295\r\n:1\r\n:2\r\n"]);
    assert_eq!(outcome.records[0].1["incomplete"], true);
    assert_eq!(outcome.records[0].1["reply"], "[1, 2");
    let outcome = flow(&[PING, b"*4294967296\r\n:1\r\n:2\r\n"]);
    assert_eq!(outcome.verdicts[1], "fail \"an array has no length\"");
    let outcome = flow(&[PING, b"$536870912\r\nabc"]);
    assert_eq!(outcome.records[0].1["reply"], "abc");
    let outcome = flow(&[PING, b"$536870913\r\nabc"]);
    assert_eq!(outcome.verdicts[1], "fail \"a string has no length\"");
    let outcome = flow(&[b"*1048577\r\n$4\r\nPING\r\n"]);
    assert_eq!(outcome.verdicts, ["decline \"a command has no number of words\""]);
    let outcome = flow(&[b"*1048576\r\n$4\r\nMGET\r\n$1\r\na\r\n"]);
    assert_eq!(outcome.records[0].1["key"], "a");
    assert_eq!(outcome.records[0].1["incomplete"], true);
}

#[test]
fn commands_that_are_never_answered_do_not_pile_up() {
    let value = [b'v'; 250];
    let set = [b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$250\r\n", &value[..], b"\r\n"].concat();
    let outcome = flow(&[&set.repeat(3_000), &b"+OK\r\n".repeat(3_000)]);
    assert_eq!(outcome.records.len(), 3_000);
    // Replies to what was given up on are known to be theirs.
    let answered = outcome.records.iter().filter(|(_, data)| data["success"] == true).count();
    let first = outcome.records.iter().position(|(_, data)| data["success"] == true);
    assert_eq!(first, Some(3_000 - answered));
    assert!((500..2_500).contains(&answered), "{answered}");
}

#[test]
fn words_that_nobody_answers_to_do_not_pile_up() {
    let outcome = flow(&[&b"hello\r\n".repeat(20_000)]);
    assert_eq!(outcome.verdicts, ["decline \"nobody answers to what may be commands\""]);
}

#[test]
fn a_server_that_talks_before_anybody_asks() {
    let outcome = flow(&[b"", &b"+OK\r\n".repeat(20_000), PING]);
    let replies = outcome.records.iter().filter(|(_, data)| data.get("command").is_some());
    assert_eq!(replies.count(), 1);
}

#[test]
fn lines_without_end() {
    let long = vec![b'a'; 100_000];
    let outcome = flow(&[PING, b"+PONG\r\n", &long]);
    assert_eq!(outcome.verdicts[1], "fail \"a line is too long for a command\"");
    let outcome = flow(&[&[PING, PING].concat(), &[b"+", &long[..], b"\r\n+PONG\r\n"].concat()]);
    assert_eq!(outcome.records[0].1["truncated"][0], "reply");
    assert_eq!(outcome.records[1].1["reply"], "PONG");
    let outcome = flow(&[PING, &[b"$", &long[..]].concat()]);
    assert_eq!(outcome.verdicts[1], "fail \"a string has no length\"");
}

#[test]
fn pieces_without_end() {
    let pieces = [&b"$?\r\n"[..], &b";5\r\nabcde\r\n".repeat(5_000), b";0\r\n"].concat();
    let outcome = flow(&[PING, &pieces]);
    assert_eq!(outcome.records[0].1["reply_length"], 25_000);
    assert_eq!(outcome.records[0].1["truncated"][0], "reply");
}
