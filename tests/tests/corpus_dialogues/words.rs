//! Comparing texts, and lists of what was said.

use flowcell_tests::tally::{Outcome, Tally};

pub(crate) const SECRET: &str = "a secret, which is not shown";
/// For all of a capture that was damaged: tshark goes by ports, we by what is said.
pub(crate) const DAMAGED: &str = "what is damaged is read in different ways";
pub(crate) const FOREIGN: &str = "bytes that are no UTF-8 are written in other ways";

/// Compares texts that may have bytes which are no characters.
pub(crate) fn same(ours: Option<&str>, theirs: Option<&str>) -> Outcome {
    let outcome = Outcome::of(&ours, &theirs);
    let (ours, theirs) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
    // It ends texts at a zero.
    if ours.split('\0').next() == Some(theirs) || escaped(ours) == theirs {
        return outcome.or(FOREIGN);
    }
    let foreign = !theirs.is_ascii() || theirs.contains(char::is_control);
    if foreign && ascii(ours) == ascii(theirs) { outcome.or(FOREIGN) } else { outcome }
}

/// A text with its control characters as tshark writes them.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_ascii_control() {
            escaped.push_str(&format!("\\x{:x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// A text with one mark in place of whatever is not a visible character of ASCII.
fn ascii(text: &str) -> String {
    const MARK: char = '\u{fffd}';
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (mark, length) = match rest.strip_prefix("\\x").and_then(|hex| hex.get(..2)) {
            Some(hex) if hex.bytes().all(|digit| digit.is_ascii_hexdigit()) => (true, 4),
            _ => (!c.is_ascii() || c.is_ascii_control(), c.len_utf8()),
        };
        if !mark {
            plain.push(c);
        } else if !plain.ends_with(MARK) {
            plain.push(MARK);
        }
        rest = &rest[length..];
    }
    plain
}

/// Compares two lists, one entry after the other; what one has more is wrong.
pub(crate) fn lists<O, T>(
    tally: &mut Tally,
    name: &str,
    field: &'static str,
    (ours, theirs): (&[O], &[T]),
    compare: impl Fn(&O, &T) -> Outcome,
) where
    O: std::fmt::Debug,
    T: std::fmt::Debug,
{
    for (ours, theirs) in ours.iter().zip(theirs) {
        tally.add(name, field, compare(ours, theirs));
    }
    for ours in ours.iter().skip(theirs.len()) {
        tally.add(name, field, Outcome::Wrong(format!("only ours: {ours:?}")));
    }
    for theirs in theirs.iter().skip(ours.len()) {
        tally.add(name, field, Outcome::Wrong(format!("only theirs: {theirs:?}")));
    }
}

#[test]
fn bytes_that_are_no_text_are_marked() {
    assert_eq!(ascii("a\\xE1\\xFFb"), "a\u{fffd}b");
    assert_eq!(ascii("aáb\t\\xg"), "a\u{fffd}b\u{fffd}\\xg");
    assert_eq!(same(Some("\\xE1SER"), Some("\u{fffd}SER")), Outcome::Explained(FOREIGN));
    assert_eq!(same(Some("U\u{13}5"), Some("U\\x135")), Outcome::Explained(FOREIGN));
    assert_eq!(same(Some("U\0SER"), Some("U")), Outcome::Explained(FOREIGN));
    assert!(matches!(same(Some("USER"), Some("USES")), Outcome::Wrong(_)));
}
