//! Recorded conversations (`tests/record/smb.sh`): whole, by packet, byte by byte, and cut at many
//! places.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use std::fs;
use std::path::Path;

use flowcell_sdk::testing::{Cut, FlowScript};

/// Cuts of each script: at every split it would take a minute.
const CUTS: usize = 60;

fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let text = fs::read_to_string(folder.join(name).with_extension("flow")).expect("text");
    let script = FlowScript::parse(&text).expect("script");
    assert!(!script.records.is_empty(), "{name} demands nothing");
    let whole = script.run(&smb::PARSER, Cut::Whole);
    script.demand(&whole, &smb::PARSER);
    assert_eq!(whole.verdicts, ["confirm"], "{name}");
    let cuts = (0..CUTS).map(|n| Cut::At(1 + n * 97));
    for cut in [Cut::Lines, Cut::Bytes].into_iter().chain(cuts) {
        assert_eq!(script.run(&smb::PARSER, cut), whole, "{name}, {cut:?}");
    }
    script.check_together(&smb::PARSER, Cut::Lines);
}

#[test]
fn files_are_written_renamed_read_and_deleted() {
    check("smb311");
}

#[test]
fn an_old_client_offers_smb1_and_smb2() {
    check("smb202");
}

#[test]
fn smb1_is_followed_to_the_session() {
    check("smb1");
}

#[test]
fn a_wrong_password() {
    check("wrong-password");
}

#[test]
fn nobody_in_particular() {
    check("anonymous");
}

#[test]
fn a_guest_may_read_and_not_write() {
    check("guest");
}

#[test]
fn what_is_encrypted_is_counted() {
    check("encrypted");
}

#[test]
fn answers_that_come_later() {
    check("notify");
}

#[test]
fn an_other_client() {
    check("touch");
}
