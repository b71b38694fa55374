//! What nobody sends in good faith: endless lines, headers and queues, lengths that lie.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use std::iter;

use flowcell_sdk::Side;
use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};
use serde_json::{Value, json};

const OPENING: &str = "client 10.0.0.1:4000 server 10.0.0.2:80\n";

/// A flow of alternating sides, the client first.
fn flow(turns: &[&[u8]]) -> FlowScript {
    let mut script = FlowScript::parse(OPENING).expect("script");
    let sides = iter::repeat([Side::Client, Side::Server]).flatten();
    let data =
        turns.iter().zip(sides).map(|(bytes, side)| Step::Data { side, bytes: bytes.to_vec() });
    script.steps = data.chain(script.steps).collect();
    script.steps.retain(|step| !matches!(step, Step::Data { bytes, .. } if bytes.is_empty()));
    script
}

/// What comes of a flow, the same for each way to cut it.
fn outcome(turns: &[&[u8]]) -> Outcome {
    let script = flow(turns);
    let outcome = script.run(&http::PARSER, Cut::Whole);
    for cut in [Cut::At(9_000), Cut::Bytes] {
        assert_eq!(script.run(&http::PARSER, cut), outcome, "{cut:?}");
    }
    outcome
}

fn records(turns: &[&[u8]]) -> Vec<Value> {
    outcome(turns).records.into_iter().map(|(_, data)| data).collect()
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn lines_that_are_far_too_long() {
    let long = "x".repeat(30_000);
    let request = format!(
        "GET /{long} HTTP/1.1\r\nHost: h\r\nUser-Agent: {long}\r\nX-{long}: y\r\nVia: {long}\r\n\
         Content-Length: 3\r\n\r\nabc"
    );
    let response = format!("HTTP/1.1 200 {long}\r\nX: {long}\r\nContent-Length: 3\r\n\r\nabc");
    let records = records(&[request.as_bytes(), response.as_bytes(), REQUEST, RESPONSE]);
    assert_eq!(records[0]["uri"].as_str().map(str::len), Some(8_000));
    assert_eq!(records[0]["version"], "1.1");
    assert_eq!(records[0]["user_agent"].as_str().map(str::len), Some(2_048));
    assert_eq!(records[0]["proxied"][0].as_str().map(str::len), Some(2_048));
    assert_eq!(records[0]["truncated"], json!(["uri", "user_agent", "proxied", "status_msg"]));
    assert_eq!(
        (&records[0]["request_body_len"], &records[0]["response_body_len"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(records[1]["incomplete"], false, "the next exchange is not lost");
}

#[test]
fn a_line_that_never_ends() {
    let junk = vec![b'x'; 100_000];
    assert_eq!(outcome(&[&junk]).verdicts, ["decline \"neither side speaks HTTP\""]);
    let records = records(&[&[b"GET / HTTP/1.1\r\nHost: h\r\n", &junk[..]].concat(), RESPONSE]);
    assert_eq!((&records[0]["host"], &records[0]["incomplete"]), (&json!("h"), &json!(true)));
}

#[test]
fn a_header_that_never_ends() {
    let fields = "X: y\r\n".repeat(200_000);
    let request = ["GET /1 HTTP/1.1\r\nHost: h\r\n", &fields, "\r\n"].concat();
    let script = flow(&[request.as_bytes(), b"", REQUEST]);
    let outcome = script.run(&http::PARSER, Cut::Whole);
    assert_eq!(outcome.records.len(), 2);
    assert_eq!(outcome.records[0].1["incomplete"], true);
    assert_eq!(outcome.records[1].1["request_anomalies"], json!(["junk"]));
}

#[test]
fn more_of_everything_than_is_kept() {
    let mut request = String::from("GET / HTTP/1.1\r\nHost: h\r\n");
    for n in 0..100 {
        request += &format!("X-Forwarded-For: 10.0.0.{n}\r\nContent-Encoding: a{n}\r\n");
    }
    request += &"Content-Length: 3\r\n".repeat(1_000);
    let records = records(&[format!("{request}\r\nabc").as_bytes(), RESPONSE]);
    assert_eq!(records[0]["proxied"].as_array().map(Vec::len), Some(16));
    assert_eq!(records[0]["truncated"], json!(["proxied", "request_content_length"]));
    assert_eq!(records[0]["request_body_len"], 3);
    let folded =
        ["GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: a\r\n", &" b\r\n".repeat(5_000), "\r\n"];
    let script = flow(&[folded.concat().as_bytes(), RESPONSE]);
    let records = script.run(&http::PARSER, Cut::Whole).records;
    assert_eq!(records[0].1["user_agent"].as_str().map(str::len), Some(2_048));
}

#[test]
fn requests_without_end_and_no_response() {
    let requests = REQUEST.repeat(2_000);
    let script = flow(&[&requests]);
    let outcome = script.run(&http::PARSER, Cut::Whole);
    assert_eq!(outcome.records.len(), 2_000);
    for (index, (_, record)) in outcome.records.iter().enumerate() {
        assert_eq!(record["trans_depth"], index + 1);
    }
}

#[test]
fn more_outstanding_requests_than_are_kept() {
    let requests: String =
        (1..=300).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: h\r\n\r\n")).collect();
    let responses: String =
        (1..=300).map(|n| format!("HTTP/1.1 200 {n}\r\nContent-Length: 0\r\n\r\n")).collect();
    let records = records(&[requests.as_bytes(), responses.as_bytes()]);
    // 44 requests were given up: they and their responses are records of their own.
    assert_eq!(records.len(), 344);
    let answered = records.iter().filter(|record| record["method"] == "GET");
    let answered = answered.filter(|record| record["status_code"] == 200);
    for (index, record) in answered.enumerate() {
        let number = (index + 45).to_string();
        assert_eq!(record["uri"], format!("/{number}"));
        assert_eq!(record["status_msg"], number.as_str());
    }
}

#[test]
fn responses_without_end_and_no_request() {
    let script = flow(&[b"", &RESPONSE.repeat(2_000)]);
    assert_eq!(script.run(&http::PARSER, Cut::Whole).records.len(), 2_000);
}

#[test]
fn a_client_that_does_not_wait_for_the_tunnel() {
    let request = b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n";
    let eager = [&request[..], &[0x16; 40_000]].concat();
    let outcome = outcome(&[&eager, b"HTTP/1.1 200 OK\r\n\r\n"]);
    assert_eq!(outcome.records[0].1["status_code"], Value::Null, "what is held back is bounded");
    assert!(outcome.verdicts.iter().any(|verdict| verdict.starts_with("switch_to \"\"")));
}

#[test]
fn a_server_that_is_far_ahead() {
    let response = [b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n", &[b'x'; 20_000][..]];
    let records = records(&[b"", &response.concat(), REQUEST, RESPONSE]);
    assert_eq!(
        (&records[0]["method"], &records[0]["response_body_len"]),
        (&Value::Null, &json!(20_000))
    );
    assert_eq!((&records[1]["method"], &records[1]["status_code"]), (&json!("GET"), &json!(200)));
}

#[test]
fn junk_that_never_ends() {
    let junk: Vec<u8> =
        (0..17_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut script = flow(&[REQUEST]);
    let pieces = junk.chunks(60_000);
    let steps = pieces.map(|piece| Step::Data { side: Side::Server, bytes: piece.to_vec() });
    script.steps.splice(1..1, steps);
    let outcome = script.run(&http::PARSER, Cut::Lines);
    assert_eq!(outcome.records.len(), 1);
    assert_eq!(outcome.verdicts, ["confirm", "fail \"what the server sends is no response\""]);
}

#[test]
fn chunks_of_one_byte() {
    let body = "1\r\nx\r\n".repeat(20_000);
    let response = ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &body, "0\r\n\r\n"];
    let records = records(&[REQUEST, response.concat().as_bytes()]);
    assert_eq!(
        (&records[0]["response_body_len"], &records[0]["incomplete"]),
        (&json!(20_000), &json!(false))
    );
}

#[test]
fn transfer_codings_behind_what_is_kept() {
    for front in
        [",".repeat(2_100), " ".repeat(9_000), "gzip,".repeat(5_000), ",\r\n ".repeat(3_000)]
    {
        let response = format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: {front} chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        );
        let records = records(&[REQUEST, response.as_bytes(), REQUEST, RESPONSE]);
        assert_eq!(records[0]["response_body_len"], 3);
        let anomalies = records[0]["response_anomalies"].as_array().expect("a list");
        assert!(anomalies.contains(&json!("framing_cut")), "{anomalies:?}");
        assert_eq!(records[1]["status_code"], 200);
    }
}
