//! Records as JSON, in the form of the host's output.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value as Json, json};

use crate::record::{FieldType, Kind, Schema};

/// The `data` object that the host makes of a record. Absent values are left out.
///
/// # Panics
/// When `body` is not what `schema` demands: the host would end the parser for it.
pub(crate) fn record(schema: &Schema, body: &[u8]) -> Json {
    let mut reader = Reader { rest: body, escaping: false, stray: false };
    let object = reader.object(schema, true);
    assert!(reader.rest.is_empty(), "bytes behind record `{}`", schema.name);
    object
}

struct Reader<'a> {
    rest: &'a [u8],
    /// All text is escaped: some of the same field has to be.
    escaping: bool,
    /// Text that is not UTF-8 was met.
    stray: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }

    fn head(&mut self) -> (u8, u64) {
        let first = self.take(1)[0];
        let argument = match first & 0x1f {
            small @ 0..=23 => u64::from(small),
            wide @ 24..=27 => {
                let bytes = self.take(1 << (wide - 24));
                bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
            }
            other => panic!("CBOR additional information {other}"),
        };
        (first >> 5, argument)
    }

    fn string(&mut self) -> &'a [u8] {
        let (major, length) = self.head();
        assert!(major == 2 || major == 3, "a string is of major type 2 or 3, not {major}");
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn object(&mut self, schema: &Schema, outermost: bool) -> Json {
        assert_eq!(self.head(), (4, schema.fields.len() as u64), "items of `{}`", schema.name);
        let mut object = Map::new();
        for field in schema.fields {
            let before = self.rest;
            let mut value = self.value(field.ty);
            if outermost && self.stray {
                (self.rest, self.escaping) = (before, true);
                value = self.value(field.ty);
                (self.escaping, self.stray) = (false, false);
            }
            if !value.is_null() {
                object.insert(field.name.into(), value);
            }
        }
        Json::Object(object)
    }

    fn value(&mut self, ty: FieldType) -> Json {
        if self.rest.first() == Some(&0xf6) {
            assert!(ty.optional, "null in a field that is not optional");
            self.take(1);
            return Json::Null;
        }
        if !ty.repeated {
            return self.single(ty.kind);
        }
        let (major, length) = self.head();
        assert_eq!(major, 4, "a list is of major type 4");
        (0..length).map(|_| self.single(ty.kind)).collect()
    }

    fn single(&mut self, kind: Kind) -> Json {
        match kind {
            Kind::Boolean => json!(self.take(1)[0] == 0xf5),
            Kind::Real => {
                self.take(1);
                json!(f64::from_be_bytes(self.take(8).try_into().unwrap_or_default()))
            }
            Kind::Unsigned | Kind::Time => json!(self.head().1),
            Kind::Signed => match self.head() {
                (0, value) => json!(value),
                (_, value) => json!((!value).cast_signed()),
            },
            Kind::Text => {
                let bytes = self.string();
                self.stray |= std::str::from_utf8(bytes).is_err();
                json!(printable(bytes, self.escaping))
            }
            Kind::Bytes => json!(base64(self.string())),
            Kind::Address => json!(address(self.string()).to_string()),
            Kind::Object(schema) => self.object(schema, false),
        }
    }
}

fn address(octets: &[u8]) -> IpAddr {
    match octets.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(octets).unwrap_or_default()).into(),
        _ => Ipv6Addr::from(<[u8; 16]>::try_from(octets).unwrap_or_default()).into(),
    }
}

/// Text as the host writes it: as it is where it is UTF-8, else with stray bytes as `\xNN` and
/// backslashes doubled.
fn printable(bytes: &[u8], escaping: bool) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !escaping => return text.into(),
        _ => {}
    }
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            text.push(if digit <= group.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    text
}
