//! Header fields (RFC 3261 §7.3).

use flowcell_sdk::Secrets;

use crate::text::{before_parameter, decimal, find_bare, shortened, shown, trim};

/// Longest value that is kept, in bytes.
const VALUE_MAX: usize = 1_024;

/// Most entries that are kept of Via. RFC 3261 §8.1.1.6: a request passes 70 hops at most.
const VIA_MAX: usize = 70;

/// A field that the parser knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    CallId,
    ContentType,
    CSeq,
    Date,
    From,
    ReplyTo,
    Server,
    Subject,
    To,
    UserAgent,
    Warning,
    Via,
    ContentEncoding,
    ContentLength,
}

/// Fields whose text is kept come first: so many.
const TEXTS: usize = 11;

/// Names and compact forms (RFC 3261 §7.3.3).
const FIELDS: &[(&str, &str, Field)] = &[
    ("Call-ID", "i", Field::CallId),
    ("Content-Encoding", "e", Field::ContentEncoding),
    ("Content-Length", "l", Field::ContentLength),
    ("Content-Type", "c", Field::ContentType),
    ("CSeq", "", Field::CSeq),
    ("Date", "", Field::Date),
    ("From", "f", Field::From),
    ("Reply-To", "", Field::ReplyTo),
    ("Server", "", Field::Server),
    ("Subject", "s", Field::Subject),
    ("To", "t", Field::To),
    ("User-Agent", "", Field::UserAgent),
    ("Via", "v", Field::Via),
    ("Warning", "", Field::Warning),
];

impl Field {
    /// What records of requests or replies call it.
    pub(crate) fn shown(self, is_request: bool) -> &'static str {
        match self {
            Self::CallId => "call_id",
            Self::ContentType => "content_type",
            Self::CSeq => "seq",
            Self::Date => "date",
            Self::From if is_request => "request_from",
            Self::From => "response_from",
            Self::ReplyTo => "reply_to",
            Self::Server => "server",
            Self::Subject => "subject",
            Self::To if is_request => "request_to",
            Self::To => "response_to",
            Self::UserAgent => "user_agent",
            Self::Warning => "warning",
            Self::Via if is_request => "request_path",
            Self::Via => "response_path",
            Self::ContentEncoding | Self::ContentLength => "header",
        }
    }
}

/// The fields of a message.
#[derive(Debug, Default)]
pub(crate) struct Header {
    texts: [Option<Vec<u8>>; TEXTS],
    /// The entries of Via, each up to its branch.
    pub(crate) via: Vec<Vec<u8>>,
    /// What Content-Length says; the first, if it is a number.
    pub(crate) length: Option<u64>,
    /// The body is compressed or the like.
    pub(crate) encoded: bool,
    /// The field whose lines are being read, and its value so far.
    pending: Option<(Field, Vec<u8>)>,
    /// Fields that were cut at a limit.
    pub(crate) cut: Vec<Field>,
    secrets: Secrets,
}

impl Header {
    pub(crate) fn new(secrets: Secrets) -> Self {
        Self { secrets, ..Self::default() }
    }

