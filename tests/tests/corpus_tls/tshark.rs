//! Handshakes against tshark's events.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use flowcell_tests::corpus::{Corpus, told};
use flowcell_tests::talk::{Event, Record};
use flowcell_tests::tally::{Outcome, Tally};
use serde_json::Value;

use crate::HANDSHAKE;

/// Types of messages: hellos of both sides, certificates.
const CLIENT_HELLO: &str = "1";
const SERVER_HELLO: &str = "2";
const CERTIFICATE: &str = "11";

/// Versions by their numbers.
const VERSIONS: [(&str, &str); 5] = [
    ("0x0300", "SSLv3"),
    ("0x0301", "TLSv10"),
    ("0x0302", "TLSv11"),
    ("0x0303", "TLSv12"),
    ("0x0304", "TLSv13"),
];

#[test]
fn handshakes_agree_with_tshark() {
    let Some(corpus) = Corpus::find() else { return };
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let theirs = corpus.events(&capture, &["tls"]);
        if theirs.is_empty() {
            continue;
        }
        let ours = told(&capture, HANDSHAKE);
        let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
        for key in keys {
            let ours = ours.get(&key).map_or(&[][..], Vec::as_slice);
            let theirs = theirs.get(&key).map_or(&[][..], Vec::as_slice);
            compare(&mut tally, &capture.name, ours, theirs);
        }
    }
    tally.check(&[]);
}

/// No capture has two connections between the same endpoints.
fn compare(tally: &mut Tally, name: &str, ours: &[Record], theirs: &[Event]) {
    let of_type = |ty: &str| theirs.iter().filter(|event| event.text("type") == Some(ty)).collect();
    let (asked, answered): (Vec<&Event>, Vec<&Event>) =
        (of_type(CLIENT_HELLO), of_type(SERVER_HELLO));
    let certificates: Vec<&Event> = of_type(CERTIFICATE);
    let there = !(asked.is_empty() && answered.is_empty() && certificates.is_empty());
    let outcome = Outcome::of(&ours.len(), &usize::from(there));
    tally.add(name, "handshakes", outcome);
    let Some(ours) = ours.first() else { return };
    if let Some(hello) = asked.first() {
        client_hello(tally, name, ours, hello);
    }
    if let Some(hello) = answered.last() {
        server_hello(tally, name, ours, hello);
    }
    tally.add(name, "hello_retry", Outcome::of(&ours.is("hello_retry"), &(answered.len() > 1)));
    let client =
        asked.first().map(|hello| hello.sender()).or(answered.first().map(|hello| hello.ends[1]));
    if let Some(client) = client {
        chains(tally, name, (ours, client), &certificates);
    }
    let alerts = theirs.iter().filter(|event| event.is("alert") && event.text("desc").is_some());
    let ours_alerts = ours.data["alerts"].as_array().map_or(0, Vec::len);
    tally.add(name, "alerts", Outcome::of(&ours_alerts, &alerts.count()));
}

fn client_hello(tally: &mut Tally, name: &str, ours: &Record, hello: &Event) {
    for (field, raw) in [("server_name", "sni"), ("ja3", "ja3"), ("ja3_full", "ja3_full")] {
        tally.add(name, field, Outcome::of(&ours.text(field), &hello.text(raw)));
    }
    for (field, raw) in [
        ("client_ciphers", "ciphers"),
        ("ssl_client_exts", "extensions"),
        ("client_supported_versions", "supported_versions"),
    ] {
        tally.add(
            name,
            field,
            Outcome::of(&numbers(&ours.data[field]), &numbers(&hello.data[raw])),
        );
    }
    let version = hello.text("version").and_then(number);
    tally.add(name, "client_version", Outcome::of(&ours.number("client_version"), &version));
    let alpn = hello.data["alpn"].as_array().into_iter().flatten().filter_map(Value::as_str);
    tally.add(name, "orig_alpn", Outcome::of(&ours.texts("orig_alpn"), &alpn.collect()));
}

fn server_hello(tally: &mut Tally, name: &str, ours: &Record, hello: &Event) {
    let chosen = hello.data["supported_versions"][0].as_str().or(hello.text("version"));
    let version = VERSIONS.iter().find(|(of, _)| Some(*of) == chosen).map(|(_, name)| *name);
    tally.add(name, "version", Outcome::of(&ours.text("version"), &version));
    // The line has version, cipher and extensions in it.
    for field in ["ja3s", "ja3s_full"] {
        tally.add(name, field, Outcome::of(&ours.text(field), &hello.text(field)));
    }
    let extensions = numbers(&hello.data["extensions"]);
    tally.add(
        name,
        "ssl_server_exts",
        Outcome::of(&numbers(&ours.data["ssl_server_exts"]), &extensions),
    );
    let protocol = hello.data["alpn"][0].as_str();
    tally.add(name, "next_protocol", Outcome::of(&ours.text("next_protocol"), &protocol));
}

/// Compares the certificates of both sides.
fn chains(
    tally: &mut Tally,
    name: &str,
    (ours, client): (&Record, SocketAddr),
    certificates: &[&Event],
) {
    for (field, of_client) in [("cert_chain", false), ("client_cert_chain", true)] {
        let messages = certificates.iter().filter(|event| (event.sender() == client) == of_client);
        let theirs = messages.filter_map(|event| event.data["certs"].as_array()).flatten();
        let theirs: Vec<_> =
            theirs.filter_map(|certificate| certificate["sha256"].as_str()).collect();
        let chain = ours.data[field].as_array().into_iter().flatten();
        let ours: Vec<_> =
            chain.filter_map(|certificate| certificate["fingerprint"].as_str()).collect();
        tally.add(name, field, Outcome::of(&ours, &theirs));
    }
}

/// Numbers, in decimal or in hexadecimal with `0x`.
fn numbers(list: &Value) -> Vec<u64> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|value| value.as_u64().or_else(|| number(value.as_str()?))).collect()
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
