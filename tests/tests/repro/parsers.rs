//! With which parser a bundle is replayed.

use std::fs;
use std::path::{Path, PathBuf};

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::Scratch;
use flowcell_tests::guests;
use flowcell_tests::packets::Conversation;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{BAD, Kept, replay, two_lines};

/// The same parser with another hash: a custom section more.
fn rebuilt(guest: &str) -> Vec<u8> {
    let mut bytes = guests::guest(guest);
    bytes.extend_from_slice(&[0, 2, 1, b'x']);
    bytes
}

#[test]
fn a_parser_without_the_mistake_is_told() {
    let kept = Kept::of("panic_in_poll", two_lines(4000));
    let bundle = kept.bundle();
    for (guest, wanted) in [
        ("never_reads", "the fault does not happen: the parser took all 3 deliveries"),
        ("ready_at_once", "the fault does not happen: the parser was ready at delivery 1 of 3"),
        ("declines", "the fault does not happen: the parser declined at delivery 1 of 3: "),
        ("fails", "the fault does not happen: the parser failed the flow at delivery 1 of 3: "),
        (
            "loop_in_poll",
            "another fault, at delivery 1 of 3: deadline: the call took too long (`call_time`)",
        ),
        ("panic_in_open", "another fault, when the flow was opened: trap: "),
    ] {
        let file = kept.scratch.write("fixed.wasm", guests::guest(guest));
        let replayed = replay(&bundle, &["--parser", file.to_str().unwrap()]);
        assert_eq!(replayed.code, Some(1), "{guest}: {}", replayed.stderr);
        assert!(replayed.stderr.contains(wanted), "{guest}: {}", replayed.stderr);
        assert!(replayed.stderr.contains("the bundle has trap: "), "{}", replayed.stderr);
        let told = format!("fixed.wasm: {guest}@0.1.0 is another build than panic_in_poll@0.1.0");
        assert!(replayed.stderr.contains(&told), "{}", replayed.stderr);
    }
}

#[test]
fn the_parser_is_found_by_hash_then_by_name_and_asked_for_otherwise() {
    let kept = Kept::of("panic_in_poll", two_lines(4000));
    let bundle = kept.bundle();
    let beside = kept.parser();
    let folder = |name: &str| kept.scratch.path(name).to_str().unwrap().to_owned();

    // By hash, whatever the file is called and whoever else has the name.
    kept.scratch.write("same/other.wasm", guests::guest("panic_in_poll"));
    kept.scratch.write("same/another.wasm", guests::guest("declines"));
    let replayed = replay(&bundle, &["--parsers", &folder("same")]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert!(!replayed.stderr.contains("another build"), "{}", replayed.stderr);

    // By name.
    kept.scratch.write("newer/some.wasm", rebuilt("panic_in_poll"));
    let replayed = replay(&bundle, &["--parsers", &folder("newer")]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert!(replayed.stderr.contains("is another build than"), "{}", replayed.stderr);

    // Neither.
    kept.scratch.write("none/some.wasm", guests::guest("declines"));
    let replayed = replay(&bundle, &["--parsers", &folder("none")]);
    assert_eq!(replayed.code, Some(2), "{}", replayed.stderr);
    assert!(replayed.stderr.contains("no parser in it is called `panic_in_poll`"));

    // The file beside it is not what it says.
    let honest = fs::read(&beside).unwrap();
    fs::write(&beside, rebuilt("panic_in_poll")).unwrap();
    let replayed = replay(&bundle, &[]);
    assert_eq!(replayed.code, Some(2), "{}", replayed.stderr);
    assert!(replayed.stderr.contains("it is not the file that its name says"));
    fs::write(&beside, &honest[..honest.len() / 2]).unwrap();
    assert_eq!(replay(&bundle, &[]).code, Some(2));

    // There is none.
    fs::remove_file(&beside).unwrap();
    let replayed = replay(&bundle, &[]);
    assert_eq!(replayed.code, Some(2), "{}", replayed.stderr);
    assert!(replayed.stderr.contains("name it with --parser FILE.wasm"), "{}", replayed.stderr);

    // Both are asked for.
    let both = ["--parsers", "x", "--parser", "y"];
    assert_eq!(replay(&bundle, &both).code, Some(2));
}

/// What `reports_deliveries` is given: what and whose, offset, bytes.
fn given(kept: &Kept) -> Vec<(String, u64, String)> {
    given_by(&kept.scratch, &kept.bundle())
}

fn given_by(scratch: &Scratch, bundle: &Path) -> Vec<(String, u64, String)> {
    let file = scratch.write("fixed.wasm", guests::guest("reports_deliveries"));
    let replayed = replay(bundle, &["--parser", file.to_str().unwrap()]);
    assert_eq!(replayed.code, Some(1), "{}", replayed.stderr);
    let row = |record: &&Value| {
        let data = &record["data"];
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        let what = format!("{} {}", text("what"), text("side"));
        (what, data["offset"].as_u64().unwrap(), text("bytes"))
    };
    replayed.of_type("reports_deliveries.delivery").iter().map(row).collect()
}

fn expected(rows: &[(&str, u64, &str)]) -> Vec<(String, u64, String)> {
    rows.iter().map(|(what, at, bytes)| ((*what).into(), *at, (*bytes).into())).collect()
}

#[test]
fn another_parser_is_given_what_it_has_not_skipped() {
    let opened = || Conversation::tcp(4000, BAD).open();
    // It skips ten bytes of the client when the first begins with an `s`.
    let flow = opened().send(Client, b"s").send(Client, b"12345").send(Server, b"xyz");
    let flow = flow.send(Client, b"67890abc\n").close();
    let rows = [("data client", 0, "s"), ("data server", 0, "xyz"), ("data client", 11, "abc\n")];
    assert_eq!(given(&Kept::of("loop_in_poll", flow)), expected(&rows));
}

#[test]
fn another_parser_is_given_nothing_of_a_side_that_it_is_done_with() {
    let flow = Conversation::tcp(4000, BAD).open().send(Client, b"d").send(Server, b"xyz");
    let flow = flow.fin(Server).send(Client, b"abc\n").close();
    let rows = [("data client", 0, "d"), ("data client", 1, "abc\n")];
    assert_eq!(given(&Kept::of("loop_in_poll", flow)), expected(&rows));
}

/// A bundle with these deliveries of a parser with this SHA-256.
fn by_hand(scratch: &Scratch, sha256: &str, inputs: &[String]) -> PathBuf {
    let count = inputs.len();
    let head = format!(
        r#"{{"flowrepro":1,"flowcell":"0.1.0","parser":{{"name":"reports_deliveries","version":"0.1.0",
        "sha256":"{sha256}"}},"limits":{{}},"uid":"F0","flow":{{"client":"10.0.0.1:4000",
        "server":"10.0.0.2:9","transport":"tcp","at":"2024-01-01T00:00:00Z","midstream":false,
        "originator":"client"}},"fault":{{"class":"trap","message":"","backtrace":[]}},
        "inputs":{count}}}"#
    );
    let text = [head.replace('\n', ""), inputs.join("\n"), String::new()].join("\n");
    scratch.write("by-hand.flowrepro", text)
}

