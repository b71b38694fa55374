//! Runs cargo for the wasm target from within a build script.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The folder with the workspace's `Cargo.toml`.
pub(crate) fn workspace_root() -> PathBuf {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets this"));
    let has_wit = |folder: &&Path| folder.join("wit/parser.wit").is_file();
    package.ancestors().find(has_wit).expect("a folder above has wit/parser.wit").to_owned()
}

/// Makes modules 6 % smaller. Not in `.cargo/config.toml`, to which this adds: the linker can not do it
/// where debug information stays, as in the profiles that authors use.
const COMPRESS: &str =
    r#"target.wasm32-unknown-unknown.rustflags = ["-Clink-arg=--compress-relocations"]"#;

/// Builds what `arguments` select with the profile `guest`; returns the folder of the results.
pub(crate) fn build(root: &Path, arguments: &[String]) -> PathBuf {
    // A target directory of its own: the outer cargo holds the lock of the usual one. It lies beside
    // the outer profile's, so that all build scripts share it.
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target = out.ancestors().nth(3).expect("OUT_DIR is deep inside the target directory");
    let target = target.join("guests");
    fs::create_dir_all(&target).expect("the target directory can be written");
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"));
    cargo
        .current_dir(root) // for .cargo/config.toml
        .args(["build", "--profile", "guest", "--target", "wasm32-unknown-unknown", "--target-dir"])
        .arg(&target)
        .args(["--config", COMPRESS])
        .args(arguments);
    // What the outer cargo was told about its own target, linter or coverage is not for guests.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let foreign = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_", "CARGO_TARGET_"]
            .iter()
            .any(|prefix| text.starts_with(prefix));
        if foreign || text.starts_with("RUSTC") || text.starts_with("CLIPPY") {
            cargo.env_remove(&name);
        }
    }
    let status = cargo.status().expect("cargo can be started");
    assert!(
        status.success(),
        "building the parsers for wasm failed; if the target is missing, install it with:\n\n    \
         rustup target add wasm32-unknown-unknown\n"
    );
    target.join("wasm32-unknown-unknown/guest")
}
