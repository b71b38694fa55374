//! Parsers that emit what they should not, or too much.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::Conversation;

use super::{BAD, fault, fault_in, flow_record, run_with, two_lines};

#[test]
pub(crate) fn garbage_record() {
    let (run, message) = fault_in("garbage_record", &two_lines(), "bad_record");
    assert_eq!(message, "record `note`: an indefinite length at byte 1");
    assert_eq!(run.only("garbage_record.note")["data"]["text"], "good");
}

#[test]
pub(crate) fn wrong_type_record() {
    let message = fault("wrong_type_record", "bad_record");
    let expected = "record `note`, field `number`: a value of another type than the schema says";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
pub(crate) fn wrong_count_record() {
    let message = fault("wrong_count_record", "bad_record");
    let expected = "an array with another number of items than the schema has fields";
    assert!(message.contains(expected), "{message}");
}

#[test]
pub(crate) fn unknown_record() {
    assert_eq!(fault("unknown_record", "bad_record"), "record kind 7 was not described");
}

#[test]
pub(crate) fn long_record() {
    let (run, message) = fault_in("long_record", &two_lines(), "bad_record");
    assert_eq!(message, "record `note` of 262145 bytes, 262144 allowed");
    let longest = run.only("long_record.note")["data"]["text"].as_str().map(str::len);
    assert_eq!(longest, Some((256 << 10) - 7), "the longest that is allowed is written");
}

#[test]
pub(crate) fn record_flood() {
    let (run, message) = fault_in("record_flood", &two_lines(), "record_flood");
    assert_eq!(message, "more than 65536 records in one call");
    assert_eq!(run.of_type("record_flood.note").len(), 65_536);
}

#[test]
pub(crate) fn output_flood() {
    let (run, message) = fault_in("output_flood", &two_lines(), "record_flood");
    assert_eq!(message, "more than 524288 bytes of output in one call");
    assert!(run.of_type("output_flood.note").len() < 3, "a record makes 7 MB");
}

#[test]
pub(crate) fn stray_texts() {
    let run = run_with("stray_texts", &[two_lines()]);
    let record = run.only("stray_texts.note");
    assert_eq!(record["escaped"], serde_json::json!(["texts"]));
    assert_eq!(record["data"]["texts"].as_array().map(Vec::len), Some(60_000));
    assert_eq!(record["data"]["texts"][59_999], "\\xff");
}

#[test]
pub(crate) fn log_flood() {
    let run = run_with("log_flood", &[two_lines()]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stderr);
    let uid = flow_record(&run)["uid"].as_str().expect("a uid");
    let start = format!("flowcell: warn from log_flood@0.1.0, flow {uid}: line ");
    let lines: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with(&start)).collect();
    assert_eq!(lines.len(), 16, "{}", run.stderr);
    for line in lines {
        let message = &line[start.len() - "line ".len()..];
        assert!(message.len() <= 1024 + 2, "cut off, with a sign for the escape: {message}");
        assert!(!message.contains('\x1b'), "no control characters reach the terminal");
    }
    let dropped = run.stderr.lines().find(|line| line.contains("log_lines_dropped"));
    assert!(dropped.is_some_and(|line| line.ends_with(" 984")), "{}", run.stderr);
}

#[test]
pub(crate) fn steady_flood() {
    // Two deliveries are within one second of packet time, and three within the next.
    let (run, message) = fault_in("steady_flood", &two_lines(), "record_flood");
    assert_eq!(message, "more than 100000 records in a second of packet time");
    assert_eq!(run.of_type("steady_flood.note").len(), 80_000 + 100_000);
}

#[test]
pub(crate) fn huge_record() {
    assert_eq!(
        fault("huge_record", "memory"),
        "106037248 bytes of memory wanted, 4194304 allowed (`memory`)"
    );
}

