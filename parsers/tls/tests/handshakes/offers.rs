//! What clients offer and servers choose.

use flowcell_sdk::testing::Step;
use serde_json::json;

use crate::wire::*;

const RETRY: [u8; 32] = *b"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\
    \xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

fn hello(extensions: &[Vec<u8>]) -> Step {
    client(&handshake(1, &client_hello(&[0x1301], extensions)))
}

#[test]
fn several_key_shares_with_grease() {
    let share =
        |group: u16, length| [&group.to_be_bytes()[..], &vector16(&vec![5; length])].concat();
    let shares = [share(0x2a2a, 1), share(4588, 1_216), share(29, 32)].concat();
    let record = handshake_of([hello(&[
        extension(0x0a0a, &[]),
        offers_tls13(),
        extension(10, &vector16(&numbers(&[0x2a2a, 4588, 29]))),
        extension(51, &vector16(&shares)),
    ])]);
    assert_eq!(record["client_key_share_groups"], json!([0x2a2a, 4588, 29]));
    assert_eq!(record["client_curves"], json!([0x2a2a, 4588, 29]));
    assert_eq!(record["ssl_client_exts"], json!([0x0a0a, 43, 10, 51]));
    assert_eq!(record["ja3_full"], "771,4865,43-10-51,4588-29,");
    assert_eq!(record["version"], json!(null));
    assert_eq!(record["incomplete"], false);
}

#[test]
fn encrypted_client_hello() {
    let outer = [&[0, 0, 1, 0, 1, 42][..], &vector16(&[1; 32]), &vector16(&[2; 144])].concat();
    let record =
        handshake_of([hello(&[server_name(b"public.example"), extension(65_037, &outer)])]);
    assert_eq!((&record["ech"], &record["server_name"]), (&true.into(), &"public.example".into()));
}

#[test]
fn server_names() {
    let other = [&[1][..], &vector16(b"x")].concat();
    let names = [other, [&[0][..], &vector16(b"a.example")].concat()].concat();
    let record = handshake_of([hello(&[extension(0, &vector16(&names))])]);
    assert_eq!(record["server_name"], "a.example");
    let record = handshake_of([hello(&[server_name(&[b'x'; 600])])]);
    assert_eq!(record["server_name"].as_str().map(str::len), Some(512));
    assert_eq!(record["truncated"], json!(["server_name"]));
    let record = handshake_of([hello(&[server_name(b"\xffx\\")])]);
    assert_eq!(record["server_name"], "\\xffx\\\\");
}

#[test]
fn hello_without_extensions() {
    let body = [&[3, 0][..], &[7; 32], &[0], &vector16(&numbers(&[4, 5])), &[1, 0]].concat();
    let record = handshake_of([client(&handshake(1, &body))]);
    assert_eq!(record["client_version"], 768);
    assert_eq!(record["ja3_full"], "768,4-5,,,");
    assert_eq!(record["ja4"].as_str().map(|ja4| &ja4[..10]), Some("ts3i020000"));
}

#[test]
fn longer_lists_than_are_kept() {
    let ciphers: Vec<u16> = (0..3_000).collect();
    let record = handshake_of([client(&handshake(1, &client_hello(&ciphers, &[])))]);
    assert_eq!(record["client_ciphers"].as_array().map(Vec::len), Some(1_024));
    assert_eq!(record["truncated"], json!(["client_ciphers"]));
    assert_eq!((&record["ja3"], &record["ja4"]), (&json!(null), &json!(null)));
    let protocols: Vec<u8> = (0..100).flat_map(|_| vector8(b"h2")).collect();
    let record = handshake_of([hello(&[extension(16, &vector16(&protocols))])]);
    assert_eq!(record["orig_alpn"].as_array().map(Vec::len), Some(64));
    assert_eq!(record["truncated"], json!(["orig_alpn"]));
}

