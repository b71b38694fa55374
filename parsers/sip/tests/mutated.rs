//! Damaged conversations never panic, and do not depend on segments.

use flowcell_sdk::testing::{check_damaged, scripts_in};

#[test]
fn damaged_scripts() {
    let scripts = scripts_in(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
    let scripts: Vec<_> = scripts.into_iter().map(|(_, script)| script).collect();
    check_damaged(&scripts, &sip::PARSER, 200);
}
