//! Handshakes as they are, at every split of the bytes.

mod common;

use common::*;
use flowcell_sdk::Side::{self, Client, Server};
use serde_json::json;

#[test]
fn an_ordinary_handshake() {
    let turns = ordinary();
    let script = flow("", &borrowed(&turns));
    with(
        script,
        json!({
            "version": 2, "client": "SSH-2.0-client_1", "server": "SSH-2.0-server_1 with comment",
            "server_lines": 0, "kex_alg": "curve25519-sha256", "host_key_alg": "ssh-ed25519",
            "cipher_alg": "aes128-ctr", "cipher_alg_to_client": null,
            "mac_alg": "m1", "mac_alg_to_client": null, "compression_alg": "none",
            "host_key": "8c:fd:2f:9e:43:05:87:40:92:8b:e2:5c:20:bf:67:e1", "host_key_type": "ssh-ed25519",
            "host_key_fingerprint": "SHA256:xcTb/ZL8NmQsvo9k2j/c7dIyp7nvDnswfPZHlzcZwz0",
            "hassh_algorithms": "curve25519-sha256,ext-info-c;aes128-ctr;m1,m2;none",
            "hassh": "418f4b0a65759558dfbb128b66a7e388",
            "hassh_server_algorithms": "ext-info-c,curve25519-sha256;aes128-ctr;m2,m1;none",
            "hassh_server": "e320bc0c1d5bbaa7d86775f3a83c1446",
            "cshka": "ssh-ed25519,ssh-rsa", "sshka": "ssh-rsa,ssh-ed25519",
            "strict_kex": false, "no_match": [], "incomplete": false, "truncated": [],
        }),
    )
    .check(&ssh::PARSER);
}

#[test]
fn offers_in_either_order_and_ahead_of_the_other_side() {
    let turns: [(Side, &[u8]); 4] = [
        (Client, &[CLIENT, &kexinit(CLIENT_LISTS, false)].concat()),
        (Server, &[SERVER, &kexinit(SERVER_LISTS, false), &reply(31, &host_key())].concat()),
        (Server, NEWKEYS),
        (Client, NEWKEYS),
    ];
    let fields = json!({"kex_alg": "curve25519-sha256", "incomplete": false, "host_key_type": "ssh-ed25519"});
    with(flow("", &turns), fields.clone()).check(&ssh::PARSER);
    let turns = [turns[1], turns[0]];
    with(flow("", &turns), fields).check(&ssh::PARSER);
}

#[test]
fn directions_differ_and_ciphers_that_authenticate() {
    let lists = [
        "k,kex-strict-c-v00@openssh.com",
        "h",
        "aes256-gcm@openssh.com",
        "c2,c1",
        "m1",
        "m1",
        "none",
        "zlib",
    ];
    let other = [
        "kex-strict-s-v00@openssh.com,k",
        "x,h",
        "aes256-gcm@openssh.com",
        "c1",
        "m1",
        "m2,m1",
        "none",
        "zlib",
    ];
    let turns: [(Side, &[u8]); 2] = [
        (Client, &[CLIENT, &kexinit(lists, false), NEWKEYS].concat()),
        (Server, &[SERVER, &kexinit(other, false), NEWKEYS].concat()),
    ];
    with(
        flow("", &turns),
        json!({
            "cipher_alg": "aes256-gcm@openssh.com", "cipher_alg_to_client": "c1",
            "mac_alg": "<implicit>", "mac_alg_to_client": "m1",
            "compression_alg": "none", "compression_alg_to_client": "zlib",
            "strict_kex": true, "host_key": null, "incomplete": true,
        }),
    )
    .check(&ssh::PARSER);
}

#[test]
fn nothing_in_common() {
    let turns: [(Side, &[u8]); 2] = [
        (Client, &[CLIENT, &kexinit(["a", "h", "c", "c", "m", "m", "n", "n"], false)].concat()),
        (Server, &[SERVER, &kexinit(["b", "h", "c", "d", "m", "m", "n", "n"], false)].concat()),
    ];
    let fields = json!({"kex_alg": null, "cipher_alg": "c", "cipher_alg_to_client": null, "no_match": ["kex_alg", "cipher_alg"]});
    with(flow("", &turns), fields).check(&ssh::PARSER);
}

#[test]
fn a_wrong_guess_does_not_count() {
    let lists = ["other,curve25519-sha256", "ssh-ed25519", "c", "c", "m", "m", "n", "n"];
    let mut own = lists;
    own[0] = "curve25519-sha256";
    for (server_lists, key) in [(own, "ssh-ed25519"), (lists, "guessed")] {
        let guessed = reply(31, &[string(b"guessed"), string(b"x")].concat());
        let turns: [(Side, &[u8]); 2] = [
            (Client, &[CLIENT, &kexinit(lists, false)].concat()),
            (
                Server,
                &[SERVER, &kexinit(server_lists, true), &guessed, &reply(31, &host_key())].concat(),
            ),
        ];
        with(flow("", &turns), json!({"host_key_type": key})).check(&ssh::PARSER);
    }
}

