//! Every limit of `[repro]` is reached, and those of a cell are what they were, within reason.

use std::fs;

use flowcell::driver::repro::ReproLimits;
use flowcell_sdk::Side::Client;
use flowcell_tests::command::Scratch;
use flowcell_tests::packets::Conversation;
use serde_json::{Value, json};

use super::{BAD, Kept, lines, read, replay, two_lines};

/// A flow with 2 kB before what its parser can not take, which comes in the eleventh delivery.
fn late() -> Conversation {
    let line = [&[b'x'; 1999][..], b"\n"].concat();
    Conversation::tcp(4000, BAD).open().send_cut(Client, &line, 200).send(Client, b"two\n").close()
}

/// The counters of a run with and without a limit, and what the bundle of the former lacks.
fn reached(limit: &str, value: &str) -> (Value, Value, Value) {
    let limits = format!("[repro]\n{limit} = {value}\n");
    let with = Kept::with("panic_in_poll", &[late()], &limits, &[]);
    let without = Kept::of("panic_in_poll", late());
    let missing = with.bundles().first().map(|bundle| lines(bundle).remove(0)["truncated"].clone());
    let stats = |kept: &Kept| kept.stats()["repro"].clone();
    (stats(&with), stats(&without), missing.unwrap_or_default())
}

#[test]
fn every_limit_is_reached_where_it_is_set() {
    for row in ReproLimits::TABLE {
        let (value, missing) = match row.name {
            // Some of the deliveries, none of them.
            "repro_bytes" => ("2_000", json!("repro_bytes")),
            "repro_total" => ("0", json!("repro_total")),
            "repro_bundles" => ("0", Value::Null),
            "repro_dir_bytes" => ("'1 KiB'", Value::Null),
            name => panic!("nothing runs into the limit `{name}`"),
        };
        let (with, without, found) = reached(row.name, value);
        assert_eq!(
            (&with[row.counter], &without[row.counter]),
            (&json!(1), &json!(0)),
            "{}",
            row.name
        );
        assert_eq!(found["limit"], missing, "{}", row.name);
    }
}

#[test]
fn a_bundle_that_was_cut_says_so() {
    let kept = Kept::with(
        "panic_in_poll",
        &[late()],
        "[repro]\nrepro_bytes = 2_000\n",
        &["--cell-mode", "alone"],
    );
    let bundle = kept.bundle();
    let found = lines(&bundle);
    let there = found.len() as u64 - 1;
    assert!((1..10).contains(&there), "{there}");
    assert_eq!(found[0]["inputs"], there);
    let missing = &found[0]["truncated"];
    assert_eq!(missing["inputs"], 11 - there);
    assert_eq!(missing["bytes"], 2004 - 200 * there);
    let replayed = replay(&bundle, &[]);
    assert_eq!(replayed.code, Some(1), "{}", replayed.stderr);
    let told = format!(
        "lacks the last {} deliveries ({} bytes; limit repro_bytes)",
        11 - there,
        2004 - 200 * there
    );
    assert!(replayed.stderr.contains(&told), "{}", replayed.stderr);
    assert!(replayed.stderr.contains("the fault does not happen: the parser took all"));
}

/// A flow that is cut does not take room from others, and one that ends gives its room back.
#[test]
fn flows_that_end_well_make_room() {
    let good = |port| Conversation::tcp(port, 7).open().send(Client, &[b'x'; 5000]).close();
    let mut flows: Vec<_> = (4000..4200).map(good).collect();
    // All of the good ones are over by then.
    let wait = (0..40).fold(Conversation::tcp(1, 1), |flow, _| flow.frame(vec![0; 60]));
    let rest = late();
    flows.push(rest.frames().iter().fold(wait, |flow, frame| flow.frame(frame.clone())));
    // A seventeenth is for one lane: four good flows at a time.
    let kept = Kept::with("panic_in_poll", &flows, "[repro]\nrepro_total = 400_000\n", &[]);
    assert_eq!(lines(&kept.bundle())[0]["truncated"], Value::Null, "{}", kept.stats());
}

