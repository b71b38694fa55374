//! Digests as people compare them.

use flowcell_sdk::Sha256;
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

/// SHA-256, as OpenSSH shows it: in base64 without padding (RFC 4648 §4), behind the name.
pub(crate) fn sha256_base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digest = Sha256::new();
    digest.update(bytes);
    let mut text = b"SHA256:".to_vec();
    for group in digest.finish().chunks(3) {
        let byte = |at: usize| group.get(at).copied().unwrap_or(0);
        let [a, b, c] = [byte(0), byte(1), byte(2)];
        let digits = [a >> 2, a << 4 | b >> 4, b << 2 | c >> 6, c];
        let digits = digits.iter().take(group.len() + 1);
        text.extend(digits.map(|digit| DIGITS[usize::from(digit & 63)]));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn sha256_of_abc() {
        let text = super::sha256_base64(b"abc"); // FIPS 180-2 §B.1
        assert_eq!(text, b"SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
    }

    #[test]
    fn md5_of_abc() {
        let hex = super::md5_hex(&[b"a", b"bc"], None);
        assert_eq!(hex, b"900150983cd24fb0d6963f7d28e17f72"); // RFC 1321 §A.5
        assert!(super::md5_hex(&[b"abc"], Some(b':')).starts_with(b"90:01:50:"));
    }
}
