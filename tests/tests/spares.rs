//! An instance whose flow is over serves another one only if nothing of the first can be left in it.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use flowcell::registry::load;
use flowcell::runtime::{Cell, CellLimits, Chunk, Engine, Input, Parser, Side};
use flowcell_tests::guests;

fn parser(engine: &Engine, guest: &str) -> Arc<Parser> {
    load(engine, guest.into(), &guests::guest(guest), CellLimits::default()).expect(guest).parser
}

fn open(parser: &Arc<Parser>) -> Cell {
    Cell::open(parser, guests::flow()).expect("it opens")
}

/// One flow of one line. Says whether it went well.
fn run(parser: &Arc<Parser>) -> bool {
    says(parser, b"one\r\n")
}

fn says(parser: &Arc<Parser>, bytes: &[u8]) -> bool {
    let chunk = Chunk { side: Side::Client, offset: 0, at: 0, segments: None, bytes };
    open(parser).poll(Input::Data(chunk)).is_ok()
}

#[test]
fn an_instance_serves_one_flow_after_the_other() {
    let parser = parser(&Engine::new().expect("wasmtime"), "finds_leftovers");
    assert_eq!(parser.spares(), 0);
    for _ in 0..3 {
        assert!(run(&parser), "it found something");
        assert_eq!(parser.spares(), 1);
    }
    let both = [open(&parser), open(&parser)];
    assert_eq!(parser.spares(), 0, "each has its own");
    drop(both);
    assert_eq!(parser.spares(), 2);
    drop((0..40).map(|_| open(&parser)).collect::<Vec<_>>());
    assert_eq!(parser.spares(), 16, "no more are kept");
}

#[test]
fn a_parked_cell_leaves_its_instance_to_others() {
    let parser = parser(&Engine::new().expect("wasmtime"), "first");
    let mut cell = open(&parser);
    assert!(cell.park().is_some());
    assert_eq!(parser.spares(), 1);
    assert!(run(&parser));
    let chunk =
        Chunk { side: Side::Client, offset: 0, at: 0, segments: None, bytes: b"first:confirm\n" };
    assert!(cell.poll(Input::Data(chunk)).is_ok());
    assert!(cell.output().confirmed);
    assert_eq!(parser.spares(), 0, "it has it back");
}

#[test]
fn instances_that_are_not_as_new_are_freed() {
    let engine = Engine::new().expect("wasmtime");
    for (guest, line, is_well) in [
        ("first", &b"first:trap\n"[..], false),
        ("loop_in_poll", b"one\n", false),
        ("grows", b"one\n", true),
        ("large", b"one\n", true),
        ("hooked", b"one\n", true),
    ] {
        let parser = parser(&engine, guest);
        assert_eq!(says(&parser, line), is_well, "{guest}");
        assert_eq!(parser.spares(), 0, "{guest}");
    }
}

/// Who was here before must not matter for how many instructions a flow takes.
#[test]
fn where_instructions_are_counted_each_flow_has_its_own() {
    let parser = parser(&Engine::deterministic().expect("wasmtime"), "finds_leftovers");
    assert!(run(&parser));
    assert_eq!(parser.spares(), 0);
}
