//! The client's commands (RFC 9051 §6).

use flowcell_mail::{Auth, add_word, owned, same, secret_line, shorten, split_word, trim};
use flowcell_sdk::{MASK, Secrets};

/// Longest tag that is kept, in bytes.
const TAG_MAX: usize = 64;

/// Longest word that is kept of a line that is no known command, in bytes.
const WORD_MAX: usize = 64;

/// Longest argument that is kept, in bytes.
const ARGUMENT_MAX: usize = 512;

/// Longest mailbox or user that is kept, in bytes.
const NAME_MAX: usize = 256;

/// What a command does, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Login,
    Authenticate,
    Append,
    Idle,
    StartTls,
    Compress,
    /// Selects the mailbox that it names.
    Select,
    /// No mailbox is selected behind it.
    Close,
    /// Names a mailbox.
    Mailbox,
    /// Names a mailbox behind a set of messages.
    Copy,
    /// Known, and none of these.
    Known,
    Unknown,
}

/// RFC 9051 §6, RFC 3501 §6, and extensions: 2087 (quota), 2177, 2971 (ID), 4314 (ACL), 4978, 5161, 5256
/// (SORT), 5464 (METADATA), 5465 (NOTIFY), 6851 (MOVE), 8437 (UNAUTHENTICATE), 8508 (REPLACE).
const VERBS: [(&str, Verb); 47] = [
    ("LOGIN", Verb::Login),
    ("AUTHENTICATE", Verb::Authenticate),
    ("APPEND", Verb::Append),
    ("IDLE", Verb::Idle),
    ("STARTTLS", Verb::StartTls),
    ("COMPRESS", Verb::Compress),
    ("SELECT", Verb::Select),
    ("EXAMINE", Verb::Select),
    ("CLOSE", Verb::Close),
    ("UNSELECT", Verb::Close),
    ("CREATE", Verb::Mailbox),
    ("DELETE", Verb::Mailbox),
    ("RENAME", Verb::Mailbox),
    ("SUBSCRIBE", Verb::Mailbox),
    ("UNSUBSCRIBE", Verb::Mailbox),
    ("STATUS", Verb::Mailbox),
    ("GETACL", Verb::Mailbox),
    ("SETACL", Verb::Mailbox),
    ("DELETEACL", Verb::Mailbox),
    ("LISTRIGHTS", Verb::Mailbox),
    ("MYRIGHTS", Verb::Mailbox),
    ("GETQUOTAROOT", Verb::Mailbox),
    ("GETMETADATA", Verb::Mailbox),
    ("SETMETADATA", Verb::Mailbox),
    ("COPY", Verb::Copy),
    ("MOVE", Verb::Copy),
    ("CAPABILITY", Verb::Known),
    ("NOOP", Verb::Known),
    ("LOGOUT", Verb::Known),
    ("ENABLE", Verb::Known),
    ("LIST", Verb::Known),
    ("LSUB", Verb::Known),
    ("XLIST", Verb::Known),
    ("NAMESPACE", Verb::Known),
    ("CHECK", Verb::Known),
    ("EXPUNGE", Verb::Known),
    ("SEARCH", Verb::Known),
    ("FETCH", Verb::Known),
    ("STORE", Verb::Known),
    ("SORT", Verb::Known),
    ("THREAD", Verb::Known),
    ("ID", Verb::Known),
    ("GETQUOTA", Verb::Known),
    ("SETQUOTA", Verb::Known),
    ("REPLACE", Verb::Known),
    ("NOTIFY", Verb::Known),
    ("UNAUTHENTICATE", Verb::Known),
];

/// A command as the client sent it, as far as it has come.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) tag: Vec<u8>,
    pub(crate) verb: Verb,
    /// In upper case if it is known.
    pub(crate) word: Vec<u8>,
    /// The rest of it; for LOGIN with the password.
    argument: Vec<u8>,
    secrets: Secrets,
    /// The line was not told from a secret, and what follows belongs to it.
    hidden: bool,
    pub(crate) auth: Option<Auth>,
    pub(crate) literal_bytes: u64,
    /// Something was cut at its limit.
    pub(crate) truncated: bool,
    /// Bytes of it are missing.
    pub(crate) incomplete: bool,
}

