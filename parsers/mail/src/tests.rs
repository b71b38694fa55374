//! Messages, whole and cut in two at every place.

use crate::{Field, Message};

fn read(pieces: &[&[u8]]) -> Box<Message> {
    let mut message = Message::new();
    for piece in pieces {
        message.feed(piece);
    }
    message.finish();
    message
}

/// Reads `text` cut in every way and demands the same of all.
fn message(text: &str) -> Box<Message> {
    let text = text.as_bytes();
    let whole = read(&[text]);
    let seen = |message: &Message| {
        (message.parts, message.attachments.clone(), message.header.cut.clone(), message.size)
    };
    for at in 1..text.len() {
        let cut = read(&[&text[..at], &text[at..]]);
        assert_eq!(seen(&cut), seen(&whole), "cut at {at}");
        assert_eq!(cut.header.text(Field::Subject), whole.header.text(Field::Subject));
    }
    let bytes: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(seen(&read(&bytes)), seen(&whole), "byte by byte");
    whole
}

fn sizes(message: &Message) -> Vec<u64> {
    message.attachments.iter().map(|attachment| attachment.size).collect()
}

/// A multipart with the boundary "b", around one part of a type that is an attachment.
fn multipart(body: &str) -> Box<Message> {
    message(&format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}"))
}

#[test]
fn fields_unfold() {
    let subject = |text: &str| message(text).header.text(Field::Subject).map(<[u8]>::to_vec);
    assert_eq!(subject("Subject: a\r\n b\r\n\tc\r\n\r\n").as_deref(), Some(&b"a b\tc"[..]));
    assert_eq!(subject("Subject:\r\n a\nX: y\n\n").as_deref(), Some(&b"a"[..]));
    assert_eq!(subject("subject :a").as_deref(), Some(&b"a"[..]), "the message ends in the field");
    assert_eq!(subject(" folded\r\nSubject: a\r\n").as_deref(), Some(&b"a"[..]), "folds nothing");
    assert_eq!(subject("X: y\r\n\r\nSubject: a\r\n").as_deref(), None, "in the body");
    assert_eq!(
        subject("From joe Mon Jan 1 00:00:00\r\nSubject: a\r\n").as_deref(),
        Some(&b"a"[..])
    );
}

#[test]
fn boundaries_are_lines() {
    let part = "--b\r\nContent-Type: a/b\r\n\r\n";
    assert_eq!(sizes(&multipart(&format!("{part}abc\r\n--b--\r\n"))), [3]);
    assert_eq!(sizes(&multipart(&format!("{part}abc\n--b--"))), [3], "bare LF, no end of line");
    assert_eq!(sizes(&multipart(&format!("{part}abc\r\n--b \t\r\n{part}"))), [3, 0]);
    assert_eq!(sizes(&multipart(&format!("{part}\r\n--b--\r\n"))), [0], "an empty part");
    assert_eq!(sizes(&multipart(&format!("{part}--b--\r\n"))), [0], "and without its line end");
    assert_eq!(sizes(&multipart("--b\r\nContent-Type: a/b\r\n--b--\r\n")), [0], "a header only");
    // What is none: something behind it, in front of it, half of it, too long a line.
    for line in ["--bc", "--b-", "--b--c", " --b", "x--b", "-b", "--", "--B"] {
        let found = multipart(&format!("{part}{line}\r\n--b--\r\n"));
        assert_eq!(sizes(&found), [line.len() as u64], "{line}");
    }
    let long = format!("--{}", "b".repeat(300));
    assert_eq!(sizes(&multipart(&format!("{part}{long}\r\n--b--\r\n"))), [302]);
}

#[test]
fn what_is_around_the_parts_is_dropped() {
    let found = multipart("preamble\r\n--bb\r\n--b\r\n\r\ntext\r\n--b--\r\nepi\r\n--b\r\n\r\nx");
    assert_eq!((found.parts, found.attachments.len()), (1, 0));
}

#[test]
fn line_ends_within_content_stay() {
    let found = multipart("--b\r\nContent-Type: a/b\r\n\r\na\r\n\r\rb\n\n\r\n--b--");
    assert_eq!(sizes(&found), ["a\r\n\r\rb\n\n".len() as u64]);
}

#[test]
fn a_multipart_without_boundary_is_one_part() {
    let found = message("Content-Type: multipart/mixed\r\n\r\n--b\r\nabc");
    assert_eq!((found.parts, sizes(&found)), (1, vec![8]));
}

#[test]
fn what_is_an_attachment() {
    let is = |header: &str| !message(&format!("{header}\r\n\r\nx")).attachments.is_empty();
    assert!(!is("Content-Type: text/html; charset=x"));
    assert!(!is("Content-Disposition: inline"));
    assert!(is("Content-Disposition: Attachment"));
    assert!(is("Content-Disposition: something-else"));
    assert!(is("Content-Disposition: inline; filename=a"));
    assert!(is("Content-Type: text/plain; name=a"));
    assert!(is("Content-Type: image/png"));
    assert!(is("Content-Type: message/rfc822"));
}

