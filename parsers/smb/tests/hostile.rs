//! What nobody sends in good faith: more than is kept, lengths that lie, records out of nothing.

mod common;

use common::*;
use flowcell_sdk::testing::{Cut, Outcome, Step};
use serde_json::Value as Json;

/// The only one of its kind.
fn connection(outcome: &Outcome) -> &Json {
    let all = of(outcome, "connection");
    assert_eq!(all.len(), 1);
    all[0]
}

fn run(talk: &Talk) -> Outcome {
    let outcome = talk.0.run(&smb::PARSER, Cut::Whole);
    assert_eq!(talk.0.run(&smb::PARSER, Cut::Lines), outcome);
    outcome
}

/// Bytes of the output that the records make.
fn output(outcome: &Outcome) -> usize {
    outcome.records.iter().map(|(_, data)| data.to_string().len()).sum()
}

fn sent(talk: &Talk) -> usize {
    let lengths = talk.0.steps.iter().map(|step| match step {
        Step::Data { bytes, .. } => bytes.len(),
        Step::Gap { .. } | Step::End { .. } => 0,
    });
    lengths.sum()
}

#[test]
fn more_open_files_than_are_kept() {
    let mut talk = Talk::new();
    for number in 0..200u8 {
        let id = u64::from(number) * 2;
        talk = talk.say(&[
            Message::ask(CREATE, id, create("f", 1, 0)),
            Message::answer(CREATE, id, OK, created(file_id(number), 1)),
            // The first one is used all the time.
            Message::ask(WRITE, id + 1, write(file_id(0), 0, b"1")),
            Message::answer(WRITE, id + 1, OK, written(1)),
        ]);
    }
    let outcome = run(&talk);
    let files = of(&outcome, "file");
    assert_eq!(files.len(), 200);
    assert_eq!(connection(&outcome)["given_up"], 72);
    assert_eq!(connection(&outcome)["left_out"], 0);
    let given_up = files.iter().take(72).filter(|file| file["incomplete"] == true);
    assert_eq!(given_up.count(), 72);
    assert!(files.iter().any(|file| file["writes"] == 200));
}

#[test]
fn more_requests_than_wait() {
    let mut talk = Talk::new();
    for id in 0..1_000 {
        talk = talk.client(&Message::ask(WRITE, id, write(file_id(1), id, b"1")).frame());
    }
    // Those that were given up have their answers all the same.
    for id in 0..1_000 {
        talk = talk.server(&Message::answer(WRITE, id, OK, written(1)).frame());
    }
    let outcome = run(&talk);
    let files = of(&outcome, "file");
    assert_eq!((files.len(), &files[0]["writes"]), (1, &1_000.into()));
    assert_eq!(connection(&outcome)["unanswered"], 744);
}

#[test]
fn more_shares_and_sessions_than_are_kept() {
    let mut talk = Talk::new();
    for number in 0..100u32 {
        let session = u64::from(number) + 1;
        let id = session * 3;
        let token = authenticate("", "u", "");
        talk = talk.say(&[
            Message::ask(SESSION_SETUP, id, setup(0, 1, &token)).session(session),
            Message::answer(SESSION_SETUP, id, OK, set_up(0, b"")).session(session),
            Message::ask(TREE_CONNECT, id + 1, tree_connect("t")).session(session).tree(0),
            Message::answer(TREE_CONNECT, id + 1, OK, tree_connected(1)).session(session),
        ]);
    }
    let create_in = |session: u64| {
        [
            Message::ask(CREATE, session, create("f", 1, 0)).session(session),
            Message::refuse(CREATE, session, NOT_FOUND).session(session),
        ]
    };
    let outcome = run(&talk.say(&create_in(1)).say(&create_in(100)));
    let files = of(&outcome, "file");
    assert_eq!((&files[0]["path"], &files[0]["username"]), (&Json::Null, &Json::Null));
    assert_eq!((&files[1]["path"], &files[1]["username"]), (&"t".into(), &"u".into()));
}

#[test]
fn offers_without_end() {
    let offer = |id| {
        let dialects = vec![0x0777; 900];
        Message::ask(NEGOTIATE, id, negotiate(&dialects)).frame()
    };
    let talk = (0..50).fold(Talk::new(), |talk, id| talk.client(&offer(id)));
    let outcome = run(&talk);
    let offered = connection(&outcome)["dialects_offered"].as_array().map(Vec::len);
    assert_eq!(offered, Some(32));
    let mut smb1 = b"\xffSMB\x72".to_vec();
    smb1.resize(33, 0);
    smb1.extend(7_000u16.to_le_bytes());
    smb1.extend(b"\x02".repeat(3_000));
    smb1.extend(b"\x02x\0".repeat(2_000));
    let outcome = run(&Talk::new().client(&frame(&smb1)));
    assert_eq!(connection(&outcome)["smb1_messages"], 1);
}

