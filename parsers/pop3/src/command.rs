//! Reading the client's commands (RFC 1939 §3).

use flowcell_mail::{
    Auth, add_word, decimal, owned, same, secret_line, shorten, skip_line, split_word, trim,
};
use flowcell_sdk::{ByteStream, ReadError, Secrets};

/// Longest part of a line that is read, in bytes. RFC 2449 §4 limits a command to 255; only AUTH may have
/// more, and there the user name comes first.
pub(crate) const LINE_MAX: usize = 2_048;

/// Longest argument that is kept, in bytes.
const ARGUMENT_MAX: usize = 512;

/// Longest word that is kept of a line that is no known command, in bytes.
const WORD_MAX: usize = 64;

/// What the client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Retr,
    Top,
    List,
    Uidl,
    Capa,
    Auth,
    Apop,
    User,
    Pass,
    Stls,
    Quit,
    /// Known, without effect on the course of the conversation, and in no other protocol.
    Distinctive,
    /// Known, and without effect on the course of the conversation.
    Known,
    Unknown,
}

/// RFC 1939 §5 to §7, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2 and §3, RFC 1082 (XTND).
const VERBS: [(&str, Verb); 17] = [
    ("RETR", Verb::Retr),
    ("TOP", Verb::Top),
    ("LIST", Verb::List),
    ("UIDL", Verb::Uidl),
    ("CAPA", Verb::Capa),
    ("AUTH", Verb::Auth),
    ("APOP", Verb::Apop),
    ("USER", Verb::User),
    ("PASS", Verb::Pass),
    ("STLS", Verb::Stls),
    ("QUIT", Verb::Quit),
    ("STAT", Verb::Known),
    ("DELE", Verb::Distinctive),
    ("NOOP", Verb::Known),
    ("RSET", Verb::Known),
    ("UTF8", Verb::Known),
    ("LANG", Verb::Known),
];

/// What follows the first line of a reply that says +OK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follows {
    Nothing,
    /// Lines up to a single dot.
    Listing,
    /// A message, or the top of one.
    Message,
}

/// A command as the client sent it.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) verb: Verb,
    /// The first word, in upper case if it is a known command.
    pub(crate) word: Vec<u8>,
    /// The rest of the line, with secrets as they are to be shown.
    pub(crate) argument: Vec<u8>,
    secrets: Secrets,
    /// Of AUTH, and of APOP with nothing but a user.
    pub(crate) auth: Option<Auth>,
    /// Something was cut at its limit.
    pub(crate) truncated: bool,
    /// The end of the line is not there.
    pub(crate) incomplete: bool,
}

impl Command {
    /// Reads one command. `after_auth`: the last one that is known was AUTH.
    pub(crate) async fn read(
        client: &mut ByteStream,
        secrets: Secrets,
        after_auth: bool,
    ) -> Result<Self, ReadError> {
        match client.get_line_part(LINE_MAX).await {
            Ok(part) => {
                let mut command = Self::parse(part.line.bytes(), secrets, after_auth);
                if !part.last {
                    command.truncated = true;
                    command.incomplete = skip_line(client).await.is_err();
                }
                Ok(command)
            }
            Err(ReadError::End(end)) if end.unread > 0 => {
                // The last line was not finished: what is there of it is shown.
                let unread = client.rest().await?.ok_or(ReadError::End(end))?;
                let mut command = Self::parse(unread, secrets, after_auth);
                command.incomplete = true;
                Ok(command)
            }
            Err(error) => Err(error),
        }
    }

    fn parse(line: &[u8], secrets: Secrets, after_auth: bool) -> Self {
        let (word, rest) = split_word(trim(line));
        let known = VERBS.iter().find(|(name, _)| same(word, name));
        let (verb, mut word) = match known {
            Some((name, verb)) => (*verb, owned(name.as_bytes())),
            None => (Verb::Unknown, owned(word)),
        };
        let (auth, mut argument) = match verb {
            Verb::Auth if rest.is_empty() => (None, Vec::new()),
            Verb::Auth => {
                let (auth, shown) = Auth::start(rest, secrets);
                (Some(auth), shown)
            }
            Verb::Pass if !rest.is_empty() => (None, owned(secrets.show(rest))),
            Verb::Apop => apop(rest, secrets),
            _ => (None, owned(rest)),
        };
        let truncated = !(shorten(&mut word, WORD_MAX) & shorten(&mut argument, ARGUMENT_MAX));
        let mut command =
            Self { verb, word, argument, secrets, auth, truncated, incomplete: false };
        if after_auth && verb == Verb::Unknown {
            command.hide(line);
        }
        command
    }

