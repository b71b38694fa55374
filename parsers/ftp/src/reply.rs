//! Reading the server's replies (RFC 959 §4.2).

use flowcell_sdk::{ByteStream, MASK, ReadError};

use crate::address::{self, Told};
use crate::command::{find, shortened, skip_line};
use crate::telnet;

/// Longest part of a line that is read, in bytes.
const LINE_MAX: usize = 2_048;

/// Longest last line that is kept, in bytes.
const MESSAGE_MAX: usize = 1_024;

/// Most bytes that are kept of the lines before the last, all together.
const TEXT_MAX: usize = 2_048;

/// What the server says to a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Absent if the digits are no code.
    pub(crate) code: Option<u16>,
    /// The text of the last line; the whole line if its code is none.
    pub(crate) message: Vec<u8>,
    /// The lines before, separated by a line feed.
    pub(crate) text: Vec<u8>,
    /// The reply has lines before the last.
    pub(crate) has_text: bool,
    /// Something was cut at its limit.
    pub(crate) truncated: bool,
    /// The end is not there.
    pub(crate) incomplete: bool,
}

/// What a line of the server can be.
#[derive(Debug)]
pub(crate) enum Heard {
    Reply(Reply),
    /// A line that is no reply and within none.
    Noise,
}

enum Line {
    More,
    Last,
    Noise,
}

impl Reply {
    /// Reads one reply, which may have several lines.
    pub(crate) async fn read(server: &mut ByteStream) -> Result<Heard, ReadError> {
        let mut reply = Self::default();
        loop {
            let (line, whole) = match server.get_line_part(LINE_MAX).await {
                Ok(part) => (reply.line(part.line.bytes()), part.last),
                Err(ReadError::End(end)) if end.unread > 0 => {
                    // The last line was not finished: what is there of it counts.
                    let unread = server.rest().await?.ok_or(ReadError::End(end))?;
                    let line = reply.line(unread);
                    reply.incomplete = true;
                    (line, true)
                }
                Err(ReadError::End(_)) if reply.has_text => {
                    reply.incomplete = true;
                    return Ok(Heard::Reply(reply));
                }
                Err(error) => return Err(error),
            };
            if !whole {
                reply.truncated = true;
                reply.incomplete |= skip_line(server).await.is_err();
            }
            match line {
                Line::Noise => return Ok(Heard::Noise),
                Line::Last => return Ok(Heard::Reply(reply)),
                Line::More => {}
            }
        }
    }

    /// A hyphen behind the code says that more lines follow: any, up to one with the same code and a space.
    fn line(&mut self, line: &[u8]) -> Line {
        let line = telnet::without_commands(line);
        match coded(&line) {
            Some((code, more, text)) if !self.has_text || self.code == Some(code) => {
                self.code = Some(code);
                if !more {
                    return self.end(text);
                }
                self.keep(text);
                Line::More
            }
            _ if self.has_text => {
                self.keep(&line);
                Line::More
            }
            _ if line.first().is_some_and(u8::is_ascii_digit) => self.end(&line),
            _ => Line::Noise,
        }
    }

    fn end(&mut self, text: &[u8]) -> Line {
        self.truncated |= text.len() > MESSAGE_MAX;
        self.message = shortened(text, MESSAGE_MAX);
        Line::Last
    }

    fn keep(&mut self, text: &[u8]) {
        if std::mem::replace(&mut self.has_text, true) && self.text.len() < TEXT_MAX {
            self.text.push(b'\n');
        }
        let room = TEXT_MAX.saturating_sub(self.text.len());
        self.truncated |= text.len() > room;
        self.text.extend_from_slice(text.get(..room).unwrap_or(text));
    }

    /// Masks what it repeats of a secret. Some write it in capitals.
    pub(crate) fn hide(&mut self, secret: &[u8]) {
        for text in [&mut self.message, &mut self.text] {
            *text = masked(text, secret.trim_ascii());
        }
    }

    /// RFC 959 §4.2.1: another reply to the same command follows.
    pub(crate) fn is_preliminary(&self) -> bool {
        matches!(self.code, Some(100..=199))
    }

    pub(crate) fn is_success(&self) -> bool {
        matches!(self.code, Some(200..=299))
    }

