//! Text as master files have it (RFC 1035 §5.1), made without formatting machinery.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Appends a number in decimal digits.
pub(crate) fn decimal(out: &mut Vec<u8>, number: u64) {
    padded(out, number, 1);
}

/// Appends a number in decimal digits, with zeros in front up to `width` of them, at most 20.
pub(crate) fn padded(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        if number == 0 && count >= width {
            break;
        }
        *digit = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        count += 1;
    }
    out.extend_from_slice(digits.get(20 - count..).unwrap_or_default());
}

fn digit(value: u8, letters: u8) -> u8 {
    if value < 10 { b'0' + value } else { letters + (value - 10) }
}

/// Appends bytes in hexadecimal, in upper case as RFC 4034 §5.3 and RFC 3597 §5 have it.
pub(crate) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4, b'A'), digit(byte & 15, b'A')]);
    }
}

/// Appends bytes in base 64 (RFC 4648 §4).
pub(crate) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| chunk.get(at).copied().unwrap_or_default());
        let values = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        let mut digits =
            values.map(|value| DIGITS.get(usize::from(value)).copied().unwrap_or(b'='));
        if let Some(padding) = digits.get_mut(chunk.len() + 1..) {
            padding.fill(b'=');
        }
        out.extend_from_slice(&digits);
    }
}

/// Appends bytes in base 32 with the digits of RFC 4648 §7 and without padding (RFC 5155 §3.3).
pub(crate) fn base32(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        let bits = bits << (40 - 8 * chunk.len());
        for index in 1..=(8 * chunk.len()).div_ceil(5) {
            let value = usize::try_from(bits >> (40 - 5 * index) & 31).unwrap_or_default();
            out.push(DIGITS.get(value).copied().unwrap_or_default());
        }
    }
}

/// Appends bytes of a text: those that are no printable ASCII as `\DDD`, and a backslash before
/// those that are in `special`. A space is printable between quotes.
pub(crate) fn escaped(out: &mut Vec<u8>, bytes: &[u8], special: &[u8]) {
    let mut rest = bytes;
    loop {
        let plain = rest.iter().take_while(|byte| is_plain(**byte, special)).count();
        let (run, others) = rest.split_at(plain);
        out.extend_from_slice(run);
        let Some((byte, others)) = others.split_first() else {
            return;
        };
        rest = others;
        out.push(b'\\');
        if special.contains(byte) {
            out.push(*byte);
        } else {
            padded(out, u64::from(*byte), 3);
        }
    }
}

fn is_plain(byte: u8, special: &[u8]) -> bool {
    // Most of what names and texts consist of, without a look at what is special.
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_')
        || (byte.is_ascii_graphic() && !special.contains(&byte))
        || (byte == b' ' && special == QUOTED)
}

/// What is special between quotes.
pub(crate) const QUOTED: &[u8] = b"\"\\";

/// Appends a text in quotes.
pub(crate) fn quoted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    escaped(out, bytes, QUOTED);
    out.push(b'"');
}

pub(crate) fn address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => ipv4(out, address),
        IpAddr::V6(address) => ipv6(out, address),
    }
}

fn ipv4(out: &mut Vec<u8>, address: Ipv4Addr) {
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        decimal(out, u64::from(octet));
    }
}

/// Appends an address as RFC 5952 §4 recommends: the first longest run of two or more zero groups
/// is `::`, and what maps an IPv4 address (RFC 4291 §2.5.5.2) shows it.
fn ipv6(out: &mut Vec<u8>, address: Ipv6Addr) {
    if let Some(mapped) = address.to_ipv4_mapped() {
        out.extend_from_slice(b"::ffff:");
        return ipv4(out, mapped);
    }
    let groups = address.segments();
    let (mut start, mut longest) = (0, 1);
    let mut run = 0;
    for (index, group) in groups.into_iter().enumerate() {
        run = if group == 0 { run + 1 } else { 0 };
        if run > longest {
            (start, longest) = (index + 1 - run, run);
        }
    }
    let elided = if longest > 1 { start..start + longest } else { 8..8 };
    for (index, group) in groups.into_iter().enumerate() {
        if index == elided.start {
            out.extend_from_slice(b"::");
        }
        if elided.contains(&index) {
            continue;
        }
        if index > 0 && index != elided.end {
            out.push(b':');
        }
        let mut leading = true;
        for nibble in [group >> 12, group >> 8 & 15, group >> 4 & 15, group & 15] {
            leading &= nibble == 0;
            if !leading {
                out.push(digit(nibble.to_le_bytes()[0], b'a'));
            }
        }
        if leading {
            out.push(b'0');
        }
    }
}

/// Appends seconds since the Unix epoch as `YYYYMMDDHHmmSS` (RFC 4034 §3.2).
pub(crate) fn time(out: &mut Vec<u8>, seconds: u32) {
    let (days, second) = (u64::from(seconds / 86_400), u64::from(seconds % 86_400));
    // Years that start in March, so that the leap day is the last of its year; 719,468 days lie
    // between the start of year 0 and 1970-01-01.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // 0 is March
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    padded(out, 400 * era + year + carry, 4);
    for part in [month, day, second / 3_600, second / 60 % 60, second % 60] {
        padded(out, part, 2);
    }
}

#[cfg(test)]
mod tests;
