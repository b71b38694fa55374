//! Reading the client's commands.

use flowcell_mail::{Auth, MASK, owned, same, shorten, skip_line, split_word, trim};
use flowcell_sdk::{ByteStream, ReadError};

use crate::verb::Verb;

/// Longest part of a command's line that is read, in bytes. RFC 5321 §4.5.3.1.4 limits a line to 512,
/// which extensions raise; only AUTH may have more (RFC 4954 §4), and there the user name comes first.
pub(crate) const LINE_MAX: usize = 2_048;

/// Longest argument that is kept, in bytes.
const ARGUMENT_MAX: usize = 1_024;

/// Longest word that is kept of a line that is no known command, in bytes.
const WORD_MAX: usize = 64;

/// A command as the client sent it.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) verb: Verb,
    /// The first word, in upper case if it is a known command.
    pub(crate) word: Vec<u8>,
    /// The rest of the line, without secrets.
    pub(crate) argument: Vec<u8>,
    pub(crate) auth: Option<Auth>,
    /// Something was cut at its limit.
    pub(crate) truncated: bool,
    /// The end of the line is not there.
    pub(crate) incomplete: bool,
    /// The line ended in LF alone.
    pub(crate) bare_lf: bool,
}

impl Command {
    /// Reads one command.
    pub(crate) async fn read(client: &mut ByteStream) -> Result<Box<Self>, ReadError> {
        let end = match client.get_line_part(LINE_MAX).await {
            Ok(part) => {
                let mut command = Self::parse(part.line.bytes());
                command.bare_lf = part.line.is_bare_lf();
                if part.last {
                    return Ok(command);
                }
                command.truncated = true;
                command.incomplete = skip_line(client).await.is_err();
                return Ok(command);
            }
            Err(ReadError::End(end)) if end.unread > 0 => end,
            Err(error) => return Err(error),
        };
        // The last line was not finished: what is there of it is shown.
        let unread = client.rest().await?.ok_or(ReadError::End(end))?;
        let mut command = Self::parse(unread);
        command.incomplete = true;
        Ok(command)
    }

    /// RFC 5321 §2.4 and §4.1.1: a verb, and an argument behind a space.
    pub(crate) fn parse(line: &[u8]) -> Box<Self> {
        let (word, rest) = split_word(trim(line));
        let (verb, name) = Verb::parse(word);
        let mut word = owned(name.map_or(word, str::as_bytes));
        let (auth, mut argument) = match verb {
            Verb::Auth => {
                let (auth, shown) = Auth::start(rest);
                (Some(auth), shown)
            }
            // Not SMTP, but people type it.
            _ if same(&word, "PASS") && !rest.is_empty() => (None, owned(MASK)),
            _ => (None, owned(rest)),
        };
        let whole = shorten(&mut word, WORD_MAX) & shorten(&mut argument, ARGUMENT_MAX);
        let truncated = !whole;
        if truncated {
            argument = owned(&argument); // gives back the room
        }
        Box::new(Self { verb, word, argument, auth, truncated, incomplete: false, bare_lf: false })
    }

    /// Hides the line: it may be a response to an AUTH that the server did not ask for.
    pub(crate) fn mask(&mut self) {
        self.word = owned(MASK);
        self.argument.clear();
    }

    /// RFC 3030 §2: the bytes that follow BDAT, and whether they are the last.
    pub(crate) fn chunk(&self) -> Option<(u64, bool)> {
        let (size, rest) = split_word(&self.argument);
        let size = flowcell_mail::decimal(size)?;
        match rest {
            b"" => Some((size, false)),
            _ => same(rest, "LAST").then_some((size, true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, LINE_MAX};
    use crate::verb::Verb;

    #[test]
    fn lines_are_split_into_verb_and_argument() {
        let command = Command::parse(b"  mail FROM:<a@b> ");
        assert_eq!((command.verb, &*command.word), (Verb::Mail, &b"MAIL"[..]));
        assert_eq!(command.argument, b"FROM:<a@b>");
        let command = Command::parse(b"");
        assert_eq!((command.verb, command.word.len()), (Verb::Unknown, 0));
        assert_eq!(Command::parse(b"pass secret").argument, b"***");
    }

    #[test]
    fn long_lines_are_cut_and_marked() {
        let command = Command::parse(&[b'x'; LINE_MAX]);
        assert!(command.truncated && command.word.len() == super::WORD_MAX);
    }

    #[test]
    fn chunk_sizes() {
        let chunk = |argument: &str| Command::parse(format!("BDAT {argument}").as_bytes()).chunk();
        assert_eq!(chunk("10"), Some((10, false)));
        assert_eq!(chunk("0 last"), Some((0, true)));
        assert_eq!(chunk("10 FIRST"), None);
        assert_eq!(chunk("-1"), None);
        assert_eq!(chunk(""), None);
    }
}