#[test]
fn a_gap_spoils_the_hash_of_one_part() {
    let mut message = Message::new();
    message
        .feed(b"Content-Type: multipart/x; boundary=b\r\n\r\n--b\r\nContent-Type: a/b\r\n\r\nab");
    message.gap(10);
    message.feed(b"--b\r\nContent-Type: c/d\r\n\r\nefg\r\n--b--\r\n");
    message.finish();
    assert_eq!((message.missed, message.incomplete), (10, true));
    assert_eq!(sizes(&message), [2, 3]);
    let hashes: Vec<bool> = message.attachments.iter().map(|part| part.sha256.is_some()).collect();
    assert_eq!(hashes, [false, true]);
}

/// A message within the message, and one within that.
fn forwarded() -> Box<Message> {
    let file = "Content-Type: a/b; name=f\r\n\r\nfile\r\n";
    let innermost = format!(
        "Subject: two\r\nContent-Type: multipart/x; boundary=c\r\n\r\n--c\r\n{file}--c--\r\n"
    );
    let inner = format!(
        "Subject: one\r\nTo: a@b\r\nContent-Type: multipart/x; boundary=bb\r\n\r\n\
         --bb\r\nContent-Type: message/rfc822\r\n\r\n{innermost}--bb\r\n{file}--bb--\r\n"
    );
    multipart(&format!(
        "--b\r\nContent-Type: Message/RFC822\r\n\r\n{inner}\r\n--b\r\n{file}--b--\r\n"
    ))
}

#[test]
fn messages_within_the_message_are_looked_into() {
    let found = forwarded();
    let subjects: Vec<_> =
        found.messages.iter().map(|inner| inner.header.text(Field::Subject)).collect();
    assert_eq!(subjects, [Some(&b"one"[..]), Some(&b"two"[..])]);
    assert_eq!(found.messages.iter().map(|inner| inner.within).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(found.messages[0].header.to, [b"a@b".to_vec()]);
    let parts: Vec<(usize, u64)> =
        found.attachments.iter().map(|part| (part.message, part.size)).collect();
    // The outer messages count all that is in them, but not the line end in front of a boundary.
    assert_eq!(parts, [(0, 254), (1, 100), (2, 4), (1, 4), (0, 4)]);
    assert_eq!((found.parts, found.unopened), (3, 0));
    assert!(found.attachments.iter().all(|part| part.sha256.is_some()));
}

#[test]
fn a_message_within_the_message_hashes_as_it_stands() {
    let inner = "X: y\r\n\r\n--\r\n-\r\n--bb\r\n";
    let found = multipart(&format!("--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}--b--"));
    // Of the same bytes as a file.
    let file = multipart(&format!("--b\r\nContent-Type: a/b\r\n\r\n{inner}--b--"));
    assert_eq!(found.attachments[0].size, inner.len() as u64 - 2);
    assert_eq!(found.attachments[0].sha256, file.attachments[0].sha256);
}

#[test]
fn a_long_header_line_of_an_inner_message_is_content_of_it() {
    let inner = format!("X: {}\r\n y\r\n\r\nz", "x".repeat(20_000));
    let text = format!("Content-Type: message/rfc822\r\n\r\n{inner}");
    let whole = read(&[text.as_bytes()]);
    assert_eq!(sizes(&whole), [inner.len() as u64]);
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(7).collect();
    assert_eq!(read(&pieces).attachments, whole.attachments);
}

#[test]
fn what_is_no_message_within_the_message() {
    let found =
        message("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==");
    assert_eq!((found.messages.len(), sizes(&found)), (0, vec![1]), "encoded: RFC 2046 §5.2.1");
    let found = message("Content-Type: message/rfc822\r\n\r\n");
    assert_eq!((found.messages.len(), found.parts, sizes(&found)), (1, 1, vec![0]));
    let found = message("Content-Type: message/rfc822\r\nno field\r\nSubject: x");
    assert_eq!(sizes(&found), ["no field\r\nSubject: x".len() as u64]);
}

#[test]
fn a_boundary_right_behind_the_header_counts() {
    let found =
        message("Content-Type: multipart/x; boundary=b\r\n--b\r\nContent-Type: a/b\r\n\r\nab");
    assert_eq!(sizes(&found), [2]);
}

#[test]
fn what_is_nested_too_deeply_is_counted() {
    let message = |text: &str| read(&[text.as_bytes()]);
    let found = message(&"Content-Type: message/rfc822\r\n\r\n".repeat(8_000));
    assert_eq!((found.messages.len(), found.attachments.len()), (8, 17));
    assert_eq!((found.parts, found.unopened), (1, 1));
    assert_eq!(found.header.cut, ["messages", "parts"]);
    let hashed = found.attachments.iter().map(|part| part.sha256.is_some());
    assert_eq!(hashed.filter(|hashed| *hashed).count(), 3, "two around, and the last one");
    let nested = "Content-Type: multipart/x; boundary=b\r\n\r\n--b\r\n";
    let found = message(&nested.repeat(8_000));
    assert_eq!(found.unopened, 8_000 - 16);
    assert_eq!(found.header.cut, ["parts", "attachments"]);
}
