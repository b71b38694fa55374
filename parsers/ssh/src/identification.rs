//! Identification strings (RFC 4253 §4.2): `SSH-protoversion-softwareversion SP comments CR LF`.

/// Longest identification that is kept, in bytes with its line end (RFC 4253 §4.2).
pub(crate) const MAX_IDENTIFICATION: usize = 255;

/// What the protocol version of an identification promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    One,
    Two,
    /// `1.99`: a server that speaks both (RFC 4253 §5.1).
    Both,
}

/// The protocol version of a line, if it is an identification.
pub(crate) fn protocol(line: &[u8]) -> Option<Speaks> {
    let rest = line.strip_prefix(b"SSH-")?;
    let dash = rest.iter().position(|byte| *byte == b'-')?;
    match rest.get(..dash)? {
        b"1.99" => Some(Speaks::Both),
        [b'1', b'.', minor @ ..] if is_number(minor) => Some(Speaks::One),
        [b'2', b'.', minor @ ..] if is_number(minor) => Some(Speaks::Two),
        _ => None,
    }
}

fn is_number(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// The major version that two sides have in common.
pub(crate) fn common(client: Speaks, server: Speaks) -> Option<u8> {
    match (client, server) {
        (Speaks::One, Speaks::Two) | (Speaks::Two, Speaks::One) => None,
        (Speaks::One, _) | (_, Speaks::One) => Some(1),
        _ => Some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::{Speaks, common, protocol};

    #[test]
    fn versions_are_read_from_the_line() {
        assert_eq!(protocol(b"SSH-2.0-OpenSSH_9.6 Debian"), Some(Speaks::Two));
        assert_eq!(protocol(b"SSH-1.99-x"), Some(Speaks::Both));
        assert_eq!(protocol(b"SSH-1.5-x"), Some(Speaks::One));
        for line in [&b"SSH-2.0"[..], b"SSH-3.0-x", b"SSH-2.-x", b"ssh-2.0-x", b"SSH--", b""] {
            assert_eq!(protocol(line), None, "{line:?}");
        }
    }

    #[test]
    fn the_version_in_common() {
        assert_eq!(common(Speaks::Both, Speaks::Two), Some(2));
        assert_eq!(common(Speaks::Both, Speaks::Both), Some(2));
        assert_eq!(common(Speaks::One, Speaks::Both), Some(1));
        assert_eq!(common(Speaks::One, Speaks::Two), None);
    }
}
