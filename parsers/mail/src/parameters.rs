//! Structured field values: `main/type; name=value; name*=utf-8''value` (RFC 2045 §5.1, RFC 2231).

use super::charset::Charset;
use super::encoded_word;
use super::text::{lower, owned, split, split_word, strip, trim};
use super::transfer::hex;

/// Most pieces that one value is put together from (RFC 2231 §3). A file name of 255 bytes, each
/// escaped, on lines of 78 characters takes 11.
const PIECES_MAX: usize = 64;

/// The part of a value before the first parameter, trimmed and in lower case.
pub(crate) fn main_value(value: &[u8]) -> Vec<u8> {
    // A comment (RFC 822 §3.4.3) may follow.
    lower(split_word(trim(split(value, b';').0)).0)
}

/// The parameter called `name`, decoded to UTF-8; the forms of RFC 2231 win over the plain one.
pub(crate) fn parameter(value: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut plain = None;
    let mut pieces: Vec<Piece> = Vec::new();
    for (key, text) in (Parameters { rest: value }) {
        let Some(suffix) = strip_name(key, name) else {
            continue;
        };
        if suffix.is_empty() {
            plain = plain.or(Some(text));
        } else if let Some(index) = piece_index(suffix)
            && pieces.len() < PIECES_MAX
        {
            let extended = suffix.ends_with(b"*");
            pieces.push(Piece { index, extended, text });
        }
    }
    match joined(&pieces) {
        // Not in RFC 2047 §5, and common.
        None => plain.map(|text| encoded_word::decode(&text)),
        joined => joined,
    }
}

/// A piece of a value (RFC 2231 §3): `name*0="text"`, or in extended form `name*0*=text`.
struct Piece {
    index: usize,
    extended: bool,
    text: Vec<u8>,
}

/// The number of the piece: `*` is the only one, `*1` and `*1*` are the second.
fn piece_index(suffix: &[u8]) -> Option<usize> {
    let digits = suffix.strip_prefix(b"*")?;
    let digits = digits.strip_suffix(b"*").unwrap_or(digits);
    if digits.len() > 4 || (digits.is_empty() && suffix.len() > 1) {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + usize::from(digit - b'0'))
    })
}

/// Puts the pieces 0, 1, … together and decodes them. Of pieces with the same number the first counts.
fn joined(pieces: &[Piece]) -> Option<Vec<u8>> {
    let mut charset = None;
    let mut bytes = Vec::new();
    let mut count = 0;
    while let Some(piece) = pieces.iter().find(|piece| piece.index == count) {
        let mut text = piece.text.as_slice();
        if !piece.extended {
            bytes.extend_from_slice(text);
        } else {
            if count == 0 {
                // RFC 2231 §4: charset'language'text
                let (name, rest) = split(text, b'\'');
                if let Some(rest) = rest.and_then(|rest| split(rest, b'\'').1) {
                    charset = Charset::named(name);
                    text = rest;
                }
            }
            percent_decode(text, &mut bytes);
        }
        count += 1;
    }
    if count == 0 {
        return None;
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    charset.unwrap_or(Charset::Utf8).decode(&bytes, &mut decoded);
    Some(decoded)
}

fn percent_decode(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        match behind {
            [high, low, behind @ ..]
                if byte == b'%' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(hex(*high) << 4 | hex(*low));
                rest = behind;
            }
            _ => {
                out.push(byte);
                rest = behind;
            }
        }
    }
}

/// What follows `name` in `key`: nothing, or an asterisk and more.
fn strip_name<'a>(key: &'a [u8], name: &str) -> Option<&'a [u8]> {
    strip(key, name).filter(|suffix| matches!(suffix, [] | [b'*', ..]))
}

/// Walks over `; name=value`; the values without their quotes.
struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.rest = trim(split(self.rest, b';').1?);
            let end = self.rest.iter().position(|byte| matches!(byte, b'=' | b';'))?;
            let name = trim(&self.rest[..end]);
            self.rest = &self.rest[end..];
            if let Some(value) = self.rest.strip_prefix(b"=") {
                let (value, rest) = unquoted(trim(value));
                self.rest = rest;
                return Some((name, value));
            }
        }
    }
}

/// The value that `text` starts with, and what follows: a quoted string (RFC 5322 §3.2.4), or all up
/// to the next semicolon, which is more than RFC 2045 allows and what mailers write.
fn unquoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|byte| *byte == b';').unwrap_or(text.len());
        return (owned(trim(&text[..end])), &text[end..]);
    };
    let mut value = Vec::new();
    loop {
        match rest {
            [b'\\', byte, behind @ ..] => {
                value.push(*byte);
                rest = behind;
            }
            [b'"', behind @ ..] => return (value, behind),
            [byte, behind @ ..] => {
                value.push(*byte);
                rest = behind;
            }
            [] => return (value, rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{main_value, parameter};

    fn get(value: &str, name: &str) -> Option<String> {
        parameter(value.as_bytes(), name).map(|text| String::from_utf8(text).expect("UTF-8"))
    }

    #[test]
    fn main_values() {
        assert_eq!(main_value(b" Text/Plain ; charset=x"), b"text/plain");
        assert_eq!(main_value(b"text/plain (a comment); a=b"), b"text/plain");
        assert_eq!(main_value(b""), b"");
    }

    #[test]
    fn plain_parameters() {
        let value = "multipart/mixed; charset=us-ascii; Boundary = \"a;\\\"b\" ; x";
        assert_eq!(get(value, "boundary").as_deref(), Some("a;\"b"));
        assert_eq!(get(value, "charset").as_deref(), Some("us-ascii"));
        assert_eq!(get(value, "x"), None);
        assert_eq!(get(value, "bound"), None);
        assert_eq!(get("a; name=my file.txt ;b=c", "name").as_deref(), Some("my file.txt"));
        assert_eq!(get("a; name=\"never closed", "name").as_deref(), Some("never closed"));
        assert_eq!(get("a; name=", "name").as_deref(), Some(""));
        assert_eq!(get("a;;;=;name", "name"), None);
    }

    #[test]
    fn rfc_2231_values() {
        let value = "attachment; filename=old; filename*=iso-8859-1'de'f%FCr.txt";
        assert_eq!(get(value, "filename").as_deref(), Some("für.txt"));
        let value = "a; title*0*=us-ascii'en'This%20is%20; title*1*=%2A%2A%2A; title*2=\" it!\"";
        assert_eq!(get(value, "title").as_deref(), Some("This is *** it!"));
        let value = "a; name*1=b.txt; name*0=a";
        assert_eq!(get(value, "name").as_deref(), Some("ab.txt"));
        assert_eq!(get("a; name*0=a; name*2=c", "name").as_deref(), Some("a"), "a piece lacks");
        assert_eq!(get("a; name*1=b; name=c", "name").as_deref(), Some("c"), "no first piece");
        assert_eq!(get("a; name*=nothing%zz", "name").as_deref(), Some("nothing%zz"));
    }

    #[test]
    fn encoded_words_in_plain_values() {
        let value = "a; filename=\"=?utf-8?B?w7w=?=.txt\"";
        assert_eq!(get(value, "filename").as_deref(), Some("ü.txt"));
    }

    #[test]
    fn more_pieces_than_counted() {
        let mut value = String::from("a");
        for piece in 0..2_000 {
            value += &format!("; n*{piece}=x");
        }
        assert_eq!(get(&value, "n").map(|text| text.len()), Some(super::PIECES_MAX));
    }
}