    /// Takes one line, which is not empty.
    pub(crate) fn line(&mut self, line: &[u8]) {
        // RFC 3261 §7.3.1: a line that begins with a space goes on with the field before.
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            if let Some((field, value)) = &mut self.pending {
                let more = trim(line);
                if !value.is_empty() && !more.is_empty() {
                    value.push(b' ');
                }
                let room = VALUE_MAX.saturating_sub(value.len());
                value.extend_from_slice(more.get(..room).unwrap_or(more));
                if more.len() > room {
                    let field = *field;
                    self.mark(field);
                }
            }
            return;
        }
        self.finish_field();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return;
        };
        let (name, value) = line.split_at(colon);
        let name = trim(name);
        let known = FIELDS.iter().find(|(long, compact, _)| {
            name.eq_ignore_ascii_case(long.as_bytes())
                || (!compact.is_empty() && name.eq_ignore_ascii_case(compact.as_bytes()))
        });
        let Some((_, _, field)) = known else {
            return;
        };
        let value = trim(value.get(1..).unwrap_or_default());
        if value.len() > VALUE_MAX {
            self.mark(*field);
        }
        self.pending = Some((*field, shortened(value, VALUE_MAX)));
    }

    /// The line that was taken last was longer than what is read of one.
    pub(crate) fn line_was_cut(&mut self) {
        if let Some((field, _)) = self.pending {
            self.mark(field);
        }
    }

    /// Takes the field that was being read.
    pub(crate) fn finish_field(&mut self) {
        let Some((field, value)) = self.pending.take() else {
            return;
        };
        match field {
            Field::Via => self.hops(&value),
            Field::ContentLength => self.length = self.length.or(decimal(&value)),
            Field::ContentEncoding => self.encoded |= !value.eq_ignore_ascii_case(b"identity"),
            Field::From => {
                self.keep(field, &shown(before_parameter(&value, b"tag"), self.secrets));
            }
            Field::To | Field::ReplyTo => self.keep(field, &shown(&value, self.secrets)),
            _ => self.keep(field, &value),
        }
    }

    /// Keeps the first of a name. Of Warning, RFC 3261 §7.3.1: several are one with commas between.
    fn keep(&mut self, field: Field, value: &[u8]) {
        let Some(kept) = self.texts.get_mut(field as usize) else {
            return;
        };
        match kept {
            None => *kept = Some(shortened(value, VALUE_MAX)),
            Some(kept) if field == Field::Warning && kept.len() + 2 + value.len() <= VALUE_MAX => {
                kept.extend_from_slice(b", ");
                kept.extend_from_slice(value);
            }
            Some(_) if field == Field::Warning => self.mark(field),
            Some(_) => {}
        }
    }

    fn hops(&mut self, value: &[u8]) {
        let mut rest = value;
        while !rest.is_empty() {
            let end = find_bare(rest, b',').unwrap_or(rest.len());
            let (hop, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            let hop = before_parameter(trim(hop), b"branch");
            if hop.is_empty() {
                continue;
            }
            if self.via.len() == VIA_MAX {
                return self.mark(Field::Via);
            }
            self.via.push(hop.to_vec());
        }
    }

    pub(crate) fn text(&self, field: Field) -> Option<&[u8]> {
        self.texts.get(field as usize)?.as_deref()
    }

    fn mark(&mut self, field: Field) {
        if !self.cut.contains(&field) {
            self.cut.push(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, Field, Header, TEXTS, VALUE_MAX, VIA_MAX};

    fn header(lines: &[&str]) -> Header {
        let mut header = Header::default();
        lines.iter().for_each(|line| header.line(line.as_bytes()));
        header.finish_field();
        header
    }

    #[test]
    fn fields_with_text_come_first() {
        for (name, _, field) in FIELDS {
            let others = [Field::Via, Field::ContentEncoding, Field::ContentLength];
            assert_eq!((*field as usize) < TEXTS, !others.contains(field), "{name}");
        }
    }

    #[test]
    fn names_of_any_form() {
        let header =
            header(&["f: a", "CALL-ID :b", "cseq:1", "L: 5", " ", "X: y", "nonsense", "T:\tc "]);
        assert_eq!(header.text(Field::From), Some(&b"a"[..]));
        assert_eq!(header.text(Field::CallId), Some(&b"b"[..]));
        assert_eq!(header.text(Field::CSeq), Some(&b"1"[..]));
        assert_eq!(header.text(Field::To), Some(&b"c"[..]));
        assert_eq!(header.length, Some(5));
    }

    #[test]
    fn folded_lines() {
        let header = header(&["Subject: one", "  two", "\tthree", "From:", " x"]);
        assert_eq!(header.text(Field::Subject), Some(&b"one two three"[..]));
        assert_eq!(header.text(Field::From), Some(&b"x"[..]));
    }

    #[test]
    fn hops_of_via() {
        let header = header(&[
            "Via: SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b;x=\",\";branch=2;y",
            "v: SIP/2.0/UDP c;rport , ,",
        ]);
        let hops: Vec<&[u8]> = header.via.iter().map(Vec::as_slice).collect();
        assert_eq!(hops, [&b"SIP/2.0/UDP a"[..], b"SIP/2.0/TCP b;x=\",\"", b"SIP/2.0/UDP c;rport"]);
    }

    #[test]
    fn the_first_of_a_name_counts() {
        let header =
            header(&["l: x", "l: 3", "l: 4", "To: a", "To: b", "Warning: c", "Warning: d"]);
        assert_eq!(header.length, Some(3));
        assert_eq!(header.text(Field::To), Some(&b"a"[..]));
        assert_eq!(header.text(Field::Warning), Some(&b"c, d"[..]));
    }

    #[test]
    fn more_than_is_kept() {
        let long = "x".repeat(VALUE_MAX);
        let via = "Via: a,".to_owned() + &"b,".repeat(100);
        let header = header(&[&format!("To: x{long}"), "From: y", &format!(" {long}"), &via]);
        assert_eq!(header.cut, [Field::To, Field::From, Field::Via]);
        assert_eq!(header.text(Field::From).map(<[u8]>::len), Some(VALUE_MAX));
        assert_eq!(header.via.len(), VIA_MAX);
    }
}
