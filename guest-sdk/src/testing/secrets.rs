//! What a parser says where secrets are shown, beside what it says where they are not.

use serde_json::Value as Json;

use super::play::Outcome;
use super::run::Cut;
use super::script::FlowScript;
use crate::info::{MASK, Secrets};
use crate::record::ParserDef;

impl FlowScript {
    /// Demands that the parser tells the same whether secrets are [shown](Secrets) or not, but for texts that
    /// have the mask, or that go on where they are shown. Of a record with such a text, `truncated` may differ.
    ///
    /// # Panics
    /// With both outcomes, if they differ in anything else.
    pub fn check_secrets(&self, def: &'static ParserDef) {
        let [masked, shown] = [Secrets::Masked, Secrets::Shown].map(|secrets| {
            let mut script = self.clone();
            script.info.secrets = secrets;
            script.run(def, Cut::Whole)
        });
        let is_same = masked.verdicts == shown.verdicts && says_the_same(&masked, &shown);
        assert!(
            is_same,
            "showing secrets changes more than texts with `{MASK}`:\n{masked}became\n{shown}{}",
            self.place(None)
        );
    }
}

fn says_the_same(masked: &Outcome, shown: &Outcome) -> bool {
    masked.records.len() == shown.records.len()
        && masked.records.iter().zip(&shown.records).all(|((name, masked), (other, shown))| {
            name == other && is_same("", masked, shown, masked != shown && has_mask(masked))
        })
}

/// Whether a field says the same. `may_be_cut`: its record has something secret.
fn is_same(name: &str, masked: &Json, shown: &Json, may_be_cut: bool) -> bool {
    match (masked, shown) {
        (Json::String(masked), Json::String(shown)) => {
            masked.contains(MASK) || shown.starts_with(masked)
        }
        (masked, shown) if name == "truncated" => masked == shown || may_be_cut,
        (Json::Object(masked), Json::Object(shown)) => {
            shown.keys().all(|name| masked.contains_key(name))
                && masked.iter().all(|(name, value)| match shown.get(name) {
                    Some(other) => is_same(name, value, other, may_be_cut),
                    None => value == MASK, // there was nothing to show
                })
        }
        (Json::Array(masked), Json::Array(shown)) => {
            masked.len() == shown.len()
                && masked.iter().zip(shown).all(|(a, b)| is_same(name, a, b, may_be_cut))
        }
        (masked, shown) => masked == shown,
    }
}

fn has_mask(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains(MASK),
        Json::Array(values) => values.iter().any(has_mask),
        Json::Object(fields) => fields.values().any(has_mask),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Outcome, says_the_same};

    #[test]
    fn only_secrets_differ() {
        let outcome = |data| Outcome { records: vec![("r".into(), data)], ..Outcome::default() };
        let same = |masked, shown| says_the_same(&outcome(masked), &outcome(shown));
        assert!(same(json!({ "a": "x ***" }), json!({ "a": "x y" })));
        assert!(same(json!({ "a": ["***"] }), json!({ "a": ["x"] })));
        assert!(same(json!({ "a": "LOGIN" }), json!({ "a": "LOGIN x" })));
        assert!(same(json!({ "a": "***" }), json!({})), "there is nothing to show");
        assert!(same(
            json!({ "a": "***", "truncated": true }),
            json!({ "a": "x", "truncated": false })
        ));
        for (masked, shown) in [
            (json!({ "a": "x" }), json!({ "a": "y" })),
            (json!({ "a": 1 }), json!({ "a": 2 })),
            (json!({ "a": "x ***" }), json!({})),
            (json!({}), json!({ "a": "x" })),
            (json!({ "a": ["***"] }), json!({ "a": ["x", "y"] })),
            (json!({ "a": "x", "truncated": true }), json!({ "a": "x", "truncated": false })),
        ] {
            assert!(!same(masked.clone(), shown.clone()), "{masked} {shown}");
        }
    }
}
