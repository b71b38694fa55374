//! Certificates that OpenSSL made, and what becomes of them when they are damaged.

use x509::{Certificate, read};

const SERVER: &[u8] = include_bytes!("server.der");
const RSA: &[u8] = include_bytes!("rsa.der");
const EXPLICIT: &[u8] = include_bytes!("explicit-curve.der");
const DSA: &[u8] = include_bytes!("dsa.der");

#[test]
fn an_elliptic_key_and_alternative_names() {
    let certificate = read(SERVER);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        certificate,
        Certificate {
            version: Some(3),
            serial: text("7DF620BFD47E85D5F41D7FDDBDFA06406E49C841"),
            subject: text("CN=www.example.org,O=Beispiel \\\"AG\\\" \\+ Co,L=Z\\C3\\BCrich,C=XX"),
            issuer: text("CN=Test CA,O=Example\\, Inc.,C=XX"),
            not_before: text("2026-11-23T03:56:18Z"),
            not_after: text("2035-02-09T03:56:18Z"),
            key_alg: text("id-ecPublicKey"),
            sig_alg: text("ecdsa-with-SHA384"),
            key_type: Some("ecdsa"),
            key_length: Some(384),
            curve: text("secp384r1"),
            san_dns: vec![b"www.example.org".to_vec(), b"*.example.org".to_vec()],
            san_uri: vec![b"https://example.org/x".to_vec()],
            san_email: vec![b"admin@example.org".to_vec()],
            san_ip: vec![[192, 0, 2, 7].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into()],
            ca: Some(false),
            ..Certificate::default()
        }
    );
}

#[test]
fn an_rsa_key() {
    let certificate = read(RSA);
    assert_eq!(certificate.key_type, Some("rsa"));
    assert_eq!((certificate.key_length, certificate.exponent), (Some(1024), Some(65_537)));
    assert_eq!(certificate.sig_alg.as_deref(), Some("sha1WithRSAEncryption"));
    assert_eq!((certificate.ca, certificate.path_len), (Some(true), None));
    assert!(!certificate.malformed);
}

#[test]
fn a_curve_that_is_described() {
    let certificate = read(EXPLICIT);
    assert_eq!((certificate.key_type, certificate.key_length), (Some("ecdsa"), Some(256)));
    assert_eq!(certificate.curve, None);
    assert!(!certificate.malformed);
}

#[test]
fn a_dsa_key_and_a_negative_serial_number() {
    let certificate = read(DSA);
    assert_eq!(certificate.key_type, Some("dsa"));
    assert_eq!(certificate.key_length, Some(1024));
    assert_eq!(certificate.key_alg.as_deref(), Some("dsaEncryption"));
    assert_eq!(certificate.sig_alg.as_deref(), Some("dsa_with_SHA256"));
    assert_eq!(certificate.serial.as_deref(), Some("-05"));
    assert_eq!(certificate.subject.as_deref(), Some("emailAddress=a@example.org,CN=dsa"));
    assert!(certificate.not_after.is_some_and(|after| after.starts_with("2126-")));
}

#[test]
fn cut_anywhere() {
    let whole = read(SERVER);
    for length in 0..SERVER.len() {
        let cut = read(&SERVER[..length]);
        assert!(cut.malformed, "{length} bytes");
        // What is there is what the whole one says.
        assert!(cut.serial.is_none() || cut.serial == whole.serial);
        assert!(cut.issuer.is_none() || cut.issuer == whole.issuer);
        assert!(cut.subject.is_none() || cut.subject == whole.subject);
    }
}

#[test]
fn changed_anywhere() {
    for sound in [SERVER, RSA, EXPLICIT, DSA] {
        for at in 0..sound.len() {
            for value in [0, 1, 0x1f, 0x30, 0x7f, 0x80, 0x84, 0xa0, 0xff] {
                let mut damaged = sound.to_vec();
                damaged[at] = value;
                let certificate = read(&damaged);
                let longest = x509::MAX_NAME;
                assert!(certificate.subject.is_none_or(|name| name.len() <= longest));
            }
            let shorter = [&sound[..at], &sound[at + 1..]].concat();
            assert!(read(&shorter).malformed, "without byte {at}");
        }
    }
}
