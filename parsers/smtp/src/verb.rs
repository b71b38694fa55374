//! The commands of SMTP and its extensions.

use flowcell_mail::{same, split_word, strip, trim};

/// A command's first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Helo,
    Ehlo,
    Lhlo,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Quit,
    Auth,
    StartTls,
    /// The server greets again, and all starts afresh.
    XClient,
    Noop,
    /// Known, without effect on the course of the conversation, and in no other protocol.
    Distinctive,
    /// Known, and without effect on the course of the conversation.
    Known,
    Unknown,
}

/// RFC 5321 §4.1.1, RFC 821 §4.1 (SEND to TURN), RFC 2033 (LHLO), 3030 (BDAT), 3207, 4954, 1985 (ETRN),
/// 2645 (ATRN), 4468 (BURL), and what Exchange and Postfix add.
const VERBS: [(&str, Verb); 30] = [
    ("HELO", Verb::Helo),
    ("EHLO", Verb::Ehlo),
    ("LHLO", Verb::Lhlo),
    ("MAIL", Verb::Mail),
    ("RCPT", Verb::Rcpt),
    ("DATA", Verb::Data),
    ("BDAT", Verb::Bdat),
    ("RSET", Verb::Rset),
    ("QUIT", Verb::Quit),
    ("AUTH", Verb::Auth),
    ("X-EXPS", Verb::Auth),
    ("STARTTLS", Verb::StartTls),
    ("X-ANONYMOUSTLS", Verb::StartTls),
    ("NOOP", Verb::Noop),
    ("HELP", Verb::Known),
    ("VRFY", Verb::Distinctive),
    ("EXPN", Verb::Distinctive),
    ("ETRN", Verb::Distinctive),
    ("ATRN", Verb::Known),
    ("BURL", Verb::Known),
    ("TURN", Verb::Known),
    ("SEND", Verb::Known),
    ("SOML", Verb::Known),
    ("SAML", Verb::Known),
    ("XCLIENT", Verb::XClient),
    ("XFORWARD", Verb::Known),
    ("XSHADOW", Verb::Known),
    ("X-EXCH50", Verb::Known),
    ("XEXCH50", Verb::Known),
    ("X-LINK2STATE", Verb::Known),
];

impl Verb {
    /// RFC 5321 §2.4: verbs are not case sensitive. Also returns the word as it is to be shown.
    pub(crate) fn parse(word: &[u8]) -> (Self, Option<&'static str>) {
        let known = VERBS.iter().find(|(name, _)| same(word, name));
        known.map_or((Self::Unknown, None), |(name, verb)| (*verb, Some(name)))
    }

    /// No other protocol has this command, so that a reply to it proves what is spoken. FTP shares
    /// the others.
    pub(crate) fn is_distinctive(self) -> bool {
        match self {
            Self::Helo | Self::Ehlo | Self::Lhlo | Self::Mail | Self::Rcpt | Self::Data => true,
            Self::Bdat | Self::Rset | Self::StartTls | Self::XClient | Self::Distinctive => true,
            Self::Quit | Self::Auth | Self::Noop | Self::Known | Self::Unknown => false,
        }
    }
}

/// A whole line that can hardly be anything but a command, wherever it is found.
pub(crate) fn looks_like_command(line: &[u8]) -> bool {
    let (word, argument) = split_word(trim(line));
    let starts = |prefix| strip(argument, prefix).is_some_and(|rest| trim(rest).starts_with(b":"));
    let one_word = !argument.is_empty() && !argument.contains(&b' ');
    match Verb::parse(word).0 {
        Verb::Mail => starts("FROM"),
        Verb::Rcpt => starts("TO"),
        Verb::Helo | Verb::Ehlo | Verb::Lhlo => one_word,
        Verb::Bdat => argument.first().is_some_and(u8::is_ascii_digit),
        Verb::Auth => argument.first().is_some_and(u8::is_ascii_alphabetic),
        Verb::Data | Verb::Rset | Verb::Quit | Verb::StartTls | Verb::Noop => argument.is_empty(),
        Verb::XClient | Verb::Distinctive | Verb::Known | Verb::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Verb, looks_like_command};

    #[test]
    fn verbs_of_any_case() {
        assert_eq!(Verb::parse(b"staRttLs"), (Verb::StartTls, Some("STARTTLS")));
        assert_eq!(Verb::parse(b"HEL"), (Verb::Unknown, None));
        assert_eq!(Verb::parse(b""), (Verb::Unknown, None));
    }

    #[test]
    fn what_looks_like_a_command() {
        let commands: [&[u8]; 8] = [
            b"mail from:<a@b>",
            b"RCPT TO :<a@b>",
            b"EHLO a",
            b"data ",
            b"BDAT 10 LAST",
            b"AUTH PLAIN",
            b"quit",
            b"NOOP",
        ];
        for line in commands {
            assert!(looks_like_command(line), "{line:?}");
        }
        let others: [&[u8]; 8] = [
            b"Mail from Joe",
            b"help me",
            b"data is here",
            b"EHLO",
            b"Received: from x",
            b"",
            b"HELO my friend",
            b"\xff\xfe",
        ];
        for line in others {
            assert!(!looks_like_command(line), "{line:?}");
        }
    }
}
