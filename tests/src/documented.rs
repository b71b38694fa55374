//! Whether what the program writes is what `docs/records.md` says. Of what parsers emit, the host knows that.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::{env, fs};

use serde_json::Value;

/// The sections of records that are not checked against a schema.
const SECTIONS: [&str; 6] =
    ["What all records share", "flow", "anomaly", "fault", "parser", "stream"];

/// All that is named in the first column of tables, behind the section's title.
static DOCUMENTED: LazyLock<BTreeSet<(String, String)>> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/records.md");
    let page = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut section = "";
    let mut names = BTreeSet::new();
    for line in page.lines() {
        section = line.strip_prefix("## ").unwrap_or(section);
        let name = line.strip_prefix("| `").and_then(|rest| rest.split('`').next());
        names.extend(name.map(|name| (section.to_owned(), name.to_owned())));
    }
    names
});

/// Fields whose values are all named, in whichever section.
const ENUMERATED: [&str; 6] = ["conn_state", "end_reason", "outcome", "kind", "class", "event"];

fn check_value(section: &str, place: &str, value: &Value, line: &Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let at = format!("{place}{name}");
                let known = DOCUMENTED.contains(&(section.to_owned(), at.clone()));
                assert!(known, "`{at}` is not in docs/records.md, section `{section}`: {line}");
                if let (Some(text), true) = (value.as_str(), ENUMERATED.contains(&name.as_str())) {
                    let known = DOCUMENTED.iter().any(|(_, name)| name == text);
                    assert!(known, "`{text}` is not in docs/records.md: {line}");
                }
                check_value(section, &format!("{at}."), value, line);
            }
        }
        Value::Array(values) => {
            let place = format!("{}[].", place.trim_end_matches('.'));
            values.iter().for_each(|value| check_value(section, &place, value, line));
        }
        _ => {}
    }
}

/// Demands that fields, and values where they are enumerated, are documented.
///
/// # Panics
/// If one is not.
pub(crate) fn check(record: &Value) {
    if env::var_os("UPDATE_DOCS").is_some() {
        return; // it is about to be written
    }
    let mut envelope = record.clone();
    let data = envelope["data"].take();
    check_value(SECTIONS[0], "", &envelope, record);
    if let Some(section) = SECTIONS.iter().find(|section| record["type"] == **section) {
        check_value(section, "", &data, record);
    }
}
