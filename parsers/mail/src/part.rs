//! One part of a message that holds content itself: its description, and its content as it passes.

use sha2::{Digest, Sha256};

use super::header::shorten;
use super::parameters::{main_value, parameter};
use super::text::{owned, same};
use super::transfer::Decoder;

/// Longest file name that is kept, in bytes: the limit of common file systems.
const NAME_MAX: usize = 255;

/// Longest media type that is kept, in bytes: RFC 6838 §4.2 allows 127 for each of its two names.
const TYPE_MAX: usize = 255;

/// Longest name of a transfer encoding or disposition that is kept, in bytes.
const TOKEN_MAX: usize = 64;

/// The fields of a part's header that say what it holds, as they stand.
#[derive(Debug, Default)]
pub(crate) struct Entity {
    content_type: Option<Vec<u8>>,
    encoding: Option<Vec<u8>>,
    disposition: Option<Vec<u8>>,
}

impl Entity {
    /// Takes a field, unfolded. Of a repeated one the first counts.
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8]) {
        let kept = if same(name, "content-type") {
            &mut self.content_type
        } else if same(name, "content-transfer-encoding") {
            &mut self.encoding
        } else if same(name, "content-disposition") {
            &mut self.disposition
        } else {
            return;
        };
        if kept.is_none() {
            *kept = Some(owned(value));
        }
    }

    /// The media type, in lower case, without its parameters.
    pub(crate) fn media_type(&self) -> Option<Vec<u8>> {
        self.content_type.as_deref().map(main_value).filter(|value| !value.is_empty())
    }

    /// What separates the parts of a multipart.
    pub(crate) fn boundary(&self) -> Option<Vec<u8>> {
        let mut boundary = parameter(self.content_type.as_deref()?, "boundary")?;
        boundary.truncate(boundary.trim_ascii_end().len());
        (!boundary.is_empty()).then_some(boundary)
    }

    /// The part as an attachment, if it is one: if it has a file name, says that it is one, or is no
    /// text to be shown.
    pub(crate) fn attachment(&self, default_type: &str) -> Option<Attachment> {
        let mut content_type = self.media_type().unwrap_or_else(|| owned(default_type.as_bytes()));
        let disposition = self.disposition.as_deref();
        // RFC 2183 §2.3; the parameter of the media type is older and not standardised.
        let name = disposition
            .and_then(|value| parameter(value, "filename"))
            .or_else(|| parameter(self.content_type.as_deref()?, "name"));
        let mut disposition = disposition.map(main_value);
        // RFC 2183 §2.8: what is not known is to be taken for an attachment.
        let shown = matches!(disposition.as_deref(), None | Some(b"inline" | b""));
        if shown && name.is_none() && content_type.starts_with(b"text/") {
            return None;
        }
        let mut name = name;
        let mut encoding = main_value(self.encoding.as_deref().unwrap_or(b"7bit"));
        let mut cut = !shorten(&mut content_type, TYPE_MAX) | !shorten(&mut encoding, TOKEN_MAX);
        if let Some(name) = &mut name {
            cut |= !shorten(name, NAME_MAX);
        }
        if let Some(disposition) = &mut disposition {
            cut |= !shorten(disposition, TOKEN_MAX);
        }
        Some(Attachment { name, content_type, encoding, disposition, size: 0, sha256: None, cut })
    }
}

/// What is known of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file name, in UTF-8.
    pub name: Option<Vec<u8>>,
    /// The media type, in lower case.
    pub content_type: Vec<u8>,
    /// The transfer encoding, in lower case.
    pub encoding: Vec<u8>,
    /// The disposition, in lower case.
    pub disposition: Option<Vec<u8>>,
    /// Bytes of decoded content.
    pub size: u64,
    /// Of the decoded content; absent where bytes of it are missing.
    pub sha256: Option<[u8; 32]>,
    /// A text of this description was cut at its limit.
    pub cut: bool,
}

impl Attachment {
    fn take(&mut self, content: &[u8], hash: &mut Sha256) {
        self.size += content.len() as u64;
        hash.update(content);
    }
}

/// An attachment whose content is passing.
#[derive(Debug)]
pub(crate) struct Passing {
    attachment: Attachment,
    decoder: Decoder,
    hash: Sha256,
    whole: bool,
}

impl Passing {
    pub(crate) fn new(attachment: Attachment) -> Self {
        let decoder = Decoder::named(&attachment.encoding);
        Self { attachment, decoder, hash: Sha256::new(), whole: true }
    }

    /// Takes the next piece of the encoded content.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        self.attachment.take(self.decoder.feed(piece), &mut self.hash);
    }

    /// Bytes of the content are missing.
    pub(crate) fn gap(&mut self) {
        self.whole = false;
    }

    /// The content is over.
    pub(crate) fn finish(mut self) -> Attachment {
        self.attachment.take(self.decoder.finish(), &mut self.hash);
        if self.whole {
            self.attachment.sha256 = Some(self.hash.finalize().into());
        }
        self.attachment
    }
}
