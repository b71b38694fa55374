//! What wraps the proofs of who one is: GSS-API (RFC 2743 §3.1) and SPNEGO (RFC 4178 §4.2).

use memchr::memmem;

use crate::text::push_number;

/// Most mechanisms that are kept of an offer.
const MECHS_MAX: usize = 8;

/// How an NTLM message starts (MS-NLMP §2.2.1).
pub(crate) const NTLMSSP: &[u8] = b"NTLMSSP\0";

/// A security token as far as it can be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Token {
    /// The mechanisms that are offered, in order.
    pub(crate) mechs: Vec<Vec<u8>>,
    /// The mechanism that the server has chosen, or whose token there is without an offer.
    pub(crate) chosen: Option<Vec<u8>>,
    /// Where the NTLM message starts, if there is one.
    pub(crate) ntlm: Option<usize>,
    /// There is a Kerberos ticket or an answer to one.
    pub(crate) kerberos: bool,
}

impl Token {
    /// Reads a token, which may be cut off.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut token = Self { ntlm: memmem::find(bytes, NTLMSSP), ..Self::default() };
        match element(bytes) {
            // A token of the mechanism that its object identifier names; SPNEGO in the first.
            Some((0x60, inside, _)) => match element(inside) {
                Some((6, SPNEGO, wrapped)) => token.wrapped(wrapped),
                Some((6, mech, _)) => token.own(mech),
                _ => {}
            },
            Some(_) => token.wrapped(bytes),
            None => {}
        }
        token
    }

    /// NegTokenInit or NegTokenResp.
    fn wrapped(&mut self, bytes: &[u8]) {
        let Some((choice @ (0xa0 | 0xa1), inside, _)) = element(bytes) else {
            return;
        };
        let Some((0x30, mut fields, _)) = element(inside) else {
            return;
        };
        while let Some((tag, field, rest)) = element(fields) {
            fields = rest;
            match (choice, tag, element(field)) {
                (0xa0, 0xa0, Some((0x30, mechs, _))) => self.offered(mechs),
                (0xa1, 0xa1, Some((6, mech, _))) => self.chosen = Some(mech_name(mech)),
                (_, 0xa2, Some((4, inner, _))) => {
                    if let Some((0x60, inside, _)) = element(inner)
                        && let Some((6, mech, _)) = element(inside)
                    {
                        self.kerberos |= is_kerberos(mech);
                    }
                }
                _ => {}
            }
        }
    }

    fn offered(&mut self, mut list: &[u8]) {
        while let Some((tag, mech, rest)) = element(list) {
            list = rest;
            if tag == 6 && self.mechs.len() < MECHS_MAX {
                self.mechs.push(mech_name(mech));
            }
        }
    }

    /// A token without SPNEGO.
    fn own(&mut self, mech: &[u8]) {
        self.chosen = Some(mech_name(mech));
        self.kerberos |= is_kerberos(mech);
    }
}

/// Tag and content of the first element of DER (X.690 §8.1), and what follows it. Content that is cut
/// off is what there is of it. Every element takes two bytes at least.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ ..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Some((tag, content, rest))
}

/// 1.3.6.1.5.5.2.
const SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";

/// 1.2.840.113554.1.2.2; with `.3` behind it, between users.
const KERBEROS: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";

/// 1.2.840.48018.1.2.2: the same, as Windows 2000 has misspelt it.
const MS_KERBEROS: &[u8] = b"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02";

fn is_kerberos(mech: &[u8]) -> bool {
    mech.starts_with(KERBEROS) || mech.starts_with(MS_KERBEROS)
}

/// A mechanism by its name; an unknown one by its object identifier.
fn mech_name(mech: &[u8]) -> Vec<u8> {
    let name = match mech {
        KERBEROS => "kerberos",
        MS_KERBEROS => "ms-kerberos",
        [start @ .., 3] if start == KERBEROS => "kerberos-user-to-user",
        b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a" => "ntlmssp",
        b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x1e" => "negoex",
        SPNEGO => "spnego",
        _ => return dotted(mech),
    };
    name.into()
}

/// Most bytes of an object identifier that are shown.
const OID_MAX: usize = 32;

/// An object identifier with its dots (X.690 §8.19).
fn dotted(oid: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut number = 0u32;
    for byte in oid.iter().take(OID_MAX) {
        number = number.wrapping_shl(7) | u32::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let first = (number / 40).min(2);
            push_number(&mut text, first);
            number -= first * 40;
        }
        text.push(b'.');
        push_number(&mut text, number);
        number = 0;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, &content].concat()
    }

    #[test]
    fn an_offer_with_a_kerberos_ticket() {
        let mechs = der(
            0x30,
            &[&der(6, &[MS_KERBEROS]), &der(6, &[KERBEROS]), &der(6, &[b"\x2a\x03\x88\x37"])],
        );
        let ticket = der(4, &[&der(0x60, &[&der(6, &[KERBEROS]), b"\x01\0ticket"])]);
        let fields = der(0x30, &[&der(0xa0, &[&mechs]), &der(0xa2, &[&ticket])]);
        let token = der(0x60, &[&der(6, &[SPNEGO]), &der(0xa0, &[&fields])]);
        let read = Token::parse(&token);
        assert!(read.kerberos && read.ntlm.is_none());
        assert_eq!(read.mechs, [&b"ms-kerberos"[..], b"kerberos", b"1.2.3.1079"]);
        for length in 0..token.len() {
            Token::parse(&token[..length]);
        }
    }

    #[test]
    fn a_choice_with_an_ntlm_message() {
        let message = [NTLMSSP, b"\x02\0\0\0"].concat();
        let ntlm = b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a";
        let fields = [
            der(0xa0, &[b"\x0a\x01\x01"]),
            der(0xa1, &[&der(6, &[ntlm])]),
            der(0xa2, &[&der(4, &[&message])]),
        ];
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let token = der(0xa1, &[&der(0x30, &fields)]);
        let read = Token::parse(&token);
        assert_eq!(read.chosen.as_deref(), Some(&b"ntlmssp"[..]));
        assert_eq!(read.ntlm, Some(token.len() - message.len()));
    }

    #[test]
    fn a_message_without_a_wrapper() {
        assert_eq!(Token::parse(b"NTLMSSP\0\x01\0\0\0").ntlm, Some(0));
        assert_eq!(Token::parse(b""), Token::default());
        assert_eq!(Token::parse(b"\x60\xff"), Token::default());
    }
}
