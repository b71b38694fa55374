//! NTLM: who claims to be whom, and who the server is (MS-NLMP §2.2).

use crate::text::{NAME_MAX, Name, oem, push_number, utf16};
use crate::wire::{index, part, u8_at, u16_at, u32_at};

/// What a message says that is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Whatever the client can do.
    Negotiate,
    Challenge(Box<Challenge>),
    Authenticate(Box<Authenticate>),
}

/// The server's names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) nb_computer: Option<Name>,
    pub(crate) nb_domain: Option<Name>,
    pub(crate) dns_computer: Option<Name>,
    pub(crate) dns_domain: Option<Name>,
    pub(crate) dns_tree: Option<Name>,
    pub(crate) version: Option<Vec<u8>>,
}

/// The client's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Authenticate {
    pub(crate) user: Name,
    pub(crate) domain: Name,
    pub(crate) workstation: Name,
    pub(crate) version: Option<Vec<u8>>,
    /// 1 or 2, by the response; absent if there is none.
    pub(crate) ntlm_version: Option<u8>,
    pub(crate) anonymous: bool,
}

/// Bits of NegotiateFlags (§2.2.2.5).
const UNICODE: u32 = 1;
const ANONYMOUS: u32 = 0x800;
const TARGET_INFO: u32 = 0x0080_0000;
const VERSION: u32 = 0x0200_0000;

impl Message {
    /// Reads a message that starts with its signature.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Some(match u32_at(bytes, 8)? {
            1 => Self::Negotiate,
            2 => Self::Challenge(Box::new(Challenge::parse(bytes)?)),
            3 => Self::Authenticate(Box::new(Authenticate::parse(bytes)?)),
            _ => return None,
        })
    }
}

/// A field of the payload: length, room, and offset from the start of the message (§2.2.2.10 and others).
fn field(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = u16_at(bytes, at)?;
    let offset = u32_at(bytes, at.checked_add(4)?)?;
    Some(part(bytes, index(offset), length.into()))
}

/// Product version and build (§2.2.2.10).
fn version(bytes: &[u8], at: usize, flags: u32) -> Option<Vec<u8>> {
    if flags & VERSION == 0 {
        return None;
    }
    let (major, minor, build) = (u8_at(bytes, at)?, u8_at(bytes, at + 1)?, u16_at(bytes, at + 2)?);
    if (major, minor, build) == (0, 0, 0) {
        return None;
    }
    let mut text = Vec::new();
    for (number, dot) in [(major.into(), ".".as_bytes()), (minor.into(), b"."), (build, b"")] {
        push_number(&mut text, number.into());
        text.extend_from_slice(dot);
    }
    Some(text)
}

impl Challenge {
    /// §2.2.1.2.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let flags = u32_at(bytes, 20)?;
        let mut challenge = Self { version: version(bytes, 48, flags), ..Self::default() };
        let mut pairs = match flags & TARGET_INFO {
            0 => &[][..],
            _ => field(bytes, 40).unwrap_or_default(),
        };
        // §2.2.2.1: pairs of an id and a value, until id 0.
        while let (Some(id @ 1..), Some(length)) = (u16_at(pairs, 0), u16_at(pairs, 2)) {
            let value = part(pairs, 4, length.into());
            let name = match id {
                1 => &mut challenge.nb_computer,
                2 => &mut challenge.nb_domain,
                3 => &mut challenge.dns_computer,
                4 => &mut challenge.dns_domain,
                5 => &mut challenge.dns_tree,
                _ => &mut None,
            };
            *name = (!value.is_empty()).then(|| utf16(value, NAME_MAX));
            pairs = pairs.get(4 + usize::from(length)..).unwrap_or_default();
        }
        Some(challenge)
    }
}

impl Authenticate {
    /// §2.2.1.3.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let response = u16_at(bytes, 20)?;
        let [domain, user, workstation] =
            [28, 36, 44].map(|at| field(bytes, at).unwrap_or_default());
        let flags = u32_at(bytes, 60).unwrap_or(0);
        let text = if flags & UNICODE == 0 { oem } else { utf16 };
        Some(Self {
            anonymous: user.is_empty() && (response == 0 || flags & ANONYMOUS != 0),
            user: text(user, NAME_MAX),
            domain: text(domain, NAME_MAX),
            workstation: text(workstation, NAME_MAX),
            version: version(bytes, 64, flags),
            ntlm_version: match response {
                0 => None,
                24 => Some(1), // §2.2.2.6
                _ => Some(2),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spnego::NTLMSSP;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_challenge_with_names_and_one_that_lies() {
        let pair = |id: u8, text: &str| {
            let text = wide(text);
            [&[id, 0, u8::try_from(text.len()).unwrap(), 0][..], &text].concat()
        };
        let info = [pair(1, "SRV"), pair(7, "time"), pair(4, "a.example"), vec![0; 4]].concat();
        let length = u8::try_from(info.len()).unwrap();
        let mut message = [NTLMSSP, b"\x02\0\0\0", &[0; 8], b"\0\0\x80\x02", &[0; 16]].concat();
        message.extend_from_slice(&[
            length, 0, length, 0, 56, 0, 0, 0, 10, 0, 0x63, 0x45, 0, 0, 0, 15,
        ]);
        message.extend_from_slice(&info);
        let expected = Challenge {
            nb_computer: Some(oem(b"SRV", 9)),
            dns_domain: Some(oem(b"a.example", 9)),
            version: Some(b"10.0.17763".into()),
            ..Challenge::default()
        };
        assert_eq!(Message::parse(&message), Some(Message::Challenge(Box::new(expected))));
        for at in 0..message.len() {
            let mut lying = message.clone();
            lying[at] = 0xff;
            Message::parse(&lying);
            Message::parse(&message[..at]);
        }
    }

    #[test]
    fn a_client_that_sends_oem_names() {
        let mut message = [NTLMSSP, b"\x03\0\0\0"].concat();
        for (length, offset) in [(0, 64), (24, 70), (3, 64), (2, 67), (1, 69), (0, 64)] {
            message.extend_from_slice(&[length, 0, length, 0, offset, 0, 0, 0]);
        }
        message.extend_from_slice(b"\x02\0\0\0DOMmew");
        message.extend_from_slice(&[7; 24]);
        let Some(Message::Authenticate(read)) = Message::parse(&message) else {
            panic!("no AUTHENTICATE");
        };
        assert_eq!(
            (&*read.domain.text, &*read.user.text, &*read.workstation.text),
            (&b"DOM"[..], &b"me"[..], &b"w"[..])
        );
        assert_eq!(
            (read.ntlm_version, read.anonymous, read.version.is_some()),
            (Some(1), false, false)
        );
    }
}
