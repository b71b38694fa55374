//! Builds the guests of `tests/guests` for wasm.

#[path = "../host/build/guests.rs"]
mod guests;

fn main() {
    let root = guests::workspace_root();
    let built = guests::build(&root, &["-p", "flowcell-test-guests", "--examples"]);
    println!("cargo:rustc-env=GUESTS={}", built.join("examples").display());
    // The template is what people copy; the bundled parsers' modules are compared with their
    // native builds.
    let parsers = guests::build(&root, &["-p", "flowcell-parser-template", "-p", "flowcell-parser-smtp"]);
    println!("cargo:rustc-env=PARSERS={}", parsers.display());
    for watched in ["parsers", "guest-sdk", "wit", "tests/guests", "Cargo.lock", ".cargo/config.toml"] {
        println!("cargo:rerun-if-changed={}", root.join(watched).display());
    }
}
