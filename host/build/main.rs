//! Builds the bundled parsers for wasm, so that they can be embedded in the binary.
#![allow(clippy::expect_used, reason = "a build script fails by panicking")]

mod guests;

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = guests::workspace_root();
    let parsers = bundled(&root.join("parsers"));
    let packages: Vec<String> =
        parsers.iter().map(|name| format!("flowcell-parser-{name}")).collect();
    let packages: Vec<&str> = packages.iter().flat_map(|name| ["-p", name]).collect();
    let built = guests::build(&root, &packages);
    for watched in ["parsers", "guest-sdk", "wit", "Cargo.lock", ".cargo/config.toml"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
    let entries: String = parsers
        .iter()
        .map(|name| format!("(\"{name}\", include_bytes!({:?})),\n", built.join(file_name(name))))
        .collect();
    let list = format!("&[\n{entries}]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("bundled.rs"), list).expect("OUT_DIR can be written");
}

fn file_name(parser: &str) -> String {
    format!("{}.wasm", parser.replace('-', "_"))
}

/// All parsers but the one to copy. Their folder also has the libraries that they share, which are not
/// built as modules.
fn bundled(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the workspace has a folder `parsers`");
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let manifest = fs::read_to_string(entry.path().join("Cargo.toml"));
            manifest.is_ok_and(|manifest| manifest.contains("cdylib"))
        })
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name != "template")
        .collect();
    names.sort();
    names
}