impl Command {
    /// Reads the first line of one, without the literal that it may announce. RFC 9051 §2.2.1: a tag, the
    /// command, and arguments; what is none has an empty tag.
    pub(crate) fn parse(line: &[u8], secrets: Secrets) -> Self {
        let (tag, rest) = split_word(trim(line));
        let (mut word, mut rest) = split_word(rest);
        let by_uid = same(word, "UID");
        if by_uid {
            (word, rest) = split_word(rest);
        }
        let known = VERBS.iter().find(|(name, _)| is_tag(tag) && same(word, name));
        let mut command = Self {
            tag: owned(tag),
            verb: known.map_or(Verb::Unknown, |(_, verb)| *verb),
            word: owned(if by_uid { b"UID " } else { b"" }),
            argument: Vec::new(),
            secrets,
            hidden: false,
            auth: None,
            literal_bytes: 0,
            truncated: false,
            incomplete: false,
        };
        command.word.extend_from_slice(known.map_or(word, |(name, _)| name.as_bytes()));
        command.truncated =
            !(shorten(&mut command.tag, TAG_MAX) & shorten(&mut command.word, WORD_MAX));
        if command.verb == Verb::Authenticate {
            let (auth, shown) = Auth::start(rest, secrets);
            command.auth = Some(auth);
            rest = &[];
            command.argument = shown;
        }
        command.append(rest);
        command
    }

    /// More of the arguments.
    pub(crate) fn append(&mut self, text: &[u8]) {
        if self.verb == Verb::Authenticate {
            return self.append_secret(text);
        }
        if self.hidden {
            if self.secrets.are_shown() {
                self.truncated |= !add_word(&mut self.word, trim(text), ARGUMENT_MAX);
            }
            return;
        }
        // The set of messages of a FETCH may be long.
        let room = ARGUMENT_MAX.saturating_sub(self.argument.len());
        self.truncated |= text.len() > room;
        self.argument.extend_from_slice(text.get(..room).unwrap_or(text));
    }

    /// A literal, as the string that it stands for.
    pub(crate) fn append_literal(&mut self, content: &[u8]) {
        if let Some(auth) = &mut self.auth {
            // RFC 4959 §3 has the initial response as an atom, which does not keep clients from this.
            auth.respond(content);
            return self.append_secret(content);
        }
        let mut quoted = Vec::with_capacity(content.len() + 2);
        quoted.push(b'"');
        for byte in content {
            if matches!(byte, b'"' | b'\\') {
                quoted.push(b'\\');
            }
            quoted.push(*byte);
        }
        quoted.push(b'"');
        self.append(&quoted);
    }

    /// More behind the mechanism of AUTHENTICATE, whatever it is.
    fn append_secret(&mut self, text: &[u8]) {
        let is_masked = !self.secrets.are_shown() && self.argument.ends_with(MASK.as_bytes());
        if !trim(text).is_empty() && !is_masked {
            let shown = self.secrets.show(trim(text));
            self.truncated |= !add_word(&mut self.argument, shown, ARGUMENT_MAX);
        }
    }

    /// Takes a response to a challenge of AUTHENTICATE.
    pub(crate) fn respond(&mut self, line: &[u8]) {
        let Some(auth) = &mut self.auth else { return };
        auth.respond(line);
        if self.secrets.are_shown() {
            self.append_secret(line);
        }
    }

    /// The whole line is secret, and what follows: it may be a response to an AUTHENTICATE of which the
    /// continuations are missing, or a part of a LOGIN.
    pub(crate) fn hide(&mut self, line: &[u8]) {
        self.hidden = true;
        self.tag.clear();
        self.word = secret_line(line, self.secrets, ARGUMENT_MAX, &mut self.truncated);
        self.argument.clear();
    }

