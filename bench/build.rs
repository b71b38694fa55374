//! Builds the guests that are measured.
#![allow(clippy::expect_used, reason = "a build script fails by panicking")]

#[path = "../host/build/guests.rs"]
mod guests;

fn main() {
    let root = guests::workspace_root();
    let built = guests::build(
        &root,
        &["-p", "flowcell-bench-guest", "--lib", "--examples"].map(String::from),
    );
    println!("cargo:rustc-env=GUEST={}", built.join("flowcell_bench_guest.wasm").display());
    println!("cargo:rustc-env=FAULTY={}", built.join("examples/faulty.wasm").display());
    for watched in ["bench/guest", "guest-sdk", "wit", "Cargo.lock", ".cargo/config.toml"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
}
