//! Conversations of SSH, built from packets.
#![allow(dead_code, reason = "each test file uses some of it")]
#![expect(clippy::unwrap_used, reason = "a test that can not be set up fails")]

use flowcell_sdk::testing::{FlowScript, Step};
use flowcell_sdk::{EndReason, Side};

pub(crate) const CLIENT: &[u8] = b"SSH-2.0-client_1\r\n";
pub(crate) const SERVER: &[u8] = b"SSH-2.0-server_1 with comment\r\n";
pub(crate) const NEWKEYS: &[u8] = b"\x00\x00\x00\x0c\x0a\x15\0\0\0\0\0\0\0\0\0\0";

/// A flow script without demands: what each side sends, in order.
pub(crate) fn flow(options: &str, turns: &[(Side, &[u8])]) -> FlowScript {
    let opening = format!("client 10.0.0.1:4000 server 10.0.0.2:22 {options}\n");
    let mut script = FlowScript::parse(&opening).unwrap();
    let data = turns.iter().map(|(side, bytes)| Step::Data { side: *side, bytes: bytes.to_vec() });
    script.steps = data.collect();
    end(&mut script);
    script
}

pub(crate) fn end(script: &mut FlowScript) {
    for side in [Side::Client, Side::Server] {
        script.steps.push(Step::End { side, reason: EndReason::Fin });
    }
}

/// Demands one record with these fields.
pub(crate) fn with(mut script: FlowScript, fields: serde_json::Value) -> FlowScript {
    script.records.push(("handshake".to_owned(), fields));
    script
}

pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// RFC 4253 §6: length, padding length, payload, padding.
pub(crate) fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (8 - (4 + 1 + payload.len() + 4) % 8) % 8;
    let length = u32::try_from(1 + payload.len() + padding).unwrap();
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.extend(payload);
    packet.extend(vec![0; padding]);
    packet
}

/// The offer with these eight lists.
pub(crate) fn kexinit(lists: [&str; 8], guess_follows: bool) -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend([7; 16]);
    for list in lists.into_iter().chain(["", ""]) {
        payload.extend(string(list.as_bytes()));
    }
    payload.extend([u8::from(guess_follows), 0, 0, 0, 0]);
    packet(&payload)
}

pub(crate) const CLIENT_LISTS: [&str; 8] = [
    "curve25519-sha256,ext-info-c",
    "ssh-ed25519,ssh-rsa",
    "aes128-ctr",
    "aes128-ctr",
    "m1,m2",
    "m1,m2",
    "none",
    "none",
];
pub(crate) const SERVER_LISTS: [&str; 8] = [
    "ext-info-c,curve25519-sha256",
    "ssh-rsa,ssh-ed25519",
    "aes128-ctr",
    "aes128-ctr",
    "m2,m1",
    "m2,m1",
    "none",
    "none",
];

pub(crate) fn host_key() -> Vec<u8> {
    [string(b"ssh-ed25519"), string(&[9; 32])].concat()
}

/// SSH_MSG_KEX_ECDH_REPLY.
pub(crate) fn reply(number: u8, key: &[u8]) -> Vec<u8> {
    packet(&[&[number][..], &string(key), &string(&[8; 32]), &string(&[5; 80])].concat())
}

/// All of an ordinary handshake.
pub(crate) fn ordinary() -> Vec<(Side, Vec<u8>)> {
    vec![
        (Side::Server, SERVER.to_vec()),
        (Side::Client, CLIENT.to_vec()),
        (Side::Client, kexinit(CLIENT_LISTS, false)),
        (Side::Server, kexinit(SERVER_LISTS, false)),
        (Side::Client, packet(&[&[30][..], &string(&[8; 32])].concat())),
        (Side::Server, [reply(31, &host_key()), NEWKEYS.to_vec()].concat()),
        (Side::Client, NEWKEYS.to_vec()),
        (Side::Client, b"encrypted".repeat(20)),
        (Side::Server, b"encrypted".repeat(20)),
    ]
}

pub(crate) fn borrowed(turns: &[(Side, Vec<u8>)]) -> Vec<(Side, &[u8])> {
    turns.iter().map(|(side, bytes)| (*side, &bytes[..])).collect()
}

/// SSH_SMSG_PUBLIC_KEY with a host key of 20 bits.
pub(crate) fn public_key_of_version_1() -> Vec<u8> {
    let mut data = vec![1; 8];
    data.extend([0, 0, 0, 16, 0, 2, 3, 0, 16, 0xff, 0xfe]);
    data.extend([0, 0, 0, 20, 0, 6, 0x25, 0, 20, 0x0f, 0xab, 0xcd]);
    data.extend([0; 12]);
    packet_of_version_1(2, &data)
}

pub(crate) fn packet_of_version_1(kind: u8, data: &[u8]) -> Vec<u8> {
    let length = 1 + data.len() + 4;
    let mut packet = u32::try_from(length).unwrap().to_be_bytes().to_vec();
    packet.extend(vec![0xee; 8 - length % 8]);
    packet.push(kind);
    packet.extend(data);
    packet.extend([0; 4]);
    packet
}
