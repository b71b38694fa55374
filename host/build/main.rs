//! Builds the bundled parsers for wasm, so that they can be embedded in the binary.
#![allow(clippy::expect_used, reason = "a build script fails by panicking")]

mod guests;
mod parsers;

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let root = guests::workspace_root();
    // All but the one to copy.
    let mut names = parsers::names(&root);
    names.retain(|name| name != "template");
    let built = guests::build(&root, &parsers::packages(&names));
    for watched in ["parsers", "guest-sdk", "wit", "Cargo.lock", ".cargo/config.toml"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
    let entries: String = names
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
