//! Which flows are of a protocol: what `flow` records and tshark say of it.

use std::collections::BTreeSet;

use crate::corpus::{Capture, Corpus, Ends, told};
use crate::talk::Record;
use crate::tally::{Outcome, Tally};

/// Flows of whose protocol tshark says something else.
#[derive(Debug)]
pub struct Difference<'a> {
    /// Their endpoints.
    pub ends: Ends,
    /// Our flows between the endpoints: several if they were used again, none if there is no
    /// such flow.
    pub flows: &'a [Record],
    /// Whether we say that it is of this protocol; otherwise tshark does.
    pub ours: bool,
}

/// Compares, for all captures, which flows are of a protocol, by our name of it and by those of
/// tshark, which takes some ways to use one for protocols. `explain` is asked for captures in which
/// some differ, and what it gives knows why.
#[must_use]
pub fn compare<E>(
    corpus: &Corpus,
    protocol: &str,
    tshark: &[&str],
    explain: impl Fn(&Capture) -> E,
) -> Tally
where
    E: Fn(&Difference<'_>) -> Option<&'static str>,
{
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let mut explained = None;
        let flows = told(&capture, "flow");
        let is_ours = |flow: &Record| {
            let services = flow.text("service").unwrap_or_default();
            services.split(',').any(|service| service == protocol)
        };
        let ours = flows.iter().filter(|(_, flows)| flows.iter().any(is_ours));
        let ours: BTreeSet<Ends> = ours.map(|(ends, _)| *ends).collect();
        let theirs: BTreeSet<Ends> = corpus.events(&capture, tshark).into_keys().collect();
        for ends in ours.union(&theirs) {
            let there = ours.contains(ends);
            let outcome = Outcome::of(&there, &theirs.contains(ends));
            let flows = flows.get(ends).map_or(&[][..], Vec::as_slice);
            let outcome = match outcome {
                Outcome::Agree => outcome,
                _ => {
                    let explain = explained.get_or_insert_with(|| explain(&capture));
                    match explain(&Difference { ends: *ends, flows, ours: there }) {
                        Some(why) => outcome.or(why),
                        None => Outcome::Wrong(format!("{ends:?}: ours {there}: {flows:?}")),
                    }
                }
            };
            tally.add(&capture.name, "service", outcome);
        }
    }
    tally
}
