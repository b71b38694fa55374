//! Chains of certificates (RFC 5246 §7.4.2), as they are sent up to TLS 1.2.

use flowcell_sdk::prelude::*;
use x509::Certificate as X509;

use crate::bytes::Bytes;
use crate::digest;
use crate::records::Certificate;

/// Most certificates that are kept of a chain. Real ones have two to five.
const MAX_CERTIFICATES: usize = 16;

/// Most bytes that a chain may take in a record, of 262,144 that a record may have.
const MAX_SHOWN: usize = 64 << 10;

/// The certificates of one side.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    certificates: Vec<(Option<String>, X509)>,
    /// Bytes that they take in a record.
    shown: usize,
    /// There was more than is kept.
    pub(crate) cut: bool,
}

impl Chain {
    /// Reads a Certificate message, or the first part of one. `None` if it does not add up.
    pub(crate) fn read(body: &[u8]) -> (Self, Option<()>) {
        let mut chain = Self::default();
        let sound = chain.fill(Bytes(body));
        (chain, sound)
    }

    fn fill(&mut self, mut body: Bytes<'_>) -> Option<()> {
        let announced = body.u24()?;
        let mut list = Bytes(body.0.get(..announced).unwrap_or(body.0));
        while !list.is_empty() {
            let length = list.u24()?;
            match list.take(length) {
                Some([]) => {}
                Some(der) => self.add(Some(digest::sha256(der)), der),
                None => {
                    self.add(None, list.0);
                    return None;
                }
            }
        }
        (announced == body.0.len()).then_some(())
    }

    fn add(&mut self, fingerprint: Option<String>, der: &[u8]) {
        if self.certificates.len() == MAX_CERTIFICATES {
            self.cut = true;
            return;
        }
        let mut certificate = x509::read(der);
        self.cut |= certificate.cut;
        let mut size = size(&certificate);
        if self.shown + size > MAX_SHOWN {
            self.cut = true;
            certificate = X509 {
                san_dns: Vec::new(),
                san_uri: Vec::new(),
                san_email: Vec::new(),
                san_ip: Vec::new(),
                ..certificate
            };
            size = self::size(&certificate);
        }
        if self.shown + size > MAX_SHOWN {
            return;
        }
        self.shown += size;
        self.certificates.push((fingerprint, certificate));
    }

    pub(crate) fn shown(&self) -> Vec<Certificate<'_>> {
        self.certificates.iter().map(|(digest, x509)| shown(digest.as_deref(), x509)).collect()
    }
}

/// No less than the bytes that a certificate takes in a record.
fn size(x509: &X509) -> usize {
    let texts =
        [&x509.serial, &x509.subject, &x509.issuer, &x509.key_alg, &x509.sig_alg, &x509.curve];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let names = [&x509.san_dns, &x509.san_uri, &x509.san_email];
    let names: usize = names.into_iter().flatten().map(|name| name.len() + 3).sum();
    // Digest, times, numbers, and the heads of all.
    texts + names + 17 * x509.san_ip.len() + 256
}

fn shown<'a>(fingerprint: Option<&'a str>, x509: &'a X509) -> Certificate<'a> {
    Certificate {
        fingerprint,
        version: x509.version,
        serial: x509.serial.as_deref(),
        subject: x509.subject.as_deref(),
        issuer: x509.issuer.as_deref(),
        not_valid_before: x509.not_before.as_deref(),
        not_valid_after: x509.not_after.as_deref(),
        key_alg: x509.key_alg.as_deref(),
        sig_alg: x509.sig_alg.as_deref(),
        key_type: x509.key_type,
        key_length: x509.key_length,
        exponent: x509.exponent,
        curve: x509.curve.as_deref(),
        san_dns: texts(&x509.san_dns),
        san_uri: texts(&x509.san_uri),
        san_email: texts(&x509.san_email),
        san_ip: x509.san_ip.clone(),
        basic_constraints_ca: x509.ca,
        basic_constraints_path_len: x509.path_len,
        malformed: x509.malformed,
    }
}

pub(crate) fn texts(list: &[Vec<u8>]) -> Vec<Text<'_>> {
    list.iter().map(|text| Text::from(text.as_slice())).collect()
}
