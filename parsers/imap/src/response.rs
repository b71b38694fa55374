//! The first words of the server's responses (RFC 9051 §7).

use flowcell_mail::{decimal, same, split_word, trim};

use crate::command::is_tag;

/// How a command, or the connection, fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    No,
    Bad,
    PreAuth,
    Bye,
}

impl Status {
    fn parse(word: &[u8]) -> Option<Self> {
        let all = [Self::Ok, Self::No, Self::Bad, Self::PreAuth, Self::Bye];
        all.into_iter().find(|status| same(word, status.name()))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::No => "NO",
            Self::Bad => "BAD",
            Self::PreAuth => "PREAUTH",
            Self::Bye => "BYE",
        }
    }
}

/// What a line of the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Response<'a> {
    /// `+`: the client may go on.
    Continue,
    /// `* OK …`
    Status(Status, &'a [u8]),
    /// `* WORD …` or `* 12 WORD …`
    Data { number: Option<u64>, word: &'a [u8] },
    /// `tag OK …`
    Tagged { tag: &'a [u8], status: Status, text: &'a [u8] },
    /// None of these.
    Noise,
}

/// Responses with a number in front, and others (RFC 9051 §7.3 and §7.4, RFC 3501 §7.2 and extensions).
const NUMBERED: [&str; 4] = ["EXISTS", "RECENT", "EXPUNGE", "FETCH"];
const NAMED: [&str; 17] = [
    "CAPABILITY",
    "ENABLED",
    "LIST",
    "LSUB",
    "XLIST",
    "STATUS",
    "SEARCH",
    "ESEARCH",
    "FLAGS",
    "NAMESPACE",
    "SORT",
    "THREAD",
    "ID",
    "QUOTA",
    "QUOTAROOT",
    "VANISHED",
    "ACL",
];

impl<'a> Response<'a> {
    pub(crate) fn parse(line: &'a [u8]) -> Self {
        if let [b'+'] | [b'+', b' ', ..] = line {
            return Self::Continue;
        }
        let (first, rest) = split_word(line);
        let (word, text) = split_word(rest);
        if first == b"*" {
            return match (decimal(word), Status::parse(word)) {
                (Some(number), _) => Self::Data { number: Some(number), word: split_word(text).0 },
                (None, Some(status)) => Self::Status(status, trim(text)),
                (None, None) if word.is_empty() => Self::Noise,
                (None, None) => Self::Data { number: None, word },
            };
        }
        match Status::parse(word) {
            Some(status @ (Status::Ok | Status::No | Status::Bad)) if is_tag(first) => {
                Self::Tagged { tag: first, status, text: trim(text) }
            }
            _ => Self::Noise,
        }
    }

    /// Whether it can hardly be anything else, wherever it is found: mails have lists with asterisks.
    pub(crate) fn is_certain(&self) -> bool {
        let is_one_of = |word: &[u8], known: &[&str]| known.iter().any(|name| same(word, name));
        match self {
            Self::Continue | Self::Noise => false,
            Self::Status(..) => true,
            // Clients count in their tags, or have one for all.
            Self::Tagged { tag, .. } => tag.len() == 1 || tag.iter().any(u8::is_ascii_digit),
            Self::Data { number: Some(_), word } => is_one_of(word, &NUMBERED),
            Self::Data { number: None, word } => is_one_of(word, &NAMED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Response, Status};

    #[test]
    fn responses_of_all_kinds() {
        let parse = |line: &'static str| Response::parse(line.as_bytes());
        assert_eq!(parse("+"), Response::Continue);
        assert_eq!(parse("+ go"), Response::Continue);
        assert_eq!(parse("* OK [X] hi "), Response::Status(Status::Ok, b"[X] hi"));
        assert_eq!(parse("* preauth"), Response::Status(Status::PreAuth, b""));
        assert_eq!(parse("* 1 FETCH ("), Response::Data { number: Some(1), word: b"FETCH" });
        assert_eq!(parse("* LIST () x"), Response::Data { number: None, word: b"LIST" });
        let tagged = Response::Tagged { tag: b"a1", status: Status::No, text: b"[CODE] x" };
        assert_eq!(parse("a1 NO [CODE] x"), tagged);
        for line in ["", "*", "a1", "a1 YES", "+x", "(a OK x"] {
            assert_eq!(parse(line), Response::Noise, "{line}");
        }
    }

    #[test]
    fn text_of_mails_is_no_response() {
        assert!(!Response::parse(b"* milk").is_certain());
        assert!(!Response::parse(b"* 2 eggs").is_certain());
        assert!(Response::parse(b"* 2 EXISTS").is_certain());
        assert!(!Response::parse(b"looks OK to me").is_certain());
        assert!(Response::parse(b"A01 OK done").is_certain());
        assert!(Response::parse(b". OK done").is_certain());
    }
}
