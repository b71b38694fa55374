//! The certificate as a whole.

use std::net::IpAddr;

use crate::der::{BIT_STRING, Elements, INTEGER, OBJECT_IDENTIFIER, constructed, unsigned};
use crate::{extensions, key, name, oid, time};

/// Most bytes of a serial number that are shown. RFC 5280 §4.1.2.2 allows 20.
const MAX_SERIAL: usize = 64;

/// What a certificate says. Whatever it does not say, or says in a way that is not understood, is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// 1, 2 or 3.
    pub version: Option<u64>,
    /// The serial number in upper-case hexadecimal, two digits a byte, with a minus sign if it is negative.
    pub serial: Option<String>,
    /// The subject's name (RFC 4514), at most [`MAX_NAME`](crate::MAX_NAME) bytes of ASCII.
    pub subject: Option<String>,
    /// The issuer's name, likewise.
    pub issuer: Option<String>,
    /// Start of validity (RFC 3339, UTC).
    pub not_before: Option<String>,
    /// End of validity (RFC 3339, UTC).
    pub not_after: Option<String>,
    /// The key's algorithm, by OpenSSL's name or dotted.
    pub key_alg: Option<String>,
    /// The signature's algorithm, by OpenSSL's name or dotted.
    pub sig_alg: Option<String>,
    /// `rsa`, `dsa`, `ecdsa`, `ed25519` or `ed448`.
    pub key_type: Option<&'static str>,
    /// Bits of the modulus, the prime or the curve's order.
    pub key_length: Option<u64>,
    /// The exponent of an RSA key.
    pub exponent: Option<u64>,
    /// The curve of an elliptic key, by OpenSSL's name or dotted.
    pub curve: Option<String>,
    /// Alternative names: DNS.
    pub san_dns: Vec<Vec<u8>>,
    /// Alternative names: URIs.
    pub san_uri: Vec<Vec<u8>>,
    /// Alternative names: mail addresses.
    pub san_email: Vec<Vec<u8>>,
    /// Alternative names: IP addresses.
    pub san_ip: Vec<IpAddr>,
    /// There are alternative names of other kinds.
    pub other_names: bool,
    /// Basic constraints: it is a certificate authority's.
    pub ca: Option<bool>,
    /// Basic constraints: how many authorities may follow below it.
    pub path_len: Option<u64>,
    /// A name, or the list of alternative names, was cut at its limit.
    pub cut: bool,
    /// It is not what RFC 5280 prescribes, and what comes behind that place was not read.
    pub malformed: bool,
}

/// Reads a certificate, or the first part of one.
#[must_use]
pub fn read(der: &[u8]) -> Certificate {
    let mut certificate = Certificate::default();
    certificate.malformed = certificate.fill(der).is_none();
    certificate
}

impl Certificate {
    /// RFC 5280 §4.1, field by field.
    fn fill(&mut self, der: &[u8]) -> Option<()> {
        let mut outer = Elements::new(der).sequence_here()?;
        let mut signed = outer.sequence_here()?;
        let version = match signed.optional(constructed(0)) {
            Some(version) => unsigned(version.elements().expect(INTEGER)?.content)?,
            None => 0,
        };
        self.serial = Some(serial(signed.expect(INTEGER)?.content));
        self.version = Some(version.saturating_add(1));
        let inner_algorithm = signed.sequence()?.expect(OBJECT_IDENTIFIER)?.content;
        self.sig_alg = Some(oid::algorithm(inner_algorithm));
        self.issuer = Some(self.name(signed.sequence()?)?);
        let mut validity = signed.sequence()?;
        self.not_before = time::read(validity.next()?);
        self.not_after = time::read(validity.next()?);
        self.subject = Some(self.name(signed.sequence()?)?);
        key::read(signed.sequence()?, self)?;
        let _issuer_unique_id = signed.optional(0x81);
        let _subject_unique_id = signed.optional(0x82);
        if let Some(list) = signed.optional(constructed(3)) {
            extensions::read(list.elements().sequence()?, self)?;
        }
        // The algorithm that the signature itself names is the one that Zeek shows.
        let algorithm = outer.sequence()?.expect(OBJECT_IDENTIFIER)?.content;
        self.sig_alg = Some(oid::algorithm(algorithm));
        let _signature = outer.expect(BIT_STRING)?;
        outer.is_empty().then_some(())
    }

    fn name(&mut self, elements: Elements<'_>) -> Option<String> {
        let (text, cut) = name::read(elements)?;
        self.cut |= cut;
        Some(text)
    }
}

/// RFC 5280 §4.1.2.2: it should be positive; some are not.
fn serial(content: &[u8]) -> String {
    let mut text = String::new();
    let negative = content.first().is_some_and(|first| first & 0x80 != 0);
    let mut bytes = content.get(..MAX_SERIAL).unwrap_or(content).to_vec();
    if negative {
        // The two's complement of it.
        text.push('-');
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            let (sum, over) = (!*byte).overflowing_add(u8::from(carry));
            *byte = sum;
            carry = over;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let significant = bytes.get(zeros..).unwrap_or_default();
    if significant.is_empty() {
        text.push_str("00");
    }
    for byte in significant {
        name::push_hex(*byte, &mut text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers() {
        assert_eq!(serial(b"\x00\x99\xfa"), "99FA");
        assert_eq!(serial(b"\x01"), "01");
        assert_eq!(serial(b"\x00"), "00");
        assert_eq!(serial(b""), "00");
        assert_eq!(serial(b"\xff"), "-01");
        assert_eq!(serial(b"\x80"), "-80");
        assert_eq!(serial(b"\xff\x00"), "-0100");
        assert_eq!(serial(&[0x7f; 1_000]).len(), 2 * MAX_SERIAL);
    }
}
