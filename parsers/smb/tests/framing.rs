//! Where messages start and end: gaps, searches, what is no SMB, what can not be read.

mod common;

use common::*;
use flowcell_sdk::Side;
use flowcell_sdk::testing::Cut;
use serde_json::json;

fn echo(id: u64) -> [Message; 2] {
    let body = vec![4, 0, 0, 0];
    [Message::ask(ECHO, id, body.clone()), Message::answer(ECHO, id, OK, body)]
}

/// A write of many bytes, and the frame around it.
fn large(id: u64, length: usize) -> Vec<u8> {
    Message::ask(WRITE, id, write(file_id(1), 0, &vec![b'x'; length])).frame()
}

#[test]
fn several_messages_in_a_segment() {
    let asks: Vec<u8> = (0..5).flat_map(|id| echo(id)[0].frame()).collect();
    let answers: Vec<u8> = (0..5).flat_map(|id| echo(id)[1].frame()).collect();
    Talk::new()
        .client(&asks)
        .server(&answers)
        .record("connection", json!({"requests": 5, "unanswered": 0}))
        .verdict("confirm")
        .check();
}

#[test]
fn the_length_has_24_bits() {
    let talk = Talk::new()
        .client(&large(1, 200_000))
        .server(&Message::answer(WRITE, 1, OK, written(200_000)).frame())
        .say(&echo(2));
    let outcome = talk.0.run(&smb::PARSER, Cut::Whole);
    assert_eq!(of(&outcome, "connection")[0]["written_bytes"], 200_000);
    assert_eq!(of(&outcome, "connection")[0]["requests"], 2);
}

#[test]
fn a_gap_in_a_payload_is_not_noticed() {
    let write = large(1, 1_000);
    Talk::new()
        .client(&write[..300])
        .gap(Side::Client, 500)
        .client(&write[800..])
        .server(&Message::answer(WRITE, 1, OK, written(1_000)).frame())
        .say(&echo(2))
        .record("file", json!({"written_bytes": 1_000, "incomplete": true}))
        .record("connection", json!({"requests": 2, "incomplete": false}))
        .check();
}

#[test]
fn a_gap_in_what_is_read_goes_to_the_end_of_the_message() {
    let ask = Message::ask(CREATE, 1, create("a name that is lost", 1, 0)).frame();
    Talk::new()
        .say(&echo(0))
        .client(&ask[..80])
        .gap(Side::Client, 60)
        .client(&ask[140..])
        .server(&Message::refuse(CREATE, 1, NOT_FOUND).frame())
        .say(&echo(2))
        .record("connection", json!({"requests": 2, "malformed": 0, "incomplete": true}))
        .check();
}

#[test]
fn a_gap_over_the_start_of_a_message() {
    let write = large(1, 400);
    // What is searched has a pattern in it that is none.
    let mut rest = write[150..].to_vec();
    rest[40..60].copy_from_slice(b"\0\0\0\x50\xfeSMB\x40\0\0\0\0\0\0\0\x77\x77\0\0");
    Talk::new()
        .say(&echo(0))
        .gap(Side::Client, 150)
        .client(&rest)
        .server(&Message::answer(WRITE, 1, OK, written(400)).frame())
        .say(&echo(2))
        .record("connection", json!({"requests": 2, "written_bytes": 400, "incomplete": true}))
        .check();
}

#[test]
fn a_gap_from_one_message_into_another() {
    let (first, second) = (large(1, 300), large(2, 300));
    Talk::new()
        .say(&echo(0))
        .client(&first[..60])
        .gap(Side::Client, u64::try_from(first.len() - 60 + 100).expect("length"))
        .client(&second[100..])
        .say(&echo(3))
        .record("connection", json!({"requests": 2}))
        .check();
}

#[test]
fn midstream_within_a_payload() {
    let write = large(7, 500);
    Talk::midstream()
        .client(&write[200..])
        .server(&Message::answer(WRITE, 7, OK, written(500)).frame()[30..])
        .say(&echo(8))
        .record("connection", json!({"requests": 1, "unanswered": 0, "incomplete": true}))
        .verdict("confirm")
        .check();
}

