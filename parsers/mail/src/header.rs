//! What the header of a message says (RFC 5322 §3.6).

use std::net::IpAddr;

use super::addresses;
use super::encoded_word;
use super::text::same;

/// Longest value that is kept of a field, in bytes after decoding. RFC 5322 §2.1.1 limits a line to
/// 998 characters, and only lists of addresses and traces need more than two lines.
const VALUE_MAX: usize = 2_048;

/// Most bytes that are kept of all entries of a list of addresses.
const LIST_BYTES_MAX: usize = 16_384;

/// Most entries that are kept of a list of addresses.
const LIST_MAX: usize = 256;

/// Longest value of a field that is kept of a message within a message, in bytes after decoding.
const BRIEF_MAX: usize = 512;

/// Most bytes that are kept of all entries of a list of addresses of such a message.
const BRIEF_LIST_MAX: usize = 1_024;

/// The fields that are kept of such a message, beside the recipients.
const BRIEF: [Field; 4] = [Field::Date, Field::From, Field::MessageId, Field::Subject];

/// Most addresses of the path that are kept: RFC 5321 §6.3 has a loop detected at 100 hops, and
/// ordinary mail has fewer than 10.
const PATH_MAX: usize = 32;

/// A header field of which the text is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Date.
    Date,
    /// From.
    From,
    /// Reply-To.
    ReplyTo,
    /// Message-ID.
    MessageId,
    /// In-Reply-To.
    InReplyTo,
    /// Subject.
    Subject,
    /// User-Agent or X-Mailer.
    UserAgent,
    /// The last Received field: the one that was added first.
    FirstReceived,
    /// The one before it.
    SecondReceived,
}

const FIELDS: usize = Field::SecondReceived as usize + 1;

/// Names on the wire and in records. Received fields are not here, because not the first one counts.
const NAMES: [(&str, Field, &str); 8] = [
    ("date", Field::Date, "date"),
    ("from", Field::From, "from"),
    ("reply-to", Field::ReplyTo, "reply_to"),
    ("message-id", Field::MessageId, "msg_id"),
    ("in-reply-to", Field::InReplyTo, "in_reply_to"),
    ("subject", Field::Subject, "subject"),
    ("user-agent", Field::UserAgent, "user_agent"),
    ("x-mailer", Field::UserAgent, "user_agent"),
];

/// The fields of a message's header that are kept. Of a field that may not be repeated the first
/// counts.
#[derive(Debug, Default)]
pub struct Header {
    /// Only what tells the message from others is kept, and less of it.
    brief: bool,
    texts: [Option<Vec<u8>>; FIELDS],
    /// The entries of To, decoded.
    pub to: Vec<Vec<u8>>,
    /// The entries of Cc, decoded.
    pub cc: Vec<Vec<u8>>,
    /// The first address in X-Originating-IP.
    pub x_originating_ip: Option<IpAddr>,
    /// One address of each Received field, from the last hop to the first.
    pub path: Vec<IpAddr>,
    /// Names of what was cut at its limit.
    pub cut: Vec<&'static str>,
}

impl Header {
    /// That of a message within a message: of its fields, only those that tell it from others are kept.
    pub(crate) fn brief() -> Self {
        Self { brief: true, ..Self::default() }
    }

    /// The decoded text of a field.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&[u8]> {
        self.texts[field as usize].as_deref()
    }

    /// Takes a field, unfolded. `whole` is false where its end was cut off.
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8], whole: bool) {
        let is = |known| same(name, known);
        if let Some((_, field, shown)) = NAMES.iter().find(|(known, ..)| is(known)) {
            let wanted = !self.brief || BRIEF.contains(field);
            if wanted && self.text(*field).is_none() {
                self.keep(*field, value, whole, shown);
            }
        } else if is("to") {
            let max = if self.brief { BRIEF_LIST_MAX } else { LIST_BYTES_MAX };
            list(&mut self.to, value, whole, max, "to", &mut self.cut);
        } else if self.brief {
        } else if is("cc") {
            list(&mut self.cc, value, whole, LIST_BYTES_MAX, "cc", &mut self.cut);
        } else if is("received") {
            self.received(value, whole);
        } else if is("x-originating-ip") && self.x_originating_ip.is_none() {
            self.x_originating_ip = addresses::next_ip(&mut &*value);
        }
    }

    /// The bytes of the texts that are kept.
    pub(crate) fn weight(&self) -> usize {
        let texts: usize = self.texts.iter().flatten().map(Vec::len).sum();
        let entries = self.to.len() + self.cc.len();
        texts + total(&self.to) + total(&self.cc) + 24 * entries
    }

    fn keep(&mut self, field: Field, value: &[u8], whole: bool, shown: &'static str) {
        let mut decoded = encoded_word::decode(value);
        let max = if self.brief { BRIEF_MAX } else { VALUE_MAX };
        if !shorten(&mut decoded, max) || !whole {
            mark(shown, &mut self.cut);
        }
        self.texts[field as usize] = Some(decoded);
    }

    /// RFC 5321 §4.4: every server adds its trace in front of the others'.
    fn received(&mut self, value: &[u8], whole: bool) {
        let texts = &mut self.texts;
        texts[Field::SecondReceived as usize] = texts[Field::FirstReceived as usize].take();
        self.keep(Field::FirstReceived, value, whole, "first_received");
        // Where there are several, the first is often what the client claimed to be.
        let mut rest = value;
        let first = addresses::next_ip(&mut rest);
        let Some(address) = addresses::next_ip(&mut rest).or(first) else {
            return;
        };
        if self.path.last() == Some(&address) {
            return;
        }
        if self.path.len() < PATH_MAX {
            self.path.push(address);
        } else {
            mark("path", &mut self.cut);
        }
    }
}

