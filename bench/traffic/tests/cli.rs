//! The program makes what the library makes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use flowcell_traffic::{Impairments, Mix, Rate, write_pcap};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowcell-traffic")).args(args).output().expect("it runs")
}

#[test]
fn a_mix_on_standard_output_is_that_of_the_library() {
    let impairments = Impairments { loss: Rate::per_million(10_000), ..Impairments::default() };
    let mix = Mix { flows: 50, seed: 9, impairments, ..Mix::default() };
    let mut wanted = Vec::new();
    let made = write_pcap(&mut wanted, |output| mix.frames(output)).unwrap();
    let output = run(&["mix", "--flows", "50", "--seed", "9", "--loss", "1%"]);
    assert!(output.status.success());
    assert!(output.stdout == wanted, "other bytes");
    let told = format!("50 flows, {} frames, {} bytes\n", made.frames, made.bytes);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), told);
}

#[test]
fn the_truth_has_a_line_for_each_flow() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("truth.json");
    let output = run(&["mix", "--flows", "30", "--truth", path.to_str().unwrap()]);
    assert!(output.status.success());
    assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 30);
}

#[test]
fn every_command_makes_a_capture() {
    for args in [
        &["open", "--flows", "5", "--rounds", "2"][..],
        &["syn-flood", "--flows", "5"],
        &["fragment-bomb", "--datagrams", "5"],
        &["one-byte-segments", "--bytes", "5", "--holes"],
        &["hole", "--bytes", "5000"],
        &["collide", "--flows", "5"],
        &["tunnel-tower", "--flows", "5"],
    ] {
        let output = run(args);
        assert!(output.status.success(), "{args:?}");
        assert!(output.stdout.starts_with(&[0x4d, 0x3c, 0xb2, 0xa1]), "{args:?}");
        assert!(output.stdout.len() > 24 + 16, "{args:?}");
    }
}

#[test]
fn options_that_make_no_sense_are_refused_before_anything_is_written() {
    for (args, wanted) in [
        (&["mix", "--loss", "2"][..], "give a number from 0 to 1"),
        (&["mix", "--loss", "0.6", "--reorder", "0.6"], "add up to more than 1"),
        (&["mix", "--mail", "0", "--web", "0", "--dns", "0"], "add up to nothing"),
        (&["tunnel-tower", "--layers", "2000"], "2000 is not in 0..=1000"),
    ] {
        let output = run(args);
        assert!(!output.status.success(), "{args:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(wanted), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}
