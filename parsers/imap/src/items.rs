//! The words of a response, as far as they tell what its strings and literals are (RFC 9051 §9).
//!
//! ```text
//!   (FLAGS (\Seen) UID 4 BODY[HEADER.FIELDS (TO)]<0> {343}
//!    └ atoms ───────────┘ └ a section ──────────────┘ └ its content follows
//! ```

use flowcell_mail::{decimal, same, split, strip};
use memchr::memchr2;

use crate::literal::Literal;

/// Longest word that is kept, in bytes: the name of a section may list header fields.
const WORD_MAX: usize = 512;

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole mail.
    Mail,
    /// A header, or some of its fields.
    Header,
    /// What follows the header, or the content of a part.
    Content,
}

/// A section of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) kind: Kind,
    /// As the server calls it, without the origin.
    pub(crate) name: Vec<u8>,
    pub(crate) origin: Option<u64>,
}

impl Section {
    /// RFC 9051 §7.5.2 and RFC 3501 §7.4.2: what a FETCH response calls it.
    fn parse(word: &[u8]) -> Option<Self> {
        let (name, origin) = match word.strip_suffix(b">") {
            Some(rest) => {
                let (name, origin) = split(rest, b'<');
                (name, Some(decimal(origin?)?))
            }
            None => (word, None),
        };
        let kind = if same(name, "RFC822") {
            Kind::Mail
        } else if same(name, "RFC822.HEADER") {
            Kind::Header
        } else if same(name, "RFC822.TEXT") {
            Kind::Content
        } else {
            let inner = strip(name, "BODY[").or_else(|| strip(name, "BINARY["))?;
            let inner = inner.strip_suffix(b"]")?;
            // A part is named by numbers in front.
            let of = inner.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.');
            let text = inner.get(of.count()..).unwrap_or_default();
            match text {
                b"" if inner.is_empty() => Kind::Mail,
                _ if strip(text, "HEADER").is_some() || same(text, "MIME") => Kind::Header,
                _ => Kind::Content,
            }
        };
        Some(Self { kind, name: name.to_vec(), origin })
    }
}

impl Section {
    /// The whole header of a mail.
    pub(crate) fn is_header(&self) -> bool {
        self.is("BODY[HEADER]") || self.is("RFC822.HEADER")
    }

    /// All that follows the header.
    pub(crate) fn is_text(&self) -> bool {
        self.is("BODY[TEXT]") || self.is("RFC822.TEXT")
    }

