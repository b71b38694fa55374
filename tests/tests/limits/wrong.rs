//! Files of limits with a mistake in them.

use std::path::Path;

use flowcell_sdk::Side::Client;
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};

/// Runs a command over some capture with this file of limits.
fn run(scratch: &Scratch, command: &str, limits: &Path) -> Run {
    let flow = Conversation::tcp(53, 53).datagram(Client, b"who is there?");
    let capture = scratch.capture("some.pcap", &Pcap::of(&[flow]));
    Run::of(flowcell([command, "-q", "-r"]).arg(capture).arg("--limits").arg(limits))
}

/// What is told about a file that can not be taken, without the program's name and the file's folder.
fn told(content: &[u8]) -> String {
    let scratch = Scratch::new();
    let limits = scratch.write("limits.toml", content);
    let [by_run, by_streams] = ["run", "streams"].map(|command| run(&scratch, command, &limits));
    assert_eq!((by_run.code, by_run.stdout.as_str()), (Some(2), ""), "{}", by_run.stderr);
    assert_eq!((by_streams.code, &by_streams.stderr), (Some(2), &by_run.stderr));
    let folder = limits.with_file_name("");
    let start = format!("flowcell: {}", folder.display());
    let line = by_run.stderr.strip_prefix(&start).unwrap_or_else(|| panic!("{}", by_run.stderr));
    assert_eq!(line.lines().count(), 1, "{line}");
    line.trim_end().to_owned()
}

#[test]
fn every_mistake_is_told_with_its_place_and_its_cure() {
    let sizes = "B, kB, MB, GB, KiB, MiB, GiB";
    let cases: &[(&str, &str)] = &[
        // Names.
        (
            "[engine]\nmax_flows = 1\ntcp_timeout = 5\n",
            "3:1: `tcp_timeout` is no limit of [engine]; did you mean `tcp_timeout_ms`?",
        ),
        ("[cells]\n  mem0ry = 5\n", "2:3: `mem0ry` is no limit of [cells]; did you mean `memory`?"),
        ("engine.\"é\".x = 1", "1:8: `é` is no limit of [engine]; docs/limits.md lists them"),
        (
            "[cells.smtp]\nmemry = 5\n",
            "2:1: `memry` is no limit of [cells.smtp]; did you mean `memory`?",
        ),
        (
            "[engine]\nmemory = 5\n",
            "2:1: `memory` belongs into the section [cells], not into [engine]",
        ),
        (
            "[cells.smtp]\ncells = 5\n",
            "2:1: `cells` belongs into the section [cells], not into [cells.smtp]",
        ),
        ("\nmax_flows = 5\n", "2:1: `max_flows` belongs below a line that says [engine]"),
        (
            "[flows]\nmax_flows = 5\n",
            "1:2: `flows` is no section; there are [engine], [cells], [cells.PARSER], [breaker], \
             [compiler] and [repro]",
        ),
        (
            "[[engine]]\n",
            "1:3: `engine` is a section: write [engine] on a line of its own, not [[engine]]",
        ),
        (
            "cells = 5\n",
            "1:1: `cells` is a section: write [cells] on a line of its own, not cells = …",
        ),
        // Built in.
        ("[engine]\nvlan_tags = 9\n", "2:1: `vlan_tags` is built in and can't be set"),
        ("[cells.smtp]\nstack = 9\n", "2:1: `stack` is built in and can't be set"),
        // Units.
        (
            "[engine]\n\nhold_total = '64 mb'\n",
            &format!("3:14: `mb` is no unit of `hold_total`; there are: {sizes}"),
        ),
        (
            "[cells]\nmemory = '5 s'\n",
            &format!("2:10: `s` is no unit of `memory`; there are: {sizes}"),
        ),
        (
            "[engine]\ntcp_timeout_ms = '10 minutes'",
            "2:18: `minutes` is no unit of `tcp_timeout_ms`; there are: ms, s, min, h",
        ),
        ("[cells]\ncall_time = '100'", "2:13: `call_time` lacks a unit behind 100: ms, s, min, h"),
        (
            "[engine]\nmax_flows = '5 flows'",
            "2:13: `max_flows` is a whole number of flows, without quotes, not `5 flows`",
        ),
        (
            "[engine]\ndepth = '1.5 MiB'",
            "2:9: `depth` is a whole number of bytes, or a text like \"64 KiB\", not `1.5 MiB`",
        ),
        (
            "[engine]\nudp_timeout_ms = ''",
            "2:18: `udp_timeout_ms` is a whole number of ms, or a text like \"30 s\", not ``",
        ),
        // Types.
        (
            "[cells]\nmemory = true",
            "2:10: `memory` is a whole number of bytes, or a text like \"64 KiB\", not a boolean",
        ),
        (
            "[cells]\nlog_lines = 1.5",
            "2:13: `log_lines` is a whole number of lines, without quotes, not a float",
        ),
        (
            "[engine]\nmax_flows = [5]",
            "2:13: `max_flows` is a whole number of flows, without quotes, not an array",
        ),
        (
            "[engine.max_flows]\nx = 1",
            "1:1: `max_flows` is a whole number of flows, without quotes, not a table",
        ),
        // Values.
        (
            "[engine]\nmax_flows = -5",
            "2:13: `max_flows` can't be negative; it is a whole number of flows, without quotes",
        ),
        (
            "[cells]\nmemory = '-1 MiB'",
            "2:10: `memory` can't be negative; it is a whole number of bytes, or a text like \"64 KiB\"",
        ),
        ("[engine]\nmax_flows = 0", "2:13: `max_flows` must be at least 1 flows"),
        ("[cells]\ncall_time = 0", "2:13: `call_time` must be at least 1 ms of CPU"),
        ("[cells]\nmemory = '1 KiB'", "2:10: `memory` must be at least 65536 bytes"),
        ("[engine]\nmax_flows = 4294967294", "2:13: `max_flows` can be at most 4294967293 flows"),
        ("[engine]\nmax_jump = '2 GiB'", "2:12: `max_jump` can be at most 1073741824 bytes"),
        (
            "[cells]\ncells = 5_000_000_000",
            "2:9: `cells` can be at most 4294967295 cells at a time",
        ),
        (
            "[engine]\ndepth = 18446744073709551616",
            "2:9: `depth` can be at most 18446744073709551615 bytes",
        ),
        (
            "[engine]\ndepth = '18446744073709551615 KiB'",
            "2:9: `depth` can be at most 18446744073709551615 bytes",
        ),
        // TOML.
        ("[engine]\ndepth = 1\ndepth = 2", "3:1: `depth` is there twice; keep one"),
        ("[engine]\n[cells]\n[engine]", "3:2: `engine` is there twice; keep one"),
        ("[engine]\ndepth 5", "2:7: not TOML: key with no value, expected `=`"),
    ];
    for (content, expected) in cases {
        assert_eq!(told(content.as_bytes()), format!("limits.toml:{expected}"), "{content}");
    }
    let latin1 = told(b"[engine]\n# \xe9\n");
    assert_eq!(latin1, "limits.toml:2:3: not UTF-8, which TOML is; save the file as UTF-8");
}

