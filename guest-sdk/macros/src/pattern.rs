//! What may be a pattern. The host refuses the same; here the message stands at the literal.

use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::{Look, LookSet};

/// Longest pattern, in bytes, as the contract says.
const MAX_REGEX: usize = 512;

/// Patterns of a parser, at most, as the contract says.
pub(crate) const MAX_PATTERNS: usize = 32;

/// Says why the host would refuse a pattern. How large its automaton is remains to be seen: building it
/// is for tests.
pub(crate) fn check(regex: &str) -> Result<(), String> {
    if regex.len() > MAX_REGEX {
        return Err(format!("{} bytes, more than {MAX_REGEX}", regex.len()));
    }
    let mut parser = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .nest_limit(50)
        .build();
    let hir = parser.parse(regex).map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("no regular expression: {last}")
    })?;
    if !is_of_bytes(regex) {
        return Err("asks for Unicode: patterns are of bytes".into());
    }
    let looks = hir.properties().look_set();
    if looks.subtract(LookSet::singleton(Look::Start)) != LookSet::empty() {
        return Err(
            "asks for what is around it ($, \\b or the like); it may only begin with ^".into()
        );
    }
    if hir.properties().minimum_len().is_none_or(|least| least == 0) {
        return Err("matches no bytes at all, or nothing: say what the first bytes are".into());
    }
    Ok(())
}

/// Looks for what turns Unicode on: which classes there would be depends on how a regex library was built.
struct Bytes;

impl ast::Visitor for Bytes {
    type Output = ();
    type Err = ();

    fn finish(self) -> Result<(), ()> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        let flags = match ast {
            Ast::Flags(set) => Some(&set.flags),
            Ast::Group(group) => group.flags(),
            _ => None,
        };
        let unicode = flags.and_then(|flags| flags.flag_state(ast::Flag::Unicode));
        if unicode == Some(true) { Err(()) } else { Ok(()) }
    }
}

/// Whether all of a pattern is about bytes. What is no pattern is told elsewhere.
fn is_of_bytes(regex: &str) -> bool {
    let ast = ast::parse::ParserBuilder::new().nest_limit(50).build().parse(regex);
    ast.is_ok_and(|ast| ast::visit(&ast, Bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::check;

    /// The host is tested with the same.
    #[test]
    fn what_is_taken_and_refused_is_what_the_contract_has() {
        let lines = include_str!("../../../wit/patterns.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let (sign, regex) = line.split_once(' ').unwrap();
            assert_eq!(check(regex).is_ok(), sign == "+", "{line}: {:?}", check(regex));
        }
    }

    #[test]
    fn what_the_host_would_refuse_is_refused() {
        for (regex, wanted) in [
            ("(zzz", "no regular expression: unclosed group"),
            (r"\P{any}", "no regular expression"),
            ("^GET$", "around it"),
            (r"^a\b", "around it"),
            ("(?m)^a", "around it"),
            ("^", "no bytes at all"),
            ("a*", "no bytes at all"),
            ("", "no bytes at all"),
        ] {
            let error = check(regex).unwrap_err();
            assert!(error.contains(wanted), "{regex}: {error}");
        }
        assert_eq!(check(&"a".repeat(513)).unwrap_err(), "513 bytes, more than 512");
        assert_eq!(check(&"a".repeat(512)), Ok(()));
        assert_eq!(check(r"^[A-Z]{3,16} [^\r\n]* HTTP/1\."), Ok(()));
        assert_eq!(check(r"^.\xc3(?i:ehlo)"), Ok(()));
    }
}