    /// Neither done nor to be continued.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.code, Some(400..=599))
    }

    /// The server names FTP, and is no mail server that is called so.
    pub(crate) fn names_ftp(&self) -> bool {
        let has = |word: &[u8]| find(&self.text, word) || find(&self.message, word);
        has(b"FTP") && !has(b"SMTP") && !has(b"NNTP")
    }

    /// Where the server says that it listens.
    pub(crate) fn listener(&self) -> Option<Told> {
        match self.code {
            Some(227) => address::pasv(&self.message),
            Some(229) => address::epsv(&self.message),
            _ => None,
        }
    }

    /// Bytes of the file that is about to be sent: no standard has it, and nearly all servers say it, as
    /// `(123 bytes)`.
    pub(crate) fn announced_size(&self) -> Option<u64> {
        let mut before: &[u8] = b"";
        for word in self.message.split(u8::is_ascii_whitespace) {
            if word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"byte")) {
                return decimal(before.strip_prefix(b"(").unwrap_or(before));
            }
            before = word;
        }
        None
    }

    /// RFC 1123 §4.1.2.9: the name that the server has given to a file.
    pub(crate) fn given_name(&self) -> Option<&[u8]> {
        let name = self.message.strip_prefix(b"FILE:")?.trim_ascii_start();
        (!name.is_empty()).then_some(name)
    }
}

/// A code of three digits, whether more lines follow, and the text.
fn coded(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let [a @ b'1'..=b'6', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = line else {
        return None;
    };
    let more = match rest {
        [b'-', ..] => true,
        [] | [b' ' | b'\t', ..] => false,
        _ => return None,
    };
    let code = [a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(**digit - b'0'));
    Some((code, more, rest.get(1..).unwrap_or_default()))
}

/// A number in decimal digits only.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(*digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// A text without what is secret, in any case.
fn masked(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut shown = Vec::new();
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        let part = rest.get(..secret.len()).filter(|part| !part.is_empty());
        if part.is_some_and(|part| part.eq_ignore_ascii_case(secret)) {
            shown.extend_from_slice(MASK.as_bytes());
            rest = rest.get(secret.len()..).unwrap_or_default();
        } else {
            shown.push(*first);
            rest = behind;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Line, Reply, decimal};

    fn reply(lines: &[&str]) -> Option<Reply> {
        let mut reply = Reply::default();
        for line in lines {
            match reply.line(line.as_bytes()) {
                Line::More => {}
                Line::Last => return Some(reply),
                Line::Noise => return None,
            }
        }
        None
    }

    #[test]
    fn replies_of_all_shapes() {
        let one = reply(&["250 Ok"]).expect("a reply");
        assert_eq!((one.code, &*one.message, one.has_text), (Some(250), &b"Ok"[..], false));
        assert_eq!(reply(&["220"]).and_then(|reply| reply.code), Some(220));
        let many = ["211-Features:", " SIZE", "213 not yet", "211-more", "", "211 End"];
        let many = reply(&many).expect("a reply");
        assert_eq!(many.text, b"Features:\n SIZE\n213 not yet\nmore\n");
        assert_eq!(many.message, b"End");
        assert!(reply(&["+OK"]).is_none());
        assert!(reply(&["220-a", "221 b"]).is_none(), "only the same code ends it");
    }

    #[test]
    fn codes_that_are_none() {
        for line in ["99 PASV invalid", "2200 x", "000 x", "999 x", "22"] {
            let reply = reply(&[line]).expect("a reply");
            assert_eq!((reply.code, &*reply.message), (None, line.as_bytes()));
        }
    }

    #[test]
    fn long_replies_are_cut_and_marked() {
        let long = "x".repeat(super::TEXT_MAX);
        let cut = reply(&[&format!("250-{long}"), &long, &format!("250 {long}")]).expect("reply");
        assert!(cut.truncated && cut.message.len() == super::MESSAGE_MAX);
        assert_eq!(cut.text.len(), super::TEXT_MAX);
    }

    #[test]
    fn sizes_that_servers_announce() {
        let size = |text: &str| reply(&[&format!("150 {text}")]).and_then(|r| r.announced_size());
        assert_eq!(size("Opening BINARY mode data connection for a (77 bytes)."), Some(77));
        assert_eq!(size("Opening data connection for b, 12 bytes"), Some(12));
        assert_eq!(size("226.5 kbytes to download"), None);
        assert_eq!(size("77.0 bytes to download"), None);
        assert_eq!(size("(99999999999999999999999 bytes)"), None);
        assert_eq!(size("Here comes the directory listing."), None);
    }

    #[test]
    fn numbers() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for text in [&b""[..], b"18446744073709551616", b"-1", b"1 "] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }
}
