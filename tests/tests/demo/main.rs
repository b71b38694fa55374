//! The bundled capture, end to end: the records against what the clients and servers wrote down.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod segments;

use std::fs;
use std::path::{Path, PathBuf};

use flowcell_tests::command::{Run, Scratch, flowcell};
use segments::Capture;
use serde_json::{Value, json};

fn trace(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(name)
}

fn run(capture: &Path) -> Run {
    let run = Run::of(&mut flowcell(["run".as_ref(), "-r".as_ref(), capture.as_os_str()]));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run
}

/// The truth about the capture: a list of sessions.
fn sessions() -> Vec<Value> {
    let text = fs::read_to_string(trace("mail.expected.json")).unwrap();
    let truth: Value = serde_json::from_str(&text).unwrap();
    truth["sessions"].as_array().unwrap().clone()
}

/// The records of this type and session.
fn of_session<'r>(run: &'r Run, ty: &str, session: &Value) -> Vec<&'r Value> {
    let ends = ["orig_ip", "orig_port", "resp_ip", "resp_port"];
    let theirs = ["client", "client_port", "server", "server_port"];
    let mut records = run.of_type(ty);
    records
        .retain(|record| ends.iter().zip(theirs).all(|(our, their)| record[our] == session[their]));
    records
}

/// A mail as the truth tells it, from its record.
fn as_told(data: &Value) -> Value {
    let list = |field: &str| data[field].as_array().unwrap().clone();
    let refused = list("rcpt_refused");
    let mut accepted = list("rcptto");
    accepted.retain(|rcpt| !refused.contains(rcpt));
    let attachments = list("attachments").into_iter().map(|part| {
        json!({
            "filename": part["name"],
            "content_type": part["content_type"],
            "size": part["size"],
            "sha256": part["sha256"],
        })
    });
    let code: Option<u64> =
        data["last_reply"].as_str().and_then(|reply| reply.get(..3)?.parse().ok());
    let message = data["size"].is_u64().then(|| {
        json!({
            "subject": data["subject"],
            "size": data["size"],
            "attachments": attachments.collect::<Vec<_>>(),
        })
    });
    json!({
        "helo": data["helo"],
        "mail_from": data["mailfrom"],
        "rcpts_accepted": accepted,
        "rcpts_refused": refused,
        "code": code,
        "body": data["body"],
        "smtputf8": data["smtputf8"],
        "message": message,
    })
}

/// The same from the truth, without what no record is about.
fn told(session: &Value, mail: &Value) -> Value {
    let refused = mail["rcpts_refused"].as_array().unwrap().iter();
    let mut message = mail["message"].clone();
    if let Some(fields) = message.as_object_mut() {
        fields.remove("sha256");
    }
    json!({
        "helo": session["helo"],
        "mail_from": mail["mail_from"],
        "rcpts_accepted": mail["rcpts_accepted"],
        "rcpts_refused": refused.map(|rcpt| &rcpt["address"]).collect::<Vec<_>>(),
        "code": mail["code"],
        "body": mail["body"],
        "smtputf8": mail["smtputf8"],
        "message": message,
    })
}

#[test]
fn every_message_that_was_sent_is_in_the_records() {
    let run = run(&trace("mail.pcap"));
    for session in sessions() {
        let records = of_session(&run, "smtp.mail", &session);
        let shows = &session["shows"];
        let mails = session["mails"].as_array().unwrap().iter();
        // What was said inside of TLS can't be seen; a record tells that there was a switch.
        let expected: Vec<_> = mails
            .filter(|mail| mail["encrypted"] == false)
            .map(|mail| told(&session, mail))
            .collect();
        let (encrypted, mut plain): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| record["data"]["tls"] == true);
        // A recipient without a sender before it is a transaction to us, and no mail to the truth.
        plain.retain(|record| {
            record["data"]["mailfrom"].is_string() || record["data"]["size"].is_u64()
        });
        let ours: Vec<_> = plain.iter().map(|record| as_told(&record["data"])).collect();
        assert_eq!(json!(ours), json!(expected), "{shows}");
        assert_eq!(!encrypted.is_empty(), session["tls"] == true, "{shows}");
        for record in plain {
            assert_eq!(record["data"]["incomplete"], false, "{shows}");
        }
    }
}