    /// The whole line is secret: it may be a response to an AUTH of which the replies are missing.
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

    /// RFC 1939 §5 and §7: LIST and UIDL of one message, LANG of one language have one line.
    pub(crate) fn follows(&self) -> Follows {
        let none = self.argument.is_empty();
        match self.verb {
            Verb::Retr | Verb::Top => Follows::Message,
            Verb::Capa => Follows::Listing,
            // AUTH by itself lists mechanisms (RFC 1734 did not say, servers do).
            Verb::List | Verb::Uidl | Verb::Auth if none => Follows::Listing,
            Verb::Known if none && self.word == b"LANG" => Follows::Listing,
            _ => Follows::Nothing,
        }
    }

    /// The number of the message that is asked for.
    pub(crate) fn number(&self) -> Option<u64> {
        decimal(split_word(&self.argument).0)
    }

    /// No other protocol has this command, so that it proves what is spoken. FTP shares the others.
    pub(crate) fn is_distinctive(&self) -> bool {
        match self.verb {
            Verb::Top | Verb::Uidl | Verb::Capa | Verb::Apop | Verb::Stls => true,
            Verb::Distinctive => true,
            Verb::Retr | Verb::List => self.number().is_some(),
            _ => false,
        }
    }
}

/// RFC 1939 §7: a name, then a digest of a secret.
fn apop(argument: &[u8], secrets: Secrets) -> (Option<Auth>, Vec<u8>) {
    let (name, digest) = split_word(argument);
    let mut shown = owned(name);
    if !digest.is_empty() {
        shown.push(b' ');
        shown.extend_from_slice(secrets.show(digest));
    }
    (Some(Auth::of_user(name)), shown)
}

#[cfg(test)]
mod tests {
    use flowcell_sdk::Secrets;

    use super::{Command, Follows, Verb};

    fn parse(line: &[u8]) -> Command {
        Command::parse(line, Secrets::Masked, false)
    }

    #[test]
    fn lines_are_split_into_word_and_argument() {
        let command = parse(b" retr  12 ");
        assert_eq!((command.verb, &*command.word), (Verb::Retr, &b"RETR"[..]));
        assert_eq!(command.number(), Some(12));
        assert_eq!(parse(b"").verb, Verb::Unknown);
    }

    #[test]
    fn secrets_are_masked_or_shown() {
        for (line, masked) in [
            ("PASS a b", "***"),
            ("APOP joe c4c9", "joe ***"),
            ("AUTH PLAIN AGpvZQBzZWNyZXQ=", "PLAIN ***"),
        ] {
            assert_eq!(parse(line.as_bytes()).argument, masked.as_bytes());
            let shown = Command::parse(line.as_bytes(), Secrets::Shown, false);
            assert_eq!(shown.argument, line.as_bytes()[5..]);
        }
        let long = [b'x'; super::WORD_MAX + 1];
        assert_eq!(Command::parse(&long, Secrets::Shown, true).word, long);
        assert_eq!(Command::parse(&long, Secrets::Masked, true).word, b"***");
        let mut command = Command::parse(b"AUTH LOGIN", Secrets::Shown, false);
        for line in ["am9l", "c2VjcmV0"] {
            command.respond(line.as_bytes());
        }
        assert_eq!(command.argument, b"LOGIN am9l c2VjcmV0");
        command.respond(&[b'x'; super::ARGUMENT_MAX]);
        assert!(command.truncated && command.argument.len() == super::ARGUMENT_MAX);
    }

    #[test]
    fn what_follows_depends_on_the_argument() {
        let follows = |line: &str| parse(line.as_bytes()).follows();
        assert_eq!(follows("LIST"), Follows::Listing);
        assert_eq!(follows("LIST 1"), Follows::Nothing);
        assert_eq!(follows("uidl"), Follows::Listing);
        assert_eq!(follows("AUTH"), Follows::Listing);
        assert_eq!(follows("AUTH PLAIN"), Follows::Nothing);
        assert_eq!(follows("TOP 1 0"), Follows::Message);
    }
}
