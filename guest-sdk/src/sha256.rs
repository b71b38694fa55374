//! Digests of what a parser reads.

#[cfg(not(target_arch = "wasm32"))]
use self::native::Digest;
#[cfg(target_arch = "wasm32")]
use crate::wasm::Digest;

/// A SHA-256 digest (FIPS 180-4).
///
/// In the sandbox the host computes it, several times faster than a guest could; natively a library does.
/// Bytes are handed over by the kilobyte, so small pieces cost little.
#[derive(Debug)]
pub struct Sha256(Digest);

impl Sha256 {
    /// Begins a digest.
    ///
    /// # Panics
    /// When 16 others are not finished or dropped yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Digest::new())
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finish()
    }

    /// Returns the digest in lowercase hexadecimal digits, as records have it.
    #[must_use]
    pub fn finish_hex(self) -> String {
        hex(&self.finish())
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes in lowercase hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use sha2::Digest as _;

    #[derive(Debug)]
    pub(super) struct Digest(sha2::Sha256);

    impl Digest {
        pub(super) fn new() -> Self {
            Self(sha2::Sha256::new())
        }

        pub(super) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(super) fn finish(self) -> [u8; 32] {
            self.0.finalize().into()
        }
    }
}
