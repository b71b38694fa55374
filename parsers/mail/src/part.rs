//! One part of a message that holds content itself: its description, and its content as it passes.

use flowcell_sdk::Sha256;

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

    /// Whether the content stands as it is, as that of messages and multiparts has to (RFC 2045 §6.4).
    pub(crate) fn is_plain(&self) -> bool {
        let encoding = self.encoding.as_deref().map(main_value);
        matches!(encoding.as_deref(), None | Some(b"" | b"7bit" | b"8bit" | b"binary"))
    }

    /// What separates the parts of a multipart.
    pub(crate) fn boundary(&self) -> Option<Vec<u8>> {
        let mut boundary = parameter(self.content_type.as_deref()?, "boundary")?;
        boundary.truncate(boundary.trim_ascii_end().len());
        (!boundary.is_empty()).then_some(boundary)
    }

    /// The part, which is of that type, as an attachment, if it is one: if it has a file name, says that it is one, or is no
    /// text to be shown.
    pub(crate) fn attachment(&self, media_type: &[u8]) -> Option<Attachment> {
        let mut content_type = owned(media_type);
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
        let (message, size, sha256) = (0, 0, None);
        Some(Attachment { message, name, content_type, encoding, disposition, size, sha256, cut })
    }
}

/// What is known of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The message that it is a part of: 0 is the outermost, 1 the first of those within it.
    pub message: usize,
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

/// A line end that is held back: in front of a boundary it is not content (RFC 2046 §5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Cr,
    Lf,
    CrLf,
}

/// An attachment whose content is passing.
#[derive(Debug)]
pub(crate) struct Passing {
    /// Its place in the list of attachments.
    index: usize,
    decoder: Decoder,
    size: u64,
    /// Absent where bytes are missing, or none is wanted.
    hash: Option<Sha256>,
    held: Held,
}

impl Passing {
    /// Starts with the content of the attachment that stands at `index` of the list.
    pub(crate) fn new(index: usize, encoding: &[u8], hashed: bool) -> Self {
        let hash = hashed.then(Sha256::new);
        Self { index, decoder: Decoder::named(encoding), size: 0, hash, held: Held::Nothing }
    }

    /// Takes the next piece of the encoded content.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) {
        if self.held == Held::Cr
            && let [b'\n', rest @ ..] = piece
        {
            self.held = Held::CrLf;
            piece = rest;
        }
        if piece.is_empty() {
            return;
        }
        self.release();
        let (text, held) = match piece {
            [text @ .., b'\r', b'\n'] => (text, Held::CrLf),
            [text @ .., b'\n'] => (text, Held::Lf),
            [text @ .., b'\r'] => (text, Held::Cr),
            text => (text, Held::Nothing),
        };
        self.held = held;
        self.content(text);
    }

    /// Makes no digest.
    pub(crate) fn unhash(&mut self) {
        self.hash = None;
    }

    /// Bytes of the content are missing.
    pub(crate) fn gap(&mut self) {
        self.hash = None;
        self.held = Held::Nothing;
    }

    /// The content is over: by a boundary, to which the last line end belongs, or with the message.
    pub(crate) fn finish(mut self, at_boundary: bool, attachments: &mut [Attachment]) {
        if !at_boundary {
            self.release();
        }
        let rest = self.decoder.finish();
        self.size += rest.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(rest);
        }
        if let Some(attachment) = attachments.get_mut(self.index) {
            attachment.size = self.size;
            attachment.sha256 = self.hash.map(Sha256::finish);
        }
    }

    /// The line end that was held back is content.
    fn release(&mut self) {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Nothing => {}
            Held::Cr => self.content(b"\r"),
            Held::Lf => self.content(b"\n"),
            Held::CrLf => self.content(b"\r\n"),
        }
    }

    fn content(&mut self, encoded: &[u8]) {
        let decoded = self.decoder.feed(encoded);
        self.size += decoded.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(decoded);
        }
    }
}
