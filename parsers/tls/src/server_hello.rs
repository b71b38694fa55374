//! What the server chooses.

use crate::bytes::Bytes;
use crate::names::is_tls13;

/// RFC 8446 §4.1.3: the random of a ServerHello that is a HelloRetryRequest, the SHA-256 of that word.
const RETRY: [u8; 32] = *b"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\
    \xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

/// Most extensions that are kept. There are some ten that a server may answer.
const MAX_EXTENSIONS: usize = 256;

/// A ServerHello (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3) or HelloRetryRequest (RFC 8446 §4.1.4).
#[derive(Debug, Default)]
pub(crate) struct ServerHello {
    /// `legacy_version`.
    pub(crate) version: u16,
    /// The version in extension supported_versions.
    selected_version: Option<u16>,
    pub(crate) retry: bool,
    pub(crate) session_id: Vec<u8>,
    /// Absent if the hello is cut before it.
    pub(crate) cipher: Option<u16>,
    pub(crate) extensions: Vec<u16>,
    pub(crate) group: Option<u16>,
    pub(crate) protocol: Option<Vec<u8>>,
    /// A key that was agreed on before is used (RFC 8446 §4.2.11).
    pub(crate) pre_shared_key: bool,
    /// The certificates of client and server are X.509 (RFC 7250).
    pub(crate) x509: [bool; 2],
    /// All of it was there and fitted the limits.
    pub(crate) whole: bool,
    pub(crate) cut: bool,
}

impl ServerHello {
    /// Reads a hello, or the first part of one. `whole` of what comes of it says whether it added up.
    pub(crate) fn read(body: &[u8]) -> Self {
        let mut hello = Self { x509: [true; 2], ..Self::default() };
        hello.whole = hello.fill(Bytes(body)).is_some() && !hello.cut;
        hello
    }

    /// The version that was chosen.
    pub(crate) fn version(&self) -> u16 {
        self.selected_version.unwrap_or(self.version)
    }

    pub(crate) fn is_tls13(&self) -> bool {
        is_tls13(self.version())
    }

    fn fill(&mut self, mut body: Bytes<'_>) -> Option<()> {
        self.version = body.u16()?;
        // The drafts of TLS 1.3 up to 21 have no session id and no compression method; later ones, and
        // what they became, do not say so here.
        let old_draft = is_tls13(self.version);
        self.retry = body.take(32)? == RETRY;
        if !old_draft {
            self.session_id = body.vector8()?.0.to_vec();
        }
        self.cipher = Some(body.u16()?);
        if !old_draft {
            let _compression = body.u8()?;
        }
        if body.is_empty() {
            return Some(());
        }
        let (mut extensions, all) = body.vector16_here()?;
        while !extensions.is_empty() {
            let code = extensions.u16()?;
            if self.extensions.len() < MAX_EXTENSIONS {
                self.extensions.push(code);
            } else {
                self.cut = true;
            }
            let content = extensions.vector16()?;
            self.extension(code, content)?;
        }
        all.then_some(())
    }

    fn extension(&mut self, code: u16, mut content: Bytes<'_>) -> Option<()> {
        match code {
            16 => self.protocol = Some(content.vector16()?.vector8()?.0.to_vec()),
            19 => self.x509[0] = content.u8()? == 0,
            20 => self.x509[1] = content.u8()? == 0,
            41 => self.pre_shared_key = true,
            43 => self.selected_version = Some(content.u16()?),
            51 => self.group = Some(content.u16()?),
            40 if is_tls13(self.version) => self.group = Some(content.u16()?), // the number in old drafts
            _ => {}
        }
        Some(())
    }
}
