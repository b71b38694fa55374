//! SHA-256 of what passes by.

use flowcell_sdk::prelude::*;
use sha2::{Digest as _, Sha256};

/// A digest that is being made.
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn new(_flow: &Flow) -> Self {
        Self(Sha256::new())
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// In hexadecimal.
    pub(crate) fn finish(self) -> String {
        let mut hex = String::with_capacity(64);
        for byte in self.0.finalize() {
            for digit in [byte >> 4, byte & 15] {
                hex.push(char::from(digit + if digit < 10 { b'0' } else { b'a' - 10 }));
            }
        }
        hex
    }
}
