//! Request lines and status lines (RFC 9112 §3 and §4).

use flowcell_sdk::prelude::*;

use crate::header::{Header, LINE_MAX};
use crate::shown::Version;
use crate::text::{decimal, is_token, split, split_last, trim};

/// What every response of HTTP/1 starts with.
pub(crate) const PREFIX: &[u8] = b"HTTP/1.";

/// Longest method, in bytes.
const METHOD_MAX: usize = 32;

/// Longest request target that is kept, in bytes.
const URI_MAX: usize = 8_000;

/// Longest reason phrase that is kept, in bytes.
const REASON_MAX: usize = 512;

/// Most spaces in front of the code where a status line is searched for, and most bytes of the line.
const SPACES_MAX: usize = 8;
const STATUS_MAX: usize = REASON_MAX + 64;

/// Bytes of the end of an over-long line that are kept: more than the version takes.
const TAIL_MAX: usize = 16;

/// Methods that are found behind a gap, where nothing says where a message begins; and those that
/// HTTP/0.9 is recognised by. One that ends like another stands in front of it.
static METHODS: &[&str] = &[
    "GET",
    "POST",
    "HEAD",
    "OPTIONS",
    "PUT",
    "DELETE",
    "CONNECT",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "UNLOCK",
    "LOCK",
    "M-SEARCH",
    "SEARCH",
    "REPORT",
    "UNSUBSCRIBE",
    "SUBSCRIBE",
    "NOTIFY",
];

/// What a request line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestLine {
    pub(crate) method: Vec<u8>,
    pub(crate) uri: Vec<u8>,
    pub(crate) version: Version,
    /// It is three words with single spaces between them.
    pub(crate) clean: bool,
    /// The target was cut.
    pub(crate) cut: bool,
}

impl RequestLine {
    /// Method, target, version. Spaces in the target are taken for a part of it, as servers do
    /// (RFC 9112 §3). Without a version it is HTTP/0.9: a known method and a path.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let text = trim(line);
        let (before, last) = split_last(text, b' ');
        let (version, before) = match Version::parse(last) {
            Some(version) => (version, before?),
            None => (Version::OLDEST, text),
        };
        let (method, uri) = split(before, b' ');
        let uri = uri?;
        let target = trim(uri);
        let simple = version == Version::OLDEST;
        let path = target.starts_with(b"/") && !target.contains(&b' ') && is_known_method(method);
        if method.len() > METHOD_MAX || !is_token(method) || target.is_empty() || (simple && !path)
        {
            return None;
        }
        let spaced = target.iter().any(|byte| matches!(byte, b' ' | b'\t'));
        let clean = text.len() == line.len() && target.len() == uri.len() && !spaced;
        let cut = target.len() > URI_MAX;
        let uri = target.get(..URI_MAX).unwrap_or(target).to_vec();
        Some(Self { method: method.to_vec(), uri, version, clean, cut })
    }

    /// Finds a request line that ends this line, whatever stands in front of it.
    pub(crate) fn find(line: &[u8]) -> Option<Self> {
        let (before, version) = split_last(line, b' ');
        if !Version::parse(version)?.is_known() {
            return None;
        }
        let (before, _) = split_last(before?, b' ');
        let before = before?;
        let known = METHODS.iter().find(|method| before.ends_with(method.as_bytes()))?;
        Self::parse(line.get(before.len() - known.len()..)?)
    }

    /// A request line as most are: with a known method, and a version.
    pub(crate) fn parse_known(line: &[u8]) -> Option<Self> {
        let known = |line: &Self| is_known_method(&line.method) && line.version.is_known();
        Self::parse(line).filter(known)
    }

    pub(crate) fn is(&self, method: &str) -> bool {
        self.method == method.as_bytes()
    }
}

fn is_known_method(method: &[u8]) -> bool {
    METHODS.iter().any(|known| known.as_bytes() == method)
}

/// Whether this is the start of a request with a known method.
pub(crate) fn starts_with_method(text: &[u8]) -> bool {
    let (method, rest) = split(text, b' ');
    rest.is_some() && is_known_method(method)
}

/// What a status line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusLine {
    pub(crate) version: Version,
    pub(crate) code: u16,
    pub(crate) reason: Vec<u8>,
    /// Single spaces stand where they should.
    pub(crate) clean: bool,
    /// The reason phrase was cut.
    pub(crate) cut: bool,
}

