//! Byte patterns: how the flows of a protocol begin.
//!
//! Many patterns become one automaton, which looks at each byte once, whatever the patterns are: no
//! pattern can make a flow expensive, and the bytes can come in any pieces.

use flowcell_contract::{MAX_AUTOMATON, check_pattern};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use super::bindings::flowcell::parser::description_types as wire;
use super::{Side, Transport};

/// One pattern of a parser, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Over TCP or UDP.
    pub transport: Transport,
    /// Whose bytes.
    pub side: Side,
    /// A regular expression that is anchored at the first byte.
    pub regex: String,
}

/// Largest automaton of the patterns of many parsers, in bytes.
const MAX_TOGETHER: usize = 4 << 20;

impl Pattern {
    /// Checks what a parser says of itself. The error goes on behind "pattern …".
    pub(super) fn new(wire: wire::Pattern) -> Result<Self, String> {
        let wire::Pattern { transport, side, regex } = wire;
        check_pattern(&regex).map_err(|error| format!("which {error}"))?;
        if automaton(&[&regex], MAX_AUTOMATON).is_none() {
            return Err(format!(
                "whose automaton would have more than {MAX_AUTOMATON} bytes: say less"
            ));
        }
        Ok(Self { transport, side, regex })
    }
}

/// Says why the patterns of one parser can't be taken together: each byte of a flow that is looked at may
/// cost one look into a table for each parser, and not more.
pub(super) fn check_together(patterns: &[Pattern]) -> Result<(), String> {
    for transport in [Transport::Tcp, Transport::Udp] {
        for side in [Side::Client, Side::Server] {
            let of_it = |pattern: &&Pattern| (pattern.transport, pattern.side) == (transport, side);
            let regexes: Vec<&str> =
                patterns.iter().filter(of_it).map(|pattern| pattern.regex.as_str()).collect();
            if regexes.len() > 1 && automaton(&regexes, MAX_AUTOMATON).is_none() {
                return Err(format!(
                    "whose automaton would have more than {MAX_AUTOMATON} bytes for all of a side: say less"
                ));
            }
        }
    }
    Ok(())
}

fn automaton(regexes: &[&str], limit: usize) -> Option<dense::DFA<Vec<u32>>> {
    let syntax = syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true);
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(MatchKind::All)
        .dfa_size_limit(Some(limit))
        .determinize_size_limit(Some(limit));
    dense::Builder::new()
        .configure(config)
        .syntax(syntax)
        .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(limit)))
        .build_many(regexes)
        .ok()
}

/// The patterns of many parsers for one side, with whose they are.
#[derive(Debug, Default)]
pub struct Patterns {
    /// One automaton for all; more where that would be too large.
    parts: Vec<(dense::DFA<Vec<u32>>, Vec<usize>)>,
}

/// How far the bytes of a side have come, in each automaton.
#[derive(Debug, Clone, Default)]
pub struct Progressed(Vec<StateID>);

impl Patterns {
    /// Takes patterns that were checked, each with a number for its parser.
    #[must_use]
    pub fn new(patterns: &[(&str, usize)]) -> Self {
        let mut parts = Vec::new();
        let mut open = vec![patterns];
        while let Some(group) = open.pop() {
            let regexes: Vec<&str> = group.iter().map(|(regex, _)| *regex).collect();
            let owners = group.iter().map(|(_, owner)| *owner).collect();
            // One alone was built when it was checked.
            match automaton(&regexes, MAX_TOGETHER) {
                _ if group.is_empty() => {}
                Some(automaton) => parts.push((automaton, owners)),
                None if group.len() > 1 => {
                    let (first, second) = group.split_at(group.len() / 2);
                    open.extend([second, first]);
                }
                None => {}
            }
        }
        Self { parts }
    }

