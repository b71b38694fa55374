//! What came of the comparisons, by capture and field.

use std::collections::{BTreeMap, BTreeSet};

use crate::corpus;

/// The outcome of comparing one field of one mail or flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// They are the same.
    Agree,
    /// They differ, and this is why.
    Explained(&'static str),
    /// They differ, in this way.
    Wrong(String),
}

impl Outcome {
    /// Wrong unless they are equal.
    #[must_use]
    pub fn of<T: PartialEq + std::fmt::Debug>(ours: &T, theirs: &T) -> Self {
        if ours == theirs {
            Self::Agree
        } else {
            Self::Wrong(format!("ours {ours:?}, theirs {theirs:?}"))
        }
    }

    /// Explained by `reason`, if they are not equal.
    #[must_use]
    pub fn or(self, reason: &'static str) -> Self {
        if self == Self::Agree { self } else { Self::Explained(reason) }
    }
}

/// Counts outcomes.
#[derive(Debug, Default)]
pub struct Tally {
    counts: BTreeMap<(String, &'static str), [u64; 3]>,
    reasons: BTreeMap<(String, &'static str), &'static str>,
    wrong: Vec<String>,
    forgiven: BTreeMap<String, &'static str>,
}

impl Tally {
    /// Explains all that will be wrong in a capture with one reason.
    pub fn forgive(&mut self, capture: &str, reason: &'static str) {
        self.forgiven.insert(capture.to_owned(), reason);
    }

    /// Counts one outcome.
    pub fn add(&mut self, capture: &str, field: &'static str, outcome: Outcome) {
        let outcome = match (outcome, self.forgiven.get(capture)) {
            (Outcome::Wrong(how), Some(reason)) => {
                println!("{capture}: {field}: {how}");
                Outcome::Explained(reason)
            }
            (outcome, _) => outcome,
        };
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

    /// How many comparisons had the same on both sides.
    #[must_use]
    pub fn agreed(&self) -> u64 {
        self.counts.values().map(|[agree, ..]| agree).sum()
    }

    /// Demands that these captures and fields differ for these reasons, where they were compared, so
    /// that a list of what is explained can't grow stale.
    pub fn expect(&mut self, explained: &[(&'static str, &'static str, &'static str)]) {
        for (capture, field, reason) in explained {
            let key = ((*capture).to_owned(), *field);
            if self.counts.contains_key(&key) && self.reasons.get(&key) != Some(reason) {
                let how = "agrees now, or differs for another reason: change the list";
                self.wrong.push(format!("{capture}: {field}: {how}"));
            }
        }
    }

    /// Prints the table; fails at anything wrong that is not on the list of captures and fields,
    /// and at what is on the list and right.
    ///
    /// # Panics
    ///
    /// That is how it fails.
    pub fn check(self, known: &[(&str, &str, &str)]) {
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
        let (excused, mut failures): (Vec<_>, Vec<_>) =
            self.wrong.iter().cloned().partition(|how| listed(how));
        excused.iter().for_each(|how| println!("{how}"));
        for (name, field, _) in known {
            let found = self.counts.iter().find(|(key, _)| (&*key.0, key.1) == (*name, *field));
            if found.is_some_and(|(_, [_, _, wrong])| *wrong == 0) {
                failures.push(format!("{name}: {field} is right now: take it off the list"));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    /// A row a capture, a column a field, and the sums.
    fn table(&self) -> String {
        let captures: BTreeSet<_> = self.counts.keys().map(|(capture, _)| capture).collect();
        let fields: BTreeSet<_> = self.counts.keys().map(|(_, field)| *field).collect();
        let head =
            [String::from("capture")].into_iter().chain(fields.iter().map(ToString::to_string));
        let mut rows = vec![head.collect::<Vec<_>>()];
        let shown = |[agree, explained, wrong]: [u64; 3]| {
            let counts = [(agree, ""), (explained, "~"), (wrong, "!")];
            let shown = counts.iter().filter(|(count, _)| *count > 0);
            shown.map(|(count, mark)| format!("{count}{mark}")).collect::<Vec<_>>().join(" ")
        };
        for capture in captures {
            let cell = |field: &&'static str| {
                shown(self.counts.get(&(capture.clone(), *field)).copied().unwrap_or_default())
            };
            rows.push([capture.clone()].into_iter().chain(fields.iter().map(cell)).collect());
        }
        let sum = |field: &&'static str| {
            let counts = self.counts.iter().filter(|((_, of), _)| of == field);
            shown(counts.fold([0; 3], |sum, (_, counts)| {
                [sum[0] + counts[0], sum[1] + counts[1], sum[2] + counts[2]]
            }))
        };
        rows.push([String::from("all")].into_iter().chain(fields.iter().map(sum)).collect());
        corpus::table(&rows)
    }
}
