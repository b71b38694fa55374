//! Scripts that lie in a folder.

use std::path::{Path, PathBuf};
use std::{fs, panic};

use super::FlowScript;
use super::patterns::Patterns;
use crate::record::ParserDef;

/// Reads the flow scripts (`*.flow`) of a folder, in order of their names.
///
/// # Panics
/// When the folder or a file can not be read, or a file is no script.
#[must_use]
pub fn scripts_in(folder: impl AsRef<Path>) -> Vec<(PathBuf, FlowScript)> {
    let folder = folder.as_ref();
    let entries = fs::read_dir(folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "flow"));
    paths.sort();
    let script = |path: PathBuf| {
        let text = fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let script = FlowScript::parse(&text);
        let mut script = script.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        script.file = path.file_name().map(|name| name.to_string_lossy().into_owned());
        (path, script)
    };
    paths.into_iter().map(script).collect()
}

/// [Checks](FlowScript::check) the flow scripts of a folder, and names all that fail.
///
/// # Panics
/// When there is none, or one fails; when the host would refuse a pattern of `def`.
pub fn check_folder(folder: impl AsRef<Path>, def: &'static ParserDef) {
    Patterns::of(def); // once, and not in each script, if the host would refuse one
    let scripts = scripts_in(&folder);
    assert!(!scripts.is_empty(), "{}: there are no *.flow in it", folder.as_ref().display());
    let fails = |(path, script): &&(PathBuf, FlowScript)| {
        println!("{}", path.display());
        panic::catch_unwind(|| script.check(def)).is_err()
    };
    let failed: Vec<_> = scripts.iter().filter(fails).map(|(path, _)| path).collect();
    assert!(failed.is_empty(), "failed: {failed:?}");
}