    /// The mailbox that it names.
    pub(crate) fn mailbox(&self) -> Option<Vec<u8>> {
        let mut rest = self.argument.as_slice();
        match self.verb {
            Verb::Append | Verb::Select | Verb::Mailbox => {}
            Verb::Copy => drop(next_string(&mut rest)?),
            _ => return None,
        }
        next_string(&mut rest)
    }

    /// The user that it names.
    pub(crate) fn user(&self) -> Option<Vec<u8>> {
        match self.verb {
            Verb::Login => self.login().0,
            _ => self.auth.as_ref()?.user.clone(),
        }
    }

    /// The user that LOGIN names, and whether there is more to hide. RFC 9051 §9: a password may be glued
    /// to a name that is no atom, and stands behind a quote that is never closed.
    fn login(&self) -> (Option<Vec<u8>>, bool) {
        let text = trim(&self.argument);
        let (mut user, rest) = match text.strip_prefix(b"\"") {
            Some(quoted) => match unquoted(quoted) {
                (user, Some(rest)) => (user, rest),
                (_, None) => return (None, true),
            },
            None => {
                let ends = |byte: &u8| *byte <= b' ' || b"\"(){".contains(byte);
                let end = text.iter().position(ends).unwrap_or(text.len());
                let (user, rest) = text.split_at(end);
                (owned(user), rest)
            }
        };
        shorten(&mut user, NAME_MAX);
        (Some(user).filter(|user| !user.is_empty()), !trim(rest).is_empty())
    }

    /// The arguments, with secrets as they are to be shown.
    pub(crate) fn shown(&self) -> Vec<u8> {
        if self.verb != Verb::Login {
            return owned(&self.argument);
        }
        let (user, more) = self.login();
        if more && self.secrets.are_shown() {
            return owned(&self.argument);
        }
        let mut shown = user.unwrap_or_default();
        if more {
            if !shown.is_empty() {
                shown.push(b' ');
            }
            shown.extend_from_slice(MASK.as_bytes());
        }
        shown
    }

    /// The bytes that it takes to remember it, roughly.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.tag.len() + self.word.len() + self.argument.len()
    }
}

/// Whether a whole line can hardly be anything but a command, wherever it is found.
pub(crate) fn looks_like_command(line: &[u8]) -> bool {
    Command::parse(line, Secrets::Masked).verb != Verb::Unknown
}

/// The same where text of mails may stand: clients count in their tags, or have one for all.
pub(crate) fn is_surely_command(line: &[u8]) -> bool {
    let tag = split_word(trim(line)).0;
    (tag.len() == 1 || tag.iter().any(u8::is_ascii_digit)) && looks_like_command(line)
}

/// RFC 9051 §9: `tag`. Real ones are short.
pub(crate) fn is_tag(tag: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_graphic() && !b"(){%*\"\\+".contains(byte);
    !tag.is_empty() && tag.len() <= TAG_MAX && tag.iter().all(allowed)
}

/// Takes an `astring` (RFC 9051 §9) off the arguments, without its quotes.
fn next_string(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let text = trim(rest);
    let (mut string, behind) = match text.strip_prefix(b"\"") {
        Some(quoted) => unquoted(quoted),
        None => {
            let (word, behind) = split_word(text);
            if word.is_empty() {
                return None;
            }
            (owned(word), Some(behind))
        }
    };
    *rest = behind.unwrap_or_default();
    shorten(&mut string, NAME_MAX);
    Some(string)
}

/// What stands in front of the closing quote, and behind it; all of it if there is none.
fn unquoted(mut quoted: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut string = Vec::new();
    loop {
        quoted = match quoted {
            [b'"', behind @ ..] => return (string, Some(behind)),
            [b'\\', byte, behind @ ..] | [byte, behind @ ..] => {
                string.push(*byte);
                behind
            }
            [] => return (string, None),
        };
    }
}

#[cfg(test)]
mod tests {
    use flowcell_sdk::Secrets;

    use super::{Command, Verb, looks_like_command};

