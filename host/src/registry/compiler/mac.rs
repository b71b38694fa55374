//! HMAC-SHA-256 (RFC 2104).

use sha2::{Digest, Sha256};

/// Bytes that SHA-256 takes at a time.
const BLOCK: usize = 64;

/// An authentication code in the making.
pub(super) struct Mac {
    inner: Sha256,
    outer: Sha256,
}

impl Mac {
    /// With a key that is not longer than a block.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let padded = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            Sha256::new_with_prefix(block)
        };
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    pub(super) fn finish(self) -> [u8; 32] {
        self.outer.chain_update(self.inner.finalize()).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that is shorter than ours is the same as one that is filled up with zeros.
    fn mac(key: &[u8], parts: &[&[u8]]) -> String {
        let mut padded = [0; 32];
        padded[..key.len()].copy_from_slice(key);
        let mut mac = Mac::new(&padded);
        parts.iter().for_each(|part| mac.update(part));
        mac.finish().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 4231, sections 4.2, 4.3 and 4.4.
    #[test]
    fn the_rfc_s_examples() {
        assert_eq!(
            mac(&[0x0b; 20], &[b"Hi ", b"There"]),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            mac(b"Jefe", &[b"what do ya want for nothing?"]),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            mac(&[0xaa; 20], &[&[0xdd; 50]]),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        );
    }
}
