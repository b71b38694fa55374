//! Arguments of MAIL and RCPT: a path and parameters.

use flowcell_mail::{decimal, owned, same, split, split_word, strip, trim};

/// Longest address that is kept, in bytes: RFC 5321 §4.5.3.1.3 limits a path to 256.
pub(crate) const ADDRESS_MAX: usize = 256;

/// Longest value of BODY= that is kept, in bytes; the longest known has 10.
const BODY_MAX: usize = 32;

/// What MAIL or RCPT says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Path {
    /// The mailbox, without brackets and source route; empty for `<>`.
    pub(crate) address: Vec<u8>,
    /// `SIZE=`, in bytes (RFC 1870 §3).
    pub(crate) size: Option<u64>,
    /// `BODY=` (RFC 6152 §2, RFC 3030 §3).
    pub(crate) body: Option<Vec<u8>>,
    /// `SMTPUTF8` (RFC 6531 §3.4).
    pub(crate) smtputf8: bool,
}

impl Path {
    /// Reads `FROM:<a@b> SIZE=1`; the keyword is FROM or TO. `None` if it is something else.
    pub(crate) fn parse(argument: &[u8], keyword: &str) -> Option<Self> {
        // RFC 5321 §3.3: no space on either side of the colon, but many clients write one.
        let rest = trim(trim(strip(argument, keyword)?).strip_prefix(b":")?);
        let (address, mut parameters) = match rest.strip_prefix(b"<") {
            Some(inner) => bracketed(inner),
            None => split_word(rest),
        };
        parameters = trim(parameters);
        let mut path = Self { address: owned(without_route(address)), ..Self::default() };
        while !parameters.is_empty() {
            let (parameter, rest) = split_word(parameters);
            path.parameter(parameter);
            parameters = rest;
        }
        Some(path)
    }

    fn parameter(&mut self, parameter: &[u8]) {
        let (name, value) = split(parameter, b'=');
        let value = value.unwrap_or_default();
        if same(name, "SIZE") {
            self.size = decimal(value);
        } else if same(name, "BODY") {
            self.body = Some(value[..value.len().min(BODY_MAX)].to_ascii_uppercase());
        } else if same(name, "SMTPUTF8") {
            self.smtputf8 = true;
        }
    }
}

/// What stands up to the closing bracket, and what follows. RFC 5321 §4.1.2: a local part may be a
/// quoted string, in which a bracket is a character like any other.
fn bracketed(inner: &[u8]) -> (&[u8], &[u8]) {
    let (mut quoted, mut escaped) = (false, false);
    let closes = |byte: &u8| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match byte {
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'>' => return !quoted,
            _ => {}
        }
        false
    };
    match inner.iter().position(closes) {
        Some(end) => (&inner[..end], &inner[end + 1..]),
        None => split_word(inner),
    }
}

/// RFC 5321 §4.1.1.3: `@relay,@relay:` in front of a mailbox is to be ignored.
fn without_route(path: &[u8]) -> &[u8] {
    match split(path, b':') {
        (_, Some(mailbox)) if path.starts_with(b"@") => trim(mailbox),
        _ => trim(path),
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    fn address(argument: &str) -> Option<String> {
        let path = Path::parse(argument.as_bytes(), "FROM")?;
        Some(String::from_utf8(path.address).expect("UTF-8"))
    }

    #[test]
    fn paths_of_all_kinds() {
        assert_eq!(address("FROM:<a@b>").as_deref(), Some("a@b"));
        assert_eq!(address("from : <a@b> SIZE=1").as_deref(), Some("a@b"));
        assert_eq!(address("FROM:<>").as_deref(), Some(""));
        assert_eq!(address("FROM:").as_deref(), Some(""));
        assert_eq!(address("FROM:a@b BODY=7BIT").as_deref(), Some("a@b"));
        assert_eq!(address("FROM:<@x,@y:a@b>").as_deref(), Some("a@b"));
        assert_eq!(address("FROM:<\"a>\\\"b:\"@c>").as_deref(), Some("\"a>\\\"b:\"@c"));
        assert_eq!(address("FROM:<a@b SIZE=1").as_deref(), Some("a@b"), "bracket not closed");
        assert_eq!(address("TO:<a@b>"), None);
        assert_eq!(address("FROM"), None);
        assert_eq!(address(""), None);
    }

    #[test]
    fn parameters() {
        let argument = b"FROM:<a@b>  SIZE=9030 body=8bitmime SMTPUTF8 RET=HDRS =x SIZE";
        let path = Path::parse(argument, "FROM").expect("a path");
        assert_eq!(path.body.as_deref(), Some(&b"8BITMIME"[..]));
        assert!(path.smtputf8);
        assert_eq!(path.size, None, "the last one is no number");
        let path = Path::parse(b"FROM:<> SIZE=99999999999999999999", "FROM").expect("a path");
        assert_eq!(path.size, Some(u64::MAX));
    }
}
