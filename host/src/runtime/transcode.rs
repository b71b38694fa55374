//! Records: CBOR from the guest to JSON for the output, checked against the schema on the way.
//!
//! One pass, no tree in between. The bytes come from untrusted code: everything is bounded by their
//! length and by the schema's depth.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;

use super::description::{Field, Kind, Schema};
use crate::json;

/// A body that does not match its schema.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("record `{record}`{}: {problem} at byte {offset}", in_field(field))]
pub(crate) struct BadRecord {
    record: String,
    field: String,
    problem: &'static str,
    offset: usize,
}

fn in_field(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(", field `{field}`") }
}

/// The record's `data` object, and the names of the fields that had to be escaped.
pub(crate) fn record(schema: &Schema, body: &[u8]) -> Result<(Vec<u8>, Vec<String>), BadRecord> {
    let mut transcoder = Transcoder {
        body,
        offset: 0,
        // Names of fields are not in the body: mostly it does not have to grow.
        json: Vec::with_capacity(body.len() * 2 + schema.fields.len() * 16),
        stray: false,
        escaping: false,
        path: Vec::new(),
    };
    let done = match transcoder.record(schema) {
        Ok(_) if transcoder.offset < body.len() => Err("bytes behind the record"),
        other => other,
    };
    match done {
        Ok(escaped) => Ok((transcoder.json, escaped)),
        Err(problem) => {
            transcoder.path.reverse();
            Err(BadRecord {
                record: schema.name.clone(),
                field: transcoder.path.join("."),
                problem,
                offset: transcoder.offset,
            })
        }
    }
}

struct Transcoder<'a, 's> {
    body: &'a [u8],
    offset: usize,
    json: Vec<u8>,
    /// Text that is not UTF-8 was met.
    stray: bool,
    /// All text is escaped, valid or not.
    escaping: bool,
    /// The field that something is wrong with, innermost first. Empty before that: good records need no
    /// memory for it.
    path: Vec<&'s str>,
}

type Step<T = ()> = Result<T, &'static str>;

const NULL: u8 = 0xf6;

