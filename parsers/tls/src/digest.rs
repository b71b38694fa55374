//! Digests in hexadecimal.

use flowcell_sdk::{Sha256, hex};
use md5::{Digest, Md5};

pub(crate) fn md5(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(bytes);
    digest.finish_hex()
}
