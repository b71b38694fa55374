//! What is done with files.

mod common;

use common::*;
use flowcell_sdk::Side;
use serde_json::json;

/// A share is in use.
fn share(kind: u8) -> Talk {
    Talk::new()
        .say(&[
            Message::ask(TREE_CONNECT, 1, tree_connect(r"\\s\docs")).tree(0),
            Message::answer(TREE_CONNECT, 1, OK, tree_connected(kind)),
        ])
        .record("tree", json!({"path": r"\\s\docs"}))
}

fn opens(id: u64, name: &str, file: u8, size: u64) -> [Message; 2] {
    [
        Message::ask(CREATE, id, create(name, 1, 0x40)),
        Message::answer(CREATE, id, OK, created(file_id(file), size)),
    ]
}

fn closes(id: u64, file: u8) -> [Message; 2] {
    [Message::ask(CLOSE, id, close(file_id(file))), Message::answer(CLOSE, id, OK, closed())]
}

#[test]
fn reads_and_writes_are_counted_by_what_the_server_did() {
    let file = file_id(1);
    share(1)
        .say(&opens(2, r"dir\a.txt", 1, 100))
        .say(&[
            Message::ask(READ, 3, read(file, 50, 1_000)),
            Message::answer(READ, 3, OK, data(50, &[b'x'; 50])),
            Message::ask(READ, 4, read(file, 100, 1_000)),
            Message::refuse(READ, 4, END_OF_FILE),
            Message::ask(WRITE, 5, write(file, 200, &[b'y'; 30])),
            Message::answer(WRITE, 5, OK, written(20)),
            Message::ask(WRITE, 6, write(file, 10, &[b'y'; 5])),
            Message::refuse(WRITE, 6, ACCESS_DENIED),
        ])
        .say(&closes(7, 1))
        .record(
            "file",
            json!({
                "action": "write", "path": r"\\s\docs", "name": r"dir\a.txt", "size": 220,
                "status": "SUCCESS", "disposition": "open", "create_action": "opened",
                "options": ["non_directory"], "access": "0x00120089", "share_type": "DISK",
                "reads": 1, "read_bytes": 50, "read_from": 50, "read_to": 100,
                "writes": 1, "written_bytes": 20, "written_from": 200, "written_to": 220,
                "closed": true, "incomplete": false, "directory": false,
                "file_id": "0x01000000000000000000000000000001",
                "times": {
                    "created": 1_000_000_000u64, "accessed": 2_000_000_000u64,
                    "modified": 3_000_000_000u64, "changed": 4_000_000_000u64,
                },
            }),
        )
        .record("connection", json!({"requests": 7, "read_bytes": 50, "written_bytes": 20}))
        .verdict("confirm")
        .check();
}

#[test]
fn answers_in_any_order() {
    let file = file_id(1);
    share(1)
        .say(&opens(2, "a", 1, 0))
        .say(&[
            Message::ask(WRITE, 3, write(file, 0, b"one")),
            Message::ask(WRITE, 4, write(file, 3, b"three")),
            Message::ask(READ, 5, read(file, 0, 4)),
            Message::answer(READ, 5, OK, data(4, b"onet")),
            Message::answer(WRITE, 4, OK, written(5)),
            Message::answer(WRITE, 3, OK, written(3)),
        ])
        .say(&closes(6, 1))
        .record("file", json!({"written_bytes": 8, "written_to": 8, "read_bytes": 4}))
        .record("connection", json!({"unanswered": 0}))
        .check();
}

#[test]
fn answers_that_are_captured_before_their_requests() {
    let turned = |[ask, answer]: [Message; 2]| [answer, ask];
    share(1)
        .say(&turned(opens(2, "a", 1, 0)))
        .say(&turned([
            Message::ask(WRITE, 3, write(file_id(1), 0, b"one")),
            Message::answer(WRITE, 3, OK, written(3)),
        ]))
        .say(&turned(closes(4, 1)))
        .record(
            "file",
            json!({"name": "a", "written_bytes": 3, "closed": true, "incomplete": false}),
        )
        .record("connection", json!({"unanswered": 0}))
        .check();
}

#[test]
fn a_compound_carries_the_file_over() {
    let asks = compound(&[
        Message::ask(CREATE, 2, create("a", 5, 0)),
        Message::ask(WRITE, 3, write(SAME_FILE, 0, b"12345")).related(),
        Message::ask(CLOSE, 4, close(SAME_FILE)).related(),
    ]);
    let answers = compound(&[
        Message::answer(CREATE, 2, OK, created(file_id(9), 0)),
        Message::answer(WRITE, 3, OK, written(5)).related(),
        Message::answer(CLOSE, 4, OK, closed()).related(),
    ]);
    let talk = share(1)
        .record(
            "file",
            json!({"name": "a", "written_bytes": 5, "closed": true, "path": r"\\s\docs"}),
        )
        .record("connection", json!({"requests": 4, "unanswered": 0, "malformed": 0}));
    Talk(talk.0.clone()).client(&asks).server(&answers).check();
    // Captured in the wrong order.
    talk.server(&answers).client(&asks).check();
}

