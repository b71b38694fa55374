//! What nobody sends in good faith: lines and replies without end, floods of commands, junk.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use flowcell_sdk::Side;
use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};

const OPENING: &str = "client 10.0.0.1:4000 server 10.0.0.2:21\n";

/// A flow of alternating sides, the server first.
fn flow(turns: &[&[u8]]) -> FlowScript {
    let mut script = FlowScript::parse(OPENING).expect("script");
    let sides = [Side::Server, Side::Client].into_iter().cycle();
    let turns = turns.iter().zip(sides);
    let data = turns.map(|(bytes, side)| Step::Data { side, bytes: bytes.to_vec() });
    script.steps = data.chain(script.steps).collect();
    script
}

/// The same for three ways to cut it.
fn outcome(script: &FlowScript) -> Outcome {
    let outcome = script.run(&ftp::PARSER, Cut::Whole);
    for cut in [Cut::Lines, Cut::Bytes] {
        assert_eq!(script.run(&ftp::PARSER, cut), outcome, "{cut:?}");
    }
    outcome
}

#[test]
fn a_command_without_end() {
    let long = [&b"RETR "[..], &[b'A'; 100_000], b"\r\nQUIT\r\n"].concat();
    let turns: [&[u8]; 5] =
        [b"220 x\r\n", b"USER b\r\n", b"230 x\r\n", &long, b"500 Line too long\r\n221 Bye\r\n"];
    let outcome = outcome(&flow(&turns));
    let (_, retr) = &outcome.records[2];
    assert_eq!(retr["arg"].as_str().map(str::len), Some(1_024));
    assert_eq!(retr["path"].as_str().map(str::len), Some(960));
    assert_eq!((&retr["reply_code"], &retr["truncated"]), (&500.into(), &true.into()));
    assert_eq!(outcome.records[3].1["command"], "QUIT");
}

#[test]
fn a_reply_without_end() {
    let long = [&b"220-"[..], &b"x".repeat(5_000), b"\r\n"].concat();
    let greeting = [long.repeat(50), b"220 FTP\r\n".to_vec()].concat();
    let outcome = outcome(&flow(&[&greeting, b"USER b\r\n", b"230 x\r\n"]));
    let (_, first) = &outcome.records[0];
    assert_eq!(first["reply_text"].as_str().map(str::len), Some(2_048));
    assert_eq!((&first["reply_msg"], &first["truncated"]), (&"FTP".into(), &true.into()));
    assert_eq!(outcome.records[1].1["reply_code"], 230);
}

#[test]
fn a_flood_of_commands() {
    let commands = "MKD a-directory-with-a-long-name\r\n".repeat(5_000);
    let replies = "257 ok\r\n".repeat(5_000);
    let turns: [&[u8]; 5] = [
        b"220 x\r\n",
        b"USER b\r\n",
        b"230 x\r\n",
        commands.as_bytes(),
        &[replies.as_bytes(), b"215 UNIX\r\n"].concat(),
    ];
    let outcome = outcome(&flow(&turns));
    let answered = |record: &&(String, serde_json::Value)| {
        record.1["command"] == "MKD" && record.1["reply_code"] == 257
    };
    // What was given up on has replies too: they are told, and not given to what came after.
    assert_eq!(outcome.records.len(), 2 + 5_000 + (5_000 - 128) + 1);
    assert_eq!(outcome.records.iter().filter(answered).count(), 128);
}

#[test]
fn a_flood_of_replies() {
    let replies = "200 ok\r\n".repeat(20_000);
    let turns: [&[u8]; 3] =
        [b"220 x\r\n", b"USER b\r\n", &[b"230 x\r\n", replies.as_bytes()].concat()];
    assert_eq!(outcome(&flow(&turns)).records.len(), 20_002);
}

#[test]
fn a_client_that_talks_on_while_it_asks_for_tls() {
    let lines = "NOOP\r\n".repeat(4_000);
    let said = ["AUTH TLS\r\n", &lines].concat();
    let outcome = outcome(&flow(&[b"220 FTP\r\n", said.as_bytes()]));
    assert_eq!(outcome.records.len(), 4_002);
}

#[test]
fn junk_of_both_sides_is_declined() {
    let junk: Vec<u8> =
        (0..50_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for turns in [&[&b""[..], &junk][..], &[&junk[..]]] {
        let outcome = flow(turns).run(&ftp::PARSER, Cut::Whole);
        assert!(outcome.records.is_empty() && outcome.verdicts[0].starts_with("decline"));
    }
}
