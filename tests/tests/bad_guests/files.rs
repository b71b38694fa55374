//! Files that are too much of something: they are refused, or do no harm.

use std::fmt::Write as _;

use flowcell_tests::guests;

use super::refused::{assert_says, refused_file};
use super::{run_with_file, two_lines};

/// The text of a guest that does nothing, with more in its module.
fn module_with(imports: &str, more: &str) -> Vec<u8> {
    let module = include_str!("../../guests/raw/realloc_overlaps.wat");
    let (start, rest) = module.split_once("(module\n").expect("a module");
    let text = format!("{start}(module\n{imports}{}", rest.trim_end());
    let text = text.strip_suffix(')').expect("its end");
    guests::module(&format!("{text}\n{more})"))
}

/// It is loaded, and does nothing.
fn assert_harmless(file: &[u8]) {
    let run = run_with_file("realloc_overlaps", file, &[two_lines()]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stderr);
}

/// Text for each number below `count`.
fn repeated(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut all, number| {
        writeln!(all, "{}", text(number)).expect("a string");
        all
    })
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).expect("seven bits");
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A component with these components in it.
fn component(inner: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    for inner in inner {
        bytes.push(4);
        bytes.extend(leb128(inner.len()));
        bytes.extend(inner);
    }
    bytes
}

#[test]
fn thousands_of_components_in_each_other() {
    let nested = (0..5000).fold(component(&[]), |inner, _| component(&[inner]));
    refused_file(&nested);
}

#[test]
fn thousands_of_components_beside_each_other() {
    refused_file(&component(&vec![component(&[]); 5000]));
    let few = component(&vec![component(&[]); 30]);
    refused_file(&component(&vec![few; 30]));
}

#[test]
fn fifty_thousand_functions() {
    let functions = |count| {
        let text = |number| format!("(func $f{number} (result i32) (i32.const {number}))");
        guests::with_contract(module_with("", &repeated(count, text)))
    };
    assert_harmless(&functions(15_000));
    assert_says(&refused_file(&functions(50_000)), &["too many functions", "`functions`"]);
}

#[test]
fn thousands_of_exports() {
    let exports = |count| {
        let text = |number| format!("(func (export \"e{number}\"))");
        guests::with_contract(module_with("", &repeated(count, text)))
    };
    assert_harmless(&exports(9_000));
    refused_file(&exports(20_000));
}

/// Names of functions that the host adds where it can free instances.
#[test]
fn reserved_exports() {
    for name in ["flowcell-save", "flowcell-restore"] {
        let module = module_with("", &format!("(func (export \"{name}\"))"));
        let message = refused_file(&guests::with_contract(module));
        assert_says(&message, &[&format!("it exports `{name}`"), "rename it"]);
    }
}

#[test]
fn thousands_of_imports() {
    let import = r#"(import "flowcell:parser/host@0.1.0" "confirm" (func))"#;
    let imports = repeated(2_000, |_| import.into());
    assert_harmless(&guests::with_contract(module_with(&imports, "")));
    let unknown = repeated(2_000, |number| format!("(import \"env\" \"f{number}\" (func))"));
    let message = refused_file(&guests::with_contract(module_with(&unknown, "")));
    assert_says(&message, &["it imports env"]);
    assert!(message.len() < 1000, "{message}");
}

#[test]
fn giant_names() {
    let function = |length| format!("(func ${} (result i32) (i32.const 1))", "n".repeat(length));
    let long = guests::with_contract(module_with("", &function(15 << 20)));
    assert_says(&refused_file(&long), &["a function's name has 15728640 bytes, more than 65536"]);
    assert_harmless(&guests::with_contract(module_with("", &function(64 << 10))));
    let export = format!("(func (export \"{}\"))", "n".repeat(1 << 20));
    refused_file(&guests::with_contract(module_with("", &export)));
    let import = format!("(import \"{}\" \"f\" (func))", "n".repeat(90_000));
    let message = refused_file(&guests::with_contract(module_with(&import, "")));
    assert!(message.len() < 2000, "{}", message.len());
}

/// The contract has no resources, but a component may have its own: each handle is the host's memory.
#[test]
fn a_hundred_thousand_handles() {
    let world = "package test:guest;
        interface things { resource thing {} }
        world guest { include flowcell:parser/parser@0.1.0; export things; }";
    let import = r#"(import "[export]test:guest/things" "[resource-new]thing"
        (func $new (param i32) (result i32)))"#;
    let start = "(func $take (local $left i32)
          (local.set $left (i32.const 100000))
          (loop $next
            (drop (call $new (i32.const 7)))
            (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
        (start $take)";
    let file = |start| guests::with_world(module_with(import, start), world);
    // No module that the SDK makes has any, so that they need a component made by hand.
    assert_says(&refused_file(&file(start)), &["it imports [export]test:guest/things"]);
    let message = refused_file(&guests::component(&file(start)));
    assert_says(&message, &["describe()", "trap", "handle"]);
    assert_harmless(&guests::component(&file(&start.replace("100000", "60"))));
}
