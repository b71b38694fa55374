//! Flows of bytes, in which each message has its length before it.

mod wire;

use wire::{A, Message, TCP, check, client, server};

fn query(id: u16) -> Vec<u8> {
    Message::query(id, "a.example", A).framed()
}

fn reply(id: u16) -> Vec<u8> {
    Message::reply(id, "a.example", A).record(1, A, 300, &[192, 0, 2, 1]).framed()
}

const MIDSTREAM: &str = "client 10.0.0.1:4000 server 10.0.0.2:53 midstream\n";

#[test]
fn several_messages() {
    check(&[
        TCP,
        &client(&[query(1), query(2)].concat()),
        &server(&[reply(2), reply(1)].concat()),
        &client(&query(3)),
        "= transaction {\"trans_id\":2,\"query\":\"a.example\",\"answers\":[\"192.0.2.1\"],\"query_len\":27}\n",
        "= transaction {\"trans_id\":1,\"query_len\":27}\n",
        "= transaction {\"trans_id\":3,\"rcode\":null}\n",
        "! confirm\n",
    ]);
}

/// A zone comes in many messages, of which the first has the question.
#[test]
fn a_zone() {
    const AXFR: u16 = 252;
    let first = Message::reply(1, "example", AXFR).record(1, A, 1, &[192, 0, 2, 1]).framed();
    let second = Message::new(1, 0x8000).owned(1, b"\x01b\0", A, 1, 2, &[192, 0, 2, 2]).framed();
    check(&[
        TCP,
        &client(&Message::query(1, "example", AXFR).framed()),
        &server(&[first, second.clone(), second].concat()),
        "= transaction {\"query\":\"example\",\"qtype_name\":\"AXFR\",\"answers\":[\"192.0.2.1\"],\"query_len\":25}\n",
        "= transaction {\"query\":null,\"answers\":[\"192.0.2.2\"],\"answer_names\":[\"b\"],\"query_len\":null}\n",
        "= transaction {\"query\":null,\"answers\":[\"192.0.2.2\"],\"answer_names\":[\"b\"]}\n",
    ]);
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
    let script = flowcell_sdk::testing::FlowScript::parse(&script);
    for cut in [flowcell_sdk::testing::Cut::Whole, flowcell_sdk::testing::Cut::At(60_000)] {
        let outcome = script.as_ref().map(|script| script.run(&dns::PARSER, cut));
        let records = outcome.map(|outcome| outcome.records).unwrap_or_default();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].1["num_answers"], 1);
        assert_eq!(records[0].1["reply_len"], bytes.len() - 2);
    }
}

#[test]
fn a_gap_within_a_message() {
    let torn = reply(1);
    check(&[
        TCP,
        &client(&[query(1), query(2)].concat()),
        &server(&torn[..30]),
        "< gap 10\n",
        &server(&torn[40..]),
        &server(&reply(2)),
        "= transaction {\"trans_id\":1,\"num_answers\":1,\"answers\":null,\"incomplete\":true,\"malformed\":null,\"query_len\":27}\n",
        "= transaction {\"trans_id\":2,\"answers\":[\"192.0.2.1\"],\"incomplete\":false}\n",
    ]);
}

/// A whole message is missing, or the end of one and more: what follows shows whether it is a message.
#[test]
fn a_gap_over_messages() {
    check(&[
        TCP,
        &client(&[query(1), query(2), query(3)].concat()),
        &server(&reply(1)),
        "< gap 45\n",
        &server(&reply(3)),
        "= transaction {\"trans_id\":1,\"rcode\":0}\n",
        "= transaction {\"trans_id\":3,\"rcode\":0}\n",
        "= transaction {\"trans_id\":2,\"rcode\":null}\n",
    ]);
    check(&[
        TCP,
        &client(&[query(1), query(2)].concat()),
        &server(&reply(1)[..10]),
        "< gap 100\n",
        &server(&reply(2)),
        "= transaction {\"trans_id\":2,\"rcode\":0}\n",
        "= transaction {\"trans_id\":1,\"rcode\":null}\n",
    ]);
    // It is none.
    check(&[
        TCP,
        &client(&[query(1), query(2)].concat()),
        &server(&reply(1)),
        "< gap 50\n",
        &server(&reply(2)[7..]),
        &server(&reply(3)),
        &client(&query(4)),
        "= transaction {\"trans_id\":1,\"rcode\":0}\n",
        "= transaction {\"trans_id\":2,\"rcode\":null}\n",
        "= transaction {\"trans_id\":4,\"rcode\":null}\n",
    ]);
}

#[test]
fn a_gap_in_a_length() {
    check(&[
        TCP,
        &client(&query(1)),
        &client(b"\0"),
        "> gap 26\n",
        &client(&query(3)),
        "= transaction {\"trans_id\":1}\n",
        "= transaction {\"trans_id\":3}\n",
    ]);
}

#[test]
fn cut_off_ends() {
    check(&[
        TCP,
        &client(&query(1)),
        &server(&reply(1)[..25]),
        "< end reset\n",
        "= transaction {\"trans_id\":1,\"incomplete\":true,\"rcode\":0,\"malformed\":null}\n",
    ]);
    check(&[TCP, &client(&query(1)[..9]), "> end idle\n"]);
    check(&[TCP, &client(&query(1)), &client(b"\0"), "= transaction {\"trans_id\":1}\n"]);
}

#[test]
fn one_side() {
    check(&[TCP, &client(&query(1)), "= transaction {\"trans_id\":1,\"rcode\":null}\n"]);
    check(&[
        TCP,
        &server(&reply(1)),
        "= transaction {\"trans_id\":1,\"rcode\":0,\"query_len\":null}\n",
    ]);
}

#[test]
fn midstream() {
    check(&[
        MIDSTREAM,
        &client(&query(1)),
        &server(&reply(1)),
        "= transaction {\"trans_id\":1,\"rcode\":0,\"query_len\":27}\n",
    ]);
    // The server's side begins within a message.
    check(&[
        MIDSTREAM,
        &server(&reply(1)[5..]),
        &client(&query(1)),
        &server(&reply(1)),
        "= transaction {\"trans_id\":1,\"rcode\":null}\n",
    ]);
    check(&[MIDSTREAM, &server(&reply(1)[5..]), "! decline \"no message of DNS\"\n"]);
}

#[test]
fn other_protocols() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"SSH-2.0-x\r\nmore",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcd",
    ] {
        check(&[TCP, &client(bytes), "! decline \"no message starts here\"\n"]);
    }
    check(&[TCP, &client(b"\0\x05hello"), "! decline \"no message starts here\"\n"]);
}

/// Lengths that can not be end the parser, not what it knows.
#[test]
fn a_length_that_lies() {
    check(&[
        TCP,
        &client(&query(1)),
        &client(b"\0\x02ab"),
        "= transaction {\"trans_id\":1}\n",
        "! fail \"a message is shorter than its header\"\n",
    ]);
}
