//! The commands.

/// What a command means to this parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    User,
    Pass,
    /// Its argument is a secret.
    Secret,
    Auth,
    Rein,
    Quit,
    Port,
    Eprt,
    Pasv,
    Epsv,
    Type,
    Mode,
    Rest,
    Retr,
    /// STOR, APPE.
    Store,
    Stou,
    /// LIST, which POP3 has as well.
    List,
    /// NLST, MLSD.
    Listing,
    Cwd,
    Cdup,
    Pwd,
    Size,
    Stat,
    Abor,
    Site,
    /// Names a file, and is nowhere but in FTP.
    Path,
    /// Nowhere but in FTP.
    Distinctive,
    /// Names a file, and POP3 has it as well.
    Dele,
    /// Other protocols have it as well.
    Shared,
    /// FTP does not have it, and SMTP, POP3 or IRC do.
    Foreign,
    Unknown,
}

/// Which way the bytes of a data connection go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Download,
    Upload,
    Listing,
}

/// RFC 959 §4.1, RFC 775 (X…), 2228, 2389, 2428, 2640, 3659, 7151.
const VERBS: &[(&str, Verb)] = &[
    ("USER", Verb::User),
    ("PASS", Verb::Pass),
    ("ACCT", Verb::Secret),
    ("ADAT", Verb::Secret),
    ("MIC", Verb::Secret),
    ("CONF", Verb::Secret),
    ("ENC", Verb::Secret),
    ("AUTH", Verb::Auth),
    ("REIN", Verb::Rein),
    ("QUIT", Verb::Quit),
    ("PORT", Verb::Port),
    ("EPRT", Verb::Eprt),
    ("PASV", Verb::Pasv),
    ("EPSV", Verb::Epsv),
    ("TYPE", Verb::Type),
    ("MODE", Verb::Mode),
    ("REST", Verb::Rest),
    ("RETR", Verb::Retr),
    ("STOR", Verb::Store),
    ("APPE", Verb::Store),
    ("STOU", Verb::Stou),
    ("LIST", Verb::List),
    ("NLST", Verb::Listing),
    ("MLSD", Verb::Listing),
    ("CWD", Verb::Cwd),
    ("XCWD", Verb::Cwd),
    ("CDUP", Verb::Cdup),
    ("XCUP", Verb::Cdup),
    ("PWD", Verb::Pwd),
    ("XPWD", Verb::Pwd),
    ("SIZE", Verb::Size),
    ("STAT", Verb::Stat),
    ("ABOR", Verb::Abor),
    ("SITE", Verb::Site),
    ("RNFR", Verb::Path),
    ("RNTO", Verb::Path),
    ("MKD", Verb::Path),
    ("XMKD", Verb::Path),
    ("RMD", Verb::Path),
    ("XRMD", Verb::Path),
    ("MDTM", Verb::Path),
    ("MLST", Verb::Path),
    ("SYST", Verb::Distinctive),
    ("FEAT", Verb::Distinctive),
    ("OPTS", Verb::Distinctive),
    ("STRU", Verb::Distinctive),
    ("ALLO", Verb::Distinctive),
    ("SMNT", Verb::Distinctive),
    ("PBSZ", Verb::Distinctive),
    ("PROT", Verb::Distinctive),
    ("CCC", Verb::Distinctive),
    ("LANG", Verb::Distinctive),
    ("MFMT", Verb::Distinctive),
    ("MFCT", Verb::Distinctive),
    ("CLNT", Verb::Distinctive),
    ("LPRT", Verb::Distinctive),
    ("LPSV", Verb::Distinctive),
    ("DELE", Verb::Dele),
    ("HELP", Verb::Shared),
    ("NOOP", Verb::Shared),
    ("HOST", Verb::Shared),
    ("EHLO", Verb::Foreign),
    ("HELO", Verb::Foreign),
    ("LHLO", Verb::Foreign),
    ("MAIL", Verb::Foreign),
    ("RCPT", Verb::Foreign),
    ("DATA", Verb::Foreign),
    ("STARTTLS", Verb::Foreign),
    ("CAPA", Verb::Foreign),
    ("UIDL", Verb::Foreign),
    ("APOP", Verb::Foreign),
    ("STLS", Verb::Foreign),
    ("NICK", Verb::Foreign),
];

