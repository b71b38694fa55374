//! Parsers that emit what they should not, or too much.

use super::{fault, fault_in, flow_record, run_with, two_lines};

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
