//! Small operations on text that many places need. Not inlined: a parser's code is loaded into every
//! host, and these would make up a good part of it.

use memchr::memchr_iter;

use crate::header::shorten;

/// Without white space at both ends.
#[must_use]
#[inline(never)]
pub fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Whether two texts are equal but for the case of letters.
#[must_use]
#[inline(never)]
pub fn same(a: &[u8], b: &str) -> bool {
    a.eq_ignore_ascii_case(b.as_bytes())
}

/// Whether `text` starts with `prefix`, whatever the case of letters; returns the rest.
#[must_use]
#[inline(never)]
pub fn strip<'a>(text: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    same(start, prefix).then_some(rest)
}

/// What stands in front of the first `byte`, and what follows it; all of it and nothing if there is none.
#[must_use]
#[inline(never)]
pub fn split(text: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|other| *other == byte) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// The first word of a line, and the rest without the space between and behind.
#[must_use]
#[inline(never)]
pub fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    (word, trim(rest))
}

/// Adds a word and a space in front of it, up to `max` bytes in all. False if it was cut.
pub fn add_word(text: &mut Vec<u8>, word: &[u8], max: usize) -> bool {
    if !text.is_empty() && !word.is_empty() {
        text.push(b' ');
    }
    text.extend_from_slice(word);
    shorten(text, max)
}

/// Where `part`, which is not empty, starts in `text`.
#[must_use]
#[inline(never)]
pub fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    memchr_iter(first, text).find(|at| text[*at..].starts_with(part))
}

/// A copy to keep.
#[must_use]
#[inline(never)]
pub fn owned(text: &[u8]) -> Vec<u8> {
    text.to_vec()
}

/// In lower case.
#[inline(never)]
pub(crate) fn lower(text: &[u8]) -> Vec<u8> {
    text.to_ascii_lowercase()
}

/// A number of decimal digits and nothing else; the largest possible where it is larger.
#[must_use]
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append =
        |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(digits.iter().fold(0, append))
}