impl<'a, 's> Transcoder<'a, 's> {
    fn take(&mut self, count: u64) -> Step<&'a [u8]> {
        let count = usize::try_from(count).map_err(|_| "a length beyond the end")?;
        let end = self.offset.checked_add(count).ok_or("a length beyond the end")?;
        let bytes = self.body.get(self.offset..end).ok_or("a length beyond the end")?;
        self.offset = end;
        Ok(bytes)
    }

    /// RFC 8949 §3: major type and argument. Indefinite lengths are not part of the contract.
    fn head(&mut self) -> Step<(u8, u64)> {
        let first = self.take(1)?[0];
        let argument = match first & 0x1f {
            small @ 0..=23 => u64::from(small),
            wide @ 24..=27 => {
                let bytes = self.take(1 << (wide - 24))?;
                bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
            }
            31 => return Err("an indefinite length"),
            _ => return Err("a reserved length"),
        };
        Ok((first >> 5, argument))
    }

    /// The record itself. A field in which any text has to be escaped is read again, and then all its
    /// text is: a field's name alone says how to read everything in it.
    fn record(&mut self, schema: &'s Schema) -> Step<Vec<String>> {
        self.array_of(schema)?;
        self.json.push(b'{');
        let (mut first, mut escaped) = (true, Vec::new());
        for field in &schema.fields {
            let before = (self.offset, self.json.len(), first);
            self.named_field(field, &mut first)?;
            if std::mem::take(&mut self.stray) {
                let length;
                (self.offset, length, first) = before;
                self.json.truncate(length);
                self.escaping = true;
                self.named_field(field, &mut first)?;
                (self.escaping, self.stray) = (false, false);
                escaped.push(field.name.clone());
            }
        }
        self.json.push(b'}');
        Ok(escaped)
    }

    fn array_of(&mut self, schema: &Schema) -> Step {
        let (major, items) = self.head()?;
        if major != 4 {
            return Err("not an array");
        }
        if items != schema.fields.len() as u64 {
            return Err("an array with another number of items than the schema has fields");
        }
        Ok(())
    }

    fn object(&mut self, schema: &'s Schema) -> Step {
        self.array_of(schema)?;
        self.json.push(b'{');
        let mut first = true;
        for field in &schema.fields {
            self.named_field(field, &mut first)?;
        }
        self.json.push(b'}');
        Ok(())
    }

    /// A field that is named if something is wrong with it.
    fn named_field(&mut self, field: &'s Field, first: &mut bool) -> Step {
        let done = self.field(field, first);
        if done.is_err() {
            self.path.push(&field.name);
        }
        done
    }

    fn field(&mut self, field: &'s Field, first: &mut bool) -> Step {
        if self.body.get(self.offset) == Some(&NULL) {
            if !field.optional {
                return Err("null in a field that is not optional");
            }
            self.offset += 1;
            return Ok(()); // left out
        }
        if !std::mem::take(first) {
            self.json.push(b',');
        }
        // Names are [a-z0-9_]: nothing in them needs escaping.
        self.json.push(b'"');
        self.json.extend_from_slice(field.name.as_bytes());
        self.json.extend_from_slice(b"\":");
        if !field.repeated {
            return self.value(&field.kind);
        }
        let (major, items) = self.head()?;
        if major != 4 {
            return Err("not an array in a repeated field");
        }
        self.json.push(b'[');
        for item in 0..items {
            if item > 0 {
                self.json.push(b',');
            }
            self.value(&field.kind)?;
        }
        self.json.push(b']');
        Ok(())
    }

    fn value(&mut self, kind: &'s Kind) -> Step {
        match kind {
            Kind::Object(schema) => return self.object(schema),
            Kind::Real => return self.real(),
            _ => {}
        }
        let (major, argument) = self.head()?;
        match (kind, major) {
            (Kind::Boolean, 7) if argument == 20 => self.json.extend_from_slice(b"false"),
            (Kind::Boolean, 7) if argument == 21 => self.json.extend_from_slice(b"true"),
            (Kind::Unsigned | Kind::Signed, 0) => self.integer(argument),
            (Kind::Signed, 1) => self.integer(-1 - i128::from(argument)),
            (Kind::Time, 0) => {
                self.json.push(b'"');
                json::push_timestamp(&mut self.json, argument, 9);
                self.json.push(b'"');
            }
            (Kind::Text, 2 | 3) => {
                let bytes = self.take(argument)?;
                self.text(bytes);
            }
            (Kind::Bytes, 2) => {
                let bytes = self.take(argument)?;
                self.quoted(format_args!("{}", Base64Display::new(bytes, &STANDARD)));
            }
            (Kind::Address, 2) => {
                let octets = self.take(argument)?;
                if let Ok(octets) = <[u8; 4]>::try_from(octets) {
                    self.quoted(format_args!("{}", Ipv4Addr::from(octets)));
                } else if let Ok(octets) = <[u8; 16]>::try_from(octets) {
                    self.quoted(format_args!("{}", Ipv6Addr::from(octets)));
                } else {
                    return Err("an address that is not of 4 or 16 bytes");
                }
            }
            _ => return Err("a value of another type than the schema says"),
        }
        Ok(())
    }

    /// RFC 8949 §3.3: floats of 16, 32 and 64 bits. JSON has no infinities: they become null.
    fn real(&mut self) -> Step {
        let value = match self.take(1)?[0] {
            0xf9 => half(u16::from_be_bytes(self.array()?)),
            0xfa => f64::from(f32::from_be_bytes(self.array()?)),
            0xfb => f64::from_be_bytes(self.array()?),
            _ => return Err("a value of another type than the schema says"),
        };
        match serde_json::Number::from_f64(value) {
            // Writing to memory can not fail.
            Some(number) => _ = write!(self.json, "{number}"),
            None => self.json.extend_from_slice(b"null"),
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let bytes = self.take(N as u64)?;
        bytes.try_into().map_err(|_| "a length beyond the end")
    }

    fn integer(&mut self, value: impl itoa::Integer) {
        self.json.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// What has nothing in it to escape.
    fn quoted(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to memory can not fail.
        let _ = write!(self.json, "\"{text}\"");
    }

    fn string(&mut self, text: &str) {
        json::string(&mut self.json, text);
    }

    /// Valid UTF-8 as it is. Otherwise stray bytes as `\xNN` and backslashes doubled, so that nothing
    /// is ambiguous and nothing is lost.
    fn text(&mut self, bytes: &[u8]) {
        let valid = std::str::from_utf8(bytes);
        match valid {
            Ok(text) if !self.escaping => self.string(text),
            Err(_) if !self.escaping => {
                self.stray = true; // and it will be read again
                self.string("");
            }
            _ => {
                let mut text = String::with_capacity(bytes.len() * 2);
                for chunk in bytes.utf8_chunks() {
                    text.push_str(&chunk.valid().replace('\\', "\\\\"));
                    for byte in chunk.invalid() {
                        // Writing to a string can not fail.
                        let _ = write!(text, "\\x{byte:02x}");
                    }
                }
                self.string(&text);
            }
        }
    }
}

/// RFC 8949 appendix D: a float of 16 bits.
fn half(bits: u16) -> f64 {
    let exponent = i32::from(bits >> 10 & 0x1f);
    let mantissa = f64::from(bits & 0x3ff);
    let value = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { value } else { -value }
}

#[cfg(test)]
#[path = "transcode_tests.rs"]
mod tests;
