//! Reading the client's commands.

use flowcell_mail::{
    Auth, add_word, owned, same, secret_line, shorten, skip_line, split_word, trim,
};
use flowcell_sdk::{ByteStream, ReadError, Secrets};

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
    /// The rest of the line, with secrets as they are to be shown.
    pub(crate) argument: Vec<u8>,
    secrets: Secrets,
    pub(crate) auth: Option<Auth>,
    /// Something was cut at its limit.
    pub(crate) truncated: bool,
    /// The end of the line is not there.
    pub(crate) incomplete: bool,
    /// The line ended in LF alone.
    pub(crate) bare_lf: bool,
}

impl Command {
    /// Reads one command. `after_auth`: the last one that is known was AUTH.
    pub(crate) async fn read(
        client: &mut ByteStream,
        secrets: Secrets,
        after_auth: bool,
    ) -> Result<Box<Self>, ReadError> {
        let end = match client.get_line_part(LINE_MAX).await {
            Ok(part) => {
                let mut command = Self::parse(part.line.bytes(), secrets, after_auth);
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
        let mut command = Self::parse(unread, secrets, after_auth);
        command.incomplete = true;
        Ok(command)
    }

    /// RFC 5321 §2.4 and §4.1.1: a verb, and an argument behind a space.
    pub(crate) fn parse(line: &[u8], secrets: Secrets, after_auth: bool) -> Box<Self> {
        let (word, rest) = split_word(trim(line));
        let (verb, name) = Verb::parse(word);
        let mut word = owned(name.map_or(word, str::as_bytes));
        let (auth, mut argument) = match verb {
            Verb::Auth => {
                let (auth, shown) = Auth::start(rest, secrets);
                (Some(auth), shown)
            }
            // Not SMTP, but people type it.
            _ if same(&word, "PASS") && !rest.is_empty() => (None, owned(secrets.show(rest))),
            _ => (None, owned(rest)),
        };
        let whole = shorten(&mut word, WORD_MAX) & shorten(&mut argument, ARGUMENT_MAX);
        let truncated = !whole;
        if truncated {
            argument = owned(&argument); // gives back the room
        }
        let mut command = Box::new(Self {
            verb,
            word,
            argument,
            secrets,
            auth,
            truncated,
            incomplete: false,
            bare_lf: false,
        });
        if after_auth && verb == Verb::Unknown {
            command.hide(line);
        }
        command
    }

    /// The whole line is secret: it may be a response to an AUTH that the server did not ask for.
    fn hide(&mut self, line: &[u8]) {
        self.word = secret_line(line, self.secrets, ARGUMENT_MAX, &mut self.truncated);
        self.argument.clear();
    }

    /// Takes a response to a challenge of AUTH.
    pub(crate) fn respond(&mut self, line: &[u8]) {
        let Some(auth) = &mut self.auth else { return };
        auth.respond(line);
        if self.secrets.are_shown() {
            self.truncated |= !add_word(&mut self.argument, line, ARGUMENT_MAX);
        }
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
    use flowcell_sdk::Secrets;

    use super::{Command, LINE_MAX};
    use crate::verb::Verb;

    fn parse(line: &[u8]) -> Box<Command> {
        Command::parse(line, Secrets::Masked, false)
    }

    #[test]
    fn lines_are_split_into_verb_and_argument() {
        let command = parse(b"  mail FROM:<a@b> ");
        assert_eq!((command.verb, &*command.word), (Verb::Mail, &b"MAIL"[..]));
        assert_eq!(command.argument, b"FROM:<a@b>");
        let command = parse(b"");
        assert_eq!((command.verb, command.word.len()), (Verb::Unknown, 0));
    }

    #[test]
    fn secrets_are_masked_or_shown() {
        for (secrets, shown) in [(Secrets::Masked, "***"), (Secrets::Shown, "secret")] {
            assert_eq!(Command::parse(b"pass secret", secrets, false).argument, shown.as_bytes());
            assert_eq!(Command::parse(b"secret", secrets, false).word, b"secret");
            assert_eq!(Command::parse(b"secret", secrets, true).word, shown.as_bytes());
            assert_eq!(Command::parse(b"QUIT", secrets, true).word, b"QUIT");
        }
        let mut command = Command::parse(b"AUTH LOGIN", Secrets::Shown, false);
        for line in ["am9l", "", "c2VjcmV0"] {
            command.respond(line.as_bytes());
        }
        assert_eq!(command.argument, b"LOGIN am9l c2VjcmV0");
        command.respond(&[b'x'; super::ARGUMENT_MAX]);
        assert!(command.truncated && command.argument.len() == super::ARGUMENT_MAX);
    }

    #[test]
    fn long_lines_are_cut_and_marked() {
        let command = parse(&[b'x'; LINE_MAX]);
        assert!(command.truncated && command.word.len() == super::WORD_MAX);
    }

    #[test]
    fn chunk_sizes() {
        let chunk = |argument: &str| parse(format!("BDAT {argument}").as_bytes()).chunk();
        assert_eq!(chunk("10"), Some((10, false)));
        assert_eq!(chunk("0 last"), Some((0, true)));
        assert_eq!(chunk("10 FIRST"), None);
        assert_eq!(chunk("-1"), None);
        assert_eq!(chunk(""), None);
    }
}
