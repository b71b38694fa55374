//! Where the rest of a flow goes when it stops being HTTP/1.

use crate::text::{is_token, same, split, trim};

/// What HTTP/2 is called as a parser.
pub(crate) const HTTP2: &str = "http2";

/// Longest name of a protocol, in bytes.
const NAME_MAX: usize = 32;

/// The names of the protocols in header field Upgrade (RFC 9110 §7.8), in lower case and without their
/// versions; those that are none are left out.
pub(crate) fn offers(upgrade: &[u8]) -> impl Iterator<Item = String> {
    upgrade.split(|byte| *byte == b',').map(protocol).filter(|name| !name.is_empty())
}

fn protocol(offer: &[u8]) -> String {
    let (name, version) = split(trim(offer), b'/');
    if same(name, "h2c") || same(name, "h2") || (same(name, "http") && version.is_some()) {
        return HTTP2.to_owned();
    }
    let known = is_token(name) && name.len() <= NAME_MAX;
    let name = if known { name.to_ascii_lowercase() } else { Vec::new() };
    String::from_utf8(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::offers;

    #[test]
    fn names_of_protocols() {
        for (upgrade, name) in [
            ("WebSocket", "websocket"),
            ("h2c", "http2"),
            ("HTTP/2.0, SHTTP/1.3", "http2"),
            ("TLS/1.0, HTTP/1.1", "tls"),
            ("", ""),
            ("a b", ""),
            ("a b, c", "c"),
        ] {
            assert_eq!(offers(upgrade.as_bytes()).next().unwrap_or_default(), name, "{upgrade}");
        }
    }
}
