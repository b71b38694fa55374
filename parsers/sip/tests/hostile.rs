//! What nobody sends in good faith: headers and lines without end, lists without end, lengths that lie, junk.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use flowcell_sdk::Side;
use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};

/// A flow of which the client sends all, in pieces.
fn flow(transport: &str, pieces: &[&[u8]]) -> FlowScript {
    let opening = format!("client 10.0.0.1:4000 server 10.0.0.2:5060 {transport}\n");
    let mut script = FlowScript::parse(&opening).expect("script");
    let data = pieces.iter().map(|bytes| Step::Data { side: Side::Client, bytes: bytes.to_vec() });
    script.steps = data.chain(script.steps).collect();
    script
}

/// The same for three ways to cut it.
fn over_tcp(bytes: &[u8]) -> Outcome {
    let script = flow("", &[bytes]);
    let outcome = script.run(&sip::PARSER, Cut::Whole);
    for cut in [Cut::Bytes, Cut::At(bytes.len() / 2)] {
        assert_eq!(script.run(&sip::PARSER, cut), outcome, "{cut:?}");
    }
    outcome
}

const ACK: &[u8] = b"ACK sip:b@h SIP/2.0\r\nl: 0\r\n\r\n";

#[test]
fn a_header_without_end() {
    let lines = b"X: y\r\n".repeat(20_000);
    let bytes = [b"INVITE sip:b@h SIP/2.0\r\n", &lines[..], b"\r\n", ACK].concat();
    let outcome = over_tcp(&bytes);
    let (_, invite) = &outcome.records[0];
    assert_eq!(invite["truncated"], serde_json::json!(["header"]));
    assert_eq!(outcome.records.len(), 2, "the next message is found");
    assert_eq!(outcome.records[1].1["method"], "ACK");
}

#[test]
fn lines_without_end() {
    let long = vec![b'x'; 100_000];
    let bytes =
        [b"INVITE sip:b@h SIP/2.0\r\nSubject: ", &long[..], b"\r\nf: <a>\r\nl: 0\r\n\r\n", ACK];
    let outcome = over_tcp(&bytes.concat());
    let (_, invite) = &outcome.records[0];
    assert_eq!(invite["subject"].as_str().map(str::len), Some(1_024));
    assert_eq!(invite["truncated"], serde_json::json!(["subject"]));
    assert_eq!(invite["request_from"], "<a>");
    assert_eq!(outcome.records[1].1["method"], "ACK");
    // A reply may go on for ever too.
    let bytes = [b"SIP/2.0 200 ", &long[..], b"\r\nl: 0\r\n\r\n", ACK].concat();
    let outcome = over_tcp(&bytes);
    assert_eq!(outcome.records[0].1["truncated"], serde_json::json!(["status_msg"]));
    assert_eq!(outcome.records.len(), 2);
}

#[test]
fn folded_lines_and_lists_without_end() {
    let folded = b" more\r\n".repeat(2_000);
    let bytes =
        [b"INVITE sip:b@h SIP/2.0\r\nSubject: x\r\n", &folded[..], b"l: 0\r\n\r\n"].concat();
    let (_, invite) = &over_tcp(&bytes).records[0];
    assert_eq!(invite["truncated"], serde_json::json!(["subject"]));
    let via = "Via: a,b,c\r\n".repeat(1_000);
    let bytes = ["INVITE sip:b@h SIP/2.0\r\n", &via, "l: 0\r\n\r\n"].concat();
    let (_, invite) = &over_tcp(bytes.as_bytes()).records[0];
    assert_eq!(invite["request_path"].as_array().map(Vec::len), Some(70));
    assert_eq!(invite["truncated"], serde_json::json!(["request_path"]));
}

#[test]
fn media_without_end() {
    let sdp = "m=audio 1 RTP/AVP 0\r\n".repeat(3_000) + &"m".repeat(100_000);
    let head = format!("INVITE sip:b@h SIP/2.0\r\nc: application/sdp\r\nl: {}\r\n\r\n", sdp.len());
    let outcome = over_tcp(&[head.as_bytes(), sdp.as_bytes(), ACK].concat());
    let (_, invite) = &outcome.records[0];
    assert_eq!(invite["media"].as_array().map(Vec::len), Some(16));
    assert_eq!(invite["truncated"], serde_json::json!(["media"]));
    assert_eq!(invite["incomplete"], false);
    assert_eq!(outcome.records.len(), 2);
}

#[test]
fn quotes_and_brackets_without_end() {
    let open = "\"<".repeat(400) + &"sip:a:".repeat(50);
    let head =
        format!("INVITE sip:b@h SIP/2.0\r\nf: {open};tag=1\r\nv: {open},x\r\nt: {open}@h\r\n\r\n");
    let outcome = over_tcp(head.as_bytes());
    assert_eq!(outcome.records.len(), 1);
}

#[test]
fn lengths_that_lie() {
    for length in ["18446744073709551615", "99999999999999999999", "-1", "0x10", "16777217"] {
        let head = format!("INVITE sip:b@h SIP/2.0\r\nl: {length}\r\n\r\n");
        let outcome = over_tcp(&[head.as_bytes(), ACK].concat());
        assert_eq!(outcome.records.len(), 2, "{length}");
    }
}

#[test]
fn every_message_in_every_prefix() {
    let message: &[u8] = b"INVITE sip:b@h SIP/2.0\r\nv: a\r\nc: application/sdp\r\nl: 23\r\n\r\nv=0\r\nm=audio 1 \xc3\xa9 \xff\r\n";
    for end in 0..message.len() {
        let _ = flow("udp", &[&message[..end]]).run(&sip::PARSER, Cut::Whole);
        let _ = flow("", &[&message[..end]]).run(&sip::PARSER, Cut::Whole);
    }
}

#[test]
fn junk_is_declined() {
    let junk: Vec<u8> =
        (0..50_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let pieces: Vec<&[u8]> = junk.chunks(100).collect();
    for transport in ["udp", ""] {
        let outcome = flow(transport, &pieces).run(&sip::PARSER, Cut::Lines);
        assert!(outcome.records.is_empty() && outcome.verdicts[0].starts_with("decline"));
    }
    let zeros = vec![0; 3 << 20];
    let outcome = flow("", &[&zeros[..]]).run(&sip::PARSER, Cut::Whole);
    assert!(outcome.records.is_empty());
}
