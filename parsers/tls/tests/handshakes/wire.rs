//! Makes records, messages and hellos, and runs the parser over what they make.

use std::path::Path;
use std::{fs, iter};

use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};
use flowcell_sdk::{GapReason, Side};
use serde_json::Value as Json;

pub(crate) const ALERT: u8 = 21;
pub(crate) const HANDSHAKE: u8 = 22;
pub(crate) const DATA: u8 = 23;

/// A record of TLS 1.2 or 1.3.
pub(crate) fn record(content: u8, body: &[u8]) -> Vec<u8> {
    [&[content, 3, 3][..], &vector16(body)].concat()
}

pub(crate) fn change_cipher_spec() -> Vec<u8> {
    record(20, &[1])
}

pub(crate) fn alert(level: u8, description: u8) -> Vec<u8> {
    record(ALERT, &[level, description])
}

/// A handshake message.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &vector24(body)].concat()
}

/// A handshake message in a record of its own.
pub(crate) fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    record(HANDSHAKE, &message(kind, body))
}

/// Records that hold `content`, each `size` bytes of it.
pub(crate) fn records(content: &[u8], size: usize) -> Vec<u8> {
    content.chunks(size).flat_map(|piece| record(HANDSHAKE, piece)).collect()
}

pub(crate) fn vector8(body: &[u8]) -> Vec<u8> {
    [&[u8::try_from(body.len()).expect("short")][..], body].concat()
}

pub(crate) fn vector16(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("short");
    [&length.to_be_bytes()[..], body].concat()
}

pub(crate) fn vector24(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short").to_be_bytes();
    [&length[1..], body].concat()
}

/// A list of numbers.
pub(crate) fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

pub(crate) fn extension(code: u16, body: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &vector16(body)].concat()
}

/// Body of a ClientHello with these cipher suites and extensions.
pub(crate) fn client_hello(ciphers: &[u16], extensions: &[Vec<u8>]) -> Vec<u8> {
    [
        &[3, 3][..],
        &[7; 32],
        &vector8(&[9; 32]),
        &vector16(&numbers(ciphers)),
        &[1, 0],
        &vector16(&extensions.concat()),
    ]
    .concat()
}

/// Body of a ServerHello.
pub(crate) fn server_hello(random: [u8; 32], cipher: u16, extensions: &[Vec<u8>]) -> Vec<u8> {
    [
        &[3, 3][..],
        &random,
        &vector8(&[9; 32]),
        &cipher.to_be_bytes(),
        &[0],
        &vector16(&extensions.concat()),
    ]
    .concat()
}

/// SNI with one name.
pub(crate) fn server_name(name: &[u8]) -> Vec<u8> {
    extension(0, &vector16(&[&[0][..], &vector16(name)].concat()))
}

/// What a client says of itself that knows TLS 1.3.
pub(crate) fn offers_tls13() -> Vec<u8> {
    extension(43, &vector8(&numbers(&[0x0304, 0x0303])))
}

/// What a server says that chose TLS 1.3.
pub(crate) fn chooses_tls13() -> Vec<u8> {
    extension(43, &[3, 4])
}

pub(crate) fn client(bytes: &[u8]) -> Step {
    Step::Data { side: Side::Client, bytes: bytes.to_vec() }
}

pub(crate) fn server(bytes: &[u8]) -> Step {
    Step::Data { side: Side::Server, bytes: bytes.to_vec() }
}

pub(crate) fn gap(side: Side, length: usize) -> Step {
    Step::Gap { side, length: length as u64, reason: GapReason::Lost }
}

/// A flow; both sides end in order.
pub(crate) fn flow(steps: impl IntoIterator<Item = Step>) -> FlowScript {
    let mut script =
        FlowScript::parse("client 192.0.2.1:40001 server 192.0.2.7:443\n").expect("script");
    script.steps = steps.into_iter().chain(script.steps).collect();
    script
}

/// The same for every way to cut the flow.
pub(crate) fn outcome(script: &FlowScript) -> Outcome {
    let outcome = script.run(&tls::PARSER, Cut::Whole);
    let length: usize = script.steps.iter().map(step_length).sum();
    // Every place of short flows, some of long ones.
    let stride = if length > 5_000 { length / 40 } else { 1 };
    let places = (1..length).step_by(stride).map(Cut::At);
    for cut in iter::once(Cut::Lines).chain((stride == 1).then_some(Cut::Bytes)).chain(places) {
        assert_eq!(script.run(&tls::PARSER, cut), outcome, "{cut:?}");
    }
    script.check_together(&tls::PARSER, Cut::Lines);
    outcome
}

fn step_length(step: &Step) -> usize {
    match step {
        Step::Data { bytes, .. } => bytes.len(),
        Step::Gap { .. } | Step::End { .. } => 0,
    }
}

/// The record of a flow whose parser says nothing but that.
pub(crate) fn handshake_of(steps: impl IntoIterator<Item = Step>) -> Json {
    let outcome = outcome(&flow(steps));
    assert_eq!(outcome.verdicts, ["confirm"]);
    let [(name, record)] = outcome.records.as_slice() else {
        panic!("{} records", outcome.records.len());
    };
    assert_eq!(name, "handshake");
    record.clone()
}

/// The reason why the parser declines a flow.
pub(crate) fn declined(script: &FlowScript) -> bool {
    let outcome = outcome(script);
    assert!(outcome.records.is_empty());
    matches!(outcome.verdicts.as_slice(), [verdict] if verdict.starts_with("decline"))
}

/// A script of this folder.
pub(crate) fn recorded(name: &str) -> FlowScript {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    FlowScript::parse(&fs::read_to_string(path).expect("text")).expect("script")
}

/// The bytes of one side of a script.
pub(crate) fn side(script: &FlowScript, wanted: Side) -> Vec<u8> {
    let bytes = script.steps.iter().filter_map(|step| match step {
        Step::Data { side, bytes } if *side == wanted => Some(bytes.as_slice()),
        _ => None,
    });
    bytes.collect::<Vec<_>>().concat()
}

/// Cuts the handshake messages that stand in the clear at the front of `bytes` into records of another
/// size.
pub(crate) fn reframed(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut content = Vec::new();
    let mut rest = bytes;
    while let [HANDSHAKE, 3, _, high, low, behind @ ..] = rest {
        let (body, behind) = behind.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        content.extend_from_slice(body);
        rest = behind;
    }
    [records(&content, size), rest.to_vec()].concat()
}

/// The DER of the server's certificate in `tls12-client-certificate.flow`.
pub(crate) fn certificate() -> Vec<u8> {
    let bytes = side(&recorded("tls12-client-certificate.flow"), Side::Server);
    // Behind the ServerHello comes a record with the Certificate message.
    let hello = 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
    let list = &bytes[hello + 5 + 4 + 3..];
    let length = u32::from_be_bytes([0, list[0], list[1], list[2]]) as usize;
    list[3..3 + length].to_vec()
}