/// Each answer of a few bytes makes a record with a long path, which takes six times its length.
#[test]
fn records_do_not_come_out_of_nothing() {
    let path = "\u{1}".repeat(1_000);
    let mut talk = Talk::new().say(&[
        Message::ask(TREE_CONNECT, 0, tree_connect(&path)).tree(0),
        Message::answer(TREE_CONNECT, 0, OK, tree_connected(1)),
    ]);
    for _ in 0..20 {
        let asks: Vec<u8> = (1..250)
            .flat_map(|id| Message::ask(CREATE, id, create("x", 1, 0x00ff_ffff)).frame())
            .collect();
        let answers: Vec<u8> =
            (1..250).flat_map(|id| Message::refuse(CREATE, id, NOT_FOUND).frame()).collect();
        talk = talk.client(&asks).server(&answers);
    }
    let outcome = run(&talk);
    let made = output(&outcome);
    assert!(made <= (256 << 10) + 3 * sent(&talk) + 4_096, "{made} of {}", sent(&talk));
    let left_out = connection(&outcome)["left_out"].as_u64().expect("a number");
    assert_eq!(of(&outcome, "file").len() as u64 + left_out, 20 * 249);
    assert!(left_out > 1_000);
}

#[test]
fn log_ons_that_say_all_they_can() {
    let name = "\u{7}".repeat(300);
    let mut talk = Talk::new();
    for id in 0..300 {
        let token = authenticate(&name, &name, &name);
        talk = talk.say(&[
            Message::ask(SESSION_SETUP, id, setup(1, 3, &token)),
            Message::refuse(SESSION_SETUP, id, 0xc000_0abc),
        ]);
    }
    let outcome = run(&talk);
    let sessions = of(&outcome, "session");
    assert_eq!(sessions[0]["username"].as_str().map(str::len), Some(256));
    assert_eq!(sessions[0]["truncated"], true);
    assert!(output(&outcome) <= (256 << 10) + 3 * sent(&talk) + 4_096);
}

#[test]
fn a_compound_of_headers_alone() {
    let mut header = Message::ask(ECHO, 0, Vec::new()).frame();
    header.drain(..4);
    header[20] = 64; // the next one follows at once
    let content = header.repeat(20_000);
    let outcome = run(&Talk::new().client(&frame(&content)));
    // The last one says that there is another.
    assert_eq!(connection(&outcome)["requests"], 19_999);
    assert_eq!(connection(&outcome)["malformed"], 1);
}

#[test]
fn compounds_that_lie_of_their_parts() {
    for next in [1u32, 63, 65, 72, 1_000, u32::MAX] {
        let mut lying = Message::ask(ECHO, 0, vec![4, 0, 0, 0]).frame();
        lying[24..28].copy_from_slice(&next.to_le_bytes());
        let talk = Talk::new().client(&lying).say(&[Message::ask(ECHO, 1, vec![4, 0, 0, 0])]);
        let outcome = talk.run();
        assert_eq!(connection(&outcome)["requests"], if next == 65 { 2 } else { 1 }, "{next}");
        assert_eq!(connection(&outcome)["malformed"], 1, "{next}");
    }
}

/// Each byte of each kind of message is made as large as can be, and each message is cut short.
#[test]
fn every_field_lies() {
    let file = file_id(1);
    let token = authenticate("DOMAIN", "user", "host");
    let messages = [
        Message::ask(NEGOTIATE, 0, negotiate(&[0x0202, 0x0311])),
        Message::answer(NEGOTIATE, 0, OK, negotiated(0x0311, 1)),
        Message::ask(SESSION_SETUP, 1, setup(0, 1, &token)),
        Message::answer(SESSION_SETUP, 1, OK, set_up(0, &token)),
        Message::ask(TREE_CONNECT, 2, tree_connect("path")),
        Message::answer(TREE_CONNECT, 2, OK, tree_connected(1)),
        Message::ask(CREATE, 3, create("name", 1, 0)),
        Message::answer(CREATE, 3, OK, created(file, 7)),
        Message::ask(READ, 4, read(file, 1, 2)),
        Message::answer(READ, 4, OK, data(2, b"xy")),
        Message::ask(WRITE, 5, write(file, 1, b"xy")),
        Message::answer(WRITE, 5, OK, written(2)),
        Message::ask(SET_INFO, 6, rename(file, "other")),
        Message::answer(SET_INFO, 6, OK, vec![2, 0]),
        Message::ask(IOCTL, 7, ioctl(file, 0x0014_80f2, b"x")),
        Message::answer(IOCTL, 7, OK, ioctl_answer(file, 0x0014_80f2, &[0; 12])),
        Message::ask(CLOSE, 8, close(file)),
        Message::answer(CLOSE, 8, OK, closed()),
    ];
    for index in 0..messages.len() {
        for at in 0..messages[index].body.len() {
            let mut lying = messages.clone();
            lying[index].body[at] = 0xff;
            let _ = Talk::new().say(&lying).0.run(&smb::PARSER, Cut::Whole);
            let mut short = messages.clone();
            short[index].body.truncate(at);
            let outcome = Talk::new().say(&short).0.run(&smb::PARSER, Cut::Whole);
            assert_eq!(outcome.verdicts, ["confirm"]);
        }
    }
}