#[test]
fn a_parser_that_does_not_fit_is_left_out() {
    let limits = "[repro]\nrepro_dir_bytes = '4 KiB'\n";
    let kept = Kept::with("panic_in_poll", &[two_lines(4000)], limits, &[]);
    assert_eq!(super::list(&kept.folder()), [kept.bundle()]);
    let replayed = replay(&kept.bundle(), &[]);
    assert_eq!(replayed.code, Some(2), "{}", replayed.stderr);
    let parser = kept.scratch.path("parsers/panic_in_poll.wasm");
    assert_eq!(replay(&kept.bundle(), &["--parser", parser.to_str().unwrap()]).code, Some(0));
}

#[test]
fn the_limits_of_the_cell_are_those_of_the_run() {
    let kept = Kept::with(
        "record_flood",
        &[two_lines(4000)],
        "[cells.record_flood]\nrecords_per_call = 10\n",
        &[],
    );
    let replayed = replay(&kept.bundle(), &[]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert!(replayed.stderr.contains("more than 10 records in one call"), "{}", replayed.stderr);
}

#[test]
fn a_bundle_can_not_raise_the_limits() {
    let limits = "[cells]\nmemory = '8 MiB'\n";
    let kept = Kept::with("memory_bomb", &[two_lines(4000)], limits, &[]);
    let message = |run: &flowcell_tests::command::Run| {
        run.only("fault")["data"]["message"].as_str().unwrap().to_owned()
    };
    let replayed = replay(&kept.bundle(), &[]);
    assert_eq!(replayed.code, Some(1), "{}", replayed.stderr);
    let told = "limit memory is 8388608 bytes; 4194304 are allowed here (--limits allows more)";
    assert!(replayed.stderr.contains(told), "{}", replayed.stderr);
    assert!(message(&replayed).ends_with("4194304 allowed (`memory`)"), "{}", message(&replayed));
    // The operator may.
    let file = kept.scratch.write("more.toml", "[cells]\nmemory = '1 GiB'\n");
    let replayed = replay(&kept.bundle(), &["--limits", file.to_str().unwrap()]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert!(message(&replayed).ends_with("8388608 allowed (`memory`)"), "{}", message(&replayed));
}

#[test]
fn nonsense_is_told_with_file_and_line() {
    let kept = Kept::of("panic_in_poll", two_lines(4000));
    let scratch = Scratch::new();
    let good = String::from_utf8(read(&kept.bundle())).unwrap();
    fs::copy(kept.parser(), scratch.path(kept.parser().file_name().unwrap().to_str().unwrap()))
        .unwrap();
    let whole = scratch.write("b.flowrepro", &good);
    assert_eq!(replay(&whole, &[]).code, Some(0), "a bundle may be moved together with its parser");
    let (first, _) = good.split_once('\n').unwrap();
    for (text, place) in [
        (String::new(), ":1: the file is empty"),
        (first.to_owned(), ":1: the line has no end"),
        (format!("{first}\n"), ":2: the file ends after 0 deliveries of 3"),
        (good.replace("\"data\"", "\"date\""), ":2:7: not a delivery: unknown variant `date`"),
        (good.replace("\"flowrepro\":1", "\"flowrepro\":7"), ":1: a bundle of format 7"),
        (good.replace("panic_in_poll", "\\u001b[31m"), ":1: `parser.name` is not what it can be"),
    ] {
        let file = scratch.write("bad.flowrepro", text);
        let run = replay(&file, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("bad.flowrepro{place}")), "{place}: {}", run.stderr);
        assert!(!run.stderr.contains('\u{1b}'), "no control characters for the terminal");
    }
    for path in [scratch.path("nowhere"), scratch.path("")] {
        let run = replay(&path, &[]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(
            run.stderr.contains("wants a file that `run --repro-dir` has written"),
            "{}",
            run.stderr
        );
    }
}
