//! Digests as people compare them.

use md5::{Digest, Md5};

/// MD5 of some pieces, in lower-case hexadecimal, with `between` after each byte but the last.
pub(crate) fn md5_hex(pieces: &[&[u8]], between: Option<u8>) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digest = Md5::new();
    for piece in pieces {
        digest.update(piece);
    }
    let mut text = Vec::with_capacity(47);
    for byte in digest.finalize() {
        if let Some(between) = between
            && !text.is_empty()
        {
            text.push(between);
        }
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn md5_of_abc() {
        let hex = super::md5_hex(&[b"a", b"bc"], None);
        assert_eq!(hex, b"900150983cd24fb0d6963f7d28e17f72"); // RFC 1321 §A.5
        assert!(super::md5_hex(&[b"abc"], Some(b':')).starts_with(b"90:01:50:"));
    }
}
