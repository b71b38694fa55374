//! Files that do not become parsers: the run says why, and goes on with the others.

use flowcell_sdk::Side::Client;
use flowcell_tests::command::{Run, Scratch, flowcell, read};
use flowcell_tests::guests;
use flowcell_tests::packets::Pcap;

use super::{flow_record, run_with, two_lines};

/// What is told of a guest that can not be loaded. Its flow is tracked without it.
pub(crate) fn refused(guest: &str) -> String {
    let run = run_with(guest, &[two_lines()]);
    assert!(flow_record(&run)["data"].get("parsers").is_none(), "{}", run.stdout);
    told(&run, &format!("{guest}.wasm"))
}

/// Runs with a file beside the echo parser; returns what is told of it.
pub(crate) fn refused_file(bytes: &[u8]) -> String {
    let scratch = Scratch::new();
    let capture = scratch.capture("echo.pcap", &Pcap::of(&[super::echoes()]));
    let parsers = scratch.parsers(&[]);
    scratch.write("parsers/odd.wasm", bytes);
    let run = Run::of(flowcell(["run", "--parsers"]).arg(parsers).arg("-r").arg(capture));
    assert_eq!(run.of_type("echo.exchange").len(), 3, "the other parser works\n{}", run.stderr);
    told(&run, "odd.wasm")
}

/// The message about `file`, without the path in front.
fn told(run: &Run, file: &str) -> String {
    assert_eq!(run.code, Some(2), "an input error\n{}", run.stderr);
    assert!(run.of_type("fault").is_empty(), "{}", run.stdout);
    let about = format!("/parsers/{file}: ");
    let start = run.stderr.find(&about).unwrap_or_else(|| panic!("{about}\n{}", run.stderr));
    let (before, after) = run.stderr.split_at(start);
    let line_start = before.rsplit('\n').next().unwrap_or_default();
    assert!(line_start.starts_with("flowcell: "), "a message of its own in\n{}", run.stderr);
    // Further lines of one message are indented.
    let mut lines = after[about.len()..].lines();
    let first = lines.next().unwrap_or_default();
    let more = lines.take_while(|line| line.starts_with("  "));
    more.fold(first.to_owned(), |message, line| message + line)
}

