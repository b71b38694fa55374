//! Differential test: the mails in real captures against what others read from them.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod live;
mod mails;
mod reference;
mod zeek;

use std::ffi::OsString;

use flowcell_tests::command::{Run, flowcell};
use flowcell_tests::corpus::Corpus;

#[test]
fn no_capture_makes_a_parser_fault() {
    let Some(corpus) = Corpus::find() else { return };
    let mut arguments = vec![OsString::from("run"), OsString::from("-r")];
    arguments.extend(corpus.captures().into_iter().map(|capture| capture.path.into_os_string()));
    let run = Run::of(&mut flowcell(arguments));
    // 2: some of the files are damaged, which is told.
    assert!(matches!(run.code, Some(0 | 2)), "{:?}: {}", run.code, run.stderr);
    assert!(!run.of_type("smtp.mail").is_empty());
    let faults = run.of_type("fault");
    assert!(faults.is_empty(), "{faults:#?}");
}
