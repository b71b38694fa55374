//! Real captures.

use std::ffi::{OsStr, OsString};

use flowcell_tests::corpus::Corpus;

use super::same_on_all;

#[test]
fn all_captures_in_one_run() {
    let Some(corpus) = Corpus::find() else { return };
    let mut arguments = vec![OsString::from("-r")];
    arguments.extend(corpus.captures().into_iter().map(|capture| capture.path.into_os_string()));
    for command in ["run", "streams"] {
        let run = same_on_all(command, &arguments, None);
        assert!(matches!(run.code, Some(0 | 2)), "{}", run.stderr);
    }
}

#[test]
fn every_variant() {
    let Some(corpus) = Corpus::find() else { return };
    for variant in corpus.variants() {
        println!("{}", variant.name);
        same_on_all("streams", &[OsStr::new("-r"), variant.path.as_os_str()], None);
    }
}

/// The same connections again and again, in every encapsulation.
#[test]
fn all_variants_in_one_run() {
    let Some(corpus) = Corpus::find() else { return };
    let mut arguments = ["--order", "given", "-r"].map(OsString::from).to_vec();
    arguments.extend(corpus.variants().into_iter().map(|variant| variant.path.into_os_string()));
    let run = same_on_all("run", &arguments, None);
    assert!(!run.of_type("smtp.mail").is_empty(), "{}", run.stderr);
}