    fn is(&self, name: &str) -> bool {
        self.origin.is_none() && same(&self.name, name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Word,
    /// Within the brackets of a word.
    Brackets,
    /// Within a string within these.
    BracketsQuoted,
    Quoted,
    /// Behind a backslash in a string.
    Escaped,
}

/// A response as it passes.
#[derive(Debug)]
pub(crate) struct Items {
    state: State,
    word: Vec<u8>,
    /// The last word was UID.
    after_uid: bool,
    pub(crate) uid: Option<u64>,
    /// What a string or literal that follows is the content of.
    section: Option<Section>,
}

impl Items {
    pub(crate) fn new() -> Self {
        Self { state: State::Between, word: Vec::new(), after_uid: false, uid: None, section: None }
    }

    /// Takes a piece of a line. Strings that are the content of sections are handed on, without their
    /// quotes; the first piece of each is empty.
    pub(crate) fn feed(
        &mut self,
        mut text: &[u8],
        mut content: impl FnMut(&Section, Option<u64>, &[u8]),
    ) {
        while let Some((&byte, rest)) = text.split_first() {
            match (self.state, byte) {
                (State::Quoted, b'"') => {
                    self.section = None;
                    self.state = State::Between;
                }
                (State::Quoted, b'\\') => self.state = State::Escaped,
                (State::Quoted | State::Escaped, _) => {
                    let run = match self.state {
                        State::Escaped => 1,
                        _ => memchr2(b'"', b'\\', text).unwrap_or(text.len()),
                    };
                    let (run, rest) = text.split_at(run);
                    if let Some(section) = &self.section {
                        content(section, self.uid, run);
                    }
                    self.state = State::Quoted;
                    text = rest;
                    continue;
                }
                (State::Brackets | State::BracketsQuoted, _) => {
                    self.keep(byte);
                    self.state = match (self.state, byte) {
                        (State::Brackets, b']') => State::Word,
                        (State::Brackets, b'"') => State::BracketsQuoted,
                        (State::BracketsQuoted, b'"') => State::Brackets,
                        (state, _) => state,
                    };
                }
                (State::Between | State::Word, b' ' | b'(' | b')') => self.word_ends(),
                (State::Between | State::Word, b'"') => {
                    self.word_ends();
                    if let Some(section) = &self.section {
                        content(section, self.uid, b"");
                    }
                    self.state = State::Quoted;
                }
                (State::Between | State::Word, _) => {
                    self.keep(byte);
                    self.state = if byte == b'[' { State::Brackets } else { State::Word };
                }
            }
            text = rest;
        }
    }

    /// The line is over: the literal that follows, and what it is the content of.
    pub(crate) fn line_ends(&mut self) -> Option<(Literal, Option<Section>)> {
        let literal = match self.state {
            State::Word => Literal::parse(&self.word),
            _ => None,
        };
        if literal.is_some() {
            self.word.clear();
        } else {
            self.word_ends();
        }
        self.state = State::Between;
        Some((literal?, self.section.take()))
    }

    fn keep(&mut self, byte: u8) {
        if self.word.len() < WORD_MAX {
            self.word.push(byte);
        }
    }

    fn word_ends(&mut self) {
        self.state = State::Between;
        if self.word.is_empty() {
            return;
        }
        self.section = Section::parse(&self.word);
        if std::mem::take(&mut self.after_uid) {
            self.uid = decimal(&self.word);
        } else {
            self.after_uid = same(&self.word, "UID");
        }
        self.word.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Items, Kind, Section};

    /// Strings with what they are of, the UID, and the literal at the end with what it is of.
    type Line = (Vec<(Kind, String)>, Option<u64>, Option<(u64, Option<Kind>)>);

    /// What a line says, read whole and byte by byte.
    fn line(text: &str) -> Line {
        let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let mut items = Items::new();
            let mut strings: Vec<(Kind, String)> = Vec::new();
            for piece in pieces {
                items.feed(piece, |section, _, bytes| {
                    let text = String::from_utf8_lossy(bytes);
                    match strings.last_mut() {
                        Some((kind, string)) if *kind == section.kind => string.push_str(&text),
                        _ => strings.push((section.kind, text.into())),
                    }
                });
            }
            let literal = items.line_ends();
            let literal = literal.map(|(literal, of)| (literal.size, of.map(|of| of.kind)));
            (strings, items.uid, literal)
        };
        let whole = read(&mut std::iter::once(text.as_bytes()));
        assert_eq!(read(&mut text.as_bytes().chunks(1)), whole, "{text}");
        whole
    }

    #[test]
    fn sections_of_all_kinds() {
        let kind = |word: &str| Section::parse(word.as_bytes()).map(|section| section.kind);
        assert_eq!(kind("BODY[]"), Some(Kind::Mail));
        assert_eq!(kind("rfc822"), Some(Kind::Mail));
        assert_eq!(kind("BODY[]<10>"), Some(Kind::Mail));
        assert_eq!(kind("BODY[HEADER.FIELDS (A B)]"), Some(Kind::Header));
        assert_eq!(kind("BODY[1.2.MIME]"), Some(Kind::Header));
        assert_eq!(kind("BODY[TEXT]"), Some(Kind::Content));
        assert_eq!(kind("BINARY[1.2]"), Some(Kind::Content));
        for word in ["BODY", "BODYSTRUCTURE", "RFC822.SIZE", "BINARY.SIZE[1]", "BODY[", "<1>"] {
            assert_eq!(kind(word), None, "{word}");
        }
    }

    #[test]
    fn literals_are_of_the_section_before() {
        let (_, uid, literal) = line("(UID 7 BODY[HEADER.FIELDS (\"a]\" B)]<0> {12}");
        assert_eq!((uid, literal), (Some(7), Some((12, Some(Kind::Header)))));
        assert_eq!(line("(ENVELOPE (\"x\" {3}").2, Some((3, None)));
        assert_eq!(line("(BODY[TEXT] NIL {3}").2, Some((3, None)));
        assert_eq!(line("(BODY[] {3} )").2, None, "not at the end of the line");
        assert_eq!(line("(SUBJECT \"BODY[] {3}").2, None, "within a string");
    }

    #[test]
    fn strings_are_of_the_section_before() {
        let (strings, _, _) = line("BODY[TEXT] \"a\\\"b\\\\c\" BODY[] NIL X \"y\" UID 3)");
        assert_eq!(strings, [(Kind::Content, "a\"b\\c".to_owned())]);
        assert_eq!(line("BODY[] \"\"").0, [(Kind::Mail, String::new())]);
    }
}
