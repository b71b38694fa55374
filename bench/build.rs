//! Builds the guest that is measured.
#![allow(clippy::expect_used, reason = "a build script fails by panicking")]

#[path = "../host/build/guests.rs"]
mod guests;

fn main() {
    let root = guests::workspace_root();
    let built = guests::build(&root, &["-p", "flowcell-bench-guest"]);
    println!("cargo:rustc-env=GUEST={}", built.join("flowcell_bench_guest.wasm").display());
    for watched in ["bench/guest", "guest-sdk", "wit", "Cargo.lock", ".cargo/config.toml"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
}
