// Damages the flow scripts of a parser's tests, the same in every run, and demands that the parser does
// not panic and makes the same of the bytes however they are cut. Included by the tests of several parsers.

use std::fs;
use std::path::Path;

use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};
use flowcell_sdk::{GapReason, ParserDef};

/// xorshift64*: the damage is the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize;
        high % limit.max(1)
    }
}

/// The scripts of a folder, by name.
fn scripts(folder: &Path) -> Vec<(String, FlowScript)> {
    let entries = fs::read_dir(folder).expect("folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "flow"));
    paths.sort();
    let script = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).expect("text");
        (path.display().to_string(), FlowScript::parse(&text).expect("script"))
    };
    paths.iter().map(script).collect()
}

/// Changes a script in a few places: bytes flipped, dropped, doubled, put in from another script; gaps;
/// sides cut short.
fn damage(script: &mut FlowScript, other: &FlowScript, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(script.steps.len());
        let kind = random.below(10);
        let foreign = match &other.steps[random.below(other.steps.len())] {
            Step::Data { bytes, .. } => bytes.clone(),
            _ => b"\r\n".to_vec(),
        };
        let Some(Step::Data { side, bytes }) = script.steps.get_mut(at) else {
            continue;
        };
        let (side, place) = (*side, random.below(bytes.len()));
        let gap = Step::Gap { side, length: 1 + random.below(60) as u64, reason: GapReason::Lost };
        match kind {
            0 if !bytes.is_empty() => bytes[place] ^= 1 << random.below(8),
            1 => drop(bytes.drain(..place)),
            2 => bytes.truncate(place),
            3 => bytes.extend_from_within(..place),
            4 => drop(script.steps.remove(at)),
            5 => script.steps.insert(at, gap),
            6 => {
                let rest = bytes.split_off(place);
                script.steps.insert(at + 1, gap);
                script.steps.insert(at + 2, Step::Data { side, bytes: rest });
            }
            7 => drop(bytes.splice(place..place, foreign)),
            8 if !bytes.is_empty() => bytes[place] = b"\r\n.{}()\"*+~0123456789 "[random.below(22)],
            _ => script.steps.swap(at, 0),
        }
    }
    script.steps.retain(|step| !matches!(step, Step::Data { bytes, .. } if bytes.is_empty()));
}

/// Damages each script of `folder` so many times.
fn check(parser: &'static ParserDef, folder: &Path, rounds: usize) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let scripts = scripts(folder);
    for (name, whole) in &scripts {
        for round in 0..rounds {
            let mut script = whole.clone();
            script.info.midstream ^= random.below(4) == 0;
            damage(&mut script, &scripts[random.below(scripts.len())].1, &mut random);
            let expected = script.run(parser, Cut::Whole);
            for cut in [Cut::Bytes, Cut::At(random.below(400))] {
                let outcome = script.run(parser, cut);
                if outcome != expected {
                    let (steps, whole) = (shown_steps(&script), shown(&expected));
                    panic!(
                        "{name}, round {round}, {cut:?}\n{steps}\n{}\nbut whole\n{whole}",
                        shown(&outcome)
                    );
                }
            }
        }
    }
}

fn shown_steps(script: &FlowScript) -> String {
    let steps = script.steps.iter().map(|step| match step {
        Step::Data { side, bytes } => format!("{side} {}\n", bytes.escape_ascii()),
        other => format!("{other:?}\n"),
    });
    steps.collect()
}

fn shown(outcome: &Outcome) -> String {
    let records = outcome.records.iter().map(|(name, data)| format!("= {name} {data}\n"));
    records.chain(outcome.verdicts.iter().map(|verdict| format!("! {verdict}\n"))).collect()
}
