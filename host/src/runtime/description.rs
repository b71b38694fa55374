//! What a parser says of itself, checked.

use std::collections::HashSet;
use std::sync::Arc;

use flowcell_contract::{MAX_PATTERNS, NAME, PARSER_NAME};

use super::bindings::flowcell::parser::description_types as wire;
use super::pattern::{Pattern, check_together};
use super::transcode;

/// A parser's name, ports and schemas. Everything in it is within the contract's bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The protocol.
    pub name: String,
    /// The parser's version.
    pub version: String,
    /// For people.
    pub doc: String,
    /// Server ports wanted over TCP.
    pub tcp_ports: Vec<u16>,
    /// Server ports wanted over UDP.
    pub udp_ports: Vec<u16>,
    /// How its flows begin.
    pub patterns: Vec<Pattern>,
    /// The records that it may emit.
    pub records: Vec<Schema>,
    /// It takes the bytes of several packets in one delivery.
    pub segments: bool,
    /// It expects flows.
    pub expects: bool,
}

impl Description {
    /// The `data` object of a record of the `kind`th type, out of what a parser has emitted; `None` if that
    /// does not match its schema.
    #[must_use]
    pub fn json(&self, kind: usize, body: &[u8]) -> Option<Vec<u8>> {
        transcode::record(self.records.get(kind)?, body).ok().map(|(json, _)| json)
    }
}

/// The fields of a record or object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// For records: as in `<parser>.<name>`.
    pub name: String,
    /// For people.
    pub doc: String,
    /// In order.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Unique in its schema.
    pub name: String,
    /// For people.
    pub doc: String,
    /// Of one value.
    pub kind: Kind,
    /// It may be null.
    pub optional: bool,
    /// It is a list.
    pub repeated: bool,
}

/// The type of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in the contract")]
pub enum Kind {
    Boolean,
    Unsigned,
    Signed,
    Real,
    Text,
    Bytes,
    Time,
    Address,
    Object(Arc<Schema>),
}

