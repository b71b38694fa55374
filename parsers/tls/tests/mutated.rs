//! The scripts of this folder, damaged: no panic, and the same outcome however the bytes are cut.

use flowcell_sdk::testing::{check_damaged, scripts_in};

#[test]
fn damaged_handshakes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let scripts: Vec<_> = scripts_in(folder).into_iter().map(|(_, script)| script).collect();
    check_damaged(&scripts, &tls::PARSER, 250);
}