    /// Before the first byte.
    #[must_use]
    pub fn start(&self) -> Progressed {
        let anchored = start::Config::new().anchored(Anchored::Yes);
        let start = |(automaton, _): &(dense::DFA<Vec<u32>>, Vec<usize>)| {
            automaton.start_state(&anchored).unwrap_or_default()
        };
        Progressed(self.parts.iter().map(start).collect())
    }

    /// Looks at the next byte. Tells of each pattern that matches up to here whose it is.
    pub fn step(&self, progressed: &mut Progressed, byte: u8, matched: &mut dyn FnMut(usize)) {
        for ((automaton, owners), state) in self.parts.iter().zip(&mut progressed.0) {
            if automaton.is_dead_state(*state) {
                continue;
            }
            *state = automaton.next_state(*state, byte);
            // A match shows one byte later, or at the end.
            let end = automaton.next_eoi_state(*state);
            if automaton.is_match_state(end) {
                let patterns = 0..automaton.match_len(end);
                let owner = |index| owners.get(automaton.match_pattern(end, index).as_usize());
                patterns.filter_map(owner).for_each(|owner| matched(*owner));
            }
        }
    }

    /// Nothing can match any more.
    #[must_use]
    pub fn is_over(&self, progressed: &Progressed) -> bool {
        let mut states = self.parts.iter().zip(&progressed.0);
        states.all(|((automaton, _), state)| automaton.is_dead_state(*state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(regex: &str) -> Result<Pattern, String> {
        let (transport, side) = (Transport::Tcp, Side::Client);
        Pattern::new(wire::Pattern { transport, side, regex: regex.into() })
    }

    /// Whose patterns match at which byte, counted from 1.
    fn matches(patterns: &[(&str, usize)], bytes: &[u8]) -> Vec<(usize, usize)> {
        let patterns = Patterns::new(patterns);
        let mut progressed = patterns.start();
        let mut found = Vec::new();
        for (index, byte) in bytes.iter().enumerate() {
            patterns.step(&mut progressed, *byte, &mut |owner| found.push((index + 1, owner)));
        }
        found
    }

    #[test]
    fn matches_are_told_at_their_last_byte() {
        let patterns = [("^220[ -]", 1), (r"^220 .*SMTP", 2), (r"\x16\x03", 3), ("220 ", 4)];
        assert_eq!(matches(&patterns, b"220 a\nSMTP!"), [(4, 1), (4, 4), (10, 2)]);
        assert_eq!(matches(&patterns, b"\x16\x03\x01"), [(2, 3)]);
        assert_eq!(matches(&patterns, b" 220 SMTP"), []);
    }

    #[test]
    fn what_can_not_match_is_over() {
        let patterns = Patterns::new(&[("^GET ", 0), (r"^\xff", 1)]);
        let mut progressed = patterns.start();
        assert!(!patterns.is_over(&progressed));
        patterns.step(&mut progressed, b'G', &mut |_| panic!("nothing matches"));
        assert!(!patterns.is_over(&progressed));
        patterns.step(&mut progressed, b'X', &mut |_| panic!("nothing matches"));
        assert!(patterns.is_over(&progressed));
        assert!(Patterns::new(&[]).is_over(&Patterns::new(&[]).start()));
    }

    #[test]
    fn patterns_are_bytes() {
        assert_eq!(matches(&[(r"^.\xc3.", 7)], b"\n\xc3\x28"), [(3, 7)]);
    }

    #[test]
    fn what_the_contract_takes_has_an_automaton() {
        let lines = include_str!("../../../wit/patterns.txt").lines();
        for regex in lines.filter_map(|line| line.strip_prefix("+ ")) {
            assert!(pattern(regex).is_ok(), "{regex}: {:?}", pattern(regex));
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (regex, wanted) in [
            ("(", "which is no regular expression: unclosed group"),
            ("^[ab]*a[ab]{20}", "whose automaton would have more than 262144 bytes: say less"),
            ("^(a{1000}){1000}", "whose automaton would have more than 262144 bytes: say less"),
        ] {
            assert_eq!(pattern(regex).unwrap_err(), wanted, "{regex}");
        }
    }
}
