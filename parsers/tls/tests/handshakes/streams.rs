//! The same handshakes, cut into other records, with holes, with a side missing.

use flowcell_sdk::Side;
use flowcell_sdk::testing::{Cut, FlowScript};
use serde_json::{Value as Json, json};

use crate::wire::*;

const FULL: &str = "tls12-client-certificate.flow";

fn both(script: &FlowScript) -> [Vec<u8>; 2] {
    [side(script, Side::Client), side(script, Side::Server)]
}

fn whole() -> Json {
    recorded(FULL).run(&tls::PARSER, Cut::Whole).records[0].1.clone()
}

/// Leaves out what depends on the order of the two sides.
fn without_order(mut record: Json) -> Json {
    record["ssl_history"] = Json::Null;
    record
}

#[test]
fn records_of_any_size_hold_the_same_messages() {
    let [from_client, from_server] = both(&recorded(FULL));
    for size in [1, 3, 7, 100, 5_000] {
        let record = handshake_of([
            client(&reframed(&from_client, size)),
            server(&reframed(&from_server, size)),
        ]);
        assert_eq!(without_order(record), without_order(whole()), "records of {size} bytes");
    }
}

#[test]
fn records_of_length_0() {
    let [from_client, _] = both(&recorded(FULL));
    let empty = record(HANDSHAKE, b"");
    let (hello, rest) = from_client.split_at(230);
    let record = handshake_of([client(&[hello, &empty, rest].concat())]);
    assert_eq!(record["ssl_history"], "CXGYI");
    // RFC 8446 §5.1 forbids them; nothing begins with one.
    assert!(declined(&flow([client(&[&empty[..], hello].concat())])));
}

#[test]
fn the_server_alone() {
    let [_, from_server] = both(&recorded(FULL));
    let record = handshake_of([server(&from_server)]);
    for field in ["version", "cipher", "curve", "cert_chain", "ja3s", "ssl_server_exts"] {
        assert_eq!(record[field], whole()[field], "{field}");
    }
    assert_eq!(
        (&record["ssl_history"], &record["established"]),
        (&"sxkrnti".into(), &false.into())
    );
    assert_eq!((&record["ja3"], &record["resumed"]), (&json!(null), &false.into()));
}

#[test]
fn the_client_alone() {
    let [from_client, _] = both(&recorded(FULL));
    let record = handshake_of([client(&from_client)]);
    for field in ["server_name", "ja3", "ja4", "orig_alpn", "client_cert_chain"] {
        assert_eq!(record[field], whole()[field], "{field}");
    }
    assert_eq!((&record["ssl_history"], &record["established"]), (&"CXGYI".into(), &false.into()));
    let record = handshake_of([client(&side(&recorded("tls13.flow"), Side::Client))]);
    assert_eq!((&record["ssl_history"], &record["version"]), (&"CI".into(), &json!(null)));
}

#[test]
fn a_resumption_seen_from_the_server_alone() {
    let record = handshake_of([server(&side(&recorded("tls12-ticket.flow"), Side::Server))]);
    assert_eq!((&record["resumed"], &record["ssl_history"]), (&true.into(), &"si".into()));
    let record = handshake_of([server(&side(&recorded("tls13-psk.flow"), Side::Server))]);
    assert_eq!(record["resumed"], true);
}

#[test]
fn a_chain_of_more_than_a_record() {
    let one = vector24(&certificate());
    let list: Vec<u8> = (0..40).flat_map(|_| one.clone()).collect();
    let chain = message(11, &vector24(&list));
    let hello = handshake(2, &server_hello([8; 32], 0xc02b, &[]));
    let done = handshake(14, &[]);
    assert!(chain.len() > 20_000);
    let record = handshake_of([server(&[&hello[..], &records(&chain, 16_384), &done].concat())]);
    let certificates = record["cert_chain"].as_array().expect("list");
    assert_eq!(certificates.len(), 16);
    assert_eq!(certificates[15], whole()["cert_chain"][0]);
    assert_eq!(record["truncated"], json!(["cert_chain"]));
    assert_eq!((&record["ssl_history"], &record["incomplete"]), (&"sxn".into(), &false.into()));
}

#[test]
fn a_chain_of_more_than_is_kept() {
    let first = vector24(&certificate());
    let large = vector24(&vec![0x30; 300_000]);
    let chain = message(11, &vector24(&[first, large].concat()));
    let hello = handshake(2, &server_hello([8; 32], 0xc02b, &[]));
    let done = handshake(14, &[]);
    let record = handshake_of([server(&[&hello[..], &records(&chain, 16_384), &done].concat())]);
    assert_eq!(record["cert_chain"][0], whole()["cert_chain"][0]);
    assert_eq!(
        record["cert_chain"][1],
        json!({
            "malformed": true, "san_dns": [], "san_uri": [], "san_email": [], "san_ip": [],
        })
    );
    assert_eq!(record["truncated"], json!(["cert_chain"]));
    assert_eq!(record["ssl_history"], "sxn", "what comes behind it is read");
}

