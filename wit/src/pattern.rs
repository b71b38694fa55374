//! What may be a pattern.

use std::fmt;

use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Look, LookSet};

/// Longest pattern, in bytes.
pub const MAX_REGEX: usize = 512;

/// Why something is no pattern. Shown, it goes on behind "pattern …" or "pattern … which".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternError {
    /// Of so many bytes, more than [`MAX_REGEX`].
    TooLong(usize),
    /// Not in the syntax of regular expressions: why.
    Syntax(String),
    /// Turns Unicode on.
    Unicode,
    /// Asks for what is around it otherwise than by `^`.
    Around,
    /// May match without a byte, or never matches.
    Nothing,
}

impl std::error::Error for PatternError {}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong(length) => {
                return write!(f, "has {length} bytes, more than {MAX_REGEX}");
            }
            Self::Syntax(why) => return write!(f, "is no regular expression: {why}"),
            Self::Unicode => "asks for Unicode: patterns are of bytes",
            Self::Around => {
                "asks for what is around it ($, \\b or the like); it may only begin with ^"
            }
            Self::Nothing => "matches no bytes at all, or nothing: say what the first bytes are",
        })
    }
}

/// Checks one pattern, but for how large its automaton is: that takes building it.
///
/// # Errors
/// What the contract has against it.
pub fn check_pattern(regex: &str) -> Result<(), PatternError> {
    if regex.len() > MAX_REGEX {
        return Err(PatternError::TooLong(regex.len()));
    }
    let parsed = ast::parse::ParserBuilder::new().nest_limit(50).build().parse(regex);
    let ast = parsed.map_err(|error| PatternError::Syntax(error.kind().to_string()))?;
    ast::visit(&ast, OfBytes)?;
    let mut translator =
        TranslatorBuilder::new().unicode(false).utf8(false).dot_matches_new_line(true).build();
    let translated = translator.translate(regex, &ast);
    let hir = translated.map_err(|error| PatternError::Syntax(error.kind().to_string()))?;
    let looks = hir.properties().look_set();
    if looks.subtract(LookSet::singleton(Look::Start)) != LookSet::empty() {
        return Err(PatternError::Around);
    }
    if hir.properties().minimum_len().is_none_or(|least| least == 0) {
        return Err(PatternError::Nothing);
    }
    Ok(())
}

/// Refuses what turns Unicode on: which classes there would be depends on how a regex library was built.
struct OfBytes;

impl ast::Visitor for OfBytes {
    type Output = ();
    type Err = PatternError;

    fn finish(self) -> Result<(), PatternError> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), PatternError> {
        let flags = match ast {
            Ast::Flags(set) => Some(&set.flags),
            Ast::Group(group) => group.flags(),
            _ => None,
        };
        match flags.and_then(|flags| flags.flag_state(ast::Flag::Unicode)) {
            Some(true) => Err(PatternError::Unicode),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PatternError, check_pattern};

    #[test]
    fn what_is_taken_and_refused_is_what_the_contract_has() {
        let lines = include_str!("../patterns.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let (sign, regex) = line.split_once(' ').expect("a sign");
            let checked = check_pattern(regex);
            assert_eq!(checked.is_ok(), sign == "+", "{line}: {checked:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_told_why() {
        let deep = "(".repeat(60) + "a" + &")".repeat(60);
        for (regex, wanted) in [
            ("(zzz", "is no regular expression: unclosed group"),
            (r"\P{any}", "is no regular expression: Unicode not allowed here"),
            (&deep, "is no regular expression: exceed the maximum number of nested"),
            (r"(?u)\pL", "asks for Unicode: patterns are of bytes"),
            ("^GET$", "asks for what is around it ($, \\b or the like); it may only begin with ^"),
            (r"^a\b", "asks for what is around it"),
            ("(?m)^a", "asks for what is around it"),
            ("^", "matches no bytes at all, or nothing: say what the first bytes are"),
            ("a*", "matches no bytes at all"),
            ("", "matches no bytes at all"),
        ] {
            let error = check_pattern(regex).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{regex}: {error}");
        }
    }

    #[test]
    fn a_pattern_has_512_bytes_at_most() {
        assert_eq!(check_pattern(&"a".repeat(512)), Ok(()));
        let error = check_pattern(&"a".repeat(513)).unwrap_err();
        assert_eq!(error, PatternError::TooLong(513));
        assert_eq!(error.to_string(), "has 513 bytes, more than 512");
    }
}
