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

/// 256 queries wait; one more and the oldest is given up.
#[test]
fn queries_that_wait_are_bounded() {
    let queries = |count: u16| (0..count).map(|id| client(&query(id))).collect::<String>();
    let rest = |ids: std::ops::Range<u16>| {
        ids.map(|id| format!("= transaction {{\"trans_id\":{id},\"rcode\":null}}\n"))
            .collect::<String>()
    };
    let answered = "= transaction {\"trans_id\":0,\"rcode\":0,\"query_len\":33}\n";
    check(&[UDP, &queries(256), &server(&reply(0)), answered, &rest(1..256)]);
    let alone = "= transaction {\"trans_id\":0,\"rcode\":0,\"query_len\":null}\n";
    // What the reply is remembered by makes room for itself as well.
    let (first, others) = (rest(0..1), rest(1..257));
    check(&[UDP, &queries(257), &server(&reply(0)), &first, alone, &others]);
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

/// Names that grow when they are decompressed do not make more text than the message allows.
#[test]
fn text_is_bounded() {
    let long = [&[63; 64][..], &[63; 64], &[63; 64], &[60; 61], &[0]].concat();
    let mut reply = Message::new(1, QR | RD | RA).owned(1, &long, NS, 1, 1, &[0xc0, 12]);
    for _ in 0..1000 {
        reply = reply.record(1, NS, 1, &[0xc0, 12]);
    }
    let mut text = String::new();
    for part in [UDP, &server(&reply.bytes())] {
        text += part;
    }
    let script = FlowScript::parse(&text);
    let outcome = script.map(|script| script.run(&dns::PARSER, Cut::Whole));
    let records = outcome.map(|outcome| outcome.records).unwrap_or_default();
    assert_eq!(records.len(), 1);
    let record = &records[0].1;
    assert_eq!(record["truncated"], true);
    assert_eq!(record["num_answers"], 1001);
    let shown = record["answers"].as_array().map_or(0, Vec::len);
    assert!((10..300).contains(&shown), "{shown} answers are shown");
    assert!(record.to_string().len() < 12 * 14_500, "{}", record.to_string().len());
}

/// A message as long as they get.
#[test]
fn a_long_message() {
    let mut long = Message::reply(1, "a.example", 16);
    let text = [&[255; 256][..]; 255].concat();
    long = long.record(1, 16, 5, &text);
    let bytes = long.framed();
    assert!(bytes.len() > 65_000);
    let script = [TCP, &server(&bytes)].concat();
    let script = FlowScript::parse(&script);
    for cut in [Cut::Whole, Cut::At(60_000)] {
        let outcome = script.as_ref().map(|script| script.run(&dns::PARSER, cut));
        let records = outcome.map(|outcome| outcome.records).unwrap_or_default();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].1["num_answers"], 1);
        assert_eq!(records[0].1["reply_len"], bytes.len() - 2);
    }
}
