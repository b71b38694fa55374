use super::super::bundle::{
    End, EndReason, FaultSeen, Flow, Gap, GapReason, ParserId, Payload, Segment, Side, Time,
    Truncated,
};
use super::*;

/// One of everything.
fn sample() -> Bundle {
    let bytes = |bytes: &[u8]| Payload(bytes.into());
    let inputs = vec![
        Input::Data(Chunk {
            side: Side::Client,
            offset: 0,
            at: Time(1_704_067_200_123_456_789),
            segments: None,
            bytes: bytes(b"one\r\n\x00\xff"),
        }),
        Input::Gap(Gap { side: Side::Server, offset: 3, length: 7, reason: GapReason::Lost }),
        Input::Data(Chunk {
            side: Side::Server,
            offset: 10,
            at: Time(u64::MAX),
            segments: Some([Segment(2, Time(0)), Segment(1, Time(u64::MAX))].into()),
            bytes: bytes(b"two"),
        }),
        Input::End(End { side: Side::Client, at: Time(7), reason: EndReason::Reset }),
    ];
    let header = Header {
        flowrepro: FORMAT,
        flowcell: "0.1.0".into(),
        parser: ParserId { name: "x_-9".into(), version: "1.0+b".into(), sha256: "0a".repeat(32) },
        limits: [("memory".into(), 65_536), ("call_time".into(), u64::MAX)].into(),
        deterministic: false,
        uid: "F0123456789abcdefG".into(),
        flow: Flow {
            client: "[2001:db8::1]:4000".parse().expect("an address"),
            server: "[::ffff:10.0.0.1]:9".parse().expect("an address"),
            transport: Transport::Tcp,
            at: Time(1),
            midstream: true,
            confirmed: true,
            secrets: true,
            originator: Side::Server,
            context: Some(Payload([1, 2].into())),
        },
        fault: FaultSeen {
            class: "trap".into(),
            message: "panicked at \"x\":\n\u{1}…".into(),
            backtrace: vec!["a::b".into()],
        },
        inputs: 4,
        truncated: Some(Truncated { limit: "repro_bytes".into(), inputs: 2, bytes: 99 }),
    };
    Bundle { header, inputs }
}

fn parse(text: &[u8]) -> Result<Bundle, String> {
    Bundle::parse("b.flowrepro", text).map_err(|error| error.to_string())
}

/// The sample with one change in its text.
fn changed(from: &str, to: &str) -> Result<Bundle, String> {
    let text = String::from_utf8(sample().encode()).expect("JSON");
    assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
    parse(text.replace(from, to).as_bytes())
}

#[test]
fn what_was_written_is_read() {
    let text = sample().encode();
    assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 5, "a line for each");
    assert_eq!(parse(&text), Ok(sample()));
    assert_eq!(sample().file_name(), "x_-9-1.0+b-trap-F0123456789abcdefG.flowrepro");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let hash = "0a".repeat(32);
    let most = "A".repeat(4 * 65_537_usize.div_ceil(3));
    for (from, to, wanted) in [
        (
            "\"flowrepro\":1",
            "\"flowrepro\":2",
            ":1: a bundle of format 2, and this program reads 1",
        ),
        ("\"flowrepro\":1", "\"floxrepro\":1", ": not a bundle: missing field `flowrepro`"),
        ("\"uid\":", "\"uid2\":", ": not the first line of a bundle: unknown field `uid2`"),
        ("F0123456789abcdefG", "../../etc", ":1: `uid` is not what it can be: `../../etc`"),
        ("F0123456789abcdefG", "", ":1: `uid` is not what it can be"),
        ("F0123456789abcdefG", "F\\\"x", ":1: `uid` is not what it can be"),
        ("x_-9", "x/9", ":1: `parser.name` is not what it can be: `x/9`"),
        ("1.0+b", "1 0", ":1: `parser.version` is not what it can be"),
        (&hash, "0a", ":1: `parser.sha256` has 64 digits"),
        ("\"class\":\"trap\"", "\"class\":\"Trap\"", ":1: `fault.class` is not what it can be"),
        ("[2001:db8::1]:4000", "10.0.0.2:4000", ":1: `flow` has endpoints of two address families"),
        (
            "[2001:db8::1]:4000",
            "localhost:4000",
            ": not the first line of a bundle: invalid socket",
        ),
        ("\"transport\":\"tcp\"", "\"transport\":\"sctp\"", "unknown variant `sctp`"),
        ("1970-01-01T00:00:00.000000001Z", "yesterday", "a time is to be like"),
        ("1970-01-01T00:00:00.000000001Z", "1969-12-31T23:59:59Z", "a time is to be like"),
        ("1970-01-01T00:00:00.000000001Z", "9999-01-01T00:00:00Z", "a time is to be like"),
        ("\"inputs\":4", "\"inputs\":3", ":5: one delivery more than the 3 of the first line"),
        ("\"inputs\":4", "\"inputs\":5", "ends after 4 deliveries of 5: it was cut off"),
        ("\"inputs\":4", "\"inputs\":-1", "invalid value: integer `-1`"),
        ("\"inputs\":4", "\"inputs\":9999999999", ":1: 9999999999 deliveries are more than"),
        ("\"offset\":0", "\"offset\":18446744073709551615", ":2: the bytes end behind the last"),
        ("b25lDQoA/w==", "b25lDQoA/w=", ": not a delivery: not base64"),
        ("b25lDQoA/w==", "", ":2: a delivery of a stream has at least 1 byte"),
        ("b25lDQoA/w==", &most, ":2: 65538 bytes, and a delivery has at most 65536"),
        ("\"length\":7", "\"length\":0", ":3: a gap has at least 1 byte"),
        ("\"length\":7", "\"length\":18446744073709551615", ":3: the gap ends behind the last"),
        ("\"lost\"", "\"eaten\"", "unknown variant `eaten`"),
        ("[[2,", "[[3,", ":4: `segments` is to cut the 3 bytes into two pieces"),
        ("[[2,", "[[4294967295,", ":4: `segments` is to cut the 3 bytes into two pieces"),
        ("[[2,", "[[0,\"1970-01-01T00:00:00Z\"],[2,", ":4: `segments` is to cut the 3 bytes"),
        ("[[2,\"1970-01-01T00:00:00.000000000Z\"],[1,", "[[3,", ":4: `segments` is to cut the 3"),
        (
            "[[2,\"1970-01-01T00:00:00.000000000Z\"],[1,\"2554",
            "[[2,\"1970-01-01T00:00:00.000000000Z\"],[1,\"2553",
            ":4: `at` is to be the time of the last",
        ),
        ("{\"end\":", "{\"finish\":", ": not a delivery: unknown variant `finish`"),
        (
            "\"reason\":\"reset\"",
            "\"reason\":\"reset\",\"why\":1",
            ": not a delivery: unknown field `why`",
        ),
        ("\"reason\":\"reset\"}}\n", "\"reason\":\"reset\"}}", ":5: the line has no end"),
    ] {
        let error = changed(from, to).expect_err(to);
        assert!(error.starts_with("b.flowrepro:"), "{error}");
        assert!(error.contains(wanted), "{from} → {to}\n wanted {wanted}\n  found {error}");
        assert!(error.len() < 600, "a message is short: {} bytes", error.len());
    }
}

