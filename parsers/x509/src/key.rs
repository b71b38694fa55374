//! The public key (RFC 5280 §4.1.2.7, RFC 3279, RFC 5480, RFC 8410).

use crate::certificate::Certificate;
use crate::der::{BIT_STRING, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, bits, unsigned};
use crate::oid;

/// Reads a SubjectPublicKeyInfo. What is not understood of a key stays unset.
pub(crate) fn read(mut info: Elements<'_>, certificate: &mut Certificate) -> Option<()> {
    let mut algorithm = info.sequence()?;
    let kind = algorithm.expect(OBJECT_IDENTIFIER)?.content;
    certificate.key_alg = Some(oid::algorithm(kind));
    // The first byte of a bit string counts the bits that its last byte lacks.
    let (_, key) = info.expect(BIT_STRING)?.content.split_first()?;
    match kind {
        oid::RSA | oid::RSA_PSS => {
            certificate.key_type = Some("rsa");
            if let Some(mut numbers) = Elements::new(key).sequence() {
                certificate.key_length = numbers.expect(INTEGER).and_then(|n| bits(n.content));
                certificate.exponent = numbers.expect(INTEGER).and_then(|e| unsigned(e.content));
            }
        }
        oid::DSA => {
            certificate.key_type = Some("dsa");
            if let Some(mut parameters) = algorithm.sequence() {
                certificate.key_length = parameters.expect(INTEGER).and_then(|p| bits(p.content));
            }
        }
        oid::EC => {
            certificate.key_type = Some("ecdsa");
            match algorithm.optional(OBJECT_IDENTIFIER).map(|curve| curve.content) {
                Some(curve) => match oid::curve(curve) {
                    Some((name, bits)) => {
                        certificate.curve = Some(name.to_owned());
                        certificate.key_length = Some(bits);
                    }
                    None => certificate.curve = Some(oid::dotted(curve)),
                },
                None => certificate.key_length = algorithm.sequence().and_then(order),
            }
        }
        oid::ED25519 => certificate.key_type = Some("ed25519"),
        oid::ED448 => certificate.key_type = Some("ed448"),
        _ => {}
    }
    Some(())
}

/// The bits of the order of a curve that is not named but described (RFC 3279 §2.3.5).
fn order(mut parameters: Elements<'_>) -> Option<u64> {
    let _version = parameters.expect(INTEGER)?;
    let _field = parameters.sequence()?;
    let _curve = parameters.sequence()?;
    let _base = parameters.expect(OCTET_STRING)?;
    bits(parameters.expect(INTEGER)?.content)
}