fn data(side: &str, offset: u64, bytes: &str, more: &str) -> String {
    let at = "2024-01-01T00:00:01Z";
    format!(
        r#"{{"data":{{"side":"{side}","offset":{offset},"at":"{at}",{more}"bytes":"{bytes}"}}}}"#
    )
}

#[test]
fn what_the_other_parser_had_skipped_is_a_gap_to_one_that_wants_it() {
    let scratch = Scratch::new();
    let gap = |offset: u64, length: u64| {
        format!(
            r#"{{"gap":{{"side":"client","offset":{offset},"length":{length},"reason":"depth"}}}}"#
        )
    };
    // "abc", skipped, "def", a gap; then two where it skips itself, more and less than was skipped.
    let wants_all = [data("client", 0, "YWJj", ""), data("client", 103, "ZGVm", ""), gap(106, 5)];
    let skips = [data("client", 0, "c2Jj", ""), gap(3, 14), data("client", 117, "ZGVm", "")];
    let skips_more = [data("client", 0, "c2Jj", ""), gap(3, 8), data("client", 11, "ZGVm", "")];
    let other = "0".repeat(64);
    for (inputs, wanted) in [
        (
            &wants_all,
            expected(&[
                ("data client", 0, "abc"),
                ("gap client", 3, "100"),
                ("data client", 103, "def"),
                ("gap client", 106, "5"),
            ]),
        ),
        (
            &skips,
            expected(&[
                ("data client", 0, "sbc"),
                ("gap client", 13, "4"),
                ("gap client", 17, "100"),
                ("data client", 117, "def"),
            ]),
        ),
        (&skips_more, expected(&[("data client", 0, "sbc"), ("data client", 13, "f")])),
    ] {
        let bundle = by_hand(&scratch, &other, inputs);
        assert_eq!(given_by(&scratch, &bundle), wanted, "{inputs:?}");
    }
    // The bundle's own parser gets what it got.
    let digest = Sha256::digest(guests::guest("reports_deliveries"));
    let own: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let wanted =
        expected(&[("data client", 0, "sbc"), ("gap client", 3, "8"), ("data client", 11, "def")]);
    let bundle = by_hand(&scratch, &own, &skips_more);
    assert_eq!(given_by(&scratch, &bundle), wanted);
}

#[test]
fn datagrams_are_replayed_whole_and_empty_ones_too() {
    let scratch = Scratch::new();
    let inputs =
        [data("client", 0, "YWJj", ""), data("server", 0, "", ""), data("client", 3, "", "")];
    let bundle = by_hand(&scratch, &"0".repeat(64), &inputs);
    let text = fs::read_to_string(&bundle).unwrap();
    fs::write(&bundle, text.replace("\"tcp\"", "\"udp\"")).unwrap();
    let wanted =
        expected(&[("data client", 0, "abc"), ("data server", 0, ""), ("data client", 3, "")]);
    assert_eq!(given_by(&scratch, &bundle), wanted);
}

#[test]
fn packets_that_were_delivered_together_are_told_apart() {
    let scratch = Scratch::new();
    let more = r#""segments":[[1,"2024-01-01T00:00:00.5Z"],[2,"2024-01-01T00:00:01Z"]],"#;
    let bundle = by_hand(&scratch, &"0".repeat(64), &[data("client", 0, "YWJj", more)]);
    let wanted = expected(&[("data client", 0, "a"), ("data client", 1, "bc")]);
    assert_eq!(given_by(&scratch, &bundle), wanted);
}
