//! Reading the client's commands.

use std::borrow::Cow;

use flowcell_sdk::{ByteStream, MASK, ReadError, Secrets};

use crate::records::DataChannel;
use crate::reply::Reply;
use crate::telnet;
use crate::verb::Verb;

/// Longest part of a command's line that is read, in bytes. RFC 959 sets no limit; a path of Linux may have
/// 4,096.
const LINE_MAX: usize = 4_200;

/// Longest argument that is kept, in bytes.
const ARGUMENT_MAX: usize = 1_024;

/// Longest word that is kept of a line that is no known command, in bytes.
pub(crate) const WORD_MAX: usize = 32;

/// A command as the client sent it, and what was learned of it since.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) verb: Verb,
    /// The first word, in upper case if it is a known command.
    pub(crate) word: Vec<u8>,
    /// The rest of the line, with what is secret as it is to be shown.
    pub(crate) argument: Vec<u8>,
    /// Where a transfer begins, by the REST before it.
    pub(crate) offset: Option<u64>,
    /// The data connection that it asks for.
    pub(crate) channel: Option<DataChannel>,
    /// Other commands were not answered when it was sent.
    pub(crate) pipelined: bool,
    /// The preliminary reply: the transfer has begun.
    pub(crate) begun: Option<Reply>,
    /// Something was cut at its limit.
    pub(crate) truncated: bool,
    /// The end of the line is not there.
    pub(crate) incomplete: bool,
}

impl Command {
    /// Reads one command.
    pub(crate) async fn read(
        client: &mut ByteStream,
        secrets: Secrets,
    ) -> Result<Box<Self>, ReadError> {
        let end = match client.get_line_part(LINE_MAX).await {
            Ok(part) => {
                let mut command = Self::parse(part.line.bytes(), secrets);
                if !part.last {
                    command.truncated = true;
                    command.incomplete = skip_line(client).await.is_err();
                }
                return Ok(command);
            }
            Err(ReadError::End(end)) if end.unread > 0 => end,
            Err(error) => return Err(error),
        };
        // The last line was not finished: what is there of it is shown.
        let unread = client.rest().await?.ok_or(ReadError::End(end))?;
        let mut command = Self::parse(unread, secrets);
        command.incomplete = true;
        Ok(command)
    }

    /// RFC 959 §5.3.1: a word, and an argument behind one space. More spaces are the argument's.
    pub(crate) fn parse(line: &[u8], secrets: Secrets) -> Box<Self> {
        let line = telnet::without_commands(line);
        let line = line.trim_ascii_start();
        let (word, rest) = split_word(line);
        let (verb, name) = Verb::parse(word);
        let word = name.map_or(word, str::as_bytes);
        let argument = match verb {
            Verb::Pass | Verb::Secret if !rest.is_empty() => Cow::Borrowed(secrets.show(rest)),
            Verb::Site if !secrets.are_shown() => masked_site(rest),
            _ => Cow::Borrowed(rest),
        };
        // What is unknown may be a password: that is found out later.
        let is_shown = verb == Verb::Unknown && secrets.are_shown();
        let word_max = if is_shown { ARGUMENT_MAX } else { WORD_MAX };
        let truncated = word.len() > word_max || argument.len() > ARGUMENT_MAX;
        Box::new(Self {
            verb,
            word: shortened(word, word_max),
            argument: shortened(&argument, ARGUMENT_MAX),
            offset: None,
            channel: None,
            pipelined: false,
            begun: None,
            truncated,
            incomplete: false,
        })
    }

    /// RFC 4217 §4: what follows is TLS if the server agrees. `SSL` is older than the RFC.
    pub(crate) fn asks_for_tls(&self) -> bool {
        let mechanism = self.argument.trim_ascii().get(..3).unwrap_or_default();
        let names_tls = || [b"TLS", b"SSL"].iter().any(|tls| mechanism.eq_ignore_ascii_case(*tls));
        self.verb == Verb::Auth && names_tls()
    }

    /// The name of the file or directory, if it is one. What begins with a hyphen is an option of `ls`.
    pub(crate) fn path(&self) -> Option<&[u8]> {
        let is_path = self.verb.names_path()
            && !self.argument.is_empty()
            && !(self.verb == Verb::List && self.argument.starts_with(b"-"));
        is_path.then_some(&*self.argument)
    }

