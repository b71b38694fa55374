//! What the header of a message says (RFC 5322 §3.6).

use std::net::IpAddr;

use super::addresses;
use super::encoded_word;

/// Longest value that is kept of a field, in bytes after decoding. RFC 5322 §2.1.1 limits a line to
/// 998 characters, and only lists of addresses and traces need more than two lines.
const VALUE_MAX: usize = 2_048;

/// Most bytes that are kept of all entries of a list of addresses.
const LIST_BYTES_MAX: usize = 16_384;

/// Most entries that are kept of a list of addresses.
const LIST_MAX: usize = 256;

/// Most addresses of the path that are kept: RFC 5321 §6.3 has a loop detected at 100 hops, and
/// ordinary mail has fewer than 10.
const PATH_MAX: usize = 32;

/// The fields of a message's header that are kept. Of a field that may not be repeated the first
/// counts.
#[derive(Debug, Default)]
pub(crate) struct Header {
    pub(crate) date: Option<Vec<u8>>,
    pub(crate) from: Option<Vec<u8>>,
    pub(crate) to: Vec<Vec<u8>>,
    pub(crate) cc: Vec<Vec<u8>>,
    pub(crate) reply_to: Option<Vec<u8>>,
    pub(crate) message_id: Option<Vec<u8>>,
    pub(crate) in_reply_to: Option<Vec<u8>>,
    pub(crate) subject: Option<Vec<u8>>,
    pub(crate) user_agent: Option<Vec<u8>>,
    pub(crate) x_originating_ip: Option<IpAddr>,
    /// The last Received field: the one that was added first.
    pub(crate) first_received: Option<Vec<u8>>,
    /// The one before it.
    pub(crate) second_received: Option<Vec<u8>>,
    /// One address of each Received field, from the last hop to the first.
    pub(crate) path: Vec<IpAddr>,
    /// Names of what was cut at its limit.
    pub(crate) cut: Vec<&'static str>,
}

impl Header {
    /// Takes a field, unfolded. `whole` is false where its end was cut off.
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8], whole: bool) {
        let mut lower = [0; 24];
        let Some(lower) = lower.get_mut(..name.len()) else {
            return;
        };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        let cut = &mut self.cut;
        match &*lower {
            b"date" => keep(&mut self.date, value, whole, "date", cut),
            b"from" => keep(&mut self.from, value, whole, "from", cut),
            b"to" => list(&mut self.to, value, whole, "to", cut),
            b"cc" => list(&mut self.cc, value, whole, "cc", cut),
            b"reply-to" => keep(&mut self.reply_to, value, whole, "reply_to", cut),
            b"message-id" => keep(&mut self.message_id, value, whole, "msg_id", cut),
            b"in-reply-to" => keep(&mut self.in_reply_to, value, whole, "in_reply_to", cut),
            b"subject" => keep(&mut self.subject, value, whole, "subject", cut),
            b"user-agent" | b"x-mailer" => {
                keep(&mut self.user_agent, value, whole, "user_agent", cut);
            }
            b"x-originating-ip" if self.x_originating_ip.is_none() => {
                self.x_originating_ip = addresses::ip_addresses(value).next();
            }
            b"received" => self.received(value, whole),
            _ => {}
        }
    }

    /// RFC 5321 §4.4: every server adds its trace in front of the others'.
    fn received(&mut self, value: &[u8], whole: bool) {
        self.second_received = self.first_received.take();
        keep(&mut self.first_received, value, whole, "first_received", &mut self.cut);
        // Where there are several, the first is often what the client claimed to be.
        let mut found = addresses::ip_addresses(value);
        let first = found.next();
        let Some(address) = found.next().or(first) else {
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
pub(crate) fn mark(field: &'static str, cut: &mut Vec<&'static str>) {
    if !cut.contains(&field) {
        cut.push(field);
    }
}

/// Shortens `text` to at most `max` bytes and does not cut a UTF-8 sequence. False if it was longer.
pub(crate) fn shorten(text: &mut Vec<u8>, max: usize) -> bool {
    if text.len() <= max {
        return true;
    }
    let continues = |byte: &u8| byte & 0xc0 == 0x80;
    let back = text[..=max].iter().rev().take_while(|byte| continues(byte)).count();
    text.truncate(if back <= 3 { max - back } else { max });
    false
}

fn keep(
    kept: &mut Option<Vec<u8>>,
    value: &[u8],
    whole: bool,
    name: &'static str,
    cut: &mut Vec<&'static str>,
) {
    if kept.is_some() {
        return;
    }
    let mut decoded = encoded_word::decode(value);
    if !shorten(&mut decoded, VALUE_MAX) || !whole {
        mark(name, cut);
    }
    *kept = Some(decoded);
}

fn list(
    kept: &mut Vec<Vec<u8>>,
    value: &[u8],
    whole: bool,
    name: &'static str,
    cut: &mut Vec<&'static str>,
) {
    if !whole {
        mark(name, cut);
    }
    let mut bytes: usize = kept.iter().map(Vec::len).sum();
    for entry in addresses::split(value) {
        // Decoded only now: a comma may be encoded (RFC 2047 §5 rule 3).
        let decoded = encoded_word::decode(entry);
        bytes += decoded.len();
        if kept.len() == LIST_MAX || bytes > LIST_BYTES_MAX {
            mark(name, cut);
            return;
        }
        kept.push(decoded);
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, LIST_MAX, VALUE_MAX, shorten};

    #[test]
    fn fields_are_kept_by_name() {
        let mut header = Header::default();
        header.field(b"Subject", b"=?utf-8?Q?=C3=BC?=", true);
        header.field(b"SUBJECT", b"second", true);
        header.field(b"To", b"a@b, =?utf-8?Q?x=2Cy?= <c@d>", true);
        header.field(b"A-name-longer-than-any-known-one", b"x", true);
        header.field(b"", b"x", true);
        assert_eq!(header.subject.as_deref(), Some("ü".as_bytes()));
        assert_eq!(header.to, [b"a@b".to_vec(), b"x,y <c@d>".to_vec()]);
        assert!(header.cut.is_empty());
    }

    #[test]
    fn received_fields_make_the_path() {
        let mut header = Header::default();
        header.field(b"Received", b"from x ([10.0.0.3]) by y (10.0.0.2)", true);
        header.field(b"Received", b"by nobody", true);
        header.field(b"Received", b"from z ([10.0.0.4])", true);
        assert_eq!(header.first_received.as_deref(), Some(&b"from z ([10.0.0.4])"[..]));
        assert_eq!(header.second_received.as_deref(), Some(&b"by nobody"[..]));
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
        assert_eq!(header.subject.map(|text| text.len()), Some(VALUE_MAX));
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