#[test]
fn hello_longer_than_a_record() {
    let padding = extension(21, &vec![0; 30_000]);
    let body = message(1, &client_hello(&[0x1301], &[padding, server_name(b"a.example")]));
    for size in [16_384, 1_000] {
        let record = handshake_of([client(&records(&body, size))]);
        assert_eq!(record["server_name"], "a.example");
        assert!(record["ja4"].is_string());
    }
}

#[test]
fn hello_longer_than_is_kept() {
    let ticket = extension(35, &vec![0; 40_000]);
    let extensions = [server_name(b"a.example"), ticket];
    let mut body = client_hello(&[0x1301], &extensions);
    body.extend_from_slice(&[0; 60_000]);
    let record = handshake_of([client(&records(&message(1, &body), 16_000))]);
    assert_eq!(record["server_name"], "a.example");
    assert_eq!(record["ja3"], json!(null), "the hello is not all there");
    assert_eq!(record["truncated"], json!(["ssl_client_exts"]));
}

#[test]
fn retry_and_its_second_hello() {
    let first = handshake(1, &client_hello(&[0x1301], &[offers_tls13()]));
    let second = handshake(1, &client_hello(&[0x1302], &[offers_tls13(), extension(44, &[0, 0])]));
    let retry =
        handshake(2, &server_hello(RETRY, 0x1301, &[chooses_tls13(), extension(51, &[0, 23])]));
    let chosen = [chooses_tls13(), extension(51, &[&[0, 24][..], &vector16(&[4; 97])].concat())];
    let last = handshake(2, &server_hello([8; 32], 0x1301, &chosen));
    let record = handshake_of([
        client(&first),
        server(&[&retry[..], &change_cipher_spec()].concat()),
        client(&[&change_cipher_spec()[..], &second].concat()),
        server(&[&last[..], &record(DATA, &[0; 900])].concat()),
        client(&record(DATA, &[0; 53])),
    ]);
    assert_eq!(record["ssl_history"], "CjiICs");
    assert_eq!(record["ja3_full"], "771,4865,43,,", "that of the first hello");
    assert_eq!(record["ja3s_full"], "771,4865,43-51");
    assert_eq!((&record["curve"], &record["hello_retry"]), (&"secp384r1".into(), &true.into()));
    assert_eq!(record["established"], true);
}

#[test]
fn second_hello_of_a_client_that_is_alone() {
    let first = handshake(1, &client_hello(&[0x1301], &[offers_tls13()]));
    let record = handshake_of([client(
        &[&first[..], &change_cipher_spec(), &first, &record(DATA, &[0; 53])].concat(),
    )]);
    assert_eq!((&record["ssl_history"], &record["established"]), (&"CIC".into(), &false.into()));
}

#[test]
fn drafts_of_tls13() {
    let record = handshake_of([
        hello(&[extension(43, &vector8(&numbers(&[0x7f17])))]),
        server(&handshake(2, &server_hello([8; 32], 0x1301, &[extension(43, &[0x7f, 0x17])]))),
    ]);
    assert_eq!(record["version"], "TLSv13-draft23");
    let start = [[3, 4], [8; 2]].concat();
    let body = [&start[..], &[8; 30], &[0x13, 1], &vector16(&extension(40, &[0, 23]))].concat();
    let record = handshake_of([hello(&[]), server(&handshake(2, &body))]);
    assert_eq!((&record["version"], &record["curve"]), (&"TLSv13".into(), &"secp256r1".into()));
    // Before draft 22, the hello had another form.
    let body =
        [&[0x7f, 0x12][..], &[8; 32], &[0x13, 1], &vector16(&extension(51, &[0, 29]))].concat();
    let record = handshake_of([hello(&[]), server(&handshake(2, &body))]);
    assert_eq!(
        (&record["version"], &record["curve"]),
        (&"TLSv13-draft18".into(), &"x25519".into())
    );
}

#[test]
fn keys_without_certificates() {
    let extensions = [extension(20, &[2]), extension(19, &[0])];
    let steps = [
        hello(&[]),
        server(&handshake(2, &server_hello([8; 32], 0xc02b, &extensions))),
        server(&handshake(11, &vector24(&[1; 91]))),
    ];
    assert_eq!(handshake_of(steps)["cert_chain"], json!([]));
}

