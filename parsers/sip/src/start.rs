//! The first line of a message (RFC 3261 §7.1, §7.2).

use flowcell_sdk::Secrets;

use crate::text::{shortened, shown, trim};

/// Longest method that is taken for one, in bytes.
const METHOD_MAX: usize = 32;

/// Longest URI and longest reason phrase that are kept, in bytes.
const TEXT_MAX: usize = 1_024;

const VERSION: &[u8] = b"SIP/2.0";

/// What a message begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Request { method: Vec<u8>, uri: Vec<u8>, cut: bool },
    Reply { code: u16, reason: Vec<u8>, cut: bool },
}

impl Start {
    /// `None` if the line is not the start of a message. What stands before it may be a keep-alive of NULs.
    pub(crate) fn parse(line: &[u8], secrets: Secrets) -> Option<Self> {
        let start = line.iter().position(|byte| *byte != 0)?;
        let line = trim(line.get(start..)?);
        if let Some(rest) = strip_version(line) {
            return Self::reply(rest);
        }
        let space = line.iter().position(|byte| *byte == b' ')?;
        let (method, rest) = line.split_at(space);
        let last = rest.len().checked_sub(VERSION.len())?;
        let (uri, version) = rest.split_at_checked(last)?;
        let is_request = (1..=METHOD_MAX).contains(&method.len())
            && method.iter().all(|byte| is_token(*byte))
            && version.eq_ignore_ascii_case(VERSION)
            && uri.ends_with(b" ")
            && has_scheme(trim(uri));
        let uri = trim(uri);
        is_request.then(|| Self::Request {
            method: method.to_vec(),
            uri: shortened(&shown(uri, secrets), TEXT_MAX),
            cut: uri.len() > TEXT_MAX,
        })
    }

    /// Behind the version: a code of three digits, and a phrase that may be empty.
    fn reply(rest: &[u8]) -> Option<Self> {
        let [b' ', rest @ ..] = rest else {
            return None;
        };
        let rest = trim(rest);
        let [a @ b'1'..=b'6', b @ b'0'..=b'9', c @ b'0'..=b'9', reason @ ..] = rest else {
            return None;
        };
        if !matches!(reason, [] | [b' ' | b'\t', ..]) {
            return None;
        }
        let code = [a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(**digit - b'0'));
        let reason = trim(reason);
        Some(Self::Reply {
            code,
            reason: shortened(reason, TEXT_MAX),
            cut: reason.len() > TEXT_MAX,
        })
    }
}

/// RFC 3261 §7.1: the version is not case-sensitive.
fn strip_version(line: &[u8]) -> Option<&[u8]> {
    let (version, rest) = line.split_at_checked(VERSION.len())?;
    version.eq_ignore_ascii_case(VERSION).then_some(rest)
}

/// RFC 3261 §25.1.
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// Some enclose the URI, which RFC 3261 §7.1 forbids.
fn has_scheme(uri: &[u8]) -> bool {
    let uri = uri.strip_prefix(b"<").unwrap_or(uri);
    let end = uri.iter().position(|byte| *byte == b':').unwrap_or(0);
    let scheme = uri.get(..end).unwrap_or_default();
    scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
}

#[cfg(test)]
mod tests {
    use flowcell_sdk::Secrets;

    use super::{METHOD_MAX, Start, TEXT_MAX};

    fn parse(line: &[u8]) -> Option<Start> {
        Start::parse(line, Secrets::Masked)
    }

    fn request(line: &[u8]) -> Option<(String, String)> {
        match parse(line)? {
            Start::Request { method, uri, .. } => {
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                Some((text(method), text(uri)))
            }
            Start::Reply { .. } => None,
        }
    }

    fn reply(line: &[u8]) -> Option<(u16, Vec<u8>)> {
        match parse(line)? {
            Start::Reply { code, reason, .. } => Some((code, reason)),
            Start::Request { .. } => None,
        }
    }

    #[test]
    fn requests() {
        let invite = Some(("INVITE".to_owned(), "sip:a@b".to_owned()));
        assert_eq!(request(b"INVITE sip:a@b SIP/2.0"), invite);
        assert_eq!(request(b"INVITE  sip:a@b  sip/2.0 "), invite);
        assert_eq!(request(b"\0\0INVITE sip:a@b SIP/2.0"), invite);
        assert_eq!(
            request(b"OPTIONS sip:\xc3\xa9\xc3\xa9:pw@h SIP/2.0"),
            Some(("OPTIONS".into(), "sip:\u{e9}\u{e9}:***@h".into()))
        );
        let others: [&[u8]; 9] = [
            b"GET / HTTP/1.1",
            b"OPTIONS rtsp://x RTSP/1.0",
            b"INVITE sip:a@b SIP/3.0",
            b"INVITE sip:a@bSIP/2.0",
            b"INVITE SIP/2.0",
            b"SIP/2.0",
            b"INV(TE sip:a@b SIP/2.0",
            b"",
            b"\0\0\0\0",
        ];
        for line in others {
            assert_eq!(parse(line), None, "{line:?}");
        }
        let long = [&[b'A'; METHOD_MAX + 1][..], b" sip:a@b SIP/2.0"].concat();
        assert_eq!(parse(&long), None);
    }

    #[test]
    fn replies() {
        assert_eq!(reply(b"SIP/2.0 200 OK"), Some((200, b"OK".to_vec())));
        assert_eq!(reply(b"sip/2.0 486"), Some((486, Vec::new())));
        assert_eq!(reply(b"SIP/2.0 200 \xd0\x9f"), Some((200, b"\xd0\x9f".to_vec())));
        for line in [&b"SIP/2.0 2000 OK"[..], b"SIP/2.0 700 x", b"SIP/2.0200 OK", b"SIP/2.0 x"] {
            assert_eq!(parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn long_texts_are_cut_and_marked() {
        let line = [&b"INVITE sip:"[..], &[b'x'; TEXT_MAX], b" SIP/2.0"].concat();
        let Some(Start::Request { uri, cut, .. }) = parse(&line) else { panic!("no request") };
        assert!(cut && uri.len() == TEXT_MAX);
    }
}
