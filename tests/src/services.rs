//! Which flows are of a protocol: what `flow` records, tshark and Zeek's `conn.log` say of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::corpus::{Capture, Corpus, Ends, Told, ends, row_ends, told};
use crate::tally::{Outcome, Tally};
use crate::zeek;

const TSHARK: &str = "tshark";

/// A protocol, by the names that it goes by.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// In our records.
    pub ours: &'static str,
    /// In tshark's events; several where it takes for protocols what are ways to use one.
    pub tshark: &'static [&'static str],
    /// In Zeek's `conn.log`.
    pub zeek: &'static str,
}

/// Flows of whose protocol the others say something else.
#[derive(Debug)]
pub struct Difference<'a> {
    /// Their endpoints.
    pub ends: Ends,
    /// Our flows between the endpoints: several if they were used again, none if there is no
    /// such flow.
    pub flows: &'a [Told],
    /// Whether we say that it is of this protocol; otherwise they do.
    pub ours: bool,
    /// Whether it is tshark that says something else; otherwise it is Zeek.
    pub tshark: bool,
}

/// Compares, for all captures, which flows are of a protocol. `explain` is asked for captures in which
/// some differ, and what it gives knows why.
#[must_use]
pub fn compare<E>(corpus: &Corpus, names: Names, explain: impl Fn(&Capture) -> E) -> Tally
where
    E: Fn(&Difference<'_>) -> Option<&'static str>,
{
    let mut tally = Tally::default();
    for capture in corpus.captures() {
        let mut explained = None;
        let flows = told(&capture, "flow");
        let services = |flow: &Told| flow.text("service").unwrap_or_default().to_owned();
        let is_ours = |flow: &Told| services(flow).split(',').any(|service| service == names.ours);
        let ours: BTreeSet<Ends> = flows
            .iter()
            .filter(|(_, flows)| flows.iter().any(is_ours))
            .map(|(ends, _)| *ends)
            .collect();
        let mut add = |oracle: &'static str, ends: &Ends, theirs: bool| {
            let there = ours.contains(ends);
            let these = flows.get(ends).map_or(&[][..], Vec::as_slice);
            let said: Vec<_> = these.iter().map(services).collect();
            let outcome = if there == theirs {
                Outcome::Agree
            } else {
                let difference =
                    Difference { ends: *ends, flows: these, ours: there, tshark: oracle == TSHARK };
                match explained.get_or_insert_with(|| explain(&capture))(&difference) {
                    Some(why) => Outcome::Explained(why),
                    None => Outcome::Wrong(format!("{ends:?}: ours {said:?}, theirs: {theirs}")),
                }
            };
            tally.add(&capture.name, oracle, outcome);
        };
        let tshark: BTreeSet<Ends> = names
            .tshark
            .iter()
            .flat_map(|proto| corpus.events(&capture, proto).into_keys())
            .collect();
        for ends in ours.union(&tshark) {
            add(TSHARK, ends, tshark.contains(ends));
        }
        for (ends, services) in zeek_services(corpus, &capture) {
            let theirs = services.contains(names.zeek);
            // Some logs are of another capture. That no flow is missing is for another test.
            if flows.contains_key(&ends) && (theirs || ours.contains(&ends)) {
                add("zeek", &ends, theirs);
            }
        }
    }
    tally
}

/// The services of Zeek's connections, by endpoints, where its log has both.
fn zeek_services(corpus: &Corpus, capture: &Capture) -> BTreeMap<Ends, BTreeSet<String>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for log in corpus.zeek_logs(capture, "conn.log") {
        let rows = zeek::rows(&corpus.path(&log));
        // A log that was cut, or of a run without analyzers, says of no connection what it is.
        if !rows.iter().any(|row| row.contains_key("service")) {
            continue;
        }
        for row in rows {
            if let Some((orig, resp)) = row_ends(&row) {
                let services = row.get("service").map(String::as_str).unwrap_or_default();
                let set = found.entry(ends(orig, resp)).or_default();
                set.extend(services.split(',').map(str::to_owned));
            }
        }
    }
    found
}