#[test]
fn a_hole_in_the_certificates() {
    let [from_client, from_server] = both(&recorded(FULL));
    let record = handshake_of([
        client(&from_client),
        server(&from_server[..700]),
        gap(Side::Server, 20),
        server(&from_server[720..]),
    ]);
    assert_eq!((&record["incomplete"], &record["established"]), (&true.into(), &true.into()));
    let chain = record["cert_chain"].as_array().expect("list");
    assert_eq!(chain.len(), 1, "the first one, as far as it is there");
    assert_eq!(chain[0]["fingerprint"], json!(null));
    assert_eq!(chain[0]["subject"], whole()["cert_chain"][0]["subject"]);
    assert_eq!(record["curve"], "x25519", "messages behind the hole are found");
    assert_eq!(record["resumed"], false);
}

#[test]
fn holes_anywhere() {
    let [from_client, from_server] = both(&recorded(FULL));
    for length in [1, 60, 1_500] {
        for at in (0..from_server.len() - 60).step_by(13) {
            let behind = (at + length).min(from_server.len());
            let script = flow([
                client(&from_client),
                server(&from_server[..at]),
                gap(Side::Server, behind - at),
                server(&from_server[behind..]),
            ]);
            let outcome = script.run(&tls::PARSER, Cut::Whole);
            assert_eq!(outcome.verdicts, ["confirm"], "hole of {length} at {at}");
            let record = &outcome.records[0].1;
            assert_eq!(record["server_name"], "www.example.org");
            assert_eq!(script.run(&tls::PARSER, Cut::Bytes), outcome);
        }
    }
}

#[test]
fn a_hello_whose_end_is_missing() {
    let [from_client, from_server] = both(&recorded("tls13.flow"));
    let record = handshake_of([
        client(&from_client[..120]),
        gap(Side::Client, 138),
        server(&from_server),
        client(&from_client[258..]),
    ]);
    assert_eq!((&record["incomplete"], &record["ja3"]), (&true.into(), &json!(null)));
    assert_eq!(record["server_name"], "www.example.org");
    assert_eq!((&record["version"], &record["established"]), (&"TLSv13".into(), &true.into()));
}

#[test]
fn a_hello_that_is_missing() {
    let [from_client, from_server] = both(&recorded("tls13.flow"));
    let script = flow([gap(Side::Client, 258), client(&from_client[258..]), server(&from_server)]);
    let record = &outcome(&script).records[0].1;
    assert_eq!((&record["incomplete"], &record["version"]), (&true.into(), &"TLSv13".into()));
}

#[test]
fn cut_off_anywhere() {
    let [from_client, from_server] = both(&recorded(FULL));
    for at in 1..from_client.len() {
        let outcome = flow([client(&from_client[..at])]).run(&tls::PARSER, Cut::Whole);
        // The record's header, the message's, and the version.
        let begun = at >= 5 + 4 + 2;
        assert_eq!(outcome.records.len(), usize::from(begun), "{at} bytes");
        assert_eq!(outcome.verdicts.len(), usize::from(begun));
        if begun && at < 230 {
            assert_eq!(outcome.records[0].1["incomplete"], true);
        }
    }
    for at in 1..from_server.len() {
        let script = flow([client(&from_client[..230]), server(&from_server[..at])]);
        let outcome = script.run(&tls::PARSER, Cut::Whole);
        assert_eq!((outcome.records.len(), outcome.verdicts.len()), (1, 1));
    }
}

fn midstream(mut script: FlowScript) -> FlowScript {
    script.info.midstream = true;
    script
}

#[test]
fn the_start_was_not_seen() {
    let data = record(DATA, &[1; 40]);
    assert!(declined(&midstream(flow([client(&data), server(&data)]))));
    assert!(declined(&midstream(flow([client(&data)]))));
    let only_alert = outcome(&midstream(flow([server(&alert(1, 0))])));
    assert!(only_alert.records.is_empty(), "it may be the end of anything");
    // A handshake that was seen all the same.
    let [from_client, from_server] = both(&recorded("tls13.flow"));
    let seen = outcome(&midstream(flow([client(&from_client), server(&from_server)])));
    assert_eq!(seen.records[0].1["established"], true);
    // The end of a client's hello, and the server's.
    let torn = outcome(&midstream(flow([client(&from_client[99..]), server(&from_server)])));
    assert_eq!(torn.verdicts, ["confirm"]);
    assert_eq!(torn.records[0].1["version"], "TLSv13");
    assert_eq!(torn.records[0].1["incomplete"], true);
}

#[test]
fn data_is_never_read() {
    let script = recorded("tls13.flow");
    let [from_client, from_server] = both(&script);
    let junk = [0xee; 5_000];
    let steps = [
        client(&from_client[..258]),
        server(&[&from_server[..], &junk].concat()),
        client(&[&from_client[258..], &junk].concat()),
    ];
    assert_eq!(handshake_of(steps)["established"], true);
    let [from_client, from_server] = both(&recorded("tls12-ticket.flow"));
    let (hello, rest) = from_client.split_at(396);
    let steps = [
        client(hello),
        server(&[&from_server[..141], &junk].concat()),
        client(&[&rest[..51], &junk].concat()),
    ];
    assert_eq!(handshake_of(steps)["established"], true);
}