#[test]
fn no_secret_is_in_the_output() {
    let run = run(&trace("mail.pcap"));
    let mut attempts = 0;
    for session in sessions() {
        for auth in session["auth"].as_array().unwrap() {
            let (user, password) =
                (auth["user"].as_str().unwrap(), auth["password"].as_str().unwrap());
            let secrets = [
                password.to_owned(),
                base64(password),
                base64(&format!("\0{user}\0{password}")),
                base64(&format!("{user}\0{user}\0{password}")),
            ];
            for secret in secrets {
                let bare = secret.trim_end_matches('=');
                assert!(!run.stdout.contains(bare), "{secret} is in the records");
                assert!(!run.stderr.contains(bare), "{secret} is in the messages");
            }
            attempts += 1;
        }
        let commands = of_session(&run, "smtp.command", &session);
        let auths: Vec<_> = commands
            .iter()
            .filter(|record| record["data"]["verb"] == "AUTH")
            .map(|record| {
                let data = &record["data"];
                json!([data["mechanism"], data["user"], data["code"]])
            })
            .collect();
        let expected = session["auth"].as_array().unwrap().iter();
        let expected: Vec<_> =
            expected.map(|auth| json!([auth["mechanism"], auth["user"], auth["code"]])).collect();
        assert_eq!(json!(auths), json!(expected));
    }
    assert!(attempts > 0, "the capture shows no AUTH");
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in text.as_bytes().chunks(3) {
        let mut bytes = [0; 4];
        bytes[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(bytes);
        for digit in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * digit) & 63).unwrap();
            encoded.push(if digit <= group.len() { DIGITS[index].into() } else { '=' });
        }
    }
    encoded
}

/// The parser's records, session by session, without what tells when and where they came.
fn smtp_records(capture: &Path) -> Vec<Value> {
    let run = run(capture);
    let mut records = Vec::new();
    for session in sessions() {
        for ty in ["smtp.mail", "smtp.command"] {
            for record in of_session(&run, ty, &session) {
                let mut record = record.clone();
                // A uid depends on the number of the flow's first packet.
                for field in ["ts", "packet", "uid"] {
                    record.as_object_mut().unwrap().remove(field);
                }
                records.push(record);
            }
        }
    }
    let all =
        run.records.iter().filter(|record| record["type"].as_str().unwrap().starts_with("smtp."));
    assert_eq!(records.len(), all.count(), "records of no session");
    records
}

fn demo() -> Capture {
    Capture::read(&fs::read(trace("mail.pcap")).unwrap())
}

/// The parser's records do not depend on how the bytes travelled.
#[track_caller]
fn changes_nothing(how: &str, capture: &Capture) {
    let expected = smtp_records(&trace("mail.pcap"));
    assert!(!expected.is_empty() && capture.bytes() != demo().bytes());
    let scratch = Scratch::new();
    let path = scratch.write("mail.pcap", capture.bytes());
    let ours = smtp_records(&path);
    for (ours, expected) in ours.iter().zip(&expected) {
        assert_eq!(ours, expected, "{how}");
    }
    assert_eq!(ours.len(), expected.len(), "{how}");
}

#[test]
fn reading_and_writing_a_capture_changes_nothing() {
    assert_eq!(demo().bytes(), fs::read(trace("mail.pcap")).unwrap());
}

#[test]
fn segments_of_one_byte_change_no_record() {
    changes_nothing("cut into segments of one byte", &demo().cut(1));
}

#[test]
fn doubled_segments_change_no_record() {
    changes_nothing("every second segment twice", &demo().doubled());
}

#[test]
fn swapped_segments_change_no_record() {
    let (swapped, pairs) = demo().swapped();
    assert!(pairs > 10, "{pairs} pairs");
    changes_nothing("neighbours swapped", &swapped);
}

#[test]
fn swapped_and_doubled_segments_change_no_record() {
    changes_nothing("neighbours swapped, every second twice", &demo().swapped().0.doubled());
    let cut = demo().cut(1);
    changes_nothing("segments of one byte, the same", &cut.swapped().0.doubled());
}
