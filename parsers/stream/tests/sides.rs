//! Both sides of flows of any kind.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use flowcell_sdk::testing::{Cut, FlowScript};

#[track_caller]
fn check(script: &str) {
    FlowScript::parse(script).expect("script").check(&stream::PARSER);
}

/// SHA-256 of `abc` (FIPS 180-4), of nothing, and of `hello, world`.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const HELLO: &str = "09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b";

#[test]
fn both_sides() {
    check(&format!(
        r#"
        client 10.0.0.1:4000 server 10.0.0.2:9999
        > "hello, "
        < "abc"
        > "world"
        > end fin
        < end reset
        = side {{"side":"orig","bytes":12,"missed":0,"sha256":"{HELLO}","first":"aGVsbG8sIHdvcmxk","end_reason":"fin"}}
        = side {{"side":"resp","bytes":3,"missed":0,"sha256":"{ABC}","first":"YWJj","gap_count":0,"gaps":[],"end_reason":"reset","datagrams":null}}
        ! confirm
        "#
    ));
}

#[test]
fn one_side_only() {
    check(&format!(
        r#"
        client 10.0.0.1:4000 server 10.0.0.2:9999 midstream
        < "abc"
        > end idle
        < end idle
        = side {{"side":"orig","bytes":0,"sha256":"{NOTHING}","first":"","first_ts":null,"last_ts":null,"end_reason":"idle"}}
        = side {{"side":"resp","bytes":3,"sha256":"{ABC}","end_reason":"idle"}}
        "#
    ));
}

#[test]
fn missing_bytes() {
    check(&format!(
        r#"
        client 10.0.0.1:4000 server 10.0.0.2:9999
        > "hello"
        > gap 1000
        > ", "
        > gap 5 memory
        > "world"
        > gap 7 depth
        < "abc"
        = side {{"side":"orig","bytes":12,"missed":1012,"sha256":"{HELLO}","first":"aGVsbG8=","gap_count":3,"gaps":[{{"offset":5,"length":1000,"reason":"lost"}},{{"offset":1007,"length":5,"reason":"memory"}},{{"offset":1017,"length":7,"reason":"depth"}}]}}
        = side {{"side":"resp","bytes":3,"sha256":"{ABC}"}}
        "#
    ));
}

#[test]
fn datagrams() {
    check(&format!(
        r#"
        client 10.0.0.1:4000 server 10.0.0.2:9999 udp
        > "a"
        > ""
        < "hello, wor"
        < gap 5 snaplen
        > "bc"
        < "ld"
        > end idle
        < end idle
        = side {{"side":"orig","bytes":3,"sha256":"{ABC}","datagrams":3}}
        = side {{"side":"resp","bytes":12,"sha256":"{HELLO}","datagrams":2,"first":"aGVsbG8sIHdvcg==","missed":5,"gaps":[{{"offset":10,"length":5,"reason":"snaplen"}}]}}
        "#
    ));
}

/// What is listed is bounded, what is counted is not.
#[test]
fn many_bytes_and_gaps() {
    let pieces = "> \"0123456789abcdef\"\n> gap 1\n".repeat(100);
    let script =
        format!("client 10.0.0.1:1 server 10.0.0.2:2\n> \"{}\"\n{pieces}", "x".repeat(100));
    let script = FlowScript::parse(&script).expect("script");
    let outcome = script.run(&stream::PARSER, Cut::Lines);
    let (name, side) = outcome.records.first().expect("a record");
    assert_eq!(name, "side");
    assert_eq!(side["bytes"], 1_700);
    assert_eq!(side["missed"], 100);
    assert_eq!(side["gap_count"], 100);
    assert_eq!(side["gaps"].as_array().map(Vec::len), Some(64));
    assert_eq!(side["first"].as_str().map(str::len), Some(88), "64 bytes in base 64");
    for cut in [Cut::Whole, Cut::Bytes] {
        assert_eq!(script.run(&stream::PARSER, cut), outcome);
    }
}