/// A description that breaks the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("describe() returned {place} {problem}")]
pub struct DescriptionError {
    /// Where, for instance "record `mail`, field `to`".
    pub place: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// The contract's bounds on a description, but for those that the SDK checks as well.
const MAX_SCHEMAS: usize = 64;
const MAX_FIELDS: usize = 128;
const MAX_PORTS: usize = 1024;
const MAX_VERSION: usize = 32;
const MAX_DOC: usize = 4096;
/// Fields after objects are put in the place of references: a bound on nesting that doubles.
const MAX_EXPANDED: usize = 4096;

impl Description {
    pub(crate) fn check(wire: wire::Description) -> Result<Self, DescriptionError> {
        let parser = format!("name `{}`", shown(&wire.name));
        if !PARSER_NAME.fits(&wire.name) {
            return Err(problem(&parser, &format!("which is not {PARSER_NAME}")));
        }
        let version_ok = !wire.version.is_empty()
            && wire.version.len() <= MAX_VERSION
            && wire.version.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-".contains(&b));
        if !version_ok {
            let place = format!("version `{}`", shown(&wire.version));
            return Err(problem(&place, "which is not 1 to 32 bytes of [A-Za-z0-9.+-]"));
        }
        if wire.tcp_ports.len().max(wire.udp_ports.len()) > MAX_PORTS {
            return Err(problem("a list of ports", "with more than 1024"));
        }
        if wire.records.len().max(wire.objects.len()) > MAX_SCHEMAS {
            return Err(problem("a list of records or objects", "with more than 64"));
        }
        if wire.patterns.len() > MAX_PATTERNS {
            return Err(problem("a list of patterns", &format!("with more than {MAX_PATTERNS}")));
        }
        let pattern = |pattern: wire::Pattern| {
            let place = format!("pattern `{}`", shown(&pattern.regex));
            Pattern::new(pattern).map_err(|error| problem(&place, &error))
        };
        let patterns = wire.patterns.into_iter().map(pattern).collect::<Result<Vec<_>, _>>()?;
        check_together(&patterns).map_err(|error| problem("a list of patterns", &error))?;
        if wire.expects && wire.segments {
            let text = "true where `expects` is: what is expected takes effect at once";
            return Err(problem("`segments`", text));
        }
        let mut objects: Vec<(Arc<Schema>, usize)> = Vec::new();
        for object in wire.objects {
            let (object, size) = schema("object", object, &objects)?;
            objects.push((Arc::new(object), size));
        }
        let mut records = Vec::new();
        let mut names = HashSet::new();
        for record in wire.records {
            if !names.insert(record.name.clone()) {
                let place = format!("record `{}`", shown(&record.name));
                return Err(problem(&place, "twice"));
            }
            records.push(schema("record", record, &objects)?.0);
        }
        Ok(Self {
            name: wire.name,
            version: wire.version,
            doc: checked_doc("the description", wire.doc)?,
            tcp_ports: wire.tcp_ports,
            udp_ports: wire.udp_ports,
            patterns,
            records,
            segments: wire.segments,
            expects: wire.expects,
        })
    }
}

/// Checks a schema against the objects before it; returns it with its number of expanded fields.
fn schema(
    what: &str,
    wire: wire::Schema,
    objects: &[(Arc<Schema>, usize)],
) -> Result<(Schema, usize), DescriptionError> {
    let place = format!("{what} `{}`", shown(&wire.name));
    check_name(&place, &wire.name)?;
    if wire.fields.len() > MAX_FIELDS {
        return Err(problem(&place, "with more than 128 fields"));
    }
    let mut names = HashSet::new();
    let mut expanded = 0usize;
    let mut fields = Vec::with_capacity(wire.fields.len());
    for field in wire.fields {
        let place = format!("{place}, field `{}`", shown(&field.name));
        check_name(&place, &field.name)?;
        if !names.insert(field.name.clone()) {
            return Err(problem(&place, "twice"));
        }
        let (kind, size) = kind(&place, field.kind, objects)?;
        expanded += size;
        if expanded > MAX_EXPANDED {
            return Err(problem(&place, "which makes more than 4096 fields with its objects"));
        }
        fields.push(Field {
            doc: checked_doc(&place, field.doc)?,
            name: field.name,
            kind,
            optional: field.optional,
            repeated: field.repeated,
        });
    }
    let doc = checked_doc(&place, wire.doc)?;
    Ok((Schema { name: wire.name, doc, fields }, expanded))
}

fn kind(
    place: &str,
    wire: wire::Kind,
    objects: &[(Arc<Schema>, usize)],
) -> Result<(Kind, usize), DescriptionError> {
    Ok(match wire {
        wire::Kind::Boolean => (Kind::Boolean, 1),
        wire::Kind::Unsigned => (Kind::Unsigned, 1),
        wire::Kind::Signed => (Kind::Signed, 1),
        wire::Kind::Real => (Kind::Real, 1),
        wire::Kind::Text => (Kind::Text, 1),
        wire::Kind::Bytes => (Kind::Bytes, 1),
        wire::Kind::Time => (Kind::Time, 1),
        wire::Kind::Address => (Kind::Address, 1),
        wire::Kind::Object(index) => {
            let Some((object, size)) = objects.get(index as usize) else {
                let text = format!("of object {index}, which is not an object before it");
                return Err(problem(place, &text));
            };
            (Kind::Object(Arc::clone(object)), size + 1)
        }
    })
}

fn checked_doc(place: &str, doc: String) -> Result<String, DescriptionError> {
    if doc.len() > MAX_DOC {
        return Err(problem(place, "with a doc of more than 4096 bytes"));
    }
    Ok(doc)
}

fn check_name(place: &str, name: &str) -> Result<(), DescriptionError> {
    if !NAME.fits(name) {
        return Err(problem(place, &format!("whose name is not {NAME}")));
    }
    Ok(())
}

/// A guest's text in a message of ours: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars().take(NAME.longest).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn problem(place: &str, problem: &str) -> DescriptionError {
    DescriptionError { place: place.into(), problem: problem.into() }
}
