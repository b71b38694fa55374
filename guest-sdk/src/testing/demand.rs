//! What a script demands of an outcome, and how it is said that it is not so.

use std::fmt;

use serde_json::Value as Json;

use super::patterns::Patterns;
use super::play::Outcome;
use super::script::{FOUND, FlowScript};
use crate::record::ParserDef;

/// As a script would have it.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, data) in &self.records {
            writeln!(f, "= {name} {data}")?;
        }
        for verdict in &self.verdicts {
            writeln!(f, "! {verdict}")?;
        }
        if !self.steps.is_empty() {
            writeln!(f, "about packets {:?}", self.steps)?;
        }
        Ok(())
    }
}

impl FlowScript {
    /// Compares what a run of `def` has told with what the script demands.
    ///
    /// # Panics
    /// With the first demand that is not met, and all that was told; with a pattern of `def` that the
    /// host would refuse.
    pub fn demand(&self, outcome: &Outcome, def: &'static ParserDef) {
        let patterns = Patterns::of(def);
        self.demand_names(def);
        self.demand_records(outcome);
        let mut wanted = self.verdicts.clone();
        if let Some(index) = wanted.iter().position(|verdict| verdict == FOUND) {
            patterns.demand_found(self, &self.place(self.verdict_lines.get(index)));
            wanted.retain(|verdict| verdict != FOUND);
        }
        let mut got = outcome.verdicts.clone();
        if !wanted.iter().any(|verdict| verdict == "confirm") {
            got.retain(|verdict| verdict != "confirm");
        }
        wanted.sort();
        got.sort();
        let place = self.place(None);
        assert!(
            got == wanted,
            "the parser tells the host {got:?}, the script demands {wanted:?}{place}"
        );
    }

    /// Demands that it makes no difference how the script was run.
    pub(super) fn demand_same(&self, how: &str, outcome: &Outcome, expected: &Outcome) {
        let place = self.place(None);
        assert!(
            outcome == expected,
            "{how} changes what the parser tells{place}, from\n{expected}to\n{outcome}"
        );
    }

    /// The records and fields that are demanded exist.
    fn demand_names(&self, def: &ParserDef) {
        for (index, (name, fields)) in self.records.iter().enumerate() {
            let place = self.place(self.record_lines.get(index));
            let Some(schema) = def.records.iter().find(|schema| schema.name == name) else {
                let known = listed(def.records.iter().map(|schema| schema.name));
                panic!("`{name}` is no record of `{}`; there are: {known}{place}", def.name);
            };
            for field in fields.as_object().into_iter().flat_map(|fields| fields.keys()) {
                let known = || listed(schema.fields.iter().map(|field| field.name));
                let is_known = schema.fields.iter().any(|known| known.name == field);
                assert!(
                    is_known,
                    "`{field}` is no field of `{name}`; there are: {}{place}",
                    known()
                );
            }
        }
    }

    fn demand_records(&self, outcome: &Outcome) {
        let (got, wanted) = (outcome.records.len(), self.records.len());
        let place = self.place(None);
        assert!(
            got == wanted,
            "records: the parser emits {got}, the script demands {wanted}{place}\n{outcome}"
        );
        for (index, (got, wanted)) in outcome.records.iter().zip(&self.records).enumerate() {
            let (number, place) = (index + 1, self.place(self.record_lines.get(index)));
            assert!(
                got.0 == wanted.0,
                "record {number} is `{}`, the script demands `{}`{place}\n{outcome}",
                got.0,
                wanted.0
            );
            for (field, value) in wanted.1.as_object().into_iter().flatten() {
                let got = got.1.get(field).unwrap_or(&Json::Null);
                assert!(
                    got == value,
                    "record {number}: `{field}` is {got}, the script demands {value}{place}\n{outcome}"
                );
            }
        }
    }

    /// Where a demand stands, in brackets, as far as that is known.
    pub(super) fn place(&self, line: Option<&usize>) -> String {
        match (&self.file, line) {
            (Some(file), Some(line)) => format!(" ({file}, line {line})"),
            (Some(file), None) => format!(" ({file})"),
            (None, Some(line)) => format!(" (line {line})"),
            (None, None) => String::new(),
        }
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
