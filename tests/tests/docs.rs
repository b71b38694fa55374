//! Documents that are made from the code say what the code says.
#![expect(clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use flowcell::driver::MAX_CELLS;
use flowcell::runtime::CellLimits;
use flowcell_core::Limits;

/// Compares a document with what the code makes of it; `UPDATE_DOCS=1` writes it.
fn check(name: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, wanted).expect("docs can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/{name} is stale: run UPDATE_DOCS=1 cargo test --test docs");
}

#[test]
fn limits() {
    let mut page = String::from(
        "# Limits\n\nMade from the code by `UPDATE_DOCS=1 cargo test -p flowcell-tests --test docs`.\n\n\
         ## Flow engine\n\nTime is the packets' time. A limit that is marked fixed is built in.\n\n\
         | limit | default | unit | counters | when it is reached |\n|---|---|---|---|---|\n",
    );
    for limit in Limits::TABLE {
        let counters: Vec<String> = limit.counters.iter().map(|name| format!("`{name}`")).collect();
        let fixed = if limit.fixed { " (fixed)" } else { "" };
        let (name, value, unit) = (limit.name, limit.default, limit.unit);
        let (counters, action) = (counters.join(", "), limit.action);
        writeln!(page, "| `{name}`{fixed} | {value} | {unit} | {counters} | {action} |").unwrap();
    }
    page.push_str(
        "\n## Cells\n\nOf one flow's parser; `call` is one `open` or `poll`. A fault ends the parser, is a `fault` record \
         and is\ncounted by class.\n\n| limit | value | unit | when it is reached |\n|---|---|---|---|\n",
    );
    writeln!(
        page,
        "| `cells` | {MAX_CELLS} | cells at a time | `no_room`: the flow gets no parser |"
    )
    .unwrap();
    for (name, value, unit, action) in CellLimits::default().rows() {
        let (name, fixed) = match name.strip_suffix(" (fixed)") {
            Some(name) => (name, " (fixed)"),
            None => (name, ""),
        };
        writeln!(page, "| `{name}`{fixed} | {value} | {unit} | {action} |").unwrap();
    }
    check("limits.md", &page);
}
