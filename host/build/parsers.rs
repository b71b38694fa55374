//! Which parsers there are.

use std::fs;
use std::path::Path;

/// The names of all parsers, in order. Their folder also has the libraries that they share, which are not
/// built as modules.
pub(crate) fn names(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join("parsers")).expect("the workspace has a folder `parsers`");
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let manifest = fs::read_to_string(entry.path().join("Cargo.toml"));
            manifest.is_ok_and(|manifest| manifest.contains("cdylib"))
        })
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// What selects these parsers.
pub(crate) fn packages(parsers: &[String]) -> Vec<String> {
    parsers.iter().flat_map(|name| ["-p".into(), format!("flowcell-parser-{name}")]).collect()
}
