//! Differential test: the streams of real captures against what others read from them.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod compare;
mod live;
mod oracle;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use compare::{Verdict, compare};
use flowcell_tests::corpus::{self, Corpus};

/// Captures whose files are damaged on purpose: what can be read is compared, and it is told.
const DAMAGED: [&str; 2] = ["bad", "file"];

#[test]
fn streams_agree_with_the_oracle() {
    let Some(corpus) = Corpus::find() else { return };
    let head = ["capture", "streams", "agree", "explained", "differ", "why"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut explained: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for capture in corpus.captures() {
        let name = &capture.name;
        let Some(oracle) = corpus.json(&format!("captures/{name}.tcp.json")) else { continue };
        let run = corpus::flowcell("streams", &capture.path);
        if run.code != Some(0) && !DAMAGED.contains(&capture.category.as_str()) {
            wrong.push(format!("{name}: exit code {:?}: {}", run.code, run.stderr));
        }
        let streams = oracle::streams(&oracle);
        let verdicts = compare(&capture, &streams, &run);
        let mut counts = [0_usize; 3];
        let reasons = explained.entry(name.clone()).or_default();
        for verdict in verdicts {
            match verdict {
                Verdict::Agree => counts[0] += 1,
                Verdict::Explained(reason) => {
                    counts[1] += 1;
                    reasons.insert(reason);
                }
                Verdict::Differ(how) => {
                    counts[2] += 1;
                    wrong.push(format!("{name}: {how}"));
                }
            }
        }
        let why = reasons.iter().copied().collect::<Vec<_>>().join("; ");
        let [agree, explained, differ] = counts.map(|count| count.to_string());
        rows.push(vec![name.clone(), streams.len().to_string(), agree, explained, differ, why]);
    }
    println!("Sides of streams:\n\n{}", corpus::table(&rows));
    for (reason, captures) in rules::KNOWN {
        for capture in *captures {
            if explained.get(*capture).is_some_and(|reasons| !reasons.contains(reason)) {
                wrong.push(format!("{capture}: no longer `{reason}`: take it off the list"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
