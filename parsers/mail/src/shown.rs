//! How records show what the parser keeps: borrowed, without a list or an owner made for it.

use std::net::IpAddr;

use flowcell_sdk::prelude::*;
use flowcell_sdk::{Encoder, FieldType, Kind, Value};

use crate::header::{Field, Header};
use crate::inner::Inner;
use crate::part::Attachment;
use crate::records::{AttachmentFields, NestedFields};

const fn repeated(kind: Kind) -> FieldType {
    FieldType { kind, optional: false, repeated: true }
}

/// Text from the wire.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a [u8]);

impl Shown<'_> {
    /// The text, if there is one.
    #[must_use]
    pub fn maybe(text: Option<&Vec<u8>>) -> Option<Shown<'_>> {
        text.map(|text| Shown(text))
    }

    /// The text of a header field.
    #[must_use]
    pub fn field(header: &Header, field: Field) -> Option<Shown<'_>> {
        header.text(field).map(Shown)
    }
}

impl Value for Shown<'_> {
    const TYPE: FieldType = FieldType { kind: Kind::Text, optional: false, repeated: false };

    #[inline(never)]
    fn encode(&self, out: &mut Encoder<'_>) {
        Text::from(self.0).encode(out);
    }
}

/// A list of texts.
#[derive(Debug)]
pub struct List<'a>(pub &'a [Vec<u8>]);

impl Value for List<'_> {
    const TYPE: FieldType = repeated(Kind::Text);

    #[inline(never)]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.array(self.0.len());
        for text in self.0 {
            Shown(text).encode(out);
        }
    }
}

/// The way of a message: the server and the client, if it is being sent, and the hops before.
#[derive(Debug)]
pub struct Hops<'a> {
    /// The server and the client.
    pub ends: Option<[IpAddr; 2]>,
    /// The hops before, backwards.
    pub before: &'a [IpAddr],
}

impl Value for Hops<'_> {
    const TYPE: FieldType = repeated(Kind::Address);

    fn encode(&self, out: &mut Encoder<'_>) {
        let ends = self.ends.as_ref().map_or(&[][..], |ends| ends);
        out.array(ends.len() + self.before.len());
        for address in ends.iter().chain(self.before) {
            address.encode(out);
        }
    }
}

/// A SHA-256 in hexadecimal.
#[derive(Debug)]
pub struct Digest<'a>(pub &'a [u8; 32]);

impl Value for Digest<'_> {
    const TYPE: FieldType = Shown::TYPE;

    fn encode(&self, out: &mut Encoder<'_>) {
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *digit = value + if value < 10 { b'0' } else { b'a' - 10 };
            }
        }
        Shown(&digits).encode(out);
    }
}

/// The attachments of a message.
#[derive(Debug)]
pub struct Attachments<'a>(pub &'a [Attachment]);

impl Value for Attachments<'_> {
    const TYPE: FieldType = repeated(Kind::Object(AttachmentFields::SCHEMA));

    fn encode(&self, out: &mut Encoder<'_>) {
        out.array(self.0.len());
        for attachment in self.0 {
            AttachmentFields {
                message: number(attachment.message),
                name: Shown::maybe(attachment.name.as_ref()),
                content_type: Shown(&attachment.content_type),
                encoding: Shown(&attachment.encoding),
                disposition: Shown::maybe(attachment.disposition.as_ref()),
                size: attachment.size,
                sha256: attachment.sha256.as_ref().map(Digest),
            }
            .encode(out);
        }
    }
}

/// The messages within a message.
#[derive(Debug)]
pub struct Nested<'a>(pub &'a [Inner]);

impl Value for Nested<'_> {
    const TYPE: FieldType = repeated(Kind::Object(NestedFields::SCHEMA));

    fn encode(&self, out: &mut Encoder<'_>) {
        out.array(self.0.len());
        for Inner { within, header } in self.0 {
            NestedFields {
                message: number(*within),
                date: Shown::field(header, Field::Date),
                from: Shown::field(header, Field::From),
                to: List(&header.to),
                msg_id: Shown::field(header, Field::MessageId),
                subject: Shown::field(header, Field::Subject),
            }
            .encode(out);
        }
    }
}

/// The outermost message has no number.
fn number(message: usize) -> Option<u64> {
    (message > 0).then_some(message as u64)
}
