//! Who logs on, how, and to what.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

mod common;

use common::*;
use serde_json::json;

/// Dialects are agreed on.
fn agreed() -> Talk {
    Talk::new().say(&[
        Message::ask(NEGOTIATE, 0, negotiate(&[0x0202, 0x0210])).session(0).tree(0),
        Message::answer(NEGOTIATE, 0, OK, negotiated(0x0210, 1)).session(0).tree(0),
    ])
}

#[test]
fn kerberos_in_one_step() {
    let ticket = b"\x60\x0d\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\0";
    agreed()
        .say(&[
            Message::ask(SESSION_SETUP, 1, setup(0, 1, ticket)).session(0),
            Message::answer(SESSION_SETUP, 1, OK, set_up(4, b"")),
        ])
        .record(
            "session",
            json!({
                "dialect": "2.1", "dialects_offered": ["2.0.2", "2.1"], "mechanism": "kerberos",
                "session_id": "0x0000123400000001", "username": null, "success": true,
                "status": "SUCCESS", "encrypted": true, "signing_required": false,
                "binding": false, "incomplete": false,
            }),
        )
        .record("connection", json!({"dialect": "2.1", "requests": 2, "unanswered": 0}))
        .verdict("confirm")
        .check();
}

#[test]
fn a_second_try_with_another_user() {
    let tries = |id, user, status: Option<u32>| {
        let token = authenticate("DOM", user, "HOST");
        [
            Message::ask(SESSION_SETUP, id, setup(0, 2, &token)),
            match status {
                Some(status) => Message::refuse(SESSION_SETUP, id, status),
                None => Message::answer(SESSION_SETUP, id, OK, set_up(1, b"")),
            },
        ]
    };
    agreed()
        .say(&tries(1, "nobody", Some(LOGON_FAILURE)))
        .say(&tries(2, "jörg", None))
        .record(
            "session",
            json!({
                "username": "nobody", "domainname": "DOM", "hostname": "HOST", "ntlm_version": 2,
                "success": false, "status": "LOGON_FAILURE", "guest": false,
            }),
        )
        .record(
            "session",
            json!({"username": "jörg", "success": true, "guest": true, "signing_required": true}),
        )
        .record("connection", json!({}))
        .check();
}

#[test]
fn a_channel_joins_a_session() {
    let token = authenticate("", "me", "");
    agreed()
        .say(&[
            Message::ask(SESSION_SETUP, 1, setup(1, 1, &token)),
            Message::answer(SESSION_SETUP, 1, OK, set_up(0, b"")),
        ])
        .record("session", json!({"binding": true, "username": "me", "domainname": null}))
        .record("connection", json!({}))
        .check();
}

#[test]
fn nothing_but_an_agreement() {
    agreed().record("connection", json!({"dialect": "2.1", "requests": 1})).check();
}

#[test]
fn an_exchange_that_is_not_finished() {
    agreed()
        .say(&[
            Message::ask(SESSION_SETUP, 1, setup(0, 1, b"NTLMSSP\0\x01\0\0\0")).session(0),
            Message::refuse(SESSION_SETUP, 1, MORE_PROCESSING),
            Message::ask(SESSION_SETUP, 2, setup(0, 1, &authenticate("D", "u", "w"))),
        ])
        .cut_off()
        .record(
            "session",
            json!({"username": "u", "success": null, "status": null, "incomplete": true}),
        )
        .record("connection", json!({"unanswered": 1, "malformed": 0}))
        .check();
}

