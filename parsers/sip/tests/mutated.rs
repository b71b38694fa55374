//! The scripts of this folder, damaged: no panic, and the same outcome however the bytes are cut.

use std::fs;
use std::path::Path;

use flowcell_sdk::testing::{Cut, FlowScript, Step};
use flowcell_sdk::{GapReason, Side};
use sip::PARSER;

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

/// Changes a script in a few places: bytes flipped, dropped, doubled, taken from `other`; steps dropped and
/// swapped; gaps.
fn damage(script: &mut FlowScript, other: &FlowScript, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(script.steps.len());
        let kind = random.below(9);
        let Step::Data { side, bytes } = &mut script.steps[at] else {
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
            7 => {
                if let Step::Data { bytes: spliced, .. } =
                    &other.steps[random.below(other.steps.len())]
                {
                    bytes.splice(place..place, spliced.iter().copied());
                }
            }
            _ => script.steps.swap(at, 0),
        }
    }
    script.steps.retain(|step| !matches!(step, Step::Data { bytes, .. } if bytes.is_empty()));
    if random.below(8) == 0 {
        let silent = if random.below(2) == 0 { Side::Client } else { Side::Server };
        script.steps.retain(|step| !matches!(step, Step::Data { side, .. } if *side == silent));
    }
}

#[test]
fn damaged_conversations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let entries = fs::read_dir(folder).expect("folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "flow"));
    paths.sort();
    let parse = |path| FlowScript::parse(&fs::read_to_string(path).expect("text")).expect("script");
    let scripts: Vec<FlowScript> = paths.iter().map(parse).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (path, whole) in paths.iter().zip(&scripts) {
        for round in 0..100 {
            let mut script = whole.clone();
            script.info.midstream ^= random.below(4) == 0;
            let other = &scripts[random.below(scripts.len())];
            damage(&mut script, other, &mut random);
            let expected = script.run(&PARSER, Cut::Whole);
            for cut in [Cut::Bytes, Cut::At(random.below(400))] {
                let outcome = script.run(&PARSER, cut);
                assert_eq!(outcome, expected, "{path:?}, round {round}, {cut:?}");
            }
        }
    }
}