    /// The bytes that it takes to remember it, roughly.
    pub(crate) fn weight(&self) -> usize {
        128 + self.word.len() + self.argument.len()
    }
}

/// SITE has commands of the server's own; those that set a password have it in their argument.
fn masked_site(argument: &[u8]) -> Cow<'_, [u8]> {
    let (word, rest) = split_word(argument);
    if rest.is_empty() || !names_password(word) {
        return Cow::Borrowed(argument);
    }
    Cow::Owned([word, b" ", MASK.as_bytes()].concat())
}

/// Whether a command that FTP does not have sets a password, by its name.
pub(crate) fn names_password(word: &[u8]) -> bool {
    [&b"PAS"[..], b"PSWD", b"PWD"].iter().any(|name| find(word, name))
}

/// Splits behind the first word; the byte between goes.
pub(crate) fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.get(1..).unwrap_or_default())
}

/// Whether `word` is in `text`, in any case.
pub(crate) fn find(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len().max(1)).any(|part| part.eq_ignore_ascii_case(word))
}

pub(crate) fn shortened(text: &[u8], limit: usize) -> Vec<u8> {
    text.get(..limit).unwrap_or(text).to_vec()
}

/// Drops the rest of a line.
pub(crate) async fn skip_line(stream: &mut ByteStream) -> Result<(), ReadError> {
    while !stream.get_line_part(LINE_MAX).await?.last {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use flowcell_sdk::Secrets;

    use super::{ARGUMENT_MAX, Command, LINE_MAX, WORD_MAX};
    use crate::verb::Verb;

    fn parse(line: &[u8]) -> Box<Command> {
        Command::parse(line, Secrets::Masked)
    }

    #[test]
    fn lines_are_split_into_word_and_argument() {
        let command = parse(b"retr  a b ");
        assert_eq!((command.verb, &*command.word), (Verb::Retr, &b"RETR"[..]));
        assert_eq!(command.argument, b" a b ", "one space is the separator");
        let command = parse(b"");
        assert_eq!((command.verb, command.word.len()), (Verb::Unknown, 0));
    }

    #[test]
    fn secrets_are_masked_or_shown() {
        for (line, masked, shown) in [
            ("pass x y", "***", "x y"),
            ("ACCT x", "***", "x"),
            ("ADAT x", "***", "x"),
            ("MIC x", "***", "x"),
            ("PASS", "", ""),
            ("SITE chpass old new", "chpass ***", "chpass old new"),
            ("SITE CHMOD 600 a", "CHMOD 600 a", "CHMOD 600 a"),
        ] {
            for (secrets, wanted) in [(Secrets::Masked, masked), (Secrets::Shown, shown)] {
                let command = Command::parse(line.as_bytes(), secrets);
                assert_eq!(command.argument, wanted.as_bytes(), "{line}");
            }
        }
    }

    #[test]
    fn commands_that_ask_for_tls() {
        for line in [&b"AUTH TLS"[..], b"auth ssl", b"AUTH TLS-C"] {
            assert!(parse(line).asks_for_tls(), "{line:?}");
        }
        for line in [&b"AUTH GSSAPI"[..], b"AUTH", b"USER tls", b"AUTH T"] {
            assert!(!parse(line).asks_for_tls(), "{line:?}");
        }
    }

    #[test]
    fn options_of_a_listing_are_no_path() {
        assert_eq!(parse(b"LIST -la").path(), None);
        assert_eq!(parse(b"LIST").path(), None);
        assert_eq!(parse(b"LIST pub").path(), Some(&b"pub"[..]));
        assert_eq!(parse(b"RETR -la").path(), Some(&b"-la"[..]));
        assert_eq!(parse(b"SYST x").path(), None);
    }

    #[test]
    fn long_lines_are_cut_and_marked() {
        let command = parse(&[b'x'; LINE_MAX]);
        assert!(command.truncated && command.word.len() == WORD_MAX);
        let long = [&b"CWD "[..], &[b'x'; LINE_MAX]].concat();
        let command = parse(&long);
        assert!(command.truncated && command.argument.len() == ARGUMENT_MAX);
    }
}
