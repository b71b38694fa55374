//! Compiling files that are hostile to the compiler, workers that are not what they should be, and the
//! cache of what was compiled.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod bombs;
mod cache;
mod policy;
mod workers;

use std::path::{Path, PathBuf};

use flowcell::registry::compiler::CompilerLimits;
use flowcell::registry::{Compiler, LoadError, Loaded};
use flowcell::runtime::{CellLimits, Engine};
use flowcell_tests::command::read;
use flowcell_tests::guests;

/// The echo parser.
fn echo() -> Vec<u8> {
    read(&guests::parser("template"))
}

fn limits(settings: &[&str]) -> CompilerLimits {
    CompilerLimits::of_settings(settings.iter().copied()).unwrap()
}

/// Has `bytes` compiled by `program`.
fn load(program: &Path, limits: &CompilerLimits, bytes: &[u8]) -> Result<Loaded, LoadError> {
    load_by(&Compiler::subprocess(program.to_owned(), *limits), bytes)
}

fn load_by(compiler: &Compiler, bytes: &[u8]) -> Result<Loaded, LoadError> {
    let engine = Engine::new().expect("wasmtime");
    compiler.load(&engine, "some.wasm".into(), bytes, &CellLimits::default().into())
}

/// Why `bytes` are refused, without the file's name.
#[track_caller]
fn refusal(program: &Path, limits: &CompilerLimits, bytes: &[u8]) -> String {
    let error = load(program, limits, bytes).expect_err("it is refused").to_string();
    error.strip_prefix("some.wasm: ").expect("the file's name").to_owned()
}

/// A program that is a shell script.
fn script(scratch: &flowcell_tests::command::Scratch, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = scratch.write("worker", format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}
