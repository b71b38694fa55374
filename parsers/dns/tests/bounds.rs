//! Conversations that take a program to write down, and what is bounded.

mod wire;

use flowcell_sdk::testing::{Cut, FlowScript};
use wire::{A, Message, NS, QR, RA, RD, TCP, UDP, check, client, server};

fn query(id: u16) -> Vec<u8> {
    Message::query(id, "www.example.com", A).bytes()
}

fn reply(id: u16) -> Vec<u8> {
    Message::reply(id, "www.example.com", A).record(1, A, 300, &[192, 0, 2, 1]).bytes()
}

/// The capture has the reply before the query: one record.
#[test]
fn a_reply_before_its_query() {
    check(&[
        UDP,
        &server(&reply(7)),
        &client(&query(7)),
        &client(&query(7)),
        "= transaction {\"trans_id\":7,\"rcode\":0,\"rtt\":null}\n",
        "= transaction {\"trans_id\":7,\"rcode\":null}\n",
    ]);
}

/// So many queries wait, of 542 bytes in a record; one more and the oldest is given up.
#[test]
fn queries_that_wait_are_bounded() {
    const FIT: u16 = 604; // 320 KiB / 542
    let queries = |count: u16| (0..count).map(|id| client(&query(id))).collect::<String>();
    let rest = |ids: std::ops::Range<u16>| {
        ids.map(|id| format!("= transaction {{\"trans_id\":{id},\"rcode\":null}}\n"))
            .collect::<String>()
    };
    let answered = "= transaction {\"trans_id\":0,\"rcode\":0,\"query_len\":33}\n";
    check(&[UDP, &queries(FIT), &server(&reply(0)), answered, &rest(1..FIT)]);
    let alone = "= transaction {\"trans_id\":0,\"rcode\":0,\"query_len\":null}\n";
    // What the reply is remembered by makes room for itself as well.
    let (first, second, others) = (rest(0..1), rest(1..2), rest(2..FIT + 1));
    check(&[UDP, &queries(FIT + 1), &server(&reply(0)), &first, alone, &second, &others]);
}

#[test]
fn extensions_that_are_wrong() {
    for (options, fault) in [
        (
            &[0, 8, 0, 7, 0, 1, 33, 0, 1, 2, 3][..],
            "the client subnet's prefix is longer than an address",
        ),
        (
            &[0, 8, 0, 7, 0, 1, 25, 0, 1, 2, 3],
            "the client subnet's address does not fit its prefix",
        ),
        (&[0, 8, 0, 4, 0, 9, 0, 0], "the client subnet is of unknown family"),
        (&[0, 8, 0, 3, 0, 1, 0], "the client subnet is too short"),
        (&[0, 15, 0, 1, 0], "the extended error is too short"),
        (&[0, 8, 0], "an EDNS option is cut short"),
        (&[0, 8, 0, 9, 0], "an EDNS option is longer than its record"),
    ] {
        let ask = Message::query(1, "a.example", A).opt(4096, 0, options).bytes();
        let record =
            "= transaction {\"query\":\"a.example\",\"malformed\":\"additional 1 at byte 27: ";
        check(&[UDP, &client(&ask), record, fault, "\"}\n"]);
    }
    let twice = Message::query(1, "a.example", A).opt(1, 0, &[]).opt(2, 0, &[]).bytes();
    let record =
        r#"= transaction {"query_edns":{"version":0,"udp_size":1,"dnssec_ok":false,"options":[]},"#;
    let fault = "\"malformed\":\"additional 2 at byte 38: there is more than one OPT record\"}\n";
    check(&[UDP, &client(&twice), record, fault]);
}

/// The one record that a script makes, whole and cut.
fn only_record(script: &str) -> serde_json::Value {
    let script = FlowScript::parse(script).unwrap_or_else(|error| panic!("{error}"));
    let records = script.run(&dns::PARSER, Cut::Whole).records;
    assert_eq!(script.run(&dns::PARSER, Cut::At(60_000)).records, records);
    let [(_, record)] = &records[..] else { panic!("{} records", records.len()) };
    record.clone()
}

/// Names that grow when they are decompressed do not make more text than the message allows.
#[test]
fn text_is_bounded() {
    let label = |length: u8| [&[length][..], &vec![b'a'; usize::from(length)]].concat();
    let long = [label(63), label(63), label(63), label(61), vec![0]].concat();
    let mut reply = Message::new(1, QR | RD | RA).owned(1, &long, NS, 1, 1, &[0xc0, 12]);
    for _ in 0..1000 {
        reply = reply.record(1, NS, 1, &[0xc0, 12]);
    }
    let bytes = reply.bytes();
    let record = only_record(&[UDP, &server(&bytes)].concat());
    assert_eq!(record["truncated"], true);
    assert_eq!(record["num_answers"], 1001);
    // Each answer comes to two names of 253 characters and 16 bytes.
    let shown = record["answers"].as_array().map(Vec::len);
    assert_eq!(shown, Some((256 + 4 * bytes.len()) / 522));
}

/// Messages as long as they get, and half of that.
#[test]
fn long_messages() {
    for (strings, truncated) in [(127, false), (255, true)] {
        let text = [&[255][..], &[b'a'; 255]].concat().repeat(strings);
        let bytes = Message::reply(1, "a.example", 16).record(1, 16, 5, &text).framed();
        let record = only_record(&[TCP, &server(&bytes)].concat());
        assert_eq!(record["num_answers"], 1);
        assert_eq!(record["reply_len"], bytes.len() - 2);
        assert_eq!(record["truncated"], truncated);
        assert_eq!(record.get("answers").is_some(), !truncated);
    }
}

/// What a server says of an error.
#[test]
fn error_texts_are_bounded() {
    let option = [&[0, 15, 0x40, 0, 0, 1][..], &[b'x'; 0x3ffe]].concat();
    let bytes = Message::reply(1, "a.example", A).opt(512, 0, &option).bytes();
    let record = only_record(&[UDP, &server(&bytes)].concat());
    let text = record["reply_edns"]["extended_error_text"].as_str();
    assert_eq!(text.map(str::len), Some(1_024));
}