impl StatusLine {
    /// Version, three digits, reason phrase. The phrase may be missing, and the space in front of it.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let (version, rest) = split(line, b' ');
        let version = Version::parse(version).filter(|version| version.major == 1)?;
        let rest = rest?;
        let code = trim(rest);
        let clean = code.len() == rest.len() || rest.starts_with(code);
        let [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', reason @ ..] = code else {
            return None;
        };
        let digit = |byte: &u8| u16::from(byte - b'0');
        let code = digit(a) * 100 + digit(b) * 10 + digit(c);
        let clean = match reason {
            [b' ', ..] => clean,
            [] => clean && rest.len() > 3,
            [b'0'..=b'9', ..] => return None,
            _ => false,
        };
        let reason = trim(reason);
        let cut = reason.len() > REASON_MAX;
        let reason = reason.get(..REASON_MAX).unwrap_or(reason).to_vec();
        Some(Self { version, code, reason, clean, cut })
    }

    /// The same of a line that can only be a status line: what is wrong in the version and around the
    /// code is passed over, as many clients do.
    pub(crate) fn parse_leniently(line: &[u8]) -> Option<Self> {
        if let Some(line) = Self::parse(line) {
            return Some(line);
        }
        let (version, rest) = split(line.strip_prefix(b"HTTP/")?, b' ');
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| byte - b'0');
        let major = version.first().and_then(digit)?;
        let (_, minor) = split(version, b'.');
        let minor = minor.and_then(|minor| digit(minor.first()?)).unwrap_or(0);
        let rest = trim(rest?);
        let end = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let (code, reason) = rest.split_at_checked(end)?;
        let code = u16::try_from(decimal(code)?).ok()?;
        let reason = reason.get(..REASON_MAX).unwrap_or(reason);
        let cut = reason.len() == REASON_MAX;
        let version = Version { major, minor };
        Some(Self { version, code, reason: trim(reason).to_vec(), clean: false, cut })
    }

    /// Finds a status line that ends this line, whatever stands in front of it.
    pub(crate) fn find(line: &[u8]) -> Option<Self> {
        let starts = memchr::memmem::find_iter(line, PREFIX).filter_map(|at| line.get(at..));
        // So that what is no status line costs nothing: only what has a code is parsed, and so much of it.
        let coded = starts.filter(|start| match start.get(PREFIX.len()..) {
            Some([b'0'..=b'9', b' ', rest @ ..]) => {
                let spaces = rest.iter().take(SPACES_MAX).take_while(|byte| **byte == b' ').count();
                rest.get(spaces).is_some_and(u8::is_ascii_digit)
            }
            _ => false,
        });
        coded.map(|start| start.get(..STATUS_MAX).unwrap_or(start)).find_map(Self::parse)
    }
}

/// What a line is that should be a start line.
#[derive(Debug)]
pub(crate) enum Start<T> {
    Line(T),
    /// Nothing at all: some senders put an empty line behind a body (RFC 9112 §2.2).
    Empty,
    /// It ends a line that begins with something else.
    Behind(T),
    /// Something else.
    Junk,
}

/// Reads a start line of any length: of one that is longer than [`LINE_MAX`], the middle is left out.
///
/// # Errors
/// As all reads.
pub(crate) async fn read<T>(
    stream: &mut ByteStream,
    header: &mut Header,
    parse: fn(&[u8]) -> Option<T>,
    find: fn(&[u8]) -> Option<T>,
) -> Result<Start<T>, ReadError> {
    let part = stream.get_line_part(LINE_MAX).await?;
    if part.last {
        if part.line.is_empty() {
            return Ok(Start::Empty);
        }
        let Some(line) = parse(part.line.bytes()) else {
            return Ok(find(part.line.bytes()).map_or(Start::Junk, Start::Behind));
        };
        header.line_end(part.line);
        return Ok(Start::Line(line));
    }
    let mut line = part.line.raw().to_vec();
    let mut tail = Vec::new();
    loop {
        let part = stream.get_line_part(LINE_MAX).await?;
        tail.extend_from_slice(part.line.bytes());
        let excess = tail.len().saturating_sub(TAIL_MAX);
        tail.drain(..excess);
        if part.last {
            break;
        }
    }
    line.append(&mut tail);
    Ok(parse(&line).map_or(Start::Junk, Start::Line))
}

