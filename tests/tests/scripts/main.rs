//! A parser says the same natively and in the sandbox: every flow script of every first-party
//! parser, with its bytes whole and one by one, gives the same records
//!
//! - to a cell that is given what the script says, exactly;
//! - to the program that is given a capture of the same conversation.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod cell;
mod damaged;
mod program;

use std::path::{Path, PathBuf};

use flowcell_sdk::testing::{Cut, FlowScript, Outcome, scripts_in};
use flowcell_sdk::{FieldType, Kind, ParserDef, Schema};
use flowcell_tests::command::{Scratch, read};
use flowcell_tests::guests;
use serde_json::Value;

/// Ways to cut the bytes.
const CUTS: [Cut; 2] = [Cut::Whole, Cut::Bytes];

/// A parser of this project, and its scripts.
struct Tested {
    /// The name of its folder and library.
    name: String,
    def: &'static ParserDef,
    scripts: Vec<(PathBuf, FlowScript)>,
}

/// A parser as it is built for this machine.
fn native_build(name: &str) -> &'static ParserDef {
    macro_rules! of {
        ($($known:ident)+) => {
            match name {
                $(stringify!($known) => &$known::PARSER,)+
                other => panic!("parsers/{other} is new: add it here and to tests/Cargo.toml"),
            }
        };
    }
    of!(dns ftp http imap mqtt pop3 redis sip smb smtp ssh stream template tls)
}

/// Every parser with scripts. The scripts have clients of different ports, so that they fit into one
/// capture.
fn all() -> Vec<Tested> {
    let parsers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../parsers");
    let tested = guests::PARSERS.iter().map(|name| {
        let folder = parsers.join(name);
        let def = native_build(name);
        let folders = ["tests", "tests/recorded"].map(|part| folder.join(part));
        let folders = folders.iter().filter(|folder| folder.is_dir());
        let scripts =
            folders.flat_map(scripts_in).zip(10_001..).map(|((path, mut script), port)| {
                script.info.client.set_port(port);
                (path, script)
            });
        Tested { name: (*name).into(), def, scripts: scripts.collect() }
    });
    let mut tested: Vec<Tested> = tested.collect();
    // What those scripts may lack.
    let more = more_of_echo().zip(20_001..).map(|((name, mut script), port)| {
        script.info.client.set_port(port);
        (name.into(), script)
    });
    let echo = tested.iter_mut().find(|tested| tested.name == "template").expect("the template");
    echo.scripts.extend(more);
    tested
}

/// Endings and losses in the smallest protocol.
fn more_of_echo() -> impl Iterator<Item = (&'static str, FlowScript)> {
    let scripts = [
        ("a gap", "> \"a\\n\"\n< \"a\\n\"\n> \"b\"\n> gap 10\n> \"c\\n\"\n< \"c\\n\"\n"),
        ("a gap of the server", "> \"a\\n\"\n< gap 2\n< \"a\\n\"\n> \"b\\n\"\n< \"b\\n\"\n"),
        ("a gap at the start", "> gap 3\n> \"a\\n\"\n< \"a\\n\"\n"),
        ("a reset", "> \"a\\n\"\n< \"a\\n\"\n> \"b\\n\"\n< \"b\"\n< end reset\n> end reset\n"),
        ("a half-close", "> \"a\\n\"\n> \"b\\n\"\n> end fin\n< \"a\\n\"\n< \"b\\n\"\n"),
        ("shutdown", "> \"a\\n\"\n< \"a\\n\"\n> \"b\\n\"\n> end shutdown\n< end shutdown\n"),
        ("a long line", "> \"LONG\\n\"\n< \"a\\n\"\n"),
    ];
    scripts.into_iter().map(|(name, steps)| {
        let steps = steps.replace("LONG", &"x".repeat(70_000));
        let text = format!("client 10.0.0.1:1 server 10.0.0.2:7\n{steps}");
        (name, FlowScript::parse(&text).expect("a script"))
    })
}

/// The module that users run, in a folder for `--parsers`.
fn parsers_folder(tested: &Tested, scratch: &Scratch) -> PathBuf {
    let module = read(&guests::parser(&tested.name));
    scratch.write(&format!("parsers/{}.wasm", tested.name), module);
    scratch.path("parsers")
}

/// The native outcome, with times as `time` shows them.
fn native(tested: &Tested, script: &FlowScript, cut: Cut, time: fn(u64) -> Value) -> Outcome {
    let mut outcome = script.run(tested.def, cut);
    for (name, data) in &mut outcome.records {
        let schema = tested.def.records.iter().find(|schema| schema.name == *name);
        show_times(schema.expect("described"), data, &|value| time(value.as_u64().expect("ns")));
    }
    outcome
}

/// Hides how long things took: a cell is told other times than the program.
fn hide_spans(schema: &Schema, data: &mut Value) {
    for field in schema.fields.iter().filter(|field| matches!(field.ty.kind, Kind::Real)) {
        if let Some(value) = data.get_mut(field.name) {
            *value = Value::from("a while");
        }
    }
}

/// Replaces all values of times in `data`.
fn show_times(schema: &Schema, data: &mut Value, time: &dyn Fn(&Value) -> Value) {
    for field in schema.fields {
        let Some(value) = data.get_mut(field.name) else { continue };
        let FieldType { kind, repeated, .. } = field.ty;
        let values = match value {
            Value::Array(values) if repeated => values.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for value in values {
            match kind {
                Kind::Time => *value = time(value),
                Kind::Object(schema) => show_times(schema, value, time),
                _ => {}
            }
        }
    }
}
