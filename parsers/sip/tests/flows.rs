//! Runs the parser natively over the flow scripts of this folder, at every split of the bytes.

use flowcell_sdk::testing::check_folder;

#[test]
fn every_script() {
    check_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"), &sip::PARSER);
}
