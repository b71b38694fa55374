//! The NetBIOS session service (RFC 1002 §4.3), where it is more than a length before each message.

use crate::text::{NAME_MAX, Name, oem};

/// What was said besides messages.
#[derive(Debug, Default)]
pub(crate) struct NetBios {
    /// The name that is called, and that of who calls.
    pub(crate) names: Option<[Name; 2]>,
    /// Why the call was refused.
    pub(crate) error: Option<u8>,
}

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packet {
    /// A call, which nothing else looks like.
    Call,
    Other,
    /// Not what its type says.
    Malformed,
}

impl NetBios {
    /// Takes a packet that is no message, without its length.
    pub(crate) fn take(&mut self, kind: u8, body: &[u8]) -> Packet {
        match (kind, body) {
            (0x81, _) => {
                let (called, calling) = body.split_at_checked(body.len() / 2).unwrap_or_default();
                let (Some(called), Some(calling)) = (name(called), name(calling)) else {
                    return Packet::Malformed;
                };
                self.names = Some([called, calling]);
                Packet::Call
            }
            (0x83, [error]) => {
                self.error = Some(*error);
                Packet::Other
            }
            _ => Packet::Other,
        }
    }
}

/// A name as it is called (RFC 1001 §14.1): its length, 32 letters that stand for four bits each, and no
/// scope. The last of the 16 bytes says what kind of name it is and is left out, as are spaces.
fn name(bytes: &[u8]) -> Option<Name> {
    let (Some(32), Some(letters), Some(0)) = (bytes.first(), bytes.get(1..33), bytes.get(33))
    else {
        return None;
    };
    let mut name = Vec::with_capacity(16);
    for pair in letters.chunks_exact(2) {
        let &[high @ b'A'..=b'P', low @ b'A'..=b'P'] = pair else {
            return None;
        };
        name.push((high - b'A') << 4 | (low - b'A'));
    }
    name.pop();
    Some(oem(name.trim_ascii_end(), NAME_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_they_are_called() {
        let called = b" CKFDENECFDEFFCFGEFFCCACACACACACA\0";
        assert_eq!(name(called), Some(oem(b"*SMBSERVER", NAME_MAX)));
        assert_eq!(name(&[b'A'; 34]), None);
        assert_eq!(name(b""), None);
    }
}
