//! Lines as they come off the wire.

use std::ops::Deref;

use crate::Text;

/// A line, borrowed from the stream's buffer. Dereferences to its bytes without the line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    raw: &'a [u8],
    content: usize,
}

impl<'a> Line<'a> {
    /// `raw` ends with a line feed, or is a piece without one.
    pub(crate) fn new(raw: &'a [u8]) -> Self {
        let content = match raw {
            [.., b'\r', b'\n'] => raw.len() - 2,
            [.., b'\n'] => raw.len() - 1,
            _ => raw.len(),
        };
        Self { raw, content }
    }

    /// The bytes without CR LF or LF.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        &self.raw[..self.content]
    }

    /// The bytes with the line end.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The bytes without the line end, as a value to emit.
    #[must_use]
    pub fn text(&self) -> Text<'a> {
        Text::from(self.bytes())
    }

    /// The line ended in LF alone.
    #[must_use]
    pub fn is_bare_lf(&self) -> bool {
        self.raw.len() == self.content + 1
    }
}

impl Deref for Line<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

/// A line, or a piece of one that is longer than was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinePart<'a> {
    /// The bytes; with a line end only in the last piece.
    pub line: Line<'a>,
    /// This piece ends the line.
    pub last: bool,
}
