//! What nobody sends in good faith: more of everything than is kept.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use flowcell_sdk::Side;
use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};

const CONNECT: &[u8] = b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02c1";
const CONNECT_5: &[u8] = b"\x10\x0f\0\x04MQTT\x05\x02\0\x3c\0\0\x02c1";
const CONNACK: &[u8] = b"\x20\x02\0\0";
const CONNACK_5: &[u8] = b"\x20\x03\0\0\0";

/// A session in which the client says this; the same for two ways to cut it.
fn session(hello: [&[u8]; 2], said: Vec<u8>) -> Outcome {
    let opening = "client 10.0.0.1:4000 server 10.0.0.2:1883\n";
    let mut script = FlowScript::parse(opening).expect("script");
    let steps = [
        Step::Data { side: Side::Client, bytes: hello[0].to_vec() },
        Step::Data { side: Side::Server, bytes: hello[1].to_vec() },
        Step::Data { side: Side::Client, bytes: said },
    ];
    script.steps = steps.into_iter().chain(script.steps).collect();
    let outcome = script.run(&mqtt::PARSER, Cut::Whole);
    assert_eq!(script.run(&mqtt::PARSER, Cut::Bytes), outcome);
    outcome
}

fn length(number: usize) -> Vec<u8> {
    let byte = |shift: usize| u8::try_from(number >> shift & 0x7f).expect("seven bits");
    vec![byte(0) | 0x80, byte(7) | 0x80, byte(14)]
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first][..], &length(body.len()), body].concat()
}

#[test]
fn messages_that_are_never_acknowledged_do_not_pile_up() {
    let body = |id: u16| [b"\0\x01t", &id.to_be_bytes()[..], &[b'x'; 300]].concat();
    let said: Vec<u8> = (0..2_000).flat_map(|id| packet(0x32, &body(id))).collect();
    let outcome = session([CONNECT, CONNACK], said);
    assert_eq!(outcome.records.len(), 2_001);
    for (id, (_, record)) in outcome.records[1..].iter().enumerate() {
        assert_eq!(
            (&record["packet_id"], &record["status"]),
            (&id.into(), &"incomplete_qos".into())
        );
    }
}

#[test]
fn many_messages_in_flight_are_all_acknowledged() {
    let hello = "client 10.0.0.1:4000 server 10.0.0.2:1883\n";
    let mut script = FlowScript::parse(hello).expect("script");
    let publish = |id: u16| packet(0x32, &[b"\0\x01t", &id.to_be_bytes()[..]].concat());
    let ack = |id: u16| [b"\x40\x02", &id.to_be_bytes()[..]].concat();
    let data = |side, bytes| Step::Data { side, bytes };
    let mut steps = vec![
        data(Side::Client, CONNECT.to_vec()),
        data(Side::Server, CONNACK.to_vec()),
        data(Side::Client, (0..400).flat_map(publish).collect()),
        data(Side::Server, (0..400).rev().flat_map(ack).collect()),
    ];
    steps.append(&mut script.steps);
    script.steps = steps;
    let outcome = script.run(&mqtt::PARSER, Cut::Whole);
    assert_eq!(outcome.records.len(), 401);
    for ((_, record), id) in outcome.records[1..].iter().zip((0..400u16).rev()) {
        assert_eq!((&record["packet_id"], &record["status"]), (&id.into(), &"ok".into()));
    }
}

#[test]
fn a_flood_of_messages_is_told_in_order() {
    // Each of them costs as much as the first.
    let ids = (0..60_000u16).cycle().take(200_000);
    let publish = |id: u16| [b"\x32\x05\0\x01t", &id.to_be_bytes()[..]].concat();
    let mut script =
        FlowScript::parse("client 10.0.0.1:4000 server 10.0.0.2:1883\n").expect("script");
    let said = ids.clone().flat_map(publish).collect();
    let steps = [CONNECT.to_vec(), said].map(|bytes| Step::Data { side: Side::Client, bytes });
    script.steps = steps.into_iter().chain(script.steps).collect();
    let outcome = script.run(&mqtt::PARSER, Cut::Whole);
    let told = outcome.records.iter().filter_map(|(_, record)| record.get("packet_id")?.as_u64());
    assert!(told.eq(ids.map(u64::from)));
}

#[test]
fn requests_that_are_never_answered_do_not_pile_up() {
    let body = |id: u16| [&id.to_be_bytes()[..], b"\0\x01t\0"].concat();
    let said: Vec<u8> = (0..500).flat_map(|id| packet(0x82, &body(id))).collect();
    assert_eq!(session([CONNECT, CONNACK], said).records.len(), 501);
}

#[test]
fn more_topics_than_are_kept() {
    let body = [&b"\0\x01"[..], &b"\0\x01t\x01".repeat(1_000)].concat();
    let outcome = session([CONNECT, CONNACK], packet(0x82, &body));
    let record = &outcome.records[1].1;
    assert_eq!(record["topics"].as_array().map(Vec::len), Some(64));
    assert_eq!(record["truncated"][0], "topics");
    let long = [&b"\x03\xe8"[..], &[b't'; 1_000], b"\0"].concat();
    let body = [&b"\0\x01"[..], &long.repeat(10)].concat();
    let outcome = session([CONNECT, CONNACK], packet(0x82, &body));
    assert_eq!(outcome.records[1].1["topics"].as_array().map(Vec::len), Some(8));
}

#[test]
fn properties_too_long_to_be_read() {
    let user = b"\x26\0\x01a\0\x01b".repeat(3_000);
    let body = [&b"\0\x01t"[..], &length(user.len()), &user, b"payload"].concat();
    let said = [packet(0x30, &body), packet(0x30, b"\0\x01u\0x")].concat();
    let outcome = session([CONNECT_5, CONNACK_5], said);
    assert_eq!(outcome.records[1].1["payload"], "payload");
    assert_eq!(outcome.records[1].1["truncated"][0], "properties");
    assert_eq!(outcome.records[2].1["payload"], "x");
}

#[test]
fn more_aliases_than_are_kept() {
    let alias = |alias: u16, topic: &[u8]| {
        let size = u8::try_from(topic.len()).expect("short");
        let [high, low] = alias.to_be_bytes();
        packet(0x30, &[&[0, size][..], topic, &[3, 0x23, high, low], b"x"].concat())
    };
    let mut said: Vec<u8> = (1..=1_000).flat_map(|number| alias(number, b"t")).collect();
    said.extend(alias(64, b""));
    said.extend(alias(65, b""));
    let outcome = session([CONNECT_5, CONNACK_5], said);
    assert_eq!(outcome.records[1_001].1["topic"], "t");
    assert!(outcome.records[1_002].1.get("topic").is_none());
}

#[test]
fn a_server_that_talks_before_anybody_asks() {
    let mut script =
        FlowScript::parse("client 10.0.0.1:4000 server 10.0.0.2:1883\n").expect("script");
    let said = [CONNACK, &packet(0x30, b"\0\x01tx").repeat(10_000)].concat();
    script.steps.insert(0, Step::Data { side: Side::Server, bytes: said });
    let outcome = script.run(&mqtt::PARSER, Cut::Whole);
    assert_eq!(outcome.records.len(), 10_001);
    assert_eq!(script.run(&mqtt::PARSER, Cut::Bytes), outcome);
}