#[test]
fn midstream_with_sides_exchanged() {
    let [ask, answer] = echo(5);
    Talk::midstream()
        .server(&ask.frame())
        .client(&answer.frame())
        .record("connection", json!({"requests": 1, "unanswered": 0}))
        .check();
}

#[test]
fn what_is_encrypted_or_compressed_is_skipped_by_its_length() {
    let mut encrypted = b"\xfdSMB".to_vec();
    encrypted.resize(152, 7);
    let mut compressed = b"\xfcSMB".to_vec();
    compressed.resize(50, 7);
    Talk::new()
        .say(&echo(0))
        .client(&[frame(&encrypted), frame(&compressed), frame(&encrypted)].concat())
        .server(&frame(&encrypted))
        .say(&echo(1))
        .record(
            "connection",
            json!({
                "encrypted_messages": 3, "encrypted_bytes": 456, "compressed_messages": 1,
                "requests": 2,
            }),
        )
        .check();
}

#[test]
fn all_is_encrypted_from_the_start() {
    let mut encrypted = b"\xfdSMB".to_vec();
    encrypted.resize(300, 0xee);
    let whole = frame(&encrypted);
    Talk::midstream()
        .client(&[&whole[100..], &whole[..]].concat())
        .server(&whole)
        .record("connection", json!({"encrypted_messages": 2, "dialect": null}))
        .verdict("confirm")
        .check();
}

#[test]
fn keep_alives_and_empty_messages() {
    let [ask, answer] = echo(1);
    let empty = [0, 0, 0, 0];
    let alive = [0x85, 0, 0, 0];
    Talk::new()
        .client(&[&alive[..], &ask.frame(), &empty, &alive, &ask.frame()].concat())
        .server(&answer.frame())
        .record("connection", json!({"requests": 2, "unanswered": 1}))
        .check();
}

#[test]
fn other_protocols_are_declined_at_once() {
    for other in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\0\0\0\x20XSMB",
        b"\0\0\0\x20\xffABC",
        b"\0\0\0\x3f\xfeSMB",
        b"\x16\x03\x01\x02\0\x01",
        b"\x81\0\0\x44no name is called here, and none calls; all of it is just long enough",
        b"\x85\0\0\x01x",
    ] {
        let declined = r#"decline "does not start with a message of SMB""#;
        Talk::new().client(other).verdict(declined).check();
        Talk::new().server(other).verdict(declined).check();
    }
    // What starts like a message of SMB 2.
    let mut header = Message::ask(0x77, 0, vec![0; 40]).frame();
    Talk::new()
        .client(&header)
        .verdict(r#"decline "does not start with a message of SMB""#)
        .check();
    header.truncate(30);
    Talk::new().client(&header).verdict(r#"decline "neither side speaks SMB""#).check();
}

#[test]
fn midstream_without_a_message_is_declined() {
    let talk = Talk::midstream().client(&vec![b'x'; 300 << 10]).server(&[b'y'; 10]);
    let outcome = talk.0.run(&smb::PARSER, Cut::Whole);
    assert_eq!(outcome.verdicts, [r#"decline "does not start with a message of SMB""#]);
    assert!(outcome.records.is_empty());
}

#[test]
fn a_search_ends_some_time() {
    let junk = vec![b'x'; 3 << 20];
    let talk = Talk::new()
        .say(&echo(0))
        .gap(Side::Client, 9)
        .client(&junk)
        .client(&echo(1)[0].frame())
        .server(&echo(1)[1].frame());
    let outcome = talk.0.run(&smb::PARSER, Cut::Whole);
    assert_eq!(of(&outcome, "connection")[0]["requests"], 1);
    assert_eq!(outcome.verdicts, ["confirm"]);
}

#[test]
fn something_else_between_messages_is_a_violation() {
    Talk::new()
        .say(&echo(0))
        .client(b"QUIT\r\n")
        .record("connection", json!({"requests": 1}))
        .verdict("confirm")
        .verdict(r#"fail "not a message where one should start""#)
        .check();
}

#[test]
fn a_message_that_is_cut_off() {
    let ask = Message::ask(CREATE, 1, create("a name", 1, 0)).frame();
    Talk::new()
        .say(&echo(0))
        .client(&ask[..100])
        .cut_off()
        .record("connection", json!({"requests": 1}))
        .verdict("confirm")
        .check();
}