#[cfg(test)]
mod tests {
    use super::{RequestLine, StatusLine};
    use crate::shown::Version;

    fn request(line: &str) -> Option<(String, String, Version, bool)> {
        let line = RequestLine::parse(line.as_bytes())?;
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Some((text(line.method), text(line.uri), line.version, line.clean))
    }

    fn status(line: &str) -> Option<(u16, String, bool)> {
        let line = StatusLine::parse(line.as_bytes())?;
        Some((line.code, String::from_utf8(line.reason).expect("UTF-8"), line.clean))
    }

    #[test]
    fn request_lines() {
        let new = Version { major: 1, minor: 1 };
        let is = |line: &str, method: &str, uri: &str, version, clean| {
            assert_eq!(request(line), Some((method.into(), uri.into(), version, clean)), "{line}");
        };
        is("GET / HTTP/1.1", "GET", "/", new, true);
        is("x-y http://a/b?c HTTP/1.1", "x-y", "http://a/b?c", new, true);
        is("GET /a b HTTP/1.1", "GET", "/a b", new, false);
        is("GET  / HTTP/1.1", "GET", "/", new, false);
        is("GET / HTTP/1.1 ", "GET", "/", new, false);
        is("GET /x", "GET", "/x", Version::OLDEST, true);
        is("PRI * HTTP/2.0", "PRI", "*", Version { major: 2, minor: 0 }, true);
        for bad in ["", "GET", "GET HTTP/1.1", "GET x", "FOO /x", "GET /x y", "HTTP/1.1 200 OK"] {
            assert_eq!(request(bad), None, "{bad}");
        }
        assert_eq!(request("GET /x HTTP/1.10"), None);
        assert_eq!(request("INVITE sip:a SIP/2.0"), None);
    }

    #[test]
    fn request_lines_behind_something_else() {
        let find = |line: &str| RequestLine::find(line.as_bytes()).map(|found| found.method);
        assert_eq!(find("}GET /x HTTP/1.1").as_deref(), Some(&b"GET"[..]));
        assert_eq!(find("a b cUNLOCK /x HTTP/1.0").as_deref(), Some(&b"UNLOCK"[..]));
        assert_eq!(find("GET /x HTTP/2.0"), None);
        assert_eq!(find("GET /x"), None);
    }

    #[test]
    fn status_lines() {
        assert_eq!(status("HTTP/1.1 200 OK"), Some((200, "OK".into(), true)));
        assert_eq!(status("HTTP/1.0 404 Not Found "), Some((404, "Not Found".into(), true)));
        assert_eq!(status("HTTP/1.1 204 "), Some((204, String::new(), true)));
        assert_eq!(status("HTTP/1.1 204"), Some((204, String::new(), false)));
        assert_eq!(status("HTTP/1.1  200 OK"), Some((200, "OK".into(), false)));
        for bad in ["HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/2 200", "ICY 200 OK"] {
            assert_eq!(status(bad), None, "{bad}");
        }
        let lenient = |line: &str| {
            StatusLine::parse_leniently(line.as_bytes()).map(|line| (line.code, line.version))
        };
        let version = |major, minor| Version { major, minor };
        assert_eq!(lenient("HTTP/2.0 200 ok"), Some((200, version(2, 0))));
        assert_eq!(lenient("HTTP/1.10 20x"), Some((20, version(1, 1))));
        assert_eq!(lenient("HTTP/1\0.1 0204 ok"), Some((204, version(1, 1))));
        for bad in ["HTTP/1.1", "HTTP/ 200 OK", "HTTP/1.1 OK", "ICY 200 OK"] {
            assert_eq!(lenient(bad), None, "{bad}");
        }
        let found = StatusLine::find(b"HTTP/1.x of HTTP/1.1 302 Found").map(|line| line.code);
        assert_eq!(found, Some(302));
        // Were each start looked at up to the end, this would take hours.
        for piece in ["HTTP/1.", "HTTP/1.1 ", "HTTP/1.1 2000"] {
            let line = piece.repeat(600_000) + "HTTP/1.1 302 Found";
            let found = StatusLine::find(line.as_bytes()).map(|line| line.code);
            assert_eq!(found, Some(302), "{piece}");
        }
    }
}
