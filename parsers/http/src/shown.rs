//! How records show what the parser keeps: borrowed, without a list or an owner made for it.

use flowcell_sdk::prelude::*;
use flowcell_sdk::{Encoder, FieldType, Kind, Value};

/// Text from the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a>(pub(crate) &'a [u8]);

impl Value for Shown<'_> {
    const TYPE: FieldType = FieldType { kind: Kind::Text, optional: false, repeated: false };

    #[inline(never)]
    fn encode(&self, out: &mut Encoder<'_>) {
        Text::from(self.0).encode(out);
    }
}

/// A list of texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<'a>(pub(crate) &'a [Vec<u8>]);

impl Value for List<'_> {
    const TYPE: FieldType = FieldType { kind: Kind::Text, optional: false, repeated: true };

    fn encode(&self, out: &mut Encoder<'_>) {
        out.array(self.0.len());
        for text in self.0 {
            Shown(text).encode(out);
        }
    }
}

/// An HTTP version: two digits (RFC 9112 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) major: u8,
    pub(crate) minor: u8,
}

impl Version {
    /// What has no version is HTTP/0.9.
    pub(crate) const OLDEST: Self = Self { major: 0, minor: 9 };

    /// Reads `HTTP/1.1`.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        match text.strip_prefix(b"HTTP/")? {
            [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => {
                Some(Self { major: major - b'0', minor: minor - b'0' })
            }
            _ => None,
        }
    }

    /// HTTP/1.0 or HTTP/1.1.
    pub(crate) fn is_known(self) -> bool {
        self.major == 1 && self.minor <= 1
    }

    /// Older than HTTP/1.1.
    pub(crate) fn is_old(self) -> bool {
        (self.major, self.minor) < (1, 1)
    }
}

impl Value for Version {
    const TYPE: FieldType = Shown::TYPE;

    fn encode(&self, out: &mut Encoder<'_>) {
        Shown(&[b'0' + self.major, b'.', b'0' + self.minor]).encode(out);
    }
}
