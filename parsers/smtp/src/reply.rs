//! Reading the server's replies (RFC 5321 §4.2).

use flowcell_sdk::{ByteStream, ReadError};

use flowcell_mail::{owned, shorten, skip_line, trim};

/// Longest part of a line that is read, in bytes; RFC 5321 §4.5.3.1.5 limits a line to 512.
const LINE_MAX: usize = 2_048;

/// Longest text of a reply that is kept, in bytes, all lines together.
const TEXT_MAX: usize = 1_024;

/// Longest last line that is kept, in bytes: its text, the code and a space.
const LAST_MAX: usize = TEXT_MAX + 4;

/// What the server says to a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// The lines without their codes, separated by a line feed.
    pub(crate) text: Vec<u8>,
    /// The last line, with its code.
    pub(crate) last: Vec<u8>,
    /// Something was cut at its limit.
    pub(crate) truncated: bool,
}

/// What a line of the server can be.
#[derive(Debug)]
pub(crate) enum Heard {
    Reply(Reply),
    /// A line that is no reply and within none.
    Noise,
}

impl Reply {
    /// Reads one reply, which may have several lines.
    pub(crate) async fn read(server: &mut ByteStream) -> Result<Heard, ReadError> {
        let mut reply = Self::default();
        let mut lines = 0u32;
        loop {
            let (outcome, whole) = match server.get_line_part(LINE_MAX).await {
                Ok(part) => (reply.line(part.line.bytes(), lines), part.last),
                Err(ReadError::End(end)) if end.unread > 0 => {
                    // The last line was not finished: what is there of it counts.
                    let unread = server.rest().await?.ok_or(ReadError::End(end))?;
                    (reply.line(unread, lines), true)
                }
                Err(error) => return Err(error),
            };
            if !whole {
                reply.truncated = true;
                skip_line(server).await?;
            }
            match outcome {
                Line::Noise => return Ok(Heard::Noise),
                Line::Last => return Ok(Heard::Reply(reply)),
                Line::More => lines = lines.saturating_add(1),
            }
        }
    }

    /// RFC 5321 §4.2.1: a hyphen behind the code says that more lines follow.
    fn line(&mut self, line: &[u8], lines: u32) -> Line {
        let (code, more, text) = match line {
            // RFC 5321 §4.2: the first digit is 2, 3, 4 or 5.
            [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..]
                if matches!(rest, [] | [b' ' | b'-' | b'\t', ..]) =>
            {
                let code =
                    [a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(*digit - b'0'));
                (code, rest.starts_with(b"-"), rest.get(1..).unwrap_or_default())
            }
            // Some servers forget the code within a reply.
            _ if lines > 0 => (self.code, true, line),
            _ => return Line::Noise,
        };
        self.code = code;
        if lines > 0 {
            self.keep(b"\n");
        }
        self.keep(trim(text));
        if more {
            return Line::More;
        }
        self.last = owned(trim(line));
        shorten(&mut self.last, LAST_MAX);
        Line::Last
    }

    fn keep(&mut self, text: &[u8]) {
        let room = TEXT_MAX - self.text.len();
        if text.len() <= room {
            self.text.extend_from_slice(text);
        } else {
            self.text.extend_from_slice(&text[..room]);
            self.truncated = true;
        }
    }
}

enum Line {
    More,
    Last,
    Noise,
}

#[cfg(test)]
mod tests {
    use super::{Line, Reply};

    fn reply(lines: &[&str]) -> Option<Reply> {
        let mut reply = Reply::default();
        for (number, line) in (0..).zip(lines) {
            match reply.line(line.as_bytes(), number) {
                Line::More => {}
                Line::Last => return Some(reply),
                Line::Noise => return None,
            }
        }
        None
    }

    #[test]
    fn replies_of_all_shapes() {
        let one = reply(&["250 Ok "]).expect("a reply");
        assert_eq!((one.code, &*one.text, &*one.last), (250, &b"Ok"[..], &b"250 Ok"[..]));
        let many = reply(&["250-a", "stray", "250-", "250 b"]).expect("a reply");
        assert_eq!(many.text, b"a\nstray\n\nb");
        assert_eq!(many.last, b"250 b");
        assert_eq!(reply(&["220"]).map(|reply| reply.code), Some(220));
        assert_eq!(reply(&["220-a", "554 b"]).map(|reply| reply.code), Some(554));
        assert!(reply(&["+OK"]).is_none());
        assert!(reply(&["2200 x"]).is_none());
        assert!(reply(&[""]).is_none());
    }

    #[test]
    fn long_replies_are_cut_and_marked() {
        let long = "x".repeat(super::TEXT_MAX);
        let cut = reply(&["250-a", &format!("250 {long}")]).expect("a reply");
        assert!(cut.truncated && cut.text.len() == super::TEXT_MAX);
        assert_eq!(cut.last.len(), super::LAST_MAX);
    }
}
