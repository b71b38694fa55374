//! Damaged conversations never panic, and do not depend on segments.

use flowcell_sdk::Side;
use flowcell_sdk::testing::{FlowScript, Step, check_damaged, scripts_in};

/// What is left of a conversation if a side is not in the capture.
fn without(silent: Side, script: &FlowScript) -> FlowScript {
    let mut script = script.clone();
    script.steps.retain(|step| !matches!(step, Step::Data { side, .. } if *side == silent));
    script
}

#[test]
fn damaged_scripts() {
    let scripts = scripts_in(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
    let scripts: Vec<_> = scripts.into_iter().map(|(_, script)| script).collect();
    check_damaged(&scripts, &ftp::PARSER, 100);
    let one_sided = [Side::Client, Side::Server]
        .map(|side| scripts.iter().map(|script| without(side, script)).collect::<Vec<_>>());
    check_damaged(&one_sided.concat(), &ftp::PARSER, 20);
}
