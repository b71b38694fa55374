//! Each bound on what a file is made of, reached.

use std::fmt::Write as _;

use flowcell::registry::compiler::CompilerLimits;
use flowcell_tests::command::program;
use flowcell_tests::guests::{component_of, module, nested_components as nested};

use super::{echo, limits, load, refusal};

/// Limits that other tests of this folder reach.
const REACHED_ELSEWHERE: [&str; 6] =
    ["memory", "cpu_time", "wall_time", "code_bytes", "cache_bytes", "function_bytes"];

/// A component with these parts.
fn component(parts: &str) -> Vec<u8> {
    module(&format!("(component {parts})"))
}

/// A component of a core module with these parts.
fn core(parts: &str) -> Vec<u8> {
    component(&format!("(core module {parts})"))
}

#[test]
fn what_is_allowed_is_one_less_than_what_is_refused() {
    let items = "(core module $m (func (export \"f\")))(core instance $i (instantiate $m))
                 (alias core export $i \"f\" (core func))";
    let cases = [
        ("functions", core("(func) (func) (func)")),
        ("functions", core("(import \"a\" \"f\" (func)) (import \"a\" \"g\" (func)) (func)")),
        ("functions", component("(core module (func) (func)) (core module (func))")),
        ("locals", core("(func (local i32 i64 i32))")),
        ("types", core("(type (func)) (type (func)) (type (func (param i32)))")),
        ("types", component("(type (func)) (core type (func)) (type (func))")),
        (
            "names",
            core("(import \"a\" \"f\" (func)) (import \"a\" \"g\" (func)) (export \"e\" (func 0))"),
        ),
        ("name_bytes", core("(func (export \"abc\"))")),
        ("name_bytes", core("(import \"abc\" \"f\" (func))")),
        ("name_bytes", core("(import \"a\" \"abc\" (func))")),
        ("name_bytes", component("(import \"a-c\" (func))")),
        ("name_bytes", core("(@custom \"abc\" \"\")")),
        (
            "memories",
            component("(core module (memory 1)) (core module (memory 1)) (core module (memory 1))"),
        ),
        ("tables", core("(table 1 funcref) (table 1 funcref) (table 1 funcref)")),
        (
            "globals",
            core("(global i32 i32.const 0) (global i32 i32.const 0) (global i32 i32.const 0)"),
        ),
        ("elements", core("(table 9 funcref) (func) (elem (i32.const 0) func 0 0)")),
        (
            "elements",
            core("(table 9 funcref) (elem (i32.const 0) funcref (ref.null func) (ref.null func))"),
        ),
        ("data_segments", core("(memory 1) (data \"\") (data \"\") (data \"\")")),
        ("modules", component("(core module) (core module) (core module)")),
        ("components", component("(component) (component) (component)")),
        ("nesting", nested(3)),
        ("component_items", component(items)),
    ];
    let mut reached: Vec<&str> = cases.iter().map(|(limit, _)| *limit).collect();
    reached.extend(REACHED_ELSEWHERE);
    for row in CompilerLimits::TABLE {
        assert!(reached.contains(&row.name), "`{}` has no test", row.name);
    }
    for (limit, file) in cases {
        // Whatever else is wrong with it comes after.
        let others = refusal(&program(), &limits(&[&format!("{limit}=3")]), &file);
        assert!(!others.contains("[compiler]"), "{limit}: {others}");
        let counted = if limit == "component_items" { 1 } else { 2 };
        let refused = refusal(&program(), &limits(&[&format!("{limit}={counted}")]), &file);
        let expected = format!(
            "{} or more, {counted} allowed; make it smaller, or raise `{limit}` in",
            counted + 1
        );
        assert!(refused.contains(&expected), "{limit}: {refused}");
    }
}

#[test]
fn a_function_that_is_too_long() {
    let file = component_of(&[vec![1; 97]]);
    let allowed = refusal(&program(), &limits(&["function_bytes=99"]), &file);
    assert!(!allowed.contains("[compiler]"), "{allowed}");
    let refused = refusal(&program(), &limits(&["function_bytes=98"]), &file);
    assert!(
        refused.contains("99 or more, 98 allowed; make it smaller, or raise `function_bytes`"),
        "{refused}"
    );
}

/// What the issue of each is by default: nobody has to set anything to be safe from them.
#[test]
fn bombs_are_refused_by_the_defaults() {
    let defaults = CompilerLimits::default();
    let mut names = String::new();
    for number in 0..10_001 {
        write!(names, "(export \"{number}\" (func $f))").unwrap();
    }
    for (limit, file) in [
        ("functions", component_of(&vec![Vec::new(); 50_000])),
        ("function_bytes", component_of(&[vec![1; 1 << 20]])),
        ("nesting", nested(900)),
        ("components", component(&"(component)".repeat(5000))),
        ("modules", component(&"(core module)".repeat(900))),
        ("names", core(&format!("(func $f) {names}"))),
        ("locals", core(&format!("(func (local {}))", "i64 ".repeat(40_000)))),
        ("data_segments", core(&format!("(memory 1) {}", "(data \"\")".repeat(10_001)))),
    ] {
        let refused = refusal(&program(), &defaults, &file);
        assert!(
            refused.contains(&format!("or raise `{limit}` in section [compiler]")),
            "{refused}"
        );
    }
}

#[test]
fn an_honest_parser_is_far_from_every_limit() {
    let mut tenth = CompilerLimits::default();
    for row in CompilerLimits::TABLE {
        // Not what it costs, which differs between machines.
        let content = row.action == "the file is refused";
        if content && row.default >= 100 {
            assert!(tenth.set(row.name, row.default / 10));
        }
    }
    load(&program(), &tenth, &echo()).expect("it is loaded");
}
