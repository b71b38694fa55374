//! What nobody sends in good faith: nesting without end, flows of junk, damaged conversations.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use std::path::Path;
use std::{fs, iter};

use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};
use flowcell_sdk::{GapReason, Side};

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

/// xorshift64*: the damage is the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize;
        high % limit.max(1)
    }
}

/// Changes a script in a few places: bytes flipped, dropped, doubled; gaps; sides cut short.
fn damage(script: &mut FlowScript, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(script.steps.len());
        let kind = random.below(8);
        let Step::Data { side, bytes } = &mut script.steps[at] else {
            continue;
        };
        let (side, place) = (*side, random.below(bytes.len()));
        let gap = Step::Gap { side, length: 1 + random.below(60) as u64, reason: GapReason::Lost };
        match kind {
            0 if !bytes.is_empty() => bytes[place] ^= 1 << random.below(8),
            1 => drop(bytes.drain(..place)),
            2 => bytes.truncate(place),
            3 => bytes.extend_from_within(..place),
            4 => drop(script.steps.remove(at)),
            5 => script.steps.insert(at, gap),
            6 => {
                let rest = bytes.split_off(place);
                script.steps.insert(at + 1, gap);
                script.steps.insert(at + 2, Step::Data { side, bytes: rest });
            }
            _ => script.steps.swap(at, 0),
        }
    }
    script.steps.retain(|step| !matches!(step, Step::Data { bytes, .. } if bytes.is_empty()));
}

#[test]
fn damaged_conversations_never_panic_and_do_not_depend_on_segments() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.extension().is_none_or(|extension| extension != "flow") {
            continue;
        }
        let whole = FlowScript::parse(&fs::read_to_string(&path).expect("text")).expect("script");
        for round in 0..300 {
            let mut script = whole.clone();
            script.info.midstream ^= random.below(4) == 0;
            damage(&mut script, &mut random);
            let expected = script.run(&smtp::PARSER, Cut::Whole);
            for cut in [Cut::Bytes, Cut::At(random.below(400)), Cut::At(random.below(400))] {
                let outcome = script.run(&smtp::PARSER, cut);
                assert_eq!(outcome, expected, "{path:?}, round {round}, {cut:?}");
            }
        }
    }
}