#[test]
fn a_compound_whose_opening_fails() {
    let asks = compound(&[
        Message::ask(CREATE, 2, create("a", 1, 0)),
        Message::ask(READ, 3, read(SAME_FILE, 0, 10)).related(),
        Message::ask(CLOSE, 4, close(SAME_FILE)).related(),
    ]);
    let answers = compound(&[
        Message::refuse(CREATE, 2, NOT_FOUND),
        Message::refuse(READ, 3, NOT_FOUND).related(),
        Message::refuse(CLOSE, 4, NOT_FOUND).related(),
    ]);
    share(1)
        .client(&asks)
        .server(&answers)
        .record("file", json!({"name": "a", "status": "OBJECT_NAME_NOT_FOUND", "file_id": null}))
        .record("connection", json!({"unanswered": 0}))
        .check();
}

#[test]
fn a_compound_of_what_is_not_related() {
    let asks = compound(&[
        Message::ask(WRITE, 4, write(file_id(2), 0, b"123")),
        Message::ask(READ, 5, read(file_id(1), 0, 9)),
    ]);
    let answers = compound(&[
        Message::answer(WRITE, 4, OK, written(3)),
        Message::answer(READ, 5, OK, data(2, b"xy")),
    ]);
    share(1)
        .say(&opens(2, "a", 1, 0))
        .say(&opens(3, "b", 2, 0))
        .client(&asks)
        .server(&answers)
        .record("file", json!({"name": "a", "read_bytes": 2, "written_bytes": 0}))
        .record("file", json!({"name": "b", "read_bytes": 0, "written_bytes": 3}))
        .record("connection", json!({}))
        .check();
}

#[test]
fn an_answer_that_is_announced() {
    let pending = Message::refuse(CREATE, 2, PENDING).asynchronous();
    let answer = Message::answer(CREATE, 2, OK, created(file_id(1), 3)).asynchronous();
    share(1)
        .say(&[Message::ask(CREATE, 2, create("a", 1, 0)), pending, answer])
        .say(&closes(3, 1))
        .record("file", json!({"name": "a", "path": r"\\s\docs", "size": 3, "closed": true}))
        .record("connection", json!({"unanswered": 0}))
        .check();
}

#[test]
fn a_request_that_is_cancelled() {
    share(1)
        .say(&[
            Message::ask(CHANGE_NOTIFY, 2, close(file_id(1))),
            Message::refuse(CHANGE_NOTIFY, 2, PENDING).asynchronous(),
            Message::ask(CANCEL, 2, vec![4, 0, 0, 0]).asynchronous(),
            Message::refuse(CHANGE_NOTIFY, 2, 0xc000_0120).asynchronous(),
        ])
        .record("connection", json!({"requests": 2, "unanswered": 0, "malformed": 0}))
        .check();
}

#[test]
fn a_notice_of_the_server_answers_nothing() {
    share(1)
        .say(&opens(2, "a", 1, 0))
        .say(&[Message::answer(OPLOCK_BREAK, u64::MAX, OK, vec![24; 24])])
        .say(&closes(3, 1))
        .record("file", json!({"name": "a"}))
        .record("connection", json!({"malformed": 0}))
        .check();
}

#[test]
fn renamed_then_deleted() {
    let file = file_id(1);
    share(1)
        .say(&opens(2, "a", 1, 0))
        .say(&[
            Message::ask(SET_INFO, 3, rename(file, "taken")),
            Message::refuse(SET_INFO, 3, 0xc000_0035),
            Message::ask(SET_INFO, 4, rename(file, r"new\b")),
            Message::answer(SET_INFO, 4, OK, vec![2, 0]),
        ])
        .say(&closes(5, 1))
        .say(&opens(6, "c", 2, 0))
        .say(&[
            Message::ask(SET_INFO, 7, set_info(file_id(2), 13, &[1])),
            Message::answer(SET_INFO, 7, OK, vec![2, 0]),
        ])
        .say(&closes(8, 2))
        .say(&opens(9, "d", 3, 0))
        .say(&[
            Message::ask(SET_INFO, 10, set_info(file_id(3), 64, &[1, 0, 0, 0])),
            Message::answer(SET_INFO, 10, OK, vec![2, 0]),
            Message::ask(SET_INFO, 11, set_info(file_id(3), 13, &[0])),
            Message::answer(SET_INFO, 11, OK, vec![2, 0]),
            Message::ask(SET_INFO, 12, set_info(file_id(3), 20, &[77, 0, 0, 0, 0, 0, 0, 0])),
            Message::answer(SET_INFO, 12, OK, vec![2, 0]),
        ])
        .say(&closes(13, 3))
        .record("file", json!({"action": "rename", "name": r"new\b", "prev_name": "a"}))
        .record("file", json!({"action": "delete", "name": "c"}))
        .record("file", json!({"action": "open", "name": "d", "size": 77}))
        .record("connection", json!({}))
        .check();
}

