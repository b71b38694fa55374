//! Documents that are made from the code say what the code says.
#![expect(clippy::expect_used, reason = "a test may panic")]

mod counters;
mod limits;
mod own;
mod records;

use std::path::PathBuf;
use std::{env, fs};

/// Compares a document with what the code makes of it; `UPDATE_DOCS=1` writes it.
fn check(name: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, wanted).expect("docs can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/{name} is stale: run UPDATE_DOCS=1 cargo test --workspace --test docs"
    );
}

/// A doc comment in one line.
fn line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// A table below a title.
fn table<const N: usize>(
    page: &mut String,
    title: &str,
    head: &[&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) {
    if !title.is_empty() {
        page.push_str(&format!("\n### {title}\n"));
    }
    page.push_str(&format!("\n| {} |\n|{}\n", head.join(" | "), "---|".repeat(N)));
    for row in rows {
        page.push_str(&format!("| {} |\n", row.join(" | ")));
    }
}