#[test]
fn only_the_client_was_captured() {
    Talk::new()
        .say(&[
            Message::ask(NEGOTIATE, 0, negotiate(&[0x0311])).session(0),
            Message::ask(SESSION_SETUP, 1, setup(0, 1, b"NTLMSSP\0\x01\0\0\0")).session(0),
            Message::ask(SESSION_SETUP, 2, setup(0, 1, &authenticate("D", "u", "w"))),
            Message::ask(TREE_CONNECT, 3, tree_connect(r"\\srv\docs")).tree(0),
            Message::ask(CREATE, 4, create("a.txt", 1, 0)),
            Message::ask(WRITE, 5, write(file_id(1), 10, b"12345")),
            Message::ask(CLOSE, 6, close(file_id(1))),
        ])
        .record(
            "tree",
            json!({"path": r"\\srv\docs", "status": null, "share_type": null, "username": "u"}),
        )
        .record("file", json!({"name": "a.txt", "status": null, "incomplete": true}))
        .record(
            "file",
            json!({
                "action": "write", "name": null, "written_bytes": 5, "written_from": 10,
                "written_to": 15, "closed": true, "incomplete": true, "username": "u",
            }),
        )
        .record("session", json!({"username": "u", "dialect": null, "incomplete": true}))
        .record("connection", json!({"requests": 7, "unanswered": 7, "written_bytes": 5}))
        .check();
}

#[test]
fn only_the_server_was_captured() {
    Talk::new()
        .say(&[
            Message::answer(NEGOTIATE, 0, OK, negotiated(0x0302, 3)).session(0),
            Message::answer(SESSION_SETUP, 1, OK, set_up(0, b"")),
            Message::answer(TREE_CONNECT, 2, OK, tree_connected(1)),
            Message::answer(CREATE, 3, OK, created(file_id(1), 99)),
            Message::answer(READ, 4, OK, data(5, b"12345")),
            Message::answer(WRITE, 5, OK, written(6)),
            Message::answer(CLOSE, 6, OK, closed()),
        ])
        .record(
            "session",
            json!({"dialect": "3.0.2", "success": true, "signing_required": true, "incomplete": true}),
        )
        .record("tree", json!({"path": null, "share_type": "DISK", "status": "SUCCESS"}))
        .record(
            "file",
            json!({"name": null, "size": 99, "share_type": "DISK", "closed": false}),
        )
        .record("connection", json!({"requests": 0, "read_bytes": 5, "written_bytes": 6}))
        .check();
}

#[test]
fn a_log_off_ends_what_belongs_to_the_session() {
    agreed()
        .say(&[
            Message::ask(SESSION_SETUP, 1, setup(0, 1, &authenticate("D", "u", "w"))),
            Message::answer(SESSION_SETUP, 1, OK, set_up(0, b"")),
            Message::ask(TREE_CONNECT, 2, tree_connect(r"\\s\p")).tree(0),
            Message::answer(TREE_CONNECT, 2, OK, tree_connected(1)),
            Message::ask(CREATE, 3, create("left open", 1, 0)),
            Message::answer(CREATE, 3, OK, created(file_id(1), 0)),
            Message::ask(LOGOFF, 4, vec![4, 0, 0, 0]),
            Message::answer(LOGOFF, 4, OK, vec![4, 0, 0, 0]),
            // The share and the user are unknown by now.
            Message::ask(CREATE, 5, create("late", 1, 0)),
            Message::refuse(CREATE, 5, ACCESS_DENIED),
        ])
        .record("session", json!({}))
        .record("tree", json!({"path": r"\\s\p", "username": "u"}))
        .record("file", json!({"name": "left open", "closed": false, "username": "u"}))
        .record(
            "file",
            json!({"name": "late", "path": null, "username": null, "status": "ACCESS_DENIED"}),
        )
        .record("connection", json!({}))
        .check();
}

#[test]
fn a_share_that_is_refused() {
    agreed()
        .say(&[
            Message::ask(TREE_CONNECT, 1, tree_connect(r"\\s\secret")).tree(0),
            Message::refuse(TREE_CONNECT, 1, 0xc000_00cc),
        ])
        .record(
            "tree",
            json!({"path": r"\\s\secret", "status": "BAD_NETWORK_NAME", "share_type": null}),
        )
        .record("connection", json!({}))
        .check();
}

