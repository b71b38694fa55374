//! What nobody sends in good faith, and what is not TLS at all.

use flowcell_sdk::testing::Cut;
use serde_json::json;

use crate::wire::*;

fn hello() -> Vec<u8> {
    handshake(1, &client_hello(&[0x1301], &[server_name(b"a.example"), offers_tls13()]))
}

#[test]
fn other_protocols_are_declined() {
    for first in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"EHLO a\r\n",
        b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x10",
        b"\x16\x03\x05\0\x10\x01",
        b"\x16\x03\x01\xff\xff\x01",
        b"\x16\x03\x01\0\0\x01",
        b"\x16\x03\x01\0\x10\x0b",
        b"\x16\x03\x01\0\x30\x01\x00\x00\x2c\x02\x00",
        b"\x16\x03\x01\0\x30\x01\xff\xff\xff\x03\x03",
        b"\x15\x03\x01\0\x02\x02\xff",
        b"\x15\x03\x01\0\x02\x03",
        b"\x17\x03\x03\0\x05hello",
        b"\x80\x2e\x01\x04\x00",
        b"\0\0\0\0\0\0",
    ] {
        assert!(declined(&flow([client(first)])), "{first:x?}");
        assert!(declined(&flow([server(first)])), "{first:x?}");
    }
}

#[test]
fn too_little_to_say() {
    for length in 0..6 {
        let outcome = outcome(&flow([client(&hello()[..length])]));
        assert!(outcome.records.is_empty() && outcome.verdicts.is_empty());
    }
    assert!(outcome(&flow([])).verdicts.is_empty());
}

#[test]
fn an_answer_that_is_not_tls() {
    let outcome = outcome(&flow([client(&hello()), server(b"HTTP/1.1 400 Bad Request\r\n\r\n")]));
    assert_eq!(outcome.records[0].1["server_name"], "a.example");
    assert!(outcome.verdicts[1].starts_with("fail"));
    // A server that speaks first, and not TLS.
    assert!(declined(&flow([server(b"220 mx ESMTP\r\n"), client(&hello())])));
}

#[test]
fn what_follows_a_hello_and_is_no_record() {
    let outcome = outcome(&flow([client(&[&hello()[..], b"GET / HTTP/1.0\r\n"].concat())]));
    assert_eq!(outcome.records[0].1["server_name"], "a.example");
    assert!(outcome.verdicts[1].starts_with("fail"));
}

#[test]
fn lengths_that_lie() {
    let sound = client_hello(&[0x1301], &[server_name(b"a.example")]);
    for at in 34..sound.len() {
        for value in [0xff, 0x80, 0x01] {
            let mut body = sound.clone();
            body[at] = value;
            let outcome = outcome(&flow([client(&handshake(1, &body))]));
            assert_eq!(outcome.records.len(), 1, "{at} {value}");
        }
    }
    let answer = server_hello([8; 32], 0x1301, &[chooses_tls13(), extension(51, &[0, 29])]);
    for at in 34..answer.len() {
        let mut body = answer.clone();
        body[at] = 0xff;
        assert_eq!(outcome(&flow([server(&handshake(2, &body))])).records.len(), 1);
    }
}

#[test]
fn a_hello_that_does_not_add_up() {
    let mut body = client_hello(&[0x1301], &[server_name(b"a.example"), extension(10, &[])]);
    body.truncate(body.len() - 1);
    let outcome = outcome(&flow([client(&handshake(1, &body))]));
    assert_eq!(outcome.verdicts[1], "fail \"a ClientHello that does not add up\"");
    assert_eq!(outcome.records[0].1["client_ciphers"], json!([]), "it is not taken for one");
}

#[test]
fn chains_that_do_not_add_up() {
    let start = [hello(), handshake(2, &server_hello([8; 32], 0xc02b, &[]))];
    for body in [
        &b""[..],
        b"\0\0",
        b"\0\0\x05\0\0\x09a",
        b"\xff\xff\xff\xff\xff\xff",
        b"\0\0\0trailing",
        b"\0\0\x07\0\0\0\0\0\x01a",
    ] {
        let outcome = outcome(&flow([
            client(&start[0]),
            server(&[&start[1][..], &handshake(11, body)].concat()),
        ]));
        assert_eq!(outcome.records.len(), 1, "{body:x?}");
    }
}

#[test]
fn records_without_end() {
    let empty: Vec<u8> = (0..10_000).flat_map(|_| record(HANDSHAKE, b"")).collect();
    let outcome = flow([client(&[hello(), empty].concat())]).run(&tls::PARSER, Cut::Whole);
    assert_eq!(outcome.records.len(), 1);
    let warnings: Vec<u8> = (0..1_000).flat_map(|_| alert(1, 90)).collect();
    let outcome = flow([client(&[hello(), warnings].concat())]).run(&tls::PARSER, Cut::Whole);
    let record = &outcome.records[0].1;
    assert_eq!(record["alerts"].as_array().map(Vec::len), Some(16));
    assert_eq!(record["ssl_history"].as_str().map(str::len), Some(100));
    assert_eq!(record["truncated"], json!(["alerts"]));
    let requests: Vec<u8> = (0..5_000).flat_map(|_| message(0, b"")).collect();
    let outcome = flow([
        client(&hello()),
        server(&handshake(2, &server_hello([8; 32], 5, &[]))),
        server(&records(&requests, 16_384)),
    ])
    .run(&tls::PARSER, Cut::Whole);
    assert_eq!(outcome.records[0].1["ssl_history"].as_str().map(str::len), Some(100));
}

