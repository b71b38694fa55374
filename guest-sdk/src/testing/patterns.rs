//! The patterns of a parser, built and matched as the host does it.

use flowcell_contract::{DATAGRAMS, MAX_AUTOMATON, WINDOW};
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

use super::script::{FlowScript, Step};
use crate::info::{Side, Transport};
use crate::record::{ParserDef, Pattern};

type Dfa = dense::DFA<Vec<u32>>;

pub(super) struct Patterns(Vec<(&'static Pattern, Dfa)>);

impl Patterns {
    /// Builds those of a parser. `#[parser]` has refused what is no pattern; here it shows whether the
    /// host would find them too large.
    ///
    /// # Panics
    /// With the pattern, or the argument of `#[parser]`, that the host would refuse.
    pub(super) fn of(def: &'static ParserDef) -> Self {
        let built = def.patterns.iter().map(|pattern| {
            let place = || format!("pattern `{}` of `{}`", pattern.regex, argument(pattern));
            let dfa = automaton(&[pattern.regex]);
            (pattern, dfa.unwrap_or_else(|why| panic!("{}: {why}", place())))
        });
        let built = built.collect();
        for first in def.patterns {
            let argument = argument(first);
            let of_it = |it: &&Pattern| (it.transport, it.side) == (first.transport, first.side);
            let regexes: Vec<&str> =
                def.patterns.iter().filter(of_it).map(|pattern| pattern.regex).collect();
            if regexes.len() > 1 && regexes[0] == first.regex {
                automaton(&regexes)
                    .unwrap_or_else(|why| panic!("all patterns of `{argument}`: {why}"));
            }
        }
        Self(built)
    }

    /// Demands that one of them matches how a side of the script begins.
    ///
    /// # Panics
    /// With how the sides begin, where none does.
    pub(super) fn demand_found(&self, script: &FlowScript, at: &str) {
        let starts = [Side::Client, Side::Server].map(|side| (side, starts(script, side)));
        let found = starts.iter().any(|(side, starts)| {
            let of_it = |it: &Pattern| (it.transport, it.side) == (script.info.transport, *side);
            let mut fitting = self.0.iter().filter(|(pattern, _)| of_it(pattern));
            fitting.any(|(_, dfa)| starts.iter().any(|start| matches(dfa, start)))
        });
        let shown = starts.map(|(side, starts)| {
            let starts = starts.iter().map(|start| {
                let shown = &start[..start.len().min(40)];
                format!("\n{side:?}: \"{}\"", shown.escape_ascii())
            });
            starts.collect::<String>()
        });
        assert!(found, "no pattern matches how a side begins{at}{}", shown.concat());
    }
}

/// The argument of `#[parser]` that a pattern stands in.
fn argument(pattern: &Pattern) -> &'static str {
    match (pattern.transport, pattern.side) {
        (Transport::Tcp, Side::Client) => "client",
        (Transport::Tcp, Side::Server) => "server",
        (Transport::Udp, Side::Client) => "udp_client",
        (Transport::Udp, Side::Server) => "udp_server",
    }
}

fn automaton(regexes: &[&str]) -> Result<Dfa, String> {
    let limit = Some(MAX_AUTOMATON);
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(MatchKind::All)
        .dfa_size_limit(limit)
        .determinize_size_limit(limit);
    let built = dense::Builder::new()
        .configure(config)
        .syntax(syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true))
        .thompson(thompson::Config::new().utf8(false).nfa_size_limit(limit))
        .build_many(regexes);
    built.map_err(|error| match error.is_size_limit_exceeded() {
        true => format!("its automaton would have more than {MAX_AUTOMATON} bytes: say less"),
        false => error.to_string(),
    })
}

fn matches(dfa: &Dfa, start: &[u8]) -> bool {
    let input = Input::new(start).anchored(Anchored::Yes).earliest(true);
    dfa.try_search_fwd(&input).is_ok_and(|found| found.is_some())
}

/// The bytes of a side before anything is missing, or those of its first datagrams.
fn starts(script: &FlowScript, side: Side) -> Vec<Vec<u8>> {
    let datagrams = script.info.transport == Transport::Udp;
    let mut starts = Vec::new();
    for step in &script.steps {
        match step {
            Step::Data { side: of, bytes } if *of == side => match starts.last_mut() {
                None => starts.push(bytes.clone()),
                Some(_) if datagrams => starts.push(bytes.clone()),
                Some(stream) => stream.extend_from_slice(bytes),
            },
            Step::Gap { side: of, .. } if *of == side && !datagrams => break,
            Step::End { side: of, .. } if *of == side => break,
            _ => {}
        }
    }
    starts.truncate(DATAGRAMS);
    starts.iter_mut().for_each(|start| start.truncate(WINDOW));
    starts
}
