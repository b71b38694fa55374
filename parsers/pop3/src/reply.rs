//! Reading the server's status lines (RFC 1939 §3).

use flowcell_mail::{owned, shorten, skip_line, strip, trim};
use flowcell_sdk::{ByteStream, ReadError};

/// Longest part of a line that is read, in bytes; RFC 1939 §3 limits a reply to 512.
const LINE_MAX: usize = 1_024;

/// Longest text that is kept, in bytes.
const TEXT_MAX: usize = 512;

/// What the server says to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    Err,
    /// RFC 5034 §4: a challenge, to which the client responds.
    Continue,
}

/// A status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: Status,
    /// What follows the status.
    pub(crate) text: Vec<u8>,
    /// The text was cut at its limit.
    pub(crate) truncated: bool,
    /// The line ended in LF alone.
    pub(crate) bare_lf: bool,
}

impl Reply {
    /// Reads one line; `None` if it is no status line.
    pub(crate) async fn read(server: &mut ByteStream) -> Result<Option<Self>, ReadError> {
        let part = match server.get_line_part(LINE_MAX).await {
            Ok(part) => part,
            Err(ReadError::End(end)) if end.unread > 0 => {
                // The last line was not finished: what is there of it counts.
                return Ok(Self::parse(server.rest().await?.unwrap_or_default()));
            }
            Err(error) => return Err(error),
        };
        let mut reply = Self::parse(part.line.bytes());
        if let Some(reply) = &mut reply {
            reply.bare_lf = part.line.is_bare_lf();
            reply.truncated |= !part.last;
        }
        if !part.last && skip_line(server).await.is_err() {
            // What comes next shows that again.
        }
        Ok(reply)
    }

    /// Whether a line may be a status line.
    pub(crate) fn is_one(line: &[u8]) -> bool {
        Self::split(line).is_some()
    }

    fn split(line: &[u8]) -> Option<(Status, &[u8])> {
        let words = [("+OK", Status::Ok), ("-ERR", Status::Err), ("+", Status::Continue)];
        let (rest, status) =
            words.iter().find_map(|(word, status)| Some((strip(line, word)?, *status)))?;
        matches!(rest, [] | [b' ' | b'\t' | b'\r' | b'\n', ..]).then_some((status, rest))
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let (status, rest) = Self::split(line)?;
        let mut text = owned(trim(rest));
        let truncated = !shorten(&mut text, TEXT_MAX);
        Some(Self { status, text, truncated, bare_lf: false })
    }
}

#[cfg(test)]
mod tests {
    use super::{Reply, Status};

    fn status(line: &str) -> Option<(Status, String)> {
        let reply = Reply::parse(line.as_bytes())?;
        Some((reply.status, String::from_utf8(reply.text).expect("UTF-8")))
    }

    #[test]
    fn status_lines_of_all_kinds() {
        assert_eq!(status("+OK 2 messages "), Some((Status::Ok, "2 messages".into())));
        assert_eq!(status("+OK"), Some((Status::Ok, String::new())));
        assert_eq!(status("-ERR [IN-USE] no"), Some((Status::Err, "[IN-USE] no".into())));
        assert_eq!(status("+ Zm9v"), Some((Status::Continue, "Zm9v".into())));
        assert_eq!(status("+"), Some((Status::Continue, String::new())));
        for line in ["+OKAY", "-ERROR", "OK", "", "1 120", "+PONG"] {
            assert_eq!(status(line), None, "{line}");
        }
    }
}
