//! Lists of addresses (RFC 5322 §3.4), and IP addresses within text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::text::{strip, trim};

/// Takes the first entry off a list: what stands in front of a comma that is not within quotes,
/// comments or angle brackets.
pub(crate) fn next_entry<'a>(list: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (mut quoted, mut escaped, mut bracket, mut comments) = (false, false, false, 0u32);
    let mut separates = |byte: &u8| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match byte {
            b'\\' => escaped = quoted || comments > 0,
            b'"' if comments == 0 => quoted = !quoted,
            _ if quoted => {}
            b'(' => comments += 1,
            b')' => comments = comments.saturating_sub(1),
            _ if comments > 0 => {}
            b'<' => bracket = true,
            b'>' => bracket = false,
            b',' => return !bracket,
            _ => {}
        }
        false
    };
    while !list.is_empty() {
        // At a comma, nothing is open.
        let end = list.iter().position(&mut separates).unwrap_or(list.len());
        let (entry, rest) = list.split_at(end);
        *list = rest.get(1..).unwrap_or_default();
        if !trim(entry).is_empty() {
            return Some(trim(entry));
        }
    }
    None
}

/// Takes the first IP address off a text: the first run of the characters of an address that parses
/// as one.
pub(crate) fn next_ip(text: &mut &[u8]) -> Option<IpAddr> {
    let within =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'_');
    while !text.is_empty() {
        let end = text.iter().position(|byte| !within(byte)).unwrap_or(text.len());
        let (run, rest) = text.split_at(end);
        *text = rest.get(1..).unwrap_or_default();
        // RFC 5321 §4.1.3: an IPv6 literal is tagged.
        let run = strip(run, "IPv6:").unwrap_or(run);
        let run = run.strip_suffix(b".").unwrap_or(run);
        let address = parse_v4(run).map(IpAddr::V4).or_else(|| parse_v6(run).map(IpAddr::V6));
        if address.is_some() {
            return address;
        }
    }
    None
}

// The standard library's parsers bring five times the code into a sandbox.

fn parse_v4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split(|byte| *byte == b'.');
    for octet in &mut octets {
        let digits = parts.next()?;
        if digits.len() > 1 && digits.starts_with(b"0") {
            return None; // some read that as octal
        }
        *octet = u8::try_from(number(digits, 10, 3)?).ok()?;
    }
    parts.next().is_none().then(|| octets.into())
}

/// RFC 4291 §2.2: eight groups, of which one run of zeros may be left out; the last two may be
/// written as an IPv4 address.
fn parse_v6(text: &[u8]) -> Option<Ipv6Addr> {
    let mut groups = [0; 8];
    let Some(gap) = text.windows(2).position(|pair| pair == b"::") else {
        return (parse_groups(text, &mut groups, true)? == 8).then(|| groups.into());
    };
    let left = parse_groups(&text[..gap], &mut groups, false)?;
    let mut tail = [0; 8];
    let right = parse_groups(&text[gap + 2..], &mut tail, true)?;
    if left + right > 7 {
        return None;
    }
    groups[8 - right..].copy_from_slice(&tail[..right]);
    Some(groups.into())
}

/// Reads groups separated by colons and returns how many. `tail`: the address ends with them.
fn parse_groups(text: &[u8], groups: &mut [u16; 8], tail: bool) -> Option<usize> {
    let mut count = 0;
    if text.is_empty() {
        return Some(0);
    }
    for part in text.split(|byte| *byte == b':') {
        if let Some(v4) = parse_v4(part) {
            let [a, b, c, d] = v4.octets();
            *groups.get_mut(count)? = u16::from_be_bytes([a, b]);
            *groups.get_mut(count + 1)? = u16::from_be_bytes([c, d]);
            let last = std::ptr::eq(part.as_ptr_range().end, text.as_ptr_range().end);
            return (tail && last).then_some(count + 2);
        }
        *groups.get_mut(count)? = number(part, 16, 4)?;
        count += 1;
    }
    Some(count)
}

/// A number of one to `max` digits.
fn number(digits: &[u8], radix: u32, max: usize) -> Option<u16> {
    if digits.is_empty() || digits.len() > max {
        return None;
    }
    let value = digits
        .iter()
        .try_fold(0, |value, digit| Some(value * radix + char::from(*digit).to_digit(radix)?))?;
    u16::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::{next_entry, next_ip};

    #[test]
    fn lists_split_at_commas_between_addresses() {
        let list: &[u8] = br#" a@b , "Doe, \"J" <j@d>,(x,y) c@d,, <e,f@g>, u: ; "#;
        let mut rest = list;
        let entries: Vec<&[u8]> = std::iter::from_fn(|| next_entry(&mut rest)).collect();
        let expected: [&[u8]; 5] =
            [b"a@b", br#""Doe, \"J" <j@d>"#, b"(x,y) c@d", b"<e,f@g>", b"u: ;"];
        assert_eq!(entries, expected);
    }

    #[test]
    fn addresses_in_text() {
        let found = |text: &str| -> Vec<String> {
            let mut rest = text.as_bytes();
            let addresses = std::iter::from_fn(|| next_ip(&mut rest));
            addresses.map(|address| address.to_string()).collect()
        };
        assert_eq!(found("from a ([10.0.0.1]) by b (10.0.0.2)."), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(found("from [IPv6:2001:db8::1] by x"), ["2001:db8::1"]);
        assert_eq!(
            found("mail-10-0-0-1.example 10.0.0.1.example 12:30:00 8.12.10 e:: g::h"),
            ["e::"]
        );
    }

    #[test]
    fn addresses_parse_as_the_standard_library_has_them() {
        let texts = [
            "1.2.3.4",
            "255.255.255.255",
            "256.0.0.1",
            "1.2.3",
            "1.2.3.4.5",
            "1..2.3",
            "0001.2.3.4",
            "::",
            "::1",
            "1::",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::8",
            "1:2:3:4:5:6:7::",
            "1:2:3:4::5:6:7:8",
            "::ffff:1.2.3.4",
            "1:2:3:4:5:6:1.2.3.4",
            "1.2.3.4::",
            "::1.2.3.4:5",
            "1:::2",
            "::1::",
            "g::",
            "12345::",
            ":1",
            "1:",
            "a",
            "",
            "FE80::aBcD",
        ];
        for text in texts {
            let ours = super::parse_v4(text.as_bytes())
                .map(std::net::IpAddr::V4)
                .or_else(|| super::parse_v6(text.as_bytes()).map(std::net::IpAddr::V6));
            assert_eq!(ours, text.parse().ok(), "{text}");
        }
    }
}