/// Notes that `field` was cut, once.
pub fn mark(field: &'static str, cut: &mut Vec<&'static str>) {
    if !cut.contains(&field) {
        cut.push(field);
    }
}

/// Shortens `text` to at most `max` bytes and does not cut a UTF-8 sequence. False if it was longer.
pub fn shorten(text: &mut Vec<u8>, max: usize) -> bool {
    if text.len() <= max {
        return true;
    }
    let continues = |byte: &u8| byte & 0xc0 == 0x80;
    let back = text[..=max].iter().rev().take_while(|byte| continues(byte)).count();
    text.truncate(if back <= 3 { max - back } else { max });
    false
}

/// The bytes of all entries.
fn total(entries: &[Vec<u8>]) -> usize {
    entries.iter().map(Vec::len).sum()
}

fn list(
    kept: &mut Vec<Vec<u8>>,
    value: &[u8],
    whole: bool,
    max: usize,
    name: &'static str,
    cut: &mut Vec<&'static str>,
) {
    if !whole {
        mark(name, cut);
    }
    let mut bytes = total(kept);
    let mut rest = value;
    while let Some(entry) = addresses::next_entry(&mut rest) {
        // Decoded only now: a comma may be encoded (RFC 2047 §5 rule 3).
        let decoded = encoded_word::decode(entry);
        bytes += decoded.len();
        if kept.len() == LIST_MAX || bytes > max {
            mark(name, cut);
            return;
        }
        kept.push(decoded);
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Header, LIST_MAX, VALUE_MAX, shorten};

    #[test]
    fn fields_are_kept_by_name() {
        let mut header = Header::default();
        header.field(b"Subject", b"=?utf-8?Q?=C3=BC?=", true);
        header.field(b"SUBJECT", b"second", true);
        header.field(b"To", b"a@b, =?utf-8?Q?x=2Cy?= <c@d>", true);
        header.field(b"A-name-longer-than-any-known-one", b"x", true);
        header.field(b"", b"x", true);
        assert_eq!(header.text(Field::Subject), Some("ü".as_bytes()));
        assert_eq!(header.to, [b"a@b".to_vec(), b"x,y <c@d>".to_vec()]);
        assert!(header.cut.is_empty());
    }

    #[test]
    fn received_fields_make_the_path() {
        let mut header = Header::default();
        header.field(b"Received", b"from x ([10.0.0.3]) by y (10.0.0.2)", true);
        header.field(b"Received", b"by nobody", true);
        header.field(b"Received", b"from z ([10.0.0.4])", true);
        assert_eq!(header.text(Field::FirstReceived), Some(&b"from z ([10.0.0.4])"[..]));
        assert_eq!(header.text(Field::SecondReceived), Some(&b"by nobody"[..]));
        let path: Vec<String> = header.path.iter().map(ToString::to_string).collect();
        assert_eq!(path, ["10.0.0.2", "10.0.0.4"]);
    }

    #[test]
    fn long_values_are_cut_and_marked() {
        let mut header = Header::default();
        header.field(b"Subject", &[b'x'; VALUE_MAX + 1], true);
        header.field(b"To", &b"a,".repeat(LIST_MAX + 1), true);
        header.field(b"Cc", &[b'x'; 20_000], true);
        header.field(b"Date", b"Mon", false);
        assert_eq!(header.text(Field::Subject).map(<[u8]>::len), Some(VALUE_MAX));
        assert_eq!((header.to.len(), header.cc.len()), (LIST_MAX, 0));
        assert_eq!(header.cut, ["subject", "to", "cc", "date"]);
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let mut text = "aüb".as_bytes().to_vec();
        assert!(!shorten(&mut text, 2));
        assert_eq!(text, b"a");
        let mut stray = vec![0x80; 10];
        assert!(!shorten(&mut stray, 8));
        assert_eq!(stray.len(), 8);
    }
}
