//! Compiling files that are hostile to the compiler, workers that are not what they should be, and the
//! cache of what was compiled.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod bombs;
mod cache;
mod policy;
mod workers;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flowcell::registry::compiler::CompilerLimits;
use flowcell::registry::{Compiler, LoadError, Loaded};
use flowcell::runtime::{CellLimits, Engine};
use flowcell_tests::command::{Scratch, read};
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
///
/// A process of its own writes it: what this one has open for writing, the processes that other tests start in
/// that moment have open too, until they are what they are to be, and the script can't be executed so long.
fn script(scratch: &Scratch, text: &str) -> PathBuf {
    let path = scratch.path("worker");
    let mut install = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("install of coreutils");
    let mut input = install.stdin.take().expect("piped");
    write!(input, "#!/bin/sh\n{text}\n").expect("written");
    drop(input);
    assert!(install.wait().expect("its end").success());
    path
}
