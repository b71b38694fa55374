//! What should not be: other protocols, lengths that lie, gaps, lines without end.

mod common;

use common::*;
use flowcell_sdk::GapReason;
use flowcell_sdk::Side::{self, Client, Server};
use flowcell_sdk::testing::{Cut, FlowScript, Step};
use serde_json::json;

fn refused(turns: &[(Side, &[u8])], verdict: &str) -> FlowScript {
    let mut script = flow("", turns);
    script.verdicts = vec![verdict.into()];
    if !verdict.starts_with("decline") {
        script.verdicts.push("confirm".into());
    }
    script
}

#[test]
fn other_protocols_are_declined() {
    let client = "decline \"the client does not identify itself\"";
    refused(&[(Client, b"GET / HTTP/1.1\r\n\r\n")], client).check(&ssh::PARSER);
    refused(&[(Server, b"220 ftp\r\n"), (Client, b"USER x\r\n")], client).check(&ssh::PARSER);
    let server = "decline \"there is no identification\"";
    refused(&[(Server, b"\x16\x03\x01\0\x02hi\n")], server).check(&ssh::PARSER);
    refused(&[(Client, b"SSH-3.0-x\r\n")], server).check(&ssh::PARSER);
    let nothing = "decline \"neither side starts an SSH handshake\"";
    refused(&[(Server, b"220 ftp\r\n")], nothing).check(&ssh::PARSER);
    refused(&[], nothing).check(&ssh::PARSER);
}

#[test]
fn a_client_that_does_not_speak_ssh_to_a_server_that_does() {
    let turns: [(Side, &[u8]); 2] = [(Server, SERVER), (Client, b"GET / HTTP/1.0\r\n\r\n")];
    let script = refused(&turns, "fail \"the client does not identify itself\"");
    with(script, json!({"server": "SSH-2.0-server_1 with comment", "client": null}))
        .check(&ssh::PARSER);
}

#[test]
fn lengths_that_lie() {
    let lists = kexinit(CLIENT_LISTS, false);
    let mut long_list = lists.clone();
    long_list[22..26].copy_from_slice(&[0xff; 4]);
    let mut long_packet = lists.clone();
    long_packet[0] = 0x7f;
    let mut no_payload = lists.clone();
    no_payload[4] = 0xff;
    for (packet, reason) in [
        (long_list, "the lists of KEXINIT are longer than it"),
        (long_packet, "the length of a packet can not be true"),
        (no_payload, "the length of a packet can not be true"),
    ] {
        let turns: [(Side, &[u8]); 1] = [(Client, &[CLIENT, &packet].concat())];
        let script = refused(&turns, &format!("fail {reason:?}"));
        with(script, json!({"client": "SSH-2.0-client_1", "hassh": null})).check(&ssh::PARSER);
    }
    // Midstream, it may have been none.
    let mut lie = lists;
    lie[22..26].copy_from_slice(&[0xff; 4]);
    let mut script = flow("midstream", &[(Client, &lie)]);
    script.verdicts = vec!["decline \"neither side starts an SSH handshake\"".into()];
    script.check(&ssh::PARSER);
}

#[test]
fn a_host_key_longer_than_its_packet() {
    let mut lie = reply(31, &host_key());
    lie[6..10].copy_from_slice(&[0, 0, 0x7f, 0xff]);
    let turns: [(Side, &[u8]); 2] = [
        (Client, &[CLIENT, &kexinit(CLIENT_LISTS, false)].concat()),
        (Server, &[SERVER, &kexinit(SERVER_LISTS, false), &lie, &reply(31, &host_key())].concat()),
    ];
    with(flow("", &turns), json!({"host_key_type": "ssh-ed25519"})).check(&ssh::PARSER);
    let short: [(Side, &[u8]); 2] = [
        (Client, CLIENT),
        (Server, &[SERVER, &packet(&[31]), &packet(&[33, 0, 0]), NEWKEYS].concat()),
    ];
    with(flow("", &short), json!({"host_key": null})).check(&ssh::PARSER);
}

