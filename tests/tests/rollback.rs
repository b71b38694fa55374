//! The way back from a version of a parser to the one before it.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::{Arc, Weak};

use flowcell::registry::{Compiler, Folder, Generation, Report};
use flowcell::runtime::{Engine, Parser, ParserLimits};
use flowcell_tests::command::{Scratch, read};
use flowcell_tests::guests;

/// A folder with a parser in `echo.wasm`.
struct Case {
    scratch: Scratch,
    folder: Folder,
    generation: Generation,
}

impl Case {
    fn new() -> Self {
        let scratch = Scratch::new();
        let engine = Engine::new().expect("an engine");
        let mut folder = Folder::new(
            scratch.parsers(&[]),
            engine,
            Compiler::in_process(),
            ParserLimits::default(),
        );
        let (generation, _) = folder.read().expect("a folder");
        Self { scratch, folder, generation: generation.expect("the first") }
    }

    /// Puts a file there and reads the folder; returns what that did.
    fn put(&mut self, file: &str, bytes: &[u8]) -> Vec<Report> {
        self.scratch.write(&format!("parsers/{file}"), bytes);
        self.read()
    }

    fn read(&mut self) -> Vec<Report> {
        let (generation, reports) = self.folder.read().expect("a folder");
        if let Some(generation) = generation {
            self.generation = generation;
        }
        reports
    }

    fn parser(&self) -> Arc<Parser> {
        Arc::clone(&self.generation.parsers()[0].parser)
    }

    /// Goes back; returns the labels of both versions, if there is a way.
    fn roll_back(&mut self, parser: &Arc<Parser>) -> Option<(String, String)> {
        let (generation, report) = self.folder.roll_back(parser)?;
        assert!(generation.number() > self.generation.number());
        self.generation = generation;
        let Report::RolledBack { bad, back } = report else { panic!("{report:?}") };
        assert_eq!(self.parser().label(), back.parser.label());
        Some((bad.parser.label().to_owned(), back.parser.label().to_owned()))
    }
}

fn v1() -> Vec<u8> {
    read(&guests::parser("template"))
}

fn label_1() -> String {
    format!("echo@{}", env!("CARGO_PKG_VERSION"))
}

#[test]
fn there_is_one_step_back() {
    let mut case = Case::new();
    let first = case.parser();
    assert_eq!(case.roll_back(&first), None, "nothing was before it");
    case.put("echo.wasm", &guests::guest("echo_v2"));
    let second = case.parser();
    assert_eq!(case.roll_back(&first), None, "it is not in use any more");
    assert_eq!(case.roll_back(&second), Some(("echo@2.0.0".into(), label_1())));
    assert!(Arc::ptr_eq(&case.parser(), &first), "it is not even loaded again");
    assert_eq!(case.roll_back(&second), None, "it is rolled back already");
    assert_eq!(case.roll_back(&first), None, "what was before it is long gone");
}

#[test]
fn what_was_rolled_back_is_not_loaded_again() {
    let mut case = Case::new();
    case.put("echo.wasm", &guests::guest("echo_v2"));
    let second = case.parser();
    case.roll_back(&second).expect("a way back");
    assert!(case.read().is_empty(), "the file has not changed");
    assert!(case.put("echo.wasm", &guests::guest("echo_v2")).is_empty(), "nor has its content");
    // Another version is tried, and has a way back to the one that was good.
    assert!(matches!(&case.put("echo.wasm", &guests::guest("echo_panics"))[..], [
        Report::Replaced { old, .. }
    ] if *old == label_1()));
    let refused = case.put("echo.wasm", &guests::guest("echo_v2"));
    let [Report::Refused { error, kept: Some(kept) }] = &refused[..] else { panic!("{refused:?}") };
    assert!(error.to_string().contains("echo.wasm: too many of its flows"), "{error}");
    assert_eq!(kept.parser.label(), "echo@3.0.0");
    let third = case.parser();
    assert_eq!(case.roll_back(&third), Some(("echo@3.0.0".into(), label_1())));
    for bad in ["echo_panics", "echo_v2"] {
        let reports = case.put("echo.wasm", &guests::guest(bad));
        assert!(matches!(reports[..], [Report::Refused { .. }]), "{bad}: {reports:?}");
    }
    // Whoever takes the file away and puts it back means it.
    fs::remove_file(case.scratch.path("parsers/echo.wasm")).expect("it can be removed");
    case.read();
    assert!(matches!(case.put("echo.wasm", &guests::guest("echo_v2"))[..], [Report::Loaded(_)]));
}

#[test]
fn there_is_no_way_back_to_a_name_that_another_file_has_by_now() {
    let mut case = Case::new();
    case.put("echo.wasm", &guests::guest("panic_in_poll"));
    let reports = case.put("other.wasm", &v1());
    assert!(matches!(reports[..], [Report::Loaded(_)]), "{reports:?}");
    let bad = case.parser();
    assert!(bad.label().starts_with("panic_in_poll@"));
    assert_eq!(case.roll_back(&bad), None);
}

#[test]
fn the_same_content_again_is_no_version_to_go_back_to() {
    let mut case = Case::new();
    case.put("echo.wasm", b"broken");
    case.put("echo.wasm", &v1());
    let again = case.parser();
    assert_eq!(case.roll_back(&again), None);
}

#[test]
fn versions_that_nobody_can_go_back_to_are_gone() {
    let mut case = Case::new();
    let mut versions: Vec<Weak<Parser>> = vec![Arc::downgrade(&case.parser())];
    for round in 0..6 {
        let bytes = if round % 2 == 0 { guests::guest("echo_v2") } else { v1() };
        let reports = case.put("echo.wasm", &bytes);
        assert!(matches!(reports[..], [Report::Replaced { .. }]));
        drop(reports);
        versions.push(Arc::downgrade(&case.parser()));
        let alive = versions.iter().filter(|version| version.strong_count() > 0).count();
        assert_eq!(alive, 2, "this one and the one before it");
    }
}