    fn parse(line: &[u8]) -> Command {
        Command::parse(line, Secrets::Masked)
    }

    #[test]
    fn lines_are_split_into_tag_word_and_arguments() {
        let command = parse(b"a1 uid fetch 1:* (FLAGS)");
        assert_eq!((&*command.tag, &*command.word), (&b"a1"[..], &b"UID FETCH"[..]));
        assert_eq!((command.verb, command.shown()), (Verb::Known, b"1:* (FLAGS)".to_vec()));
        assert_eq!(parse(b"").verb, Verb::Unknown);
        assert_eq!(parse(b"a UID").verb, Verb::Unknown);
    }

    #[test]
    fn secrets_are_masked_or_shown() {
        for (line, masked) in [
            ("a LOGIN joe secret", "joe ***"),
            ("a login \"j \\\"o\" \"secret\" more", "j \"o ***"),
            // A quote that is never closed.
            ("a LOGIN \"joe secret", "***"),
            ("a LOGIN joe\"secret", "joe ***"),
            ("a LOGIN \"joe\"secret", "joe ***"),
            ("a LOGIN joe(secret", "joe ***"),
            ("a LOGIN DOMAIN\\joe*master secret", "DOMAIN\\joe*master ***"),
            ("a AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=", "PLAIN ***"),
        ] {
            let command = |secrets| Command::parse(line.as_bytes(), secrets);
            assert_eq!(command(Secrets::Masked).shown(), masked.as_bytes(), "{line}");
            let argument = line.splitn(3, ' ').last().unwrap_or_default();
            assert_eq!(command(Secrets::Shown).shown(), argument.as_bytes());
        }
    }

    #[test]
    fn what_follows_a_secret() {
        for (secrets, line) in [(Secrets::Masked, "***"), (Secrets::Shown, "joe secret more")] {
            let mut command = Command::parse(b"joe secret", secrets);
            command.hide(b"joe secret");
            command.append(b"more");
            assert_eq!((&*command.word, &*command.shown()), (line.as_bytes(), &b""[..]));
            let mut command = Command::parse(b"a AUTHENTICATE PLAIN", secrets);
            command.append_literal(b"AGpvZQBzZWNyZXQ=");
            command.append(b" x");
            let shown: &[u8] = match secrets {
                Secrets::Masked => b"PLAIN ***",
                Secrets::Shown => b"PLAIN AGpvZQBzZWNyZXQ= x",
            };
            assert_eq!(command.shown(), shown);
        }
        let mut command = Command::parse(b"a AUTHENTICATE LOGIN", Secrets::Shown);
        for line in ["am9l", "c2VjcmV0"] {
            command.respond(line.as_bytes());
        }
        assert_eq!(command.shown(), b"LOGIN am9l c2VjcmV0");
    }

    #[test]
    fn mailboxes_are_named() {
        let mailbox = |line: &str| {
            let mailbox = parse(line.as_bytes()).mailbox()?;
            Some(String::from_utf8(mailbox).expect("UTF-8"))
        };
        assert_eq!(mailbox("a SELECT INBOX").as_deref(), Some("INBOX"));
        assert_eq!(mailbox("a EXAMINE \"a b\" (CONDSTORE)").as_deref(), Some("a b"));
        assert_eq!(mailbox("a UID COPY 1:3 x").as_deref(), Some("x"));
        assert_eq!(mailbox("a FETCH 1 BODY[]"), None);
        assert_eq!(mailbox("a SELECT"), None);
    }

    #[test]
    fn what_looks_like_a_command() {
        for line in ["a1 NOOP", "123.4 uid store 1 FLAGS ()", "A LOGIN a b"] {
            assert!(looks_like_command(line.as_bytes()), "{line}");
        }
        for line in ["NOOP", "* NOOP", "* 1 FETCH (", "the list of things", "", "+ ok"] {
            let looks = looks_like_command(line.as_bytes());
            assert_eq!(looks, line.starts_with("the list"), "{line}");
        }
    }
}
