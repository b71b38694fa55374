//! Digests in hexadecimal.

use flowcell_sdk::Flow;
use md5::{Digest, Md5};

pub(crate) fn md5(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

pub(crate) fn sha256(_flow: &Flow, bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        push_hex(*byte, &mut text);
    }
    text
}

/// Appends the two digits of a byte.
pub(crate) fn push_hex(byte: u8, text: &mut String) {
    for value in [byte >> 4, byte & 15] {
        text.push(char::from(value + if value < 10 { b'0' } else { b'a' - 10 }));
    }
}