#[test]
fn group_exchange_has_its_reply_elsewhere() {
    // RFC 4419 §5: 31 is the group, and only 33 brings the key.
    let prime = [&[0, 0xe1][..], &[3; 126]].concat();
    let group = packet(&[&[31][..], &string(&prime), &string(&[2])].concat());
    let turns: [(Side, &[u8]); 2] = [
        (Client, &[CLIENT, &kexinit(CLIENT_LISTS, false)].concat()),
        (
            Server,
            &[SERVER, &kexinit(SERVER_LISTS, false), &group, &reply(33, &host_key())].concat(),
        ),
    ];
    with(flow("", &turns), json!({"host_key_type": "ssh-ed25519", "incomplete": false}))
        .check(&ssh::PARSER);
}

#[test]
fn lines_before_the_identification_and_bare_line_feeds() {
    let turns: [(Side, &[u8]); 2] =
        [(Server, b"Welcome\r\n\r\nto SSH- the host\nSSH-2.0-x\n"), (Client, b"SSH-2.0-y\n")];
    let fields = json!({"server_lines": 3, "server": "SSH-2.0-x", "client": "SSH-2.0-y", "version": 2, "incomplete": true});
    with(flow("", &turns), fields).check(&ssh::PARSER);
}

#[test]
fn one_side_only() {
    let turns = ordinary();
    for (side, fields) in [
        (
            Client,
            json!({"client": "SSH-2.0-client_1", "server": null, "hassh_server": null, "version": 2,
            "kex_alg": null, "cipher_alg": null, "incomplete": true, "cshka": "ssh-ed25519,ssh-rsa"}),
        ),
        (
            Server,
            json!({"client": null, "hassh": null, "host_key_type": "ssh-ed25519", "sshka": "ssh-rsa,ssh-ed25519",
            "server": "SSH-2.0-server_1 with comment", "strict_kex": null, "no_match": []}),
        ),
    ] {
        let mut turns = borrowed(&turns);
        turns.retain(|turn| turn.0 == side);
        with(flow("", &turns), fields).check(&ssh::PARSER);
    }
}

#[test]
fn identifications_alone() {
    let turns: [(Side, &[u8]); 1] = [(Server, b"SSH-2.0-x\r\n")];
    with(flow("", &turns), json!({"server": "SSH-2.0-x", "version": null})).check(&ssh::PARSER);
    let turns: [(Side, &[u8]); 2] = [(Server, b"SSH-2.0-x"), (Client, b"SSH-1.5-y\n")];
    with(flow("", &turns), json!({"server": "SSH-2.0-x", "client": "SSH-1.5-y", "version": null}))
        .check(&ssh::PARSER);
}

#[test]
fn ssh_1_shows_its_key_and_cipher() {
    let session = packet_of_version_1(3, &[3, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    let turns: [(Side, &[u8]); 4] = [
        (Server, b"SSH-1.99-s\n"),
        (Client, b"SSH-1.5-c\n"),
        (Server, &[packet_of_version_1(32, b"idle"), public_key_of_version_1()].concat()),
        (Client, &session),
    ];
    let fields = json!({"version": 1, "cipher_alg": "3des", "host_key": "ec:9f:ee:fa:f3:9f:f6:c8:5b:82:4d:83:83:e7:8b:04", "host_key_type": null, "incomplete": false});
    with(flow("", &turns), fields).check(&ssh::PARSER);
}

#[test]
fn a_server_of_both_versions_speaks_the_second() {
    let turns: [(Side, &[u8]); 2] = [
        (Server, &[b"SSH-1.99-s\n", &kexinit(SERVER_LISTS, false)[..]].concat()),
        (Client, &[b"SSH-2.0-c\n", &kexinit(CLIENT_LISTS, false)[..]].concat()),
    ];
    with(flow("", &turns), json!({"version": 2, "kex_alg": "curve25519-sha256"}))
        .check(&ssh::PARSER);
}

#[test]
fn picked_up_midstream() {
    let (client, server) = (kexinit(CLIENT_LISTS, false), kexinit(SERVER_LISTS, false));
    let turns: [(Side, &[u8]); 3] =
        [(Client, &client), (Server, &server), (Server, &reply(31, &host_key()))];
    let fields = json!({"client": null, "version": 2, "kex_alg": "curve25519-sha256", "host_key_type": "ssh-ed25519"});
    with(flow("midstream", &turns), fields).check(&ssh::PARSER);
    // One side is read, of the other only encrypted bytes are seen.
    let turns: [(Side, &[u8]); 2] = [(Client, &[0x5a; 64]), (Server, SERVER)];
    with(flow("midstream", &turns), json!({"server": "SSH-2.0-server_1 with comment"}))
        .check(&ssh::PARSER);
    let turns: [(Side, &[u8]); 2] = [(Client, &[0x5a; 64]), (Server, &[0xa5; 64])];
    let mut script = flow("midstream", &turns);
    script.verdicts = vec!["decline \"neither side starts an SSH handshake\"".into()];
    script.check(&ssh::PARSER);
}
