//! Where the rest of a flow goes when it stops being HTTP/1.

use flowcell_sdk::prelude::*;

use crate::text::{is_token, same, split, trim};

/// What HTTP/2 is called as a parser.
pub(crate) const HTTP2: &[u8] = b"http2";

/// Longest name of a protocol, in bytes.
const NAME_MAX: usize = 32;

/// Hands the rest of the flow to a protocol; to whoever knows it if that has no name.
pub(crate) fn hand_over(_protocol: &[u8]) -> Error {
    let end = flowcell_sdk::Ended { side: Side::Server, reason: EndReason::Fin, unread: 0 };
    Error::Read(ReadError::End(end))
}

/// The name of the first protocol in header field Upgrade (RFC 9110 §7.8), in lower case and without its
/// version. Empty if there is none.
pub(crate) fn protocol(upgrade: &[u8]) -> Vec<u8> {
    let (first, _) = split(upgrade, b',');
    let (name, version) = split(trim(first), b'/');
    if same(name, "h2c") || same(name, "h2") || (same(name, "http") && version.is_some()) {
        return HTTP2.to_vec();
    }
    if !is_token(name) || name.len() > NAME_MAX {
        return Vec::new();
    }
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::protocol;

    #[test]
    fn names_of_protocols() {
        for (upgrade, name) in [
            ("WebSocket", "websocket"),
            ("h2c", "http2"),
            ("HTTP/2.0, SHTTP/1.3", "http2"),
            ("TLS/1.0, HTTP/1.1", "tls"),
            ("", ""),
            ("a b", ""),
        ] {
            assert_eq!(protocol(upgrade.as_bytes()), name.as_bytes(), "{upgrade}");
        }
    }
}