impl Verb {
    /// What a word means, and how a known one is written. RFC 959 §5.3: case does not matter.
    pub(crate) fn parse(word: &[u8]) -> (Self, Option<&'static str>) {
        let known = VERBS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word));
        known.map_or((Self::Unknown, None), |(name, verb)| (*verb, Some(name)))
    }

    /// Which way the bytes go that it asks for.
    pub(crate) fn direction(self) -> Option<Direction> {
        match self {
            Self::Retr => Some(Direction::Download),
            Self::Store | Self::Stou => Some(Direction::Upload),
            Self::List | Self::Listing => Some(Direction::Listing),
            _ => None,
        }
    }

    /// Its argument is the name of a file or directory.
    pub(crate) fn names_path(self) -> bool {
        self.direction().is_some()
            || matches!(self, Self::Cwd | Self::Size | Self::Path | Self::Dele)
    }

    /// The reply says where the server listens.
    pub(crate) fn is_passive(self) -> bool {
        matches!(self, Self::Pasv | Self::Epsv)
    }

    /// What it is worth as a proof that FTP is spoken, without a reply to it.
    pub(crate) fn evidence(self) -> u8 {
        match self {
            Self::Secret | Self::Auth | Self::Quit | Self::Retr | Self::List | Self::Stat => 0,
            Self::Dele | Self::Shared | Self::Foreign | Self::Unknown => 0,
            Self::User | Self::Pass => 1,
            _ => 2,
        }
    }

    /// A reply with a code to it proves that FTP is spoken: POP3 has no codes, and SMTP not this command.
    pub(crate) fn is_proof_with_code(self) -> bool {
        self.evidence() > 0 || matches!(self, Self::Retr | Self::List | Self::Dele)
    }

    /// Whether a reply with this code can be the answer (RFC 959 §5.4, RFC 2228 §8, RFC 2428). Codes that
    /// say nothing of what they answer can.
    pub(crate) fn may_get(self, code: u16) -> bool {
        let unknown = self == Self::Unknown;
        let transfers = self.direction().is_some();
        match code {
            110 | 125 | 150 | 225 | 226 | 425 | 426 => {
                unknown || transfers || matches!(self, Self::Abor | Self::Stat)
            }
            211..=214 => !self.is_passive() && !transfers,
            221 => unknown || matches!(self, Self::Quit | Self::Rein),
            227 => unknown || self == Self::Pasv,
            229 => unknown || self == Self::Epsv,
            230 | 232 | 332 => unknown || matches!(self, Self::User | Self::Pass | Self::Secret),
            331 => unknown || self == Self::User,
            234 | 334 | 335 => unknown || matches!(self, Self::Auth | Self::Secret),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, Verb};

    #[test]
    fn verbs_of_any_case() {
        assert_eq!(Verb::parse(b"reTr"), (Verb::Retr, Some("RETR")));
        assert_eq!(Verb::parse(b"RET"), (Verb::Unknown, None));
        assert_eq!(Verb::parse(b""), (Verb::Unknown, None));
        assert_eq!(Verb::parse(b"APPE").0.direction(), Some(Direction::Upload));
    }

    #[test]
    fn codes_that_say_what_they_answer() {
        assert!(Verb::Pasv.may_get(227) && !Verb::Cwd.may_get(227));
        assert!(Verb::Retr.may_get(226) && !Verb::Shared.may_get(226));
        assert!(Verb::Cwd.may_get(550) && Verb::Retr.may_get(550));
        assert!(Verb::Stat.may_get(211) && !Verb::Retr.may_get(211));
    }
}
