//! What came of the comparisons, by capture and field.

use std::collections::{BTreeMap, BTreeSet};

use flowcell_tests::corpus;

/// The outcome of comparing one field of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Agree,
    /// They differ, and this is why.
    Explained(&'static str),
    Wrong(String),
}

impl Outcome {
    /// Wrong unless they are equal.
    pub(crate) fn of<T: PartialEq + std::fmt::Debug>(ours: &T, theirs: &T) -> Self {
        if ours == theirs {
            Self::Agree
        } else {
            Self::Wrong(format!("ours {ours:?}, theirs {theirs:?}"))
        }
    }

    /// Explained by `reason`, if they are not equal.
    pub(crate) fn or(self, reason: &'static str) -> Self {
        if self == Self::Agree { self } else { Self::Explained(reason) }
    }
}

/// Counts outcomes.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: BTreeMap<(String, &'static str), [u64; 3]>,
    reasons: BTreeMap<(String, &'static str), &'static str>,
    wrong: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, capture: &str, field: &'static str, outcome: Outcome) {
        let key = (capture.to_owned(), field);
        let counts = self.counts.entry(key.clone()).or_default();
        match outcome {
            Outcome::Agree => counts[0] += 1,
            Outcome::Explained(reason) => {
                counts[1] += 1;
                self.reasons.insert(key, reason);
            }
            Outcome::Wrong(how) => {
                counts[2] += 1;
                self.wrong.push(format!("{capture}: {field}: {how}"));
            }
        }
    }

    /// Prints the table; fails at anything wrong that is not on the list of captures and fields,
    /// and at what is on the list and right.
    pub(crate) fn check(self, known: &[(&str, &str, &str)]) {
        println!("{}\n(~ explained, ! wrong)\n", self.table());
        for ((capture, field), reason) in &self.reasons {
            println!("{capture}: {field}: {reason}");
        }
        for (capture, field, reason) in known {
            println!("{capture}: {field}: known to be wrong: {reason}");
        }
        let listed = |how: &String| {
            known.iter().any(|(name, field, _)| how.starts_with(&format!("{name}: {field}: ")))
        };
        let mut failures: Vec<_> = self.wrong.iter().filter(|how| !listed(how)).cloned().collect();
        for (name, field, _) in known {
            let found = self.counts.iter().find(|(key, _)| (&*key.0, key.1) == (*name, *field));
            if found.is_some_and(|(_, [_, _, wrong])| *wrong == 0) {
                failures.push(format!("{name}: {field} is right now: take it off the list"));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    /// A row a capture, a column a field.
    fn table(&self) -> String {
        let captures: BTreeSet<_> = self.counts.keys().map(|(capture, _)| capture).collect();
        let fields: BTreeSet<_> = self.counts.keys().map(|(_, field)| *field).collect();
        let head =
            [String::from("capture")].into_iter().chain(fields.iter().map(ToString::to_string));
        let mut rows = vec![head.collect::<Vec<_>>()];
        for capture in captures {
            let cell = |field: &&'static str| {
                let [agree, explained, wrong] =
                    self.counts.get(&(capture.clone(), *field)).copied().unwrap_or_default();
                let counts = [(agree, ""), (explained, "~"), (wrong, "!")];
                let shown = counts.iter().filter(|(count, _)| *count > 0);
                shown.map(|(count, mark)| format!("{count}{mark}")).collect::<Vec<_>>().join(" ")
            };
            rows.push([capture.clone()].into_iter().chain(fields.iter().map(cell)).collect());
        }
        corpus::table(&rows)
    }
}
