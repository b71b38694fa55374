//! Extension mechanisms: the OPT pseudo-record (RFC 6891 §6.1).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::rdata::Rdata;
use crate::text;

/// Most options whose codes are kept.
const MAX_OPTIONS: usize = 64;

/// Bytes of an extended error's text that are kept.
const MAX_ERROR_TEXT: usize = 1_024;

/// Option codes (IANA, "DNS EDNS0 Option Codes").
const CLIENT_SUBNET: u16 = 8;
const EXTENDED_ERROR: u16 = 15;

/// What an OPT record says.
#[derive(Debug, Default)]
pub(crate) struct Opt {
    pub(crate) version: u8,
    pub(crate) udp_size: u16,
    pub(crate) dnssec_ok: bool,
    /// The upper eight bits of the response code.
    pub(crate) extended_rcode: u8,
    pub(crate) options: Vec<u16>,
    pub(crate) subnet: Option<Subnet>,
    pub(crate) error: Option<ExtendedError>,
}

/// RFC 7871 §6.
#[derive(Debug)]
pub(crate) struct Subnet {
    /// Address and source prefix length.
    pub(crate) shown: Vec<u8>,
    pub(crate) scope: u8,
}

/// RFC 8914 §2.
#[derive(Debug)]
pub(crate) struct ExtendedError {
    pub(crate) code: u16,
    pub(crate) text: Vec<u8>,
}

impl Opt {
    /// Reads the fields that OPT has in place of class and TTL. Its options are still to be read.
    pub(crate) fn new(class: u16, ttl: u32) -> Self {
        let [extended_rcode, version, flags, _] = ttl.to_be_bytes();
        let dnssec_ok = flags & 0x80 != 0;
        Self { version, udp_size: class, dnssec_ok, extended_rcode, ..Self::default() }
    }

    /// What it comes to in a record, in bytes: of an error's text, each byte takes five if it is no text.
    pub(crate) fn weight(&self) -> usize {
        const FIELDS: usize = 256;
        let text = self.error.as_ref().map_or(0, |error| error.text.len());
        FIELDS + 6 * self.options.len() + 5 * text
    }

    /// Reads the options.
    ///
    /// # Errors
    /// What is wrong with one of them; all others are read.
    pub(crate) fn read_options(&mut self, mut rdata: Rdata<'_>) -> Result<(), &'static str> {
        let mut outcome = Ok(());
        while !rdata.is_empty() {
            let (Ok(code), Ok(length)) = (rdata.u16(), rdata.u16()) else {
                return Err("an EDNS option is cut short");
            };
            let start = rdata.at;
            if rdata.take(length.into()).is_err() {
                return Err("an EDNS option is longer than its record");
            }
            if self.options.len() < MAX_OPTIONS {
                self.options.push(code);
            }
            let option = Rdata { at: start, end: rdata.at, ..rdata };
            outcome = outcome.and(self.read_option(code, option));
        }
        outcome
    }

    fn read_option(&mut self, code: u16, mut option: Rdata<'_>) -> Result<(), &'static str> {
        match code {
            CLIENT_SUBNET => self.subnet = Some(Subnet::read(option)?),
            EXTENDED_ERROR => {
                let code = option.u16().map_err(|_| "the extended error is too short")?;
                // EXTRA-TEXT is UTF-8, and some send it with a zero at its end.
                let text = option.rest();
                let text = text.strip_suffix(b"\0").unwrap_or(text);
                let text = text.get(..MAX_ERROR_TEXT).unwrap_or(text).to_vec();
                self.error = Some(ExtendedError { code, text });
            }
            _ => {}
        }
        Ok(())
    }
}

impl Subnet {
    fn read(mut option: Rdata<'_>) -> Result<Self, &'static str> {
        let family = option.u16();
        let (Ok(family), Ok([prefix, scope])) = (family, option.array()) else {
            return Err("the client subnet is too short");
        };
        let bits = match family {
            1 => 32,
            2 => 128,
            _ => return Err("the client subnet is of unknown family"),
        };
        if prefix > bits {
            return Err("the client subnet's prefix is longer than an address");
        }
        // §6: as many bytes as the prefix needs, and no more.
        let sent = option.rest();
        if sent.len() != usize::from(prefix).div_ceil(8) {
            return Err("the client subnet's address does not fit its prefix");
        }
        let mut octets = [0; 16];
        for (octet, byte) in octets.iter_mut().zip(sent) {
            *octet = *byte;
        }
        let [a, b, c, d, ..] = octets;
        let address = match bits {
            32 => Ipv4Addr::new(a, b, c, d).into(),
            _ => Ipv6Addr::from(octets).into(),
        };
        let mut shown = Vec::new();
        text::address(&mut shown, address);
        shown.push(b'/');
        text::decimal(&mut shown, prefix.into());
        Ok(Self { shown, scope })
    }
}
