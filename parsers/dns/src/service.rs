//! The parameters of SVCB and HTTPS records (RFC 9460 §2.1, §7).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::rdata::Rdata;
use crate::text;

/// By number: 5 is of RFC 9849, 7 of RFC 9461, 8 of RFC 9540.
const KEYS: [&str; 9] = [
    "mandatory",
    "alpn",
    "no-default-alpn",
    "port",
    "ipv4hint",
    "ech",
    "ipv6hint",
    "dohpath",
    "ohttp",
];

/// Appends all parameters, with spaces between them.
pub(crate) fn parameters(rdata: &mut Rdata<'_>, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut first = true;
    while !rdata.is_empty() {
        let key = rdata.u16()?;
        let length = usize::from(rdata.u16()?);
        let start = rdata.at;
        rdata.take(length)?;
        let value = Rdata { at: start, end: rdata.at, ..*rdata };
        if !std::mem::take(&mut first) {
            out.push(b' ');
        }
        push_key(out, key);
        if !value.is_empty() {
            out.push(b'=');
            push_value(out, key, value)?;
        }
    }
    Ok(())
}

fn push_key(out: &mut Vec<u8>, key: u16) {
    match KEYS.get(usize::from(key)) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => {
            out.extend_from_slice(b"key");
            text::decimal(out, u64::from(key));
        }
    }
}

fn push_value(out: &mut Vec<u8>, key: u16, mut value: Rdata<'_>) -> Result<(), &'static str> {
    match key {
        0 => list(out, &mut value, |out, value| {
            push_key(out, value.u16()?);
            Ok(())
        })?,
        1 => list(out, &mut value, |out, value| {
            value.string()?.iter().for_each(|byte| push_listed(out, *byte));
            Ok(())
        })?,
        3 => text::decimal(out, value.u16()?.into()),
        4 => list(out, &mut value, |out, value| {
            text::address(out, IpAddr::V4(Ipv4Addr::from(value.array::<4>()?)));
            Ok(())
        })?,
        5 => text::base64(out, value.rest()),
        6 => list(out, &mut value, |out, value| {
            text::address(out, IpAddr::V6(Ipv6Addr::from(value.array::<16>()?)));
            Ok(())
        })?,
        _ => text::quoted(out, value.rest()),
    }
    if value.is_empty() { Ok(()) } else { Err("a service parameter is too long") }
}

/// Appends values to the end, with commas between them.
fn list(
    out: &mut Vec<u8>,
    values: &mut Rdata<'_>,
    one: impl Fn(&mut Vec<u8>, &mut Rdata<'_>) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let mut first = true;
    while !values.is_empty() {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        one(out, values)?;
    }
    Ok(())
}

/// Appends a byte of a text in a list (RFC 9460 appendix A.1): a comma and a backslash are escaped for
/// the list, and what that makes for the master file.
fn push_listed(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b',' => out.extend_from_slice(br"\\,"),
        b'\\' => out.extend_from_slice(br"\\\\"),
        _ => text::escaped(out, &[byte], b"\""),
    }
}
