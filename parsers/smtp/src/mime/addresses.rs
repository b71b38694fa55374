//! Lists of addresses (RFC 5322 §3.4), and IP addresses within text.

use std::net::IpAddr;

/// Splits a list at the commas that are not within quotes, comments or angle brackets.
pub(crate) fn split(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped, mut bracket, mut comments) = (false, false, false, 0u32);
    let separates = move |byte: &u8| {
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
    list.split(separates).map(<[u8]>::trim_ascii).filter(|entry| !entry.is_empty())
}

/// The IP addresses in a text, in order: runs of the characters of an address that parse as one.
pub(crate) fn ip_addresses(text: &[u8]) -> impl Iterator<Item = IpAddr> {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'_');
    text.split(move |byte| !within(*byte)).filter_map(|run| {
        // RFC 5321 §4.1.3: an IPv6 literal is tagged.
        let run = match run.split_at_checked(5) {
            Some((tag, rest)) if tag.eq_ignore_ascii_case(b"IPv6:") => rest,
            _ => run,
        };
        let run = run.strip_suffix(b".").unwrap_or(run);
        // No address is shorter than "::" or longer than an IPv6 address that ends as an IPv4 one.
        if !(2..=45).contains(&run.len()) {
            return None;
        }
        std::str::from_utf8(run).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{ip_addresses, split};

    #[test]
    fn lists_split_at_commas_between_addresses() {
        let list: &[u8] = br#" a@b , "Doe, \"J" <j@d>,(x,y) c@d,, <e,f@g>, u: ; "#;
        let entries: Vec<&[u8]> = split(list).collect();
        let expected: [&[u8]; 5] =
            [b"a@b", br#""Doe, \"J" <j@d>"#, b"(x,y) c@d", b"<e,f@g>", b"u: ;"];
        assert_eq!(entries, expected);
    }

    #[test]
    fn addresses_in_text() {
        let found = |text: &str| -> Vec<String> {
            ip_addresses(text.as_bytes()).map(|address| address.to_string()).collect()
        };
        assert_eq!(found("from a ([10.0.0.1]) by b (10.0.0.2)."), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(found("from [IPv6:2001:db8::1] by x"), ["2001:db8::1"]);
        assert_eq!(found("mail-10-0-0-1.example 10.0.0.1.example 12:30:00 8.12.10 e:: g::h"), ["e::"]);
    }
}