#[test]
fn curves_of_key_exchanges() {
    let point = [&[3, 0, 23][..], &vector8(&[4; 65])].concat();
    let explicit = [1, 0, 23];
    for (cipher, body, curve) in [
        (0xc02f, point.clone(), json!("secp256r1")),
        (0xc035, [vector16(b"hint"), point.clone()].concat(), json!("secp256r1")),
        (0x009e, point, json!(null)),
        (0xc02f, explicit.to_vec(), json!(null)),
    ] {
        let record = handshake_of([
            hello(&[]),
            server(&handshake(2, &server_hello([8; 32], cipher, &[]))),
            server(&handshake(12, &body)),
        ]);
        assert_eq!(record["curve"], curve, "{cipher:04x}");
    }
}

fn sslv2_hello(version: [u8; 2], ciphers: &[u8]) -> Vec<u8> {
    let lengths = numbers(&[u16::try_from(ciphers.len()).expect("short"), 0, 16]);
    let body = [&[1][..], &version, &lengths, ciphers, &[6; 16]].concat();
    let mut hello = vector16(&body);
    hello[0] |= 0x80;
    hello
}

#[test]
fn hello_of_ssl_2() {
    let ciphers = b"\x01\0\x80\0\0\x39\0\0\x04";
    let record = handshake_of([
        client(&sslv2_hello([3, 1], ciphers)),
        server(&handshake(2, &server_hello([8; 32], 0x0039, &[]))),
    ]);
    assert_eq!((&record["sslv2"], &record["client_version"]), (&true.into(), &769.into()));
    assert_eq!(record["client_ciphers"], json!([0x39, 4]));
    assert_eq!((&record["ja3"], &record["ja4"]), (&json!(null), &json!(null)));
    assert_eq!((&record["version"], &record["ssl_history"]), (&"TLSv12".into(), &"Cs".into()));
    // A server that answers in SSL 2.0, and a client that goes on in it.
    let answer = b"\x80\x0b\x04\0\x01\0\x02\0\0\0\0\0\0";
    let record = handshake_of([
        client(&sslv2_hello([0, 2], ciphers)),
        server(answer),
        client(b"\x80\x05\x02\x01\0\x80\0"),
    ]);
    assert_eq!((&record["version"], &record["ssl_history"]), (&"SSLv2".into(), &"Cs".into()));
    assert!(declined(&flow([client(&sslv2_hello([3, 1], b"\0\0"))])));
}

#[test]
fn roles_may_be_swapped() {
    let steps = [
        server(&handshake(1, &client_hello(&[0x1301], &[server_name(b"a.example")]))),
        client(&handshake(2, &server_hello([8; 32], 0xc02f, &[]))),
        client(&handshake(14, &[])),
        server(&handshake(16, &[4; 66])),
    ];
    let record = handshake_of(steps);
    assert_eq!(record["ssl_history"], "^CsnG");
    assert_eq!(
        (&record["server_name"], &record["version"]),
        (&"a.example".into(), &"TLSv12".into())
    );
}

#[test]
fn two_clients_are_a_violation() {
    let hello = handshake(1, &client_hello(&[0x1301], &[]));
    let outcome = outcome(&flow([client(&hello), server(&hello)]));
    assert_eq!(outcome.records.len(), 1, "what was seen of it is told");
    assert!(outcome.verdicts[1].starts_with("fail"), "{:?}", outcome.verdicts);
}

#[test]
fn the_side_of_alerts() {
    let record = handshake_of([hello(&[]), server(&alert(1, 112)), server(&alert(2, 40))]);
    let alerts = json!([
        {"from": "server", "level": "warning", "description": "unrecognized_name"},
        {"from": "server", "level": "fatal", "description": "handshake_failure"},
    ]);
    assert_eq!((&record["alerts"], &record["ssl_history"]), (&alerts, &"Cll".into()));
    assert_eq!(record["last_alert"], "handshake_failure");
}
