//! Builds the guests of `tests/guests` for wasm, and lists them.
#![allow(clippy::expect_used, reason = "a build script fails by panicking")]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "../host/build/guests.rs"]
mod guests;
#[path = "../host/build/parsers.rs"]
mod parsers;

fn main() {
    let root = guests::workspace_root();
    let built =
        guests::build(&root, &["-p", "flowcell-test-guests", "--examples"].map(String::from));
    println!("cargo:rustc-env=GUESTS={}", built.join("examples").display());
    // The template is what people copy; the bundled parsers' modules are compared with their
    // native builds.
    let names = parsers::names(&root);
    let built = guests::build(&root, &parsers::packages(&names));
    println!("cargo:rustc-env=PARSERS={}", built.display());
    list_parsers(&names);
    list_guests(&root.join("tests/guests"));
    for watched in
        ["parsers", "guest-sdk", "wit", "tests/guests", "Cargo.lock", ".cargo/config.toml"]
    {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
}

/// Writes the names of all parsers.
fn list_parsers(names: &[String]) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("parsers.rs"), format!("&{names:?}")).expect("OUT_DIR can be written");
}

/// Writes a macro that names every guest, so that one without a test is a compile error.
fn list_guests(folder: &Path) {
    let mut names = BTreeSet::new();
    for (folder, extension) in [(folder.join("examples"), "rs"), (folder.join("raw"), "wat")] {
        for entry in fs::read_dir(&folder).expect("the folder of guests can be listed") {
            let path = entry.expect("the folder of guests can be listed").path();
            if path.extension() == Some(OsStr::new(extension)) {
                let name = path.file_stem().and_then(OsStr::to_str).expect("a name in ASCII");
                assert!(names.insert(name.to_owned()), "two guests are called {name}");
            }
        }
    }
    let calls: String = names.iter().map(|name| format!("        $check!({name});\n")).collect();
    let text = format!(
        "/// Calls `$check!(name)` for every parser in `tests/guests`.\n\
         #[macro_export]\n\
         macro_rules! for_each_guest {{\n    ($check:ident) => {{\n{calls}    }};\n}}\n"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("for_each_guest.rs"), text).expect("OUT_DIR can be written");
}
