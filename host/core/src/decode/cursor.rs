//! The part of a frame that is still to be decoded.

use super::{DecodeError, DecodeErrorKind, Layer};

/// The undecoded rest of a frame.
///
/// ```text
///  frame on the wire   ├──────────┼─────────────────────────────────┼ ─ ─ ─ ─ ─ ─ ┤
///                      0          offset                            │             │
///                                 ├──── bytes: what was captured ───┤             │
///                                 ├──── wire: what was sent ──────────────────────┤
/// ```
///
/// Invariant: `bytes.len() ≤ wire`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) wire: usize,
    pub(super) offset: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the first of `bytes`, of which `wire` were sent, unless that is less.
    #[inline]
    pub(super) fn new(bytes: &'a [u8], wire: usize) -> Self {
        Self { bytes, wire: wire.max(bytes.len()), offset: 0 }
    }

    pub(super) fn error(&self, layer: Layer, kind: DecodeErrorKind) -> DecodeError {
        DecodeError { layer, offset: self.offset, kind }
    }

    /// Says why a header of `needed` bytes can't be had.
    pub(super) fn lacks(&self, layer: Layer, needed: usize) -> DecodeError {
        self.error(
            layer,
            if self.wire < needed {
                DecodeErrorKind::TooShort { needed, present: self.wire }
            } else {
                DecodeErrorKind::Truncated { needed, captured: self.bytes.len() }
            },
        )
    }

    /// Returns the first `N` bytes without taking them.
    #[inline]
    pub(super) fn peek<const N: usize>(&self, layer: Layer) -> Result<&'a [u8; N], DecodeError> {
        self.bytes.first_chunk::<N>().ok_or_else(|| self.lacks(layer, N))
    }

    /// Returns the `N` bytes from `at` on, if they were captured.
    pub(super) fn get<const N: usize>(&self, at: usize) -> Option<&'a [u8; N]> {
        self.bytes.get(at..)?.first_chunk::<N>()
    }

    /// Takes a header of `len` bytes, all of which must be there.
    #[inline]
    pub(super) fn take(&mut self, layer: Layer, len: usize) -> Result<&'a [u8], DecodeError> {
        self.skip(len).ok_or_else(|| self.lacks(layer, len))
    }

    /// Takes `len` bytes, if they were captured.
    #[inline]
    pub(super) fn skip(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(len)?;
        *self = Self { bytes: rest, wire: self.wire - len, offset: self.offset + len };
        Some(head)
    }

    /// Takes a header of `N` bytes, all of which must be there.
    #[inline]
    pub(super) fn array<const N: usize>(
        &mut self,
        layer: Layer,
    ) -> Result<&'a [u8; N], DecodeError> {
        let header = self.peek::<N>(layer)?;
        self.take(layer, N)?;
        Ok(header)
    }

    /// Takes a header of `len` bytes that must have been on the wire, but may be cut.
    #[inline]
    pub(super) fn take_cut(&mut self, layer: Layer, len: usize) -> Result<&'a [u8], DecodeError> {
        let wire = self.wire.checked_sub(len).ok_or_else(|| self.lacks(layer, len))?;
        let (head, rest) = self.bytes.split_at(len.min(self.bytes.len()));
        *self = Self { bytes: rest, wire, offset: self.offset + head.len() };
        Ok(head)
    }

    /// Cuts off what is behind the first `len` bytes: padding, or a trailer of the link.
    #[inline]
    pub(super) fn limit(&mut self, len: usize) {
        self.wire = self.wire.min(len);
        self.bytes = self.bytes.get(..len).unwrap_or(self.bytes);
    }

    /// Makes the rest `len` bytes long on the wire, as a length field says that is to be believed;
    /// returns whether that is more than the frame had.
    #[inline]
    pub(super) fn resize(&mut self, len: usize) -> bool {
        let exceeds = len > self.wire;
        self.wire = len;
        self.bytes = self.bytes.get(..len).unwrap_or(self.bytes);
        exceeds
    }
}
