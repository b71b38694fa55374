//! The bytes of the scripts, changed at random: no panic, and the same outcome however they are cut.

use std::fs;
use std::path::Path;

use flowcell_sdk::testing::{Cut, FlowScript, Step};
use flowcell_sdk::{GapReason, Side};

const ROUNDS: usize = 500;

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

fn gap(side: Side, length: usize) -> Step {
    Step::Gap { side, length: length as u64, reason: GapReason::Lost }
}

fn mutate(script: &mut FlowScript, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(script.steps.len());
        let kind = random.below(10);
        let Some(Step::Data { side, bytes }) = script.steps.get_mut(at) else {
            continue;
        };
        let (side, place) = (*side, random.below(bytes.len()));
        let length = random.below(300);
        match kind {
            0..=2 if !bytes.is_empty() => bytes[place] ^= 1 << random.below(8),
            3 if !bytes.is_empty() => bytes[place] = [0, 1, 0x7f, 0xff][random.below(4)],
            4 => drop(bytes.drain(place..(place + length).min(bytes.len()))),
            5 => {
                let piece: Vec<u8> = bytes[place..].iter().copied().take(length).collect();
                let behind = random.below(bytes.len());
                bytes.splice(behind..behind, piece);
            }
            6 => bytes.truncate(place),
            7 => script.steps.insert(at, gap(side, 1 + length)),
            8 => {
                let rest = bytes.split_off(place);
                script.steps.insert(at + 1, gap(side, 1 + length));
                script.steps.insert(at + 2, Step::Data { side, bytes: rest });
            }
            _ => script.steps.swap(at, 0),
        }
    }
    script.steps.retain(|step| !matches!(step, Step::Data { bytes, .. } if bytes.is_empty()));
}

#[test]
fn changed_at_random() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "flow"));
    paths.sort();
    assert!(paths.len() > 10);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut confirmed = 0;
    for path in &paths {
        let whole = FlowScript::parse(&fs::read_to_string(path).expect("text")).expect("script");
        for round in 0..ROUNDS {
            let mut script = whole.clone();
            script.info.midstream = random.below(4) == 0;
            mutate(&mut script, &mut random);
            let expected = script.run(&tls::PARSER, Cut::Whole);
            confirmed += usize::from(expected.verdicts.iter().any(|verdict| verdict == "confirm"));
            for cut in [Cut::Bytes, Cut::At(random.below(2_000))] {
                let outcome = script.run(&tls::PARSER, cut);
                assert_eq!(outcome, expected, "{}, round {round}, {cut:?}", path.display());
            }
        }
    }
    // Most of them are still TLS, so that more than the first bytes is tried.
    assert!(confirmed > paths.len() * ROUNDS / 2);
}