/// A message of SMB 1.
fn smb1(command: u8, flags: u8, words: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut message = [b"\xffSMB", &[command, 0, 0, 0, 0, flags, 0, 0][..]].concat();
    message.resize(32, 0);
    message.push(u8::try_from(words.len() / 2).expect("words"));
    message.extend(words);
    message.extend(u16::try_from(bytes.len()).expect("bytes").to_le_bytes());
    message.extend(bytes);
    frame(&message)
}

#[test]
fn an_old_client_of_an_old_server() {
    let mut chosen = vec![1, 0, 0x0f];
    chosen.resize(34, 0);
    let mut words = vec![0xff, 0, 0, 0];
    words.resize(26, 0);
    (words[14], words[16]) = (2, 3);
    Talk::new()
        .client(
            b"\x81\0\0\x44 CKFDENECFDEFFCFGEFFCCACACACACACA\0 EEEBEMCACACACACACACACACACACACAAA\0",
        )
        .server(b"\x82\0\0\0")
        .client(&smb1(0x72, 0, &[], b"\x02LANMAN1.0\0\x02NT LM 0.12\0"))
        .server(&smb1(0x72, 0x80, &chosen, b""))
        .client(&smb1(0x73, 0, &words, b"xxyyybob\0GROUP\0Unix\0Samba\0"))
        .server(&smb1(0x73, 0x80, &[0xff, 0, 0, 0, 1, 0], b""))
        .client(&smb1(0x75, 0, &[], b"never read"))
        .record(
            "session",
            json!({
                "dialect": "NT LM 0.12", "dialects_offered": ["LANMAN1.0", "NT LM 0.12"],
                "username": "bob", "domainname": "GROUP", "mechanism": "ntlm", "success": true,
                "guest": true, "signing_required": true, "session_id": null,
            }),
        )
        .record(
            "connection",
            json!({
                "netbios_called": "*SMBSERVER", "netbios_calling": "DAL", "smb1_messages": 4,
                "dialect": "NT LM 0.12", "requests": 0,
            }),
        )
        .verdict("confirm")
        .check();
}

#[test]
fn a_call_that_is_refused() {
    Talk::new()
        .client(
            b"\x81\0\0\x44 CKFDENECFDEFFCFGEFFCCACACACACACA\0 EEEBEMCACACACACACACACACACACACAAA\0",
        )
        .server(b"\x83\0\0\x01\x82")
        .record("connection", json!({"netbios_called": "*SMBSERVER", "netbios_error": 130}))
        .verdict("confirm")
        .check();
}

#[test]
fn an_offer_of_smb2_in_smb1() {
    let offer = b"\x02NT LM 0.12\0\x02SMB 2.002\0\x02SMB 2.???\0";
    Talk::new()
        .client(&smb1(0x72, 0, &[], offer))
        .say(&[
            Message::answer(NEGOTIATE, 0, OK, negotiated(0x02ff, 1)).session(0),
            Message::ask(NEGOTIATE, 1, negotiate(&[0x0202, 0x0311])).session(0),
            Message::answer(NEGOTIATE, 1, OK, negotiated(0x0311, 1)).session(0),
        ])
        .record(
            "connection",
            json!({
                "dialect": "3.1.1",
                "dialects_offered": ["NT LM 0.12", "SMB 2.002", "SMB 2.???", "2.0.2", "3.1.1"],
                "requests": 1, "unanswered": 0, "smb1_messages": 1,
            }),
        )
        .check();
}

#[test]
fn an_offer_of_smb2_that_is_answered_in_smb1() {
    let mut chosen = vec![0, 0];
    chosen.resize(34, 0);
    Talk::new()
        .client(&smb1(0x72, 0, &[], b"\x02NT LM 0.12\0\x02SMB 2.002\0"))
        .server(&smb1(0x72, 0x80, &chosen, b""))
        .record("connection", json!({"dialect": "NT LM 0.12", "unanswered": 0}))
        .check();
}
