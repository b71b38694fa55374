//! Damaged conversations: whatever is changed in one, nothing panics, and how TCP cut it changes nothing.
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use std::fs;
use std::path::Path;

use flowcell_sdk::GapReason;
use flowcell_sdk::testing::{Cut, FlowScript, Step};

/// Damaged copies of each script.
const ROUNDS: usize = 100;

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

fn scripts() -> Vec<FlowScript> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let entries = fs::read_dir(folder).expect("folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "flow"));
    paths.sort();
    let text = |path| fs::read_to_string(path).expect("text");
    paths.iter().map(|path| FlowScript::parse(&text(path)).expect("script")).collect()
}

/// Changes a script in a few places: bytes flipped, dropped, doubled, taken from another; gaps; steps
/// left out, swapped and said by the other side.
fn damage(script: &mut FlowScript, other: &FlowScript, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(script.steps.len());
        let foreign = other.steps.get(random.below(other.steps.len())).cloned();
        let kind = random.below(10);
        let Step::Data { side, bytes } = &mut script.steps[at] else {
            continue;
        };
        let (from, place) = (*side, random.below(bytes.len()));
        let length = 1 + random.below(60) as u64;
        let gap = Step::Gap { side: from, length, reason: GapReason::Lost };
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
                script.steps.insert(at + 2, Step::Data { side: from, bytes: rest });
            }
            7 => {
                if let Some(Step::Data { bytes: spliced, .. }) = foreign {
                    bytes.truncate(place);
                    bytes.extend(spliced);
                }
            }
            8 if !bytes.is_empty() => bytes[place] = b"\r\n :;,0G\0\xff"[random.below(10)],
            _ => script.steps.swap(at, 0),
        }
    }
    script.steps.retain(|step| !matches!(step, Step::Data { bytes, .. } if bytes.is_empty()));
}

#[test]
fn damaged_conversations_do_not_panic_or_depend_on_segments() {
    let scripts = scripts();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (index, whole) in scripts.iter().enumerate() {
        for round in 0..ROUNDS {
            let mut script = whole.clone();
            script.info.midstream ^= random.below(4) == 0;
            damage(&mut script, &scripts[random.below(scripts.len())], &mut random);
            let expected = script.run(&http::PARSER, Cut::Whole);
            for cut in [Cut::Bytes, Cut::At(random.below(300))] {
                let outcome = script.run(&http::PARSER, cut);
                assert_eq!(outcome, expected, "script {index}, round {round}, {cut:?}: {script:?}");
            }
        }
    }
}