#[test]
fn lines_without_end() {
    let long = [b"SSH-2.0-", &[b'x'; 300][..], b"\r\n", &kexinit(CLIENT_LISTS, false)].concat();
    let shown = format!("SSH-2.0-{}", "x".repeat(247));
    let fields = json!({"client": shown, "truncated": ["client"], "cshka": "ssh-ed25519,ssh-rsa"});
    with(flow("", &[(Client, &long)]), fields).check(&ssh::PARSER);

    let endless = [b"SSH-2.0-", &[b'x'; 70_000][..]].concat();
    let script = refused(&[(Client, &endless)], "fail \"the identification does not end\"");
    let outcome = script.run(&ssh::PARSER, Cut::Whole);
    assert_eq!(outcome.verdicts, ["confirm", "fail \"the identification does not end\""]);
    assert_eq!(script.run(&ssh::PARSER, Cut::Bytes), outcome);

    let chatty = b"line\r\n".repeat(20_000);
    let outcome = flow("", &[(Server, &chatty)]).run(&ssh::PARSER, Cut::Whole);
    assert_eq!(outcome.verdicts, ["decline \"there is no identification\""]);
}

#[test]
fn lists_too_long_to_show_or_to_read() {
    let many = "x,".repeat(5_000);
    let mut lists = CLIENT_LISTS;
    lists[1] = &many;
    let outcome = flow("", &[(Client, &[CLIENT, &kexinit(lists, false)].concat())])
        .run(&ssh::PARSER, Cut::Whole);
    assert_eq!(outcome.records[0].1["truncated"], json!(["cshka"]));
    assert_eq!(outcome.records[0].1["cshka"].as_str().map(str::len), Some(4_096));
    let many = "x,".repeat(20_000);
    lists[1] = &many;
    let script = flow("", &[(Client, &[CLIENT, &kexinit(lists, false), NEWKEYS].concat())]);
    let outcome = script.run(&ssh::PARSER, Cut::Whole);
    assert_eq!(outcome.records[0].1["truncated"], json!(["client"]));
    assert_eq!(script.run(&ssh::PARSER, Cut::Bytes), outcome);
}

/// Replaces so many bytes of a step by a gap.
fn torn(turns: &[(Side, Vec<u8>)], step: usize, at: usize, length: usize) -> FlowScript {
    let mut script = flow("", &borrowed(turns));
    let Some(Step::Data { side, bytes }) = script.steps.get_mut(step) else {
        return script;
    };
    let (side, rest) = (*side, bytes.split_off(at));
    let gap = Step::Gap { side, length: length as u64, reason: GapReason::Lost };
    script.steps.insert(step + 1, gap);
    script.steps.insert(step + 2, Step::Data { side, bytes: rest[length..].to_vec() });
    script
}

#[test]
fn gaps() {
    let turns = ordinary();
    // In the client's identification: its offer is found behind.
    let script = torn(&turns, 1, 5, CLIENT.len() - 5);
    with(script, json!({"client": null, "cshka": "ssh-ed25519,ssh-rsa", "kex_alg": "curve25519-sha256", "incomplete": true}))
        .check(&ssh::PARSER);
    // In the offer: the side can not be followed any more.
    let script = torn(&turns, 2, 30, 20);
    with(script, json!({"client": "SSH-2.0-client_1", "cshka": null, "host_key_type": "ssh-ed25519", "incomplete": true}))
        .check(&ssh::PARSER);
    // Where nothing is wanted: nobody notices.
    let script = torn(&turns, 5, 6 + 4 + host_key().len() + 4, 40);
    with(script, json!({"incomplete": false})).check(&ssh::PARSER);
}

#[test]
fn connections_that_break_off_anywhere() {
    let turns = ordinary();
    for step in 0..turns.len() {
        for keep in [1, 5, 20, 60] {
            let mut turns = turns[..=step].to_vec();
            turns[step].1.truncate(keep);
            let script = flow("", &borrowed(&turns));
            let outcome = script.run(&ssh::PARSER, Cut::Whole);
            assert!(outcome.verdicts.iter().all(|v| v == "confirm" || v.starts_with("decline")));
            assert_eq!(script.run(&ssh::PARSER, Cut::Bytes), outcome);
        }
    }
}