#[test]
fn what_is_no_bundle_is_told_as_such() {
    for (text, wanted) in [
        (&b""[..], "b.flowrepro:1: the file is empty"),
        (b"\n", "b.flowrepro:1: not a bundle: EOF"),
        (b"\xd4\xc3\xb2\xa1\x02\x00\n", "b.flowrepro:1:1: not a bundle: expected value"),
        (b"{\"ts\":\"x\"}\n", "b.flowrepro:1:10: not a bundle: missing field"),
        (b"{", "b.flowrepro:1: the line has no end"),
    ] {
        let error = parse(text).expect_err("no bundle");
        assert!(error.starts_with(wanted), "{error}");
        assert!(error.ends_with("docs/repro.md describes the format"), "{error}");
    }
    let deep = [b"[".repeat(1 << 20), b"\n".to_vec()].concat();
    assert!(parse(&deep).is_err(), "however deep it is");
}

#[test]
fn files_and_lines_have_a_longest() {
    let endless = BufReader::new(io::repeat(b' '));
    let error = Bundle::parse("b", endless).expect_err("one line").to_string();
    assert!(error.starts_with("b:1: a line of more than 4194304 bytes"), "{error}");
    // Many lines: each is a delivery, and more than the first line has said.
    let text = sample().encode();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let end = lines.last().expect("a line").repeat(10);
    let error = parse(&[&text[..], &end].concat()).expect_err("too many");
    assert!(error.starts_with("b.flowrepro:6: one delivery more"), "{error}");
}

/// Any one thing that can happen to a file on its way: no panic, and what is still a bundle is one that
/// can be written.
#[test]
fn no_damage_is_beyond_it() {
    let text = sample().encode();
    let check = |text: &[u8]| match parse(text) {
        Ok(bundle) => assert_eq!(parse(&bundle.encode()), Ok(bundle)),
        Err(error) => assert!(error.starts_with("b.flowrepro:"), "{error}"),
    };
    for at in 0..text.len() {
        let (before, after) = text.split_at(at);
        assert!(parse(before).is_err(), "cut off at {at}");
        check(after);
        check(&[before, &after[1..]].concat());
        for put in [0, b'\n', b' ', b'"', b'\\', b'0', b'9', b'-', b'e', b'{', b']', b'z', 0xff] {
            check(&[before, &[put], after].concat());
            check(&[before, &[put], &after[1..]].concat());
        }
        for bit in 0..8 {
            check(&[before, &[after[0] ^ (1 << bit)], &after[1..]].concat());
        }
    }
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for first in 0..lines.len() {
        for second in 0..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(first, second);
            check(&swapped.concat());
            let mut doubled = lines.clone();
            doubled[first] = lines[second];
            check(&doubled.concat());
        }
    }
}
