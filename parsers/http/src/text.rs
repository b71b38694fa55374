//! Small operations on text. Not inlined: a parser's code is loaded into every host.

/// Without spaces and tabs at both ends: the optional white space of RFC 9110 §5.6.3.
#[inline(never)]
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Whether two texts are equal but for the case of letters.
#[inline]
pub(crate) fn same(a: &[u8], b: &str) -> bool {
    a.len() == b.len() && same_letters(a, b)
}

#[inline(never)]
fn same_letters(a: &[u8], b: &str) -> bool {
    a.eq_ignore_ascii_case(b.as_bytes())
}

/// What stands in front of the first `byte`, and what follows it; all of it and nothing if there is none.
#[inline(never)]
pub(crate) fn split(text: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    let mut parts = text.splitn(2, |other| *other == byte);
    (parts.next().unwrap_or_default(), parts.next())
}

/// The same with the last `byte`; nothing and all of it if there is none.
#[inline(never)]
pub(crate) fn split_last(text: &[u8], byte: u8) -> (Option<&[u8]>, &[u8]) {
    let mut parts = text.rsplitn(2, |other| *other == byte);
    let last = parts.next().unwrap_or_default();
    (parts.next(), last)
}

/// RFC 9110 §5.6.2.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_token_byte(*byte))
}

pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A decimal number of 64 bits; nothing else around it.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Cuts a text to `max` bytes. False if there were more.
#[inline(never)]
pub(crate) fn shorten(text: &mut Vec<u8>, max: usize) -> bool {
    let whole = text.len() <= max;
    text.truncate(max);
    whole
}

#[cfg(test)]
mod tests {
    use super::{decimal, is_token, split, split_last, trim};

    #[test]
    fn white_space_is_trimmed() {
        assert_eq!(trim(b" \ta b\t "), b"a b");
        assert_eq!(trim(b" \t"), b"");
    }

    #[test]
    fn texts_are_split() {
        assert_eq!(split(b"a:b:c", b':'), (&b"a"[..], Some(&b"b:c"[..])));
        assert_eq!(split(b"abc", b':'), (&b"abc"[..], None));
        assert_eq!(split_last(b"a b c", b' '), (Some(&b"a b"[..]), &b"c"[..]));
        assert_eq!(split_last(b"abc", b' '), (None, &b"abc"[..]));
    }

    #[test]
    fn numbers_of_64_bits() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for bad in ["18446744073709551616", "", "+1", "1 ", "0x1", "-1"] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn tokens() {
        assert!(is_token(b"M-SEARCH") && !is_token(b"") && !is_token(b"a b") && !is_token(b"a/b"));
    }
}
