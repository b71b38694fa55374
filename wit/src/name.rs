//! What may be a name.

use std::fmt;

/// The form of a name. Shown, it is `[a-z][a-z0-9_]* of at most 64 bytes` or the like.
#[derive(Debug, Clone, Copy)]
pub struct NameForm {
    /// What may follow the first letter besides letters and digits.
    also: &'static str,
    /// Bytes, at most.
    pub longest: usize,
}

/// Of parsers.
pub const PARSER_NAME: NameForm = NameForm { also: "_-", longest: 32 };

/// Of records, objects and fields.
pub const NAME: NameForm = NameForm { also: "_", longest: 64 };

impl NameForm {
    /// Whether `name` has this form.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        let may_follow =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || self.also.contains(c);
        name.len() <= self.longest
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(may_follow)
    }
}

impl fmt::Display for NameForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[a-z][a-z0-9{}]* of at most {} bytes", self.also, self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME, PARSER_NAME};

    #[test]
    fn names_are_lower_case_and_begin_with_a_letter() {
        for name in ["a", "smtp", "tls_1", "z0"] {
            assert!(NAME.fits(name) && PARSER_NAME.fits(name), "{name}");
        }
        for name in ["", "A", "aB", "_a", "-a", "1a", "a.b", "a b", "é", "aé", "a\0"] {
            assert!(!NAME.fits(name) && !PARSER_NAME.fits(name), "{name}");
        }
        assert!(PARSER_NAME.fits("a-b") && !NAME.fits("a-b"));
    }

    #[test]
    fn names_have_a_longest() {
        for (form, longest) in [(PARSER_NAME, 32), (NAME, 64)] {
            assert!(form.fits(&"a".repeat(longest)) && !form.fits(&"a".repeat(longest + 1)));
        }
    }

    #[test]
    fn a_form_is_shown() {
        assert_eq!(PARSER_NAME.to_string(), "[a-z][a-z0-9_-]* of at most 32 bytes");
        assert_eq!(NAME.to_string(), "[a-z][a-z0-9_]* of at most 64 bytes");
    }
}
