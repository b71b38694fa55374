//! The server's part of a key exchange up to TLS 1.2, which names the curve.

use crate::bytes::Bytes;
use crate::ciphers;

/// `named_curve` (RFC 8422 §5.4).
const NAMED_CURVE: u8 = 3;

/// The curve in a ServerKeyExchange, if the cipher suite is one with elliptic curves.
pub(crate) fn curve(cipher: u16, body: &[u8]) -> Option<u16> {
    let name = ciphers::name(cipher);
    if !name.starts_with("TLS_ECDHE_") && !name.starts_with("TLS_ECDH_ANON_") {
        return None;
    }
    let mut body = Bytes(body);
    if name.starts_with("TLS_ECDHE_PSK_") {
        let _identity_hint = body.vector16()?; // RFC 5489 §2
    }
    if body.u8()? == NAMED_CURVE { body.u16() } else { None }
}
