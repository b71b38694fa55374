//! Reading the vectors of TLS (RFC 8446 §3) out of a message.

/// What is left of a message. A read beyond its end is `None`, and reads nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        let bytes: [u8; 2] = self.take(2)?.try_into().ok()?;
        Some(u16::from_be_bytes(bytes))
    }

    pub(crate) fn u24(&mut self) -> Option<usize> {
        let bytes = self.take(3)?;
        Some(bytes.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))
    }

    /// A vector whose length takes one byte.
    pub(crate) fn vector8(&mut self) -> Option<Self> {
        let length = usize::from(self.u8()?);
        self.take(length).map(Self)
    }

    /// A vector whose length takes two bytes.
    pub(crate) fn vector16(&mut self) -> Option<Self> {
        let length = usize::from(self.u16()?);
        self.take(length).map(Self)
    }

    /// A vector whose length takes two bytes, or what is here of it, and whether that is all.
    pub(crate) fn vector16_here(&mut self) -> Option<(Self, bool)> {
        let length = usize::from(self.u16()?);
        let here = length.min(self.0.len());
        Some((Self(self.take(here)?), here == length))
    }
}
