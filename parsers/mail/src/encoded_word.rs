//! Encoded words in header fields (RFC 2047).

use memchr::memrchr_iter;

use super::charset::Charset;
use super::text::{find, split};
use super::transfer::{base64, hex};

/// Replaces the encoded words of a field's value by what they stand for, in UTF-8. A word in a
/// character set or encoding that is not known is left as it stands.
pub(crate) fn decode(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    // Behind the last of them no word ends, so that none is looked for time and again.
    let ends = memrchr_iter(b'?', value).find(|at| value.get(at + 1) == Some(&b'='));
    let last_end = ends.unwrap_or(0);
    let mut after_word = false;
    while let Some(at) = find(rest, b"=?") {
        if value.len() - rest.len() + at >= last_end {
            break;
        }
        let (before, word) = rest.split_at(at);
        let (text, length) = match EncodedWord::parse(word) {
            Some((word, length)) => (word.decode(), length),
            None => (None, 2),
        };
        // RFC 2047 §6.2: white space between two encoded words is dropped.
        let between = after_word && before.iter().all(u8::is_ascii_whitespace);
        if text.is_none() || !between {
            decoded.extend_from_slice(before);
        }
        decoded.extend_from_slice(text.as_deref().unwrap_or(&word[..length]));
        after_word = text.is_some();
        rest = &word[length..];
    }
    decoded.extend_from_slice(rest);
    decoded
}

/// `=?charset?encoding?text?=`
struct EncodedWord<'a> {
    charset: &'a [u8],
    encoding: u8,
    text: &'a [u8],
}

impl<'a> EncodedWord<'a> {
    /// Reads the word that `bytes` starts with, and its length.
    fn parse(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let inner = bytes.strip_prefix(b"=?")?;
        let (charset, rest) = split(inner, b'?');
        let &[encoding, b'?', ref text @ ..] = rest? else {
            return None;
        };
        // RFC 2047 §2: no white space in a word. It is tolerated in the text, which some mailers
        // leave unencoded.
        if charset.is_empty() || charset.iter().any(|byte| !byte.is_ascii_graphic()) {
            return None;
        }
        let end = find(text, b"?=")?;
        let length = 2 + charset.len() + 3 + end + 2;
        // RFC 2231 §5: a language may follow the character set.
        let charset = split(charset, b'*').0;
        Some((Self { charset, encoding, text: &text[..end] }, length))
    }

    fn decode(&self) -> Option<Vec<u8>> {
        let charset = Charset::named(self.charset)?;
        let bytes = match self.encoding {
            b'B' | b'b' => base64(self.text),
            b'Q' | b'q' => q_encoding(self.text),
            _ => return None,
        };
        let mut decoded = Vec::with_capacity(bytes.len());
        charset.decode(&bytes, &mut decoded);
        Some(decoded)
    }
}

/// RFC 2047 §4.2.
fn q_encoding(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'_', _) => decoded.push(b' '),
            (b'=', [high, low, behind @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                decoded.push(hex(*high) << 4 | hex(*low));
                rest = behind;
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    fn decoded(value: &str) -> String {
        String::from_utf8(super::decode(value.as_bytes())).expect("UTF-8")
    }

    #[test]
    fn the_examples_of_rfc_2047_section_8() {
        assert_eq!(decoded("(=?ISO-8859-1?Q?a?=)"), "(a)");
        assert_eq!(decoded("(=?ISO-8859-1?Q?a?= b)"), "(a b)");
        assert_eq!(decoded("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)"), "(ab)");
        assert_eq!(decoded("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)"), "(ab)");
        assert_eq!(decoded("(=?ISO-8859-1?Q?a_b?=)"), "(a b)");
        assert_eq!(decoded("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)"), "(a b)");
        assert_eq!(
            decoded(
                "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?="
            ),
            "If you can read this you understand the example."
        );
    }

    #[test]
    fn a_character_may_straddle_two_words() {
        assert_eq!(decoded("=?utf-8?B?w7w=?= =?utf-8?Q?=C3?= =?utf-8?Q?=BC?="), "üü");
    }

    #[test]
    fn what_is_not_known_stays() {
        for value in [
            "=?gb2312?B?1tA=?=",
            "=?utf-8?X?abc?=",
            "=?utf-8?Q?abc",
            "=?utf-8?Q",
            "=?",
            "a =? b",
            "=??Q?a?=",
            "no word",
        ] {
            assert_eq!(decoded(value), value);
        }
        assert_eq!(decoded("=?gb2312?B?1tA=?= =?utf-8?Q?a?= b"), "=?gb2312?B?1tA=?= a b");
    }

    #[test]
    fn words_that_never_end() {
        let value = "=?a?Q?x".repeat(200_000);
        assert!(decoded(&value) == value);
        assert_eq!(decoded("=?utf-8?Q?a?= =?utf-8?Q?b"), "a =?utf-8?Q?b");
    }

    #[test]
    fn odd_words_decode() {
        assert_eq!(decoded("=?utf-8*en?q?a=3db?="), "a=b");
        assert_eq!(decoded("=?utf-8?Q?a b?="), "a b");
        assert_eq!(decoded("=?utf-8?Q??="), "");
        assert_eq!(decoded("=?utf-8?Q?=4?="), "=4");
        assert_eq!(decoded("x=?utf-8?Q?a?=y"), "xay");
    }
}