#[track_caller]
pub(crate) fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` in: {message}");
    }
}

#[test]
pub(crate) fn loop_in_describe() {
    assert_says(&refused("loop_in_describe"), &["describe()", "deadline", "took too long"]);
}

#[test]
pub(crate) fn loop_in_start() {
    assert_says(&refused("loop_in_start"), &["describe()", "deadline", "took too long"]);
}

#[test]
pub(crate) fn loop_in_post_return() {
    assert_says(&refused("loop_in_post_return"), &["describe()", "deadline", "took too long"]);
}

#[test]
pub(crate) fn list_overflows() {
    assert_says(&refused("list_overflows"), &["describe()", "trap", "out of bounds"]);
}

#[test]
pub(crate) fn bad_kind() {
    assert_says(&refused("bad_kind"), &["describe()", "trap", "discriminant"]);
}

#[test]
pub(crate) fn panic_in_describe() {
    assert_says(&refused("panic_in_describe"), &["describe()", "trap", "no name comes to mind"]);
}

#[test]
pub(crate) fn emit_in_describe() {
    let message = refused("emit_in_describe");
    assert_says(&message, &["describe()", "host_call", "`emit` called from `describe`"]);
}

#[test]
pub(crate) fn big_memory() {
    let message = refused("big_memory");
    assert_says(
        &message,
        &["memory", "6553600 bytes of memory wanted, 4194304 allowed (`memory`)"],
    );
}

#[test]
pub(crate) fn big_table() {
    let message = refused("big_table");
    assert_says(
        &message,
        &["memory", "20000 table elements wanted, 10000 allowed (`table_elements`)"],
    );
}

#[test]
pub(crate) fn name_out_of_bounds() {
    assert_says(&refused("name_out_of_bounds"), &["describe()", "trap", "out of bounds"]);
}

#[test]
pub(crate) fn name_not_utf8() {
    assert_says(&refused("name_not_utf8"), &["describe()", "trap", "utf-8"]);
}

#[test]
pub(crate) fn endless_description() {
    assert_says(&refused("endless_description"), &["describe()", "host_call"]);
}

#[test]
pub(crate) fn bad_name() {
    let message = refused("bad_name");
    let expected = "name `Not A Name?` which is not [a-z][a-z0-9_-]* of at most 32 bytes";
    assert_says(&message, &["describe()", expected]);
}

#[test]
pub(crate) fn duplicate_record() {
    assert_says(&refused("duplicate_record"), &["describe()", "record `twin` twice"]);
}

#[test]
pub(crate) fn forward_object() {
    let message = refused("forward_object");
    assert_says(&message, &["object `ouroboros`, field `tail`", "not an object before it"]);
}

#[test]
pub(crate) fn doubling_objects() {
    assert_says(&refused("doubling_objects"), &["object `level`", "more than 4096 fields"]);
}

#[test]
fn what_is_no_wasm() {
    assert_says(&refused_file(b""), &["the file is empty"]);
    assert_says(&refused_file(b"#!/bin/sh\n"), &["not a WebAssembly file", "00 61 73 6d"]);
    let noise: Vec<u8> = (0..200u8).map(|byte| byte.wrapping_mul(37)).collect();
    refused_file(&[b"\0asm\x01\0\0\0", noise.as_slice()].concat());
    refused_file(&[b"\0asm\x0d\0\x01\0", noise.as_slice()].concat());
    refused_file(b"\0asm");
}

#[test]
fn the_first_half_of_a_parser() {
    let whole = read(&guests::parser("template"));
    let message = refused_file(&whole[..whole.len() / 2]);
    assert_says(&message, &["unexpected end"]);
}

#[test]
fn a_module_without_the_contract() {
    let message = refused_file(&guests::module("(module (func (export \"poll\")))"));
    assert_says(&message, &["component-type", "flowcell:parser/parser@0.1.0", "flowcell-sdk"]);
}

#[test]
fn a_module_that_lacks_an_export() {
    let module = guests::module("(module (memory (export \"memory\") 1))");
    assert_says(&refused_file(&guests::with_contract(module)), &["describe"]);
}

#[test]
fn a_module_that_imports_wasi() {
    let module = guests::module(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
              (func (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1))"#,
    );
    let message = refused_file(&guests::with_contract(module));
    assert_says(&message, &["wasi_snapshot_preview1", "wasm32-unknown-unknown"]);
}

#[test]
fn a_component_that_imports_wasi() {
    let component = guests::module(
        r#"(component
            (import "wasi:cli/environment@0.2.0" (instance
              (export "get-environment"
                (func (result (list (tuple string string))))))))"#,
    );
    let message = refused_file(&component);
    assert_says(&message, &["it imports wasi:cli/environment@0.2.0", "wasm32-unknown-unknown"]);
}

#[test]
fn a_component_of_another_world() {
    let component = guests::module(
        r#"(component
            (core module $m (func (export "run")))
            (core instance $i (instantiate $m))
            (func (export "run") (canon lift (core func $i "run"))))"#,
    );
    let message = refused_file(&component);
    assert_says(
        &message,
        &["flowcell:parser/parser@0.1.0", "does not export describe, open, poll"],
    );
}

#[test]
fn a_component_whose_exports_are_of_other_types() {
    let component = guests::module(
        r#"(component
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (export "describe" (func $f))
            (export "open" (func $f))
            (export "poll" (func $f)))"#,
    );
    assert_says(&refused_file(&component), &["it is not of the world", "describe"]);
}

#[test]
fn a_second_parser_of_the_same_name() {
    let message = refused_file(&guests::guest("echo_v2"));
    assert_says(&message, &["it calls itself `echo`", "/parsers/echo.wasm", "remove one"]);
}

#[test]
fn a_file_that_is_far_too_long() {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    bytes.resize((16 << 20) + 1, 0);
    assert_says(&refused_file(&bytes), &["16777217 bytes are more than the 16777216"]);
}

/// A file that is no parser of a flow does not change that the run reads all its input.
#[test]
fn all_parsers_refused() {
    let scratch = Scratch::new();
    let flow = two_lines().send(Client, b"");
    let capture = scratch.capture("two.pcap", &Pcap::of(&[flow]));
    let file = scratch.write("bad/odd.wasm", b"not wasm");
    let folder = file.parent().expect("a folder");
    let run = Run::of(flowcell(["run", "--parsers"]).arg(folder).arg("-r").arg(capture));
    assert_eq!((run.code, run.of_type("flow").len()), (Some(2), 1), "{}", run.stderr);
}
