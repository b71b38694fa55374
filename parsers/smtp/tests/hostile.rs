//! What nobody sends in good faith: nesting without end, flows of junk.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use std::iter;

use flowcell_sdk::Side;
use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};

const OPENING: &str = "client 10.0.0.1:4000 server 10.0.0.2:25\n";

/// A flow of alternating sides, the server first.
fn flow(turns: &[&[u8]]) -> FlowScript {
    let mut script = FlowScript::parse(OPENING).expect("script");
    let sides = iter::repeat([Side::Server, Side::Client]).flatten();
    let data =
        turns.iter().zip(sides).map(|(bytes, side)| Step::Data { side, bytes: bytes.to_vec() });
    script.steps = data.chain(script.steps).collect();
    script
}

/// The conversation around one message.
fn mail(message: &[u8]) -> FlowScript {
    let message = [message, b"\r\n.\r\n"].concat();
    let turns: [&[u8]; 7] = [
        b"220 x\r\n",
        b"HELO c\r\n",
        b"250 x\r\n",
        b"MAIL FROM:<a@b>\r\nDATA\r\n",
        b"250 x\r\n354 x\r\n",
        &message,
        b"250 x\r\n",
    ];
    flow(&turns)
}

fn mails(outcome: &Outcome) -> Vec<&serde_json::Value> {
    let mails = outcome.records.iter().filter(|(name, _)| name == "mail");
    mails.map(|(_, data)| data).collect()
}

/// The only mail of a script, the same for three ways to cut it.
fn only_mail(script: &FlowScript) -> serde_json::Value {
    let outcome = script.run(&smtp::PARSER, Cut::Whole);
    for cut in [Cut::Lines, Cut::Bytes] {
        assert_eq!(script.run(&smtp::PARSER, cut), outcome, "{cut:?}");
    }
    let mails = mails(&outcome);
    assert_eq!(mails.len(), 1);
    mails[0].clone()
}

#[test]
fn a_server_cut_off_within_a_long_line() {
    let server = [&b"220 x\r\n250-"[..], &[b'x'; 3_000]].concat();
    let client = b"HELO c\r\nMAIL FROM:<a@b>\r\nDATA\r\nSubject: s\r\n\r\nx\r\n.\r\nQUIT\r\n";
    let script = flow(&[&server, client]);
    assert_eq!(only_mail(&script)["subject"], "s", "the client is read to its end");
}

