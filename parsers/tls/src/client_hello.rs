//! What the client offers.

use crate::bytes::Bytes;

/// Most numbers that are kept of a list: cipher suites, extensions, groups. Real hellos have up to 200.
pub(crate) const MAX_LIST: usize = 1_024;

/// Most protocols that are kept of ALPN.
const MAX_ALPN: usize = 64;

/// Longest server name that is kept, in bytes. DNS allows 253.
const MAX_SERVER_NAME: usize = 512;

/// A ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2).
#[derive(Debug, Default)]
pub(crate) struct ClientHello {
    /// It has the form of SSL 2.0.
    pub(crate) sslv2: bool,
    /// `legacy_version`: the highest version, up to TLS 1.2.
    pub(crate) version: u16,
    pub(crate) session_id: Vec<u8>,
    pub(crate) ciphers: Vec<u16>,
    /// In the order of the hello.
    pub(crate) extensions: Vec<u16>,
    pub(crate) server_name: Option<Vec<u8>>,
    pub(crate) groups: Vec<u16>,
    pub(crate) point_formats: Vec<u16>,
    pub(crate) signature_algorithms: Vec<u16>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) versions: Vec<u16>,
    /// Groups for which there is a share.
    pub(crate) key_shares: Vec<u16>,
    pub(crate) early_data: bool,
    pub(crate) ech: bool,
    /// All of it was there and fitted the limits.
    pub(crate) whole: bool,
    /// Names of the fields that were cut at a limit.
    pub(crate) cut: Vec<&'static str>,
}

impl ClientHello {
    /// Reads a hello, or the first part of one. `whole` of what comes of it says whether it added up.
    pub(crate) fn read(body: &[u8]) -> Self {
        let mut hello = Self::default();
        hello.whole = hello.fill(Bytes(body)).is_some() && hello.cut.is_empty();
        hello
    }

    fn fill(&mut self, mut body: Bytes<'_>) -> Option<()> {
        self.version = body.u16()?;
        let _random = body.take(32)?;
        self.session_id = body.vector8()?.0.to_vec();
        let (mut ciphers, all) = body.vector16_here()?;
        while let Some(cipher) = ciphers.u16() {
            keep(&mut self.ciphers, cipher, "client_ciphers", &mut self.cut);
        }
        let _compression = all.then(|| body.vector8())??;
        if body.is_empty() {
            return Some(()); // RFC 5246 §7.4.1.2: extensions may be absent
        }
        let (mut extensions, all) = body.vector16_here()?;
        while !extensions.is_empty() {
            let code = extensions.u16()?;
            keep(&mut self.extensions, code, "ssl_client_exts", &mut self.cut);
            let (content, all) = extensions.vector16_here()?;
            let understood = self.extension(code, content);
            if !all {
                return None;
            }
            understood?;
        }
        all.then_some(())
    }

    fn extension(&mut self, code: u16, mut content: Bytes<'_>) -> Option<()> {
        match code {
            0 => self.server_names(content)?,
            10 => numbers(&mut content, &mut self.groups, "client_curves", &mut self.cut)?,
            11 => {
                for format in content.vector8()?.0 {
                    let format = u16::from(*format);
                    keep(&mut self.point_formats, format, "point_formats", &mut self.cut);
                }
            }
            13 => {
                numbers(&mut content, &mut self.signature_algorithms, "sigalgs", &mut self.cut)?;
            }
            16 => self.protocols(content)?,
            42 => self.early_data = true,
            43 => {
                let mut list = content.vector8()?;
                while let Some(version) = list.u16() {
                    let name = "client_supported_versions";
                    keep(&mut self.versions, version, name, &mut self.cut);
                }
            }
            51 => self.shares(content)?,
            // RFC 9849 §5: the hello that the server is meant to answer is in it, encrypted.
            65_037 => self.ech = true,
            _ => {}
        }
        Some(())
    }

    /// RFC 6066 §3. Of several names, the first host name counts.
    fn server_names(&mut self, mut content: Bytes<'_>) -> Option<()> {
        let mut list = content.vector16()?;
        while !list.is_empty() {
            let kind = list.u8()?;
            let name = list.vector16()?.0;
            if kind == 0 && self.server_name.is_none() {
                let kept = name.get(..MAX_SERVER_NAME).unwrap_or(name);
                if kept.len() < name.len() {
                    self.cut.push("server_name");
                }
                self.server_name = Some(kept.to_vec());
            }
        }
        Some(())
    }

    /// RFC 7301 §3.1.
    fn protocols(&mut self, mut content: Bytes<'_>) -> Option<()> {
        let mut list = content.vector16()?;
        while !list.is_empty() {
            let name = list.vector8()?.0;
            if self.alpn.len() < MAX_ALPN {
                self.alpn.push(name.to_vec());
            } else if !self.cut.contains(&"orig_alpn") {
                self.cut.push("orig_alpn");
            }
        }
        Some(())
    }

    /// RFC 8446 §4.2.8.
    fn shares(&mut self, mut content: Bytes<'_>) -> Option<()> {
        let mut list = content.vector16()?;
        while !list.is_empty() {
            let group = list.u16()?;
            let _share = list.vector16()?;
            let name = "client_key_share_groups";
            keep(&mut self.key_shares, group, name, &mut self.cut);
        }
        Some(())
    }
}

/// Appends to a list that has a limit.
fn keep(list: &mut Vec<u16>, value: u16, name: &'static str, cut: &mut Vec<&'static str>) {
    if list.len() < MAX_LIST {
        list.push(value);
    } else if !cut.contains(&name) {
        cut.push(name);
    }
}

/// A list of numbers whose length takes two bytes.
fn numbers(
    content: &mut Bytes<'_>,
    list: &mut Vec<u16>,
    name: &'static str,
    cut: &mut Vec<&'static str>,
) -> Option<()> {
    let mut numbers = content.vector16()?;
    while let Some(number) = numbers.u16() {
        keep(list, number, name, cut);
    }
    Some(())
}