#[test]
fn a_pipe_is_written_and_read_at_once() {
    const TRANSCEIVE: u32 = 0x0011_c017;
    let file = file_id(1);
    share(2)
        .say(&opens(2, "srvsvc", 1, 0))
        .say(&[
            Message::ask(WRITE, 3, write(file, 0, b"bind")),
            Message::answer(WRITE, 3, OK, written(4)),
            Message::ask(READ, 4, read(file, 0, 1_024)),
            Message::answer(READ, 4, BUFFER_OVERFLOW, data(3, b"ack")),
            Message::ask(IOCTL, 5, ioctl(file, TRANSCEIVE, b"question")),
            Message::answer(IOCTL, 5, OK, ioctl_answer(file, TRANSCEIVE, b"answer!")),
        ])
        .say(&closes(6, 1))
        .record(
            "file",
            json!({
                "name": "srvsvc", "share_type": "PIPE", "written_bytes": 12, "read_bytes": 10,
                "written_to": null, "read_from": null, "size": 0,
            }),
        )
        .record("connection", json!({}))
        .check();
}

#[test]
fn the_server_copies() {
    const COPY: u32 = 0x0014_80f2;
    let output = [1u32, 0, 5_000].map(u32::to_le_bytes).concat();
    share(1)
        .say(&opens(2, "to", 1, 0))
        .say(&[
            Message::ask(IOCTL, 3, ioctl(file_id(1), COPY, &[0; 56])),
            Message::answer(IOCTL, 3, OK, ioctl_answer(file_id(1), COPY, &output)),
        ])
        .say(&closes(4, 1))
        .record("file", json!({"action": "write", "copied_bytes": 5_000, "written_bytes": 0}))
        .record("connection", json!({}))
        .check();
}

#[test]
fn a_folder_is_listed() {
    let mut search = vec![33, 0, 37, 0, 0, 0, 0, 0];
    search.extend(file_id(1));
    search.resize(32, 0);
    share(1)
        .say(&opens(2, "", 1, 0))
        .say(&[
            Message::ask(QUERY_DIRECTORY, 3, search.clone()),
            Message::answer(QUERY_DIRECTORY, 3, OK, vec![9; 300]),
            Message::ask(QUERY_DIRECTORY, 4, search),
            Message::refuse(QUERY_DIRECTORY, 4, 0x8000_0006),
        ])
        .record("file", json!({"name": "", "listings": 1, "closed": false}))
        .record("connection", json!({}))
        .check();
}

#[test]
fn the_same_id_in_two_sessions() {
    let mut messages = Vec::new();
    for (id, session) in [(2, 1), (3, 2)] {
        let name = format!("of {session}");
        messages.extend(opens(id, &name, 1, 0).map(|message| message.session(session)));
    }
    messages.extend(
        [
            Message::ask(WRITE, 4, write(file_id(1), 0, b"1")),
            Message::answer(WRITE, 4, OK, written(1)),
        ]
        .map(|message| message.session(2)),
    );
    Talk::new()
        .say(&messages)
        .record("file", json!({"name": "of 1", "writes": 0}))
        .record("file", json!({"name": "of 2", "writes": 1}))
        .record("connection", json!({}))
        .check();
}

#[test]
fn what_was_open_before_the_capture() {
    Talk::midstream()
        .say(&[
            Message::ask(READ, 900, read(file_id(1), 4_096, 10)),
            Message::answer(READ, 900, OK, data(10, b"0123456789")),
        ])
        .say(&closes(901, 1))
        .say(&closes(902, 2))
        .record(
            "file",
            json!({
                "name": null, "path": null, "action": "read", "read_bytes": 10,
                "read_from": 4_096, "incomplete": true, "closed": true, "opened": null,
            }),
        )
        .record("connection", json!({"incomplete": true}))
        .verdict("confirm")
        .check();
}

#[test]
fn names_that_are_no_text_or_too_long() {
    let stray = create_raw(&[0x61, 0, 0x3d, 0xd8], 1, 0);
    let long = create_raw(&wide(&"ü".repeat(600)), 1, 0);
    share(1)
        .say(&[
            Message::ask(CREATE, 2, stray),
            Message::refuse(CREATE, 2, NOT_FOUND),
            Message::ask(CREATE, 3, long),
            Message::refuse(CREATE, 3, NOT_FOUND),
        ])
        .record("file", json!({"name": r"a\xed\xa0\xbd", "truncated": false}))
        .record("file", json!({"name": "ü".repeat(512), "truncated": true}))
        .record("connection", json!({}))
        .check();
}

#[test]
fn a_gap_over_the_answer_to_an_opening() {
    let [ask, answer] = opens(2, "a", 1, 0);
    let lost = u64::try_from(answer.frame().len()).expect("length");
    share(1)
        .say(&[ask])
        .gap(Side::Server, lost)
        .say(&closes(3, 1))
        .record("file", json!({"name": "a", "status": null, "incomplete": true}))
        .record("connection", json!({"unanswered": 1, "incomplete": true}))
        .check();
}
