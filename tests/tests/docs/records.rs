//! `docs/records.md`.

use std::fmt::Write as _;

use flowcell::registry::load;
use flowcell::runtime::{CellLimits, Engine, Field, Kind};
use flowcell_tests::command::read;
use flowcell_tests::guests::{PARSERS, parser};

use super::{check, line, own};

/// A type as a reader of records meets it.
fn kind(field: &Field) -> String {
    let one = match &field.kind {
        Kind::Boolean => "boolean".into(),
        Kind::Unsigned | Kind::Signed => "integer".into(),
        Kind::Real => "number".into(),
        Kind::Text => "text".into(),
        Kind::Bytes => "base64".into(),
        Kind::Time => "time".into(),
        Kind::Address => "address".into(),
        Kind::Object(object) => format!("object {}", object.name),
    };
    if field.repeated { format!("list of {one}") } else { one }
}

/// The fields of a record, and those of the objects in it behind their own names.
fn fields(page: &mut String, place: &str, fields: &[Field]) {
    for field in fields {
        let name = format!("{place}{}", field.name);
        let always = if field.optional { "" } else { "yes" };
        let doc = line(&field.doc);
        writeln!(page, "| `{name}` | {} | {always} | {doc} |", kind(field)).expect("a page grows");
        if let Kind::Object(object) = &field.kind {
            let brackets = if field.repeated { "[]" } else { "" };
            self::fields(page, &format!("{name}{brackets}."), &object.fields);
        }
    }
}

/// What the host checks every record against is what is published.
#[test]
fn records() {
    let engine = Engine::new().expect("the sandbox");
    let mut page = String::from(
        "# Records\n\nMade from the bundled parsers' own schemas, and from the host's code, by `UPDATE_DOCS=1 cargo test \
         --workspace --test docs`.\n`integer` is of 64 bits, `base64` and `address` are texts.\n",
    );
    page.push_str(&own::sections());
    page.push_str("\n# Of parsers\n");
    for name in PARSERS.iter().filter(|name| **name != "template") {
        let module = read(&parser(name));
        let loaded = load(&engine, (*name).to_owned(), &module, CellLimits::default());
        let parser = loaded.expect("it loads").parser;
        let description = parser.description();
        let (name, doc) = (&description.name, line(&description.doc));
        let ports = |transport: &str, ports: &[u16]| {
            let ports = ports.iter().map(|port| format!("{transport}/{port}"));
            ports.collect::<Vec<_>>()
        };
        let ports = [ports("tcp", &description.tcp_ports), ports("udp", &description.udp_ports)];
        let ports = ports.concat().join(", ");
        let ports = if ports.is_empty() { "none".into() } else { ports };
        let found = match description.patterns.len() {
            0 => "by port alone".into(),
            count => format!("by {count} patterns, on any port"),
        };
        writeln!(page, "\n## {name}\n\n{doc}\n\nFound {found}; usual ports: {ports}.")
            .expect("a page grows");
        for record in &description.records {
            let doc = line(&record.doc);
            let head = "| field | type | always | meaning |\n|---|---|---|---|";
            writeln!(page, "\n### `{name}.{}`\n\n{doc}\n\n{head}", record.name)
                .expect("a page grows");
            fields(&mut page, "", &record.fields);
        }
    }
    check("records.md", &page);
}