#[test]
fn multiparts_nested_8000_levels() {
    let mut message = String::from("Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
    for level in 1..=8_000 {
        message += &format!(
            "--b{}\r\nContent-Type: multipart/mixed; boundary=b{level}\r\n\r\n",
            level - 1
        );
    }
    for level in (0..=8_000).rev() {
        message += &format!("--b{level}--\r\n");
    }
    let mail = only_mail(&mail(message.as_bytes()));
    assert_eq!(mail["size"], message.len() + 2);
    assert_eq!((&mail["truncated"][0], &mail["unopened"]), (&"parts".into(), &1.into()));
}

#[test]
fn more_of_everything_than_is_kept() {
    let mut message = String::from("Content-Type: multipart/mixed; boundary=b\r\n");
    message += &format!("Subject: {}\r\nTo: {}\r\n", "s".repeat(20_000), "a@b,".repeat(1_000));
    for hop in 0..200 {
        message += &format!("Received: from [10.1.0.{hop}]\r\n");
    }
    for _ in 0..500 {
        message += "\r\n--b\r\nContent-Type: a/b\r\nContent-Disposition: attachment; filename=";
        message += &"n".repeat(1_000);
        message += "\r\n\r\nx";
    }
    let mail = only_mail(&mail(message.as_bytes()));
    assert_eq!(mail["parts"], 500);
    assert_eq!(mail["attachments"].as_array().map(Vec::len), Some(64));
    assert_eq!(mail["path"].as_array().map(Vec::len), Some(34));
    assert_eq!(mail["to"].as_array().map(Vec::len), Some(256));
    let truncated = serde_json::json!(["subject", "to", "path", "attachments"]);
    assert_eq!(mail["truncated"], truncated);
}

#[test]
fn more_recipients_than_are_kept() {
    let commands: String = (0..2_000).map(|n| format!("RCPT TO:<r{n}@b>\r\n")).collect();
    let replies = "550 no\r\n".repeat(2_000);
    let turns: [&[u8]; 5] =
        [b"220 x\r\n", b"HELO c\r\n", b"250 x\r\n", commands.as_bytes(), replies.as_bytes()];
    let outcome = flow(&turns).run(&smtp::PARSER, Cut::Whole);
    let mails = mails(&outcome);
    assert_eq!(mails[0]["rcptto"].as_array().map(Vec::len), Some(256));
    assert_eq!(mails[0]["truncated"][0], "rcptto");
    // The greeting, HELO, and as many records as commands and replies at least.
    assert!(outcome.records.len() >= 2_003);
}

#[test]
fn a_client_far_ahead_of_the_server() {
    let message = "x".repeat(60) + "\r\n";
    let message = "Subject: s\r\n\r\n".to_owned() + &message.repeat(1_000) + ".\r\nQUIT\r\n";
    let said = "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n".to_owned() + &message;
    let turns: [&[u8]; 3] =
        [b"220 x\r\n", said.as_bytes(), b"250 e\r\n250 m\r\n250 r\r\n354 d\r\n250 q\r\n221 x\r\n"];
    let mail = only_mail(&flow(&turns));
    assert_eq!((&mail["size"], &mail["last_reply"]), (&62_014.into(), &"250 q".into()));
    // The same with the server's side missing.
    let mail = only_mail(&flow(&[b"", said.as_bytes()]));
    assert_eq!((&mail["size"], &mail["subject"]), (&62_014.into(), &"s".into()));
}

#[test]
fn lines_without_end() {
    let long = vec![b'a'; 100_000];
    let turns: [&[u8]; 3] =
        [b"220 x\r\n", &[&long[..], b" b\r\nQUIT\r\n"].concat(), b"500 x\r\n221 x\r\n"];
    let outcome = flow(&turns).run(&smtp::PARSER, Cut::Whole);
    assert_eq!(outcome.records[1].1["truncated"], true);
    assert_eq!(outcome.records[2].1["verb"], "QUIT");
    let script = mail(&[b"Content-Type: a/b\r\n\r\n", &long[..]].concat());
    assert_eq!(only_mail(&script)["attachments"][0]["size"], 100_002);
    let greeting = [b"220-", &long[..], b"\r\n220 x\r\n"].concat();
    let outcome = flow(&[&greeting]).run(&smtp::PARSER, Cut::Whole);
    assert_eq!(outcome.records[0].1["truncated"], true);
}

#[test]
fn junk_of_both_sides_is_declined() {
    let junk: Vec<u8> =
        (0..50_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let outcome = flow(&[b"", &junk]).run(&smtp::PARSER, Cut::Whole);
    assert!(outcome.records.is_empty() && outcome.verdicts[0].starts_with("decline"));
    let outcome = flow(&[&junk]).run(&smtp::PARSER, Cut::Whole);
    assert!(outcome.records.is_empty() && outcome.verdicts[0].starts_with("decline"));
}

#[test]
fn replies_that_answer_nothing_of_a_full_queue() {
    let (commands, replies) = (b"NOOP\r\n".repeat(900), b"354\r\n".repeat(200_000));
    let turns: [&[u8]; 5] = [b"220 x\r\n", b"HELO c\r\n", b"250 x\r\n", &commands, &replies];
    let outcome = flow(&turns).run(&smtp::PARSER, Cut::Whole);
    assert_eq!(outcome.records.len(), 2 + 900 + 200_000);
}