#[test]
fn alerts_in_pieces() {
    let pieces = [record(ALERT, &[2]), record(ALERT, &[40])].concat();
    let record = handshake_of([
        client(&hello()),
        server(&handshake(2, &server_hello([8; 32], 5, &[]))),
        server(&pieces),
    ]);
    assert_eq!(record["last_alert"], "handshake_failure");
}

#[test]
fn an_alert_in_the_place_of_a_hello() {
    let seen = handshake_of([server(&alert(2, 40))]);
    assert_eq!(
        (&seen["last_alert"], &seen["ssl_history"]),
        (&"handshake_failure".into(), &"l".into())
    );
    let seen = handshake_of([client(&hello()), server(&alert(2, 70)), client(&alert(1, 0))]);
    assert_eq!(seen["ssl_history"], "ClL");
}

#[test]
fn an_encrypted_alert_is_no_finished() {
    let start = [
        client(&hello()),
        server(&handshake(2, &server_hello([8; 32], 0x1301, &[chooses_tls13()]))),
    ];
    let encrypted = server(&record(DATA, &[0; 900]));
    for (length, established) in [(19, false), (25, false), (53, true), (69, true)] {
        let steps =
            [start.to_vec(), vec![encrypted.clone(), client(&record(DATA, &vec![0; length]))]];
        assert_eq!(handshake_of(steps.concat())["established"], established, "{length} bytes");
    }
    // TLS 1.2: an alert behind the change of ciphers is encrypted.
    let start = [client(&hello()), server(&handshake(2, &server_hello([8; 32], 0xc02f, &[])))];
    let changed = [change_cipher_spec(), record(ALERT, &[0; 26])].concat();
    let record = handshake_of([start.to_vec(), vec![client(&changed), server(&changed)]].concat());
    assert_eq!((&record["established"], &record["alerts"]), (&false.into(), &json!([])));
}

#[test]
fn early_data_is_no_finished() {
    let early = extension(42, &[]);
    let hello = handshake(1, &client_hello(&[0x1301], &[offers_tls13(), early]));
    let answer = handshake(2, &server_hello([8; 32], 0x1301, &[chooses_tls13()]));
    let data = record(DATA, &[0; 1_000]);
    let sent = [&hello[..], &change_cipher_spec(), &data, &data].concat();
    let encrypted = record(DATA, &[0; 900]);
    let start = [client(&sent), server(&[&answer[..], &encrypted].concat()), client(&data)];
    assert_eq!(handshake_of(start.clone())["established"], false);
    let end = [record(DATA, &[0; 21]), record(DATA, &[0; 53])].concat();
    let record = handshake_of([start.to_vec(), vec![client(&end)]].concat());
    assert_eq!((&record["established"], &record["early_data"]), (&true.into(), &true.into()));
}

/// An element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("short").to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

/// A certificate with names of this length, and this many alternative names.
fn large_certificate(name: usize, alternatives: usize) -> Vec<u8> {
    let attribute = [der(6, b"\x55\x04\x03"), der(0x0c, &vec![1; name])].concat();
    let name = der(0x30, &der(0x31, &der(0x30, &attribute)));
    let algorithm = der(0x30, &der(6, &[0x7f; 200]));
    let names: Vec<u8> = (0..alternatives).flat_map(|_| der(0x82, &[b'x'; 200])).collect();
    let addresses: Vec<u8> = (0..alternatives).flat_map(|_| der(0x87, &[1; 16])).collect();
    let names = der(4, &der(0x30, &[names, addresses].concat()));
    let extension = der(0x30, &[der(6, b"\x55\x1d\x11"), names].concat());
    let time = der(0x17, b"250101000000Z");
    let key = der(0x30, &[algorithm.clone(), der(3, b"\0")].concat());
    let body = [
        der(2, &[0x7f; 500]),
        algorithm.clone(),
        name.clone(),
        der(0x30, &[time.clone(), time].concat()),
        name,
        key,
        der(0xa3, &der(0x30, &extension)),
    ];
    der(0x30, &[der(0x30, &body.concat()), algorithm].concat())
}

#[test]
fn the_largest_record_fits_its_limit() {
    let numbers = |count| numbers(&(0..count).map(|n| 60_000 + n % 5_000).collect::<Vec<u16>>());
    let protocols: Vec<u8> = (0..70).flat_map(|_| vector8(&[b'x'; 255])).collect();
    let extensions: Vec<Vec<u8>> = [
        vec![
            server_name(&[b'x'; 600]),
            extension(10, &vector16(&numbers(1_100))),
            extension(13, &vector16(&numbers(1_100))),
            extension(16, &vector16(&protocols)),
        ],
        (0..1_020).map(|n| extension(50_000 + n, &[])).collect(),
    ]
    .concat();
    let ciphers: Vec<u16> = (50_000..51_024).collect();
    let hello = records(&message(1, &client_hello(&ciphers, &extensions)), 16_384);
    for (name, alternatives) in [(2_000, 0), (2_000, 50), (10, 100)] {
        let one = vector24(&large_certificate(name, alternatives));
        let list: Vec<u8> = (0..20).flat_map(|_| one.clone()).collect();
        let chain = records(&message(11, &vector24(&list)), 16_384);
        let answer = handshake(2, &server_hello([8; 32], 0xc02b, &[]));
        let record =
            handshake_of([client(&hello), server(&[&answer[..], &chain].concat()), client(&chain)]);
        // As text it is larger than in the form that the limit is for.
        let size = record.to_string().len();
        assert!(size > 100_000 && size < 262_144, "{size} bytes");
        let truncated = record["truncated"].as_array().expect("list");
        assert!(truncated.contains(&"cert_chain".into()), "{truncated:?}");
    }
}
