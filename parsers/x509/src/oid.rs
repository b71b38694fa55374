//! Object identifiers, and the names that OpenSSL has for those of certificates.

/// Most arcs that are written; the longest identifier in use has 14.
const MAX_ARCS: usize = 32;

/// The dotted form of an identifier (X.690 §8.19); what is no identifier comes out shorter.
pub(crate) fn dotted(content: &[u8]) -> String {
    let mut text = String::new();
    let mut arc: u64 = 0;
    let mut arcs = 0;
    for byte in content {
        arc = arc.saturating_mul(128).saturating_add(u64::from(byte & 0x7f));
        if byte & 0x80 != 0 {
            continue;
        }
        if arcs == 0 {
            let root = (arc / 40).min(2);
            text.push_str(&root.to_string());
            arc -= root * 40;
        }
        text.push('.');
        text.push_str(&arc.to_string());
        arc = 0;
        arcs += 1;
        if arcs == MAX_ARCS {
            break;
        }
    }
    text
}

/// The name of an algorithm, or its dotted form.
pub(crate) fn algorithm(content: &[u8]) -> String {
    named(ALGORITHMS, content).map_or_else(|| dotted(content), str::to_owned)
}

/// The short name of an attribute of a name.
pub(crate) fn attribute(content: &[u8]) -> Option<&'static str> {
    named(ATTRIBUTES, content)
}

/// The name of a curve and the number of bits of its order.
pub(crate) fn curve(content: &[u8]) -> Option<(&'static str, u64)> {
    let (_, name, bits) = CURVES.iter().find(|(oid, ..)| *oid == content)?;
    Some((name, *bits))
}

fn named(table: &[(&[u8], &'static str)], content: &[u8]) -> Option<&'static str> {
    table.iter().find(|(oid, _)| *oid == content).map(|(_, name)| *name)
}

pub(crate) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
pub(crate) const RSA_PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
pub(crate) const DSA: &[u8] = b"\x2a\x86\x48\xce\x38\x04\x01";
pub(crate) const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
pub(crate) const ED25519: &[u8] = b"\x2b\x65\x70";
pub(crate) const ED448: &[u8] = b"\x2b\x65\x71";

pub(crate) const BASIC_CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
pub(crate) const SUBJECT_ALT_NAME: &[u8] = b"\x55\x1d\x11";

/// Keys and signatures.
const ALGORITHMS: &[(&[u8], &str)] = &[
    (RSA, "rsaEncryption"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", "md2WithRSAEncryption"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03", "md4WithRSAEncryption"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "md5WithRSAEncryption"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "sha1WithRSAEncryption"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07", "rsaesOaep"),
    (RSA_PSS, "rsassaPss"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "sha256WithRSAEncryption"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", "sha384WithRSAEncryption"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", "sha512WithRSAEncryption"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e", "sha224WithRSAEncryption"),
    (b"\x2b\x0e\x03\x02\x1d", "sha1WithRSA"),
    (DSA, "dsaEncryption"),
    (b"\x2a\x86\x48\xce\x38\x04\x03", "dsaWithSHA1"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x01", "dsa_with_SHA224"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x02", "dsa_with_SHA256"),
    (EC, "id-ecPublicKey"),
    (b"\x2a\x86\x48\xce\x3d\x04\x01", "ecdsa-with-SHA1"),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x01", "ecdsa-with-SHA224"),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x02", "ecdsa-with-SHA256"),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x03", "ecdsa-with-SHA384"),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x04", "ecdsa-with-SHA512"),
    (ED25519, "ED25519"),
    (ED448, "ED448"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x11", "ML-DSA-44"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x12", "ML-DSA-65"),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x13", "ML-DSA-87"),
];

/// RFC 5280 §4.1.2.4, RFC 4519, and those of extended validation.
const ATTRIBUTES: &[(&[u8], &str)] = &[
    (b"\x55\x04\x03", "CN"),
    (b"\x55\x04\x04", "SN"),
    (b"\x55\x04\x05", "serialNumber"),
    (b"\x55\x04\x06", "C"),
    (b"\x55\x04\x07", "L"),
    (b"\x55\x04\x08", "ST"),
    (b"\x55\x04\x09", "street"),
    (b"\x55\x04\x0a", "O"),
    (b"\x55\x04\x0b", "OU"),
    (b"\x55\x04\x0c", "title"),
    (b"\x55\x04\x0d", "description"),
    (b"\x55\x04\x0f", "businessCategory"),
    (b"\x55\x04\x10", "postalAddress"),
    (b"\x55\x04\x11", "postalCode"),
    (b"\x55\x04\x12", "postOfficeBox"),
    (b"\x55\x04\x14", "telephoneNumber"),
    (b"\x55\x04\x29", "name"),
    (b"\x55\x04\x2a", "GN"),
    (b"\x55\x04\x2b", "initials"),
    (b"\x55\x04\x2c", "generationQualifier"),
    (b"\x55\x04\x2d", "x500UniqueIdentifier"),
    (b"\x55\x04\x2e", "dnQualifier"),
    (b"\x55\x04\x41", "pseudonym"),
    (b"\x55\x04\x48", "role"),
    (b"\x55\x04\x61", "organizationIdentifier"),
    (SUBJECT_ALT_NAME, "subjectAltName"), // no attribute, but seen as one
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", "unstructuredName"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08", "unstructuredAddress"),
    (b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"),
    (b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"),
    (b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", "jurisdictionL"),
    (b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", "jurisdictionST"),
    (b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", "jurisdictionC"),
];

/// RFC 5480 §2.1.1.1, RFC 5639.
const CURVES: &[(&[u8], &str, u64)] = &[
    (b"\x2a\x86\x48\xce\x3d\x03\x01\x01", "prime192v1", 192),
    (b"\x2a\x86\x48\xce\x3d\x03\x01\x07", "prime256v1", 256),
    (b"\x2b\x81\x04\x00\x21", "secp224r1", 224),
    (b"\x2b\x81\x04\x00\x0a", "secp256k1", 256),
    (b"\x2b\x81\x04\x00\x22", "secp384r1", 384),
    (b"\x2b\x81\x04\x00\x23", "secp521r1", 521),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x07", "brainpoolP256r1", 256),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", "brainpoolP384r1", 384),
    (b"\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", "brainpoolP512r1", 512),
    (b"\x2a\x81\x1c\xcf\x55\x01\x82\x2d", "SM2", 256),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_in_dots() {
        assert_eq!(dotted(RSA), "1.2.840.113549.1.1.1");
        assert_eq!(dotted(b"\x55\x1d\x11"), "2.5.29.17");
        assert_eq!(dotted(b"\x88\x37\x03"), "2.999.3");
        assert_eq!(dotted(b""), "");
        assert_eq!(dotted(&[0xff; 100]), "");
        assert!(dotted(&[0x01; 1_000]).len() < 100);
        assert_eq!(algorithm(b"\x2a\x03"), "1.2.3");
    }
}
