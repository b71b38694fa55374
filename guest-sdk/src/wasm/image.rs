//! `describe`: the parser's constants, laid out as the canonical ABI of the component model has them.
//!
//! The host reads the texts where they stand. What `wit_bindgen` generates copies each of them first,
//! and that takes as much code as the rest of a small parser.

use std::ptr;

use crate::record::{self, FieldType, ParserDef};

/// A `string` or a `list`.
#[repr(C)]
struct List {
    start: *const u8,
    length: usize,
}

impl List {
    fn of<T>(items: &'static [T]) -> Self {
        Self { start: items.as_ptr().cast(), length: items.len() }
    }

    fn text(text: &'static str) -> Self {
        Self::of(text.as_bytes())
    }
}

/// The record `description` of the contract.
#[repr(C)]
#[expect(missing_debug_implementations, reason = "only the host reads it")]
pub struct Image {
    name: List,
    version: List,
    doc: List,
    tcp_ports: List,
    udp_ports: List,
    patterns: List,
    records: List,
    objects: List,
    segments: bool,
    expects: bool,
}

#[repr(C)]
struct Pattern {
    transport: u8,
    side: u8,
    regex: List,
}

#[repr(C)]
struct Schema {
    name: List,
    doc: List,
    fields: List,
}

#[repr(C)]
struct Field {
    name: List,
    doc: List,
    kind: Kind,
    optional: bool,
    repeated: bool,
}

#[repr(C, u8)]
#[expect(dead_code, reason = "only the host reads it")]
enum Kind {
    Boolean,
    Unsigned,
    Signed,
    Real,
    Text,
    Bytes,
    Time,
    Address,
    Object(u32),
}

/// What `describe` returns. It is never freed: the host calls this once, in an instance of its own.
#[must_use]
pub fn image(def: &'static ParserDef) -> *const Image {
    let mut objects = Vec::new();
    for record in def.records {
        list_objects(record, &mut objects);
    }
    Box::leak(Box::new(Image {
        name: List::text(def.name),
        version: List::text(def.version),
        doc: List::text(def.doc),
        tcp_ports: List::of(def.tcp_ports),
        udp_ports: List::of(def.udp_ports),
        patterns: patterns(def.patterns),
        records: schemas(def.records, &objects),
        objects: schemas(&objects, &objects),
        segments: !def.expects,
        expects: def.expects,
    }))
}

fn patterns(patterns: &[record::Pattern]) -> List {
    let mut list = Vec::with_capacity(patterns.len());
    for record::Pattern { transport, side, regex } in patterns {
        // The cases of the contract are in the same order.
        let (transport, side) = (*transport as u8, *side as u8);
        list.push(Pattern { transport, side, regex: List::text(regex) });
    }
    List::of(list.leak())
}

type Objects = Vec<&'static record::Schema>;

/// An object is listed after those that it refers to, so that references only point backwards.
fn list_objects(schema: &'static record::Schema, objects: &mut Objects) {
    for field in schema.fields {
        if let record::Kind::Object(object) = field.ty.kind
            && !objects.iter().any(|known| ptr::eq(*known, object))
        {
            list_objects(object, objects);
            objects.push(object);
        }
    }
}

fn schemas(schemas: &[&'static record::Schema], objects: &Objects) -> List {
    let mut list = Vec::with_capacity(schemas.len());
    for schema in schemas {
        let mut fields = Vec::with_capacity(schema.fields.len());
        for field in schema.fields {
            fields.push(wire_field(field, objects));
        }
        let fields = List::of(fields.leak());
        list.push(Schema { name: List::text(schema.name), doc: List::text(schema.doc), fields });
    }
    List::of(list.leak())
}

fn wire_field(field: &'static record::Field, objects: &Objects) -> Field {
    let FieldType { kind, optional, repeated } = field.ty;
    let kind = match kind {
        record::Kind::Boolean => Kind::Boolean,
        record::Kind::Unsigned => Kind::Unsigned,
        record::Kind::Signed => Kind::Signed,
        record::Kind::Real => Kind::Real,
        record::Kind::Text => Kind::Text,
        record::Kind::Bytes => Kind::Bytes,
        record::Kind::Time => Kind::Time,
        record::Kind::Address => Kind::Address,
        record::Kind::Object(object) => {
            let index = objects.iter().position(|known| ptr::eq(*known, object));
            Kind::Object(index.and_then(|index| u32::try_from(index).ok()).unwrap_or(u32::MAX))
        }
    };
    Field { name: List::text(field.name), doc: List::text(field.doc), kind, optional, repeated }
}