#[test]
fn the_first_mistake_is_told() {
    let told = told(b"[cells]\nmemory = 1\n[engine]\nmax_flows = 0\n");
    assert!(told.starts_with("limits.toml:2:10:"), "{told}");
}

#[test]
fn a_file_that_can_not_be_read_is_told() {
    let scratch = Scratch::new();
    let nowhere = run(&scratch, "run", &scratch.path("nowhere.toml"));
    assert_eq!((nowhere.code, nowhere.stdout.as_str()), (Some(2), ""));
    let why = "nowhere.toml: No such file or directory (os error 2) (--limits wants a TOML file)\n";
    assert!(nowhere.stderr.ends_with(why), "{}", nowhere.stderr);
    let folder = run(&scratch, "run", &scratch.path(""));
    assert_eq!(folder.code, Some(2));
    assert!(folder.stderr.contains("Is a directory"), "{}", folder.stderr);
    let endless = run(&scratch, "run", Path::new("/dev/zero"));
    assert_eq!(endless.code, Some(2));
    assert!(endless.stderr.contains("/dev/zero: longer than 1048576 bytes"), "{}", endless.stderr);
}

#[test]
fn a_section_for_a_parser_that_is_not_there_is_told_and_no_error() {
    let scratch = Scratch::new();
    let misspelt = scratch.write("a.toml", "[cells.smpt]\nmemory = '1 MiB'\n");
    let misspelt = run(&scratch, "run", &misspelt);
    assert_eq!((misspelt.code, misspelt.of_type("flow").len()), (Some(0), 1));
    let cure = "a.toml:1:8: no parser is called `smpt`; did you mean [cells.smtp]?\n";
    assert!(misspelt.stderr.ends_with(cure), "{}", misspelt.stderr);
    let right = scratch.write("b.toml", "[cells.smtp]\nmemory = '1 MiB'\n");
    assert_eq!(run(&scratch, "run", &right).stderr, "");
}

/// The example in `docs/limits.md` is right.
#[test]
fn the_documented_example_is_taken() {
    let page = include_str!("../../../docs/limits.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let example = example.expect("the page has an example");
    assert!(example.contains("[cells.smtp]"), "{example}");
    let scratch = Scratch::new();
    let run = run(&scratch, "run", &scratch.write("limits.toml", example));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}
