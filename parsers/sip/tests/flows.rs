//! Runs the parser natively over the flow scripts of this folder, at every split of the bytes.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use std::path::{Path, PathBuf};
use std::{fs, panic};

use flowcell_sdk::testing::FlowScript;

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let entries = fs::read_dir(folder).expect("folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "flow"));
    paths.sort();
    paths
}

#[test]
fn every_script() {
    let paths = scripts();
    assert!(paths.len() > 20, "only {} scripts were found", paths.len());
    let fails = |path: &&PathBuf| {
        let text = fs::read_to_string(path).expect("text");
        let check = || FlowScript::parse(&text).expect("script").check(&sip::PARSER);
        println!("{}", path.display());
        panic::catch_unwind(check).is_err()
    };
    let failed: Vec<&PathBuf> = paths.iter().filter(fails).collect();
    assert!(failed.is_empty(), "failed: {failed:?}");
}