/// A record of fields of each kind: text, bytes, list of objects, address, real, time.
const TRUTH: &[&[u8]] = &[
    b"\x86",
    b"\x61a",
    b"\x41b",
    b"\x82\x81\x01\x81\x02",
    b"\x44\x7f\0\0\x01",
    b"\xf9\x3c\0",
    b"\x18\x64",
];

/// The same with another item at this place.
fn lie(index: usize, item: &[u8]) -> Vec<u8> {
    let items = TRUTH.iter().enumerate();
    items.flat_map(|(at, true_item)| if at == index { item } else { true_item }).copied().collect()
}

#[test]
pub(crate) fn lying_records() {
    let flow = |(port, record): (u16, &[u8])| {
        Conversation::tcp(port, BAD).open().send(Client, record).send(Server, b"ok").close()
    };
    let run = run_with("lying_records", &[flow((4000, &TRUTH.concat()))]);
    assert_eq!(
        run.only("lying_records.note")["data"],
        serde_json::json!({
            "text": "a", "bytes": "Yg==", "leaves": [{"number": 1}, {"number": 2}],
            "from": "127.0.0.1", "real": 1.0, "when": "1970-01-01T00:00:00.000000100Z",
        })
    );
    let nested = [vec![0x81; 60_000], vec![0x01]].concat();
    let cases: &[(Vec<u8>, &str)] = &[
        (lie(0, b"\x87"), "an array with another number of items"),
        (lie(0, b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), "an array with another number of items"),
        (lie(0, b"\x9f"), "an indefinite length"),
        (lie(0, b"\xa6"), "not an array"),
        (lie(0, b"\xd9\xd9\xf7\x86"), "not an array"),
        // Lengths beyond the end, beyond 32 and beyond 63 bits, and one that is reserved.
        (lie(1, b"\x78\xff"), "a length beyond the end"),
        (lie(1, b"\x7a\xff\xff\xff\xff"), "a length beyond the end"),
        (lie(1, b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff"), "a length beyond the end"),
        (lie(1, b"\x7c"), "a reserved length"),
        (lie(1, b"\x7f\x61a\xff"), "an indefinite length"),
        (lie(2, b"\x5f\x41b\xff"), "an indefinite length"),
        (lie(2, b"\xd7\x41b"), "a value of another type"),
        // Lists that say they have more than there is, up to all that there can be.
        (lie(3, b"\x83\x81\x01\x81\x02"), "not an array"),
        (lie(3, b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"), "not an array"),
        (lie(3, &nested), "a value of another type"),
        (lie(3, b"\x81\xa1\x01\x01"), "not an array"),
        (lie(4, b"\x43abc"), "an address that is not of 4 or 16 bytes"),
        (lie(4, b"\x58\x11abcdefghijklmnopq"), "an address that is not of 4 or 16 bytes"),
        (lie(5, b"\xfb\0\0"), "a length beyond the end"),
        (lie(6, b"\x20"), "a value of another type"),
        (lie(6, b"\xc1\x18\x64"), "a value of another type"),
        (lie(6, b"\xf7"), "a value of another type"),
        (lie(6, b"\x18\x64\x00"), "bytes behind the record"),
        (TRUTH[..6].concat(), "a length beyond the end"),
        (b"\x86".to_vec(), "a length beyond the end"),
    ];
    let records = (4000..).zip(cases.iter().map(|(record, _)| record.as_slice()));
    let run = run_with("lying_records", &records.map(flow).collect::<Vec<_>>());
    assert!(run.of_type("lying_records.note").is_empty(), "{}", run.stdout);
    let faults = run.of_type("fault");
    assert_eq!(faults.len(), cases.len());
    for (port, (record, problem)) in (4000..).zip(cases) {
        let fault = faults.iter().find(|fault| fault["orig_port"] == port).expect("a fault");
        assert_eq!(fault["data"]["class"], "bad_record", "{fault}");
        let message = fault["data"]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains(problem),
            "{problem}: {message} {:02x?}",
            &record[..9.min(record.len())]
        );
    }
}
