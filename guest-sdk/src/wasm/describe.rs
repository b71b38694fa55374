//! The parser's constants as the contract's types, for guests that write `describe` by hand. What
//! `#[parser]` exports is [`super::image`].

use super::bindings::flowcell::parser::description_types as wire;
use crate::record::{Field, FieldType, Kind, ParserDef, Schema};

/// What `describe` returns.
#[must_use]
pub fn describe(def: &'static ParserDef) -> wire::Description {
    let mut objects = Vec::new();
    let records = def.records.iter().map(|record| schema(record, &mut objects)).collect();
    wire::Description {
        name: def.name.into(),
        version: def.version.into(),
        doc: def.doc.into(),
        tcp_ports: def.tcp_ports.into(),
        udp_ports: def.udp_ports.into(),
        records,
        objects: objects.into_iter().map(|(_, schema)| schema).collect(),
    }
}

type Objects = Vec<(&'static str, wire::Schema)>;

fn schema(schema: &'static Schema, objects: &mut Objects) -> wire::Schema {
    let fields = schema.fields.iter().map(|field| wire_field(field, objects)).collect();
    wire::Schema { name: schema.name.into(), doc: schema.doc.into(), fields }
}

fn wire_field(field: &'static Field, objects: &mut Objects) -> wire::Field {
    let FieldType { kind, optional, repeated } = field.ty;
    let kind = match kind {
        Kind::Boolean => wire::Kind::Boolean,
        Kind::Unsigned => wire::Kind::Unsigned,
        Kind::Signed => wire::Kind::Signed,
        Kind::Real => wire::Kind::Real,
        Kind::Text => wire::Kind::Text,
        Kind::Bytes => wire::Kind::Bytes,
        Kind::Time => wire::Kind::Time,
        Kind::Address => wire::Kind::Address,
        Kind::Object(schema) => wire::Kind::Object(object_index(schema, objects)),
    };
    wire::Field { name: field.name.into(), doc: field.doc.into(), kind, optional, repeated }
}

/// An object is listed after those that it refers to, so that references only point backwards.
fn object_index(object: &'static Schema, objects: &mut Objects) -> u32 {
    let position = objects.iter().position(|(name, _)| *name == object.name);
    let index = position.unwrap_or_else(|| {
        let wire = schema(object, objects);
        objects.push((object.name, wire));
        objects.len() - 1
    });
    u32::try_from(index).unwrap_or(u32::MAX)
}
