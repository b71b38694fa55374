//! Recorded conversations, damaged in ways that are the same in every run: no panic, and the same
//! outcome however the bytes are cut.

use flowcell_sdk::GapReason;
use flowcell_sdk::testing::{Cut, FlowScript, Random, Step, scripts_in};

/// Damaged copies of each conversation.
const ROUNDS: usize = 100;

/// Damages a step: mostly near its start, where headers are.
fn damage(script: &mut FlowScript, random: &mut Random) {
    let at = random.below(script.steps.len());
    let other = random.below(script.steps.len());
    let donor = match &script.steps[other] {
        Step::Data { bytes, .. } => bytes.clone(),
        Step::Gap { .. } | Step::End { .. } => Vec::new(),
    };
    let kind = random.below(9);
    let Step::Data { side, bytes } = &mut script.steps[at] else {
        return;
    };
    let reach = if random.below(4) == 0 { bytes.len() } else { bytes.len().min(140) };
    let (side, place) = (*side, random.below(reach));
    let length = 1 + random.below(80);
    let gap = Step::Gap { side, length: length as u64, reason: GapReason::Lost };
    match kind {
        0 | 1 if !bytes.is_empty() => bytes[place] ^= 1 << random.below(8),
        2 if !bytes.is_empty() => bytes[place] = [0, 0xff, 0x7f, 0x40][random.below(4)],
        3 => drop(bytes.drain(place..(place + length).min(bytes.len()))),
        4 => bytes.truncate(place),
        5 => bytes.extend_from_within(..place),
        6 => drop(bytes.splice(place..place, donor.into_iter().take(length))),
        7 => {
            let rest = bytes.split_off(place);
            let lost = rest.len().min(length);
            let gap = Step::Gap { side, length: lost.max(1) as u64, reason: GapReason::Lost };
            let rest = Step::Data { side, bytes: rest[lost..].to_vec() };
            script.steps.splice(at + 1..at + 1, [gap, rest]);
        }
        _ => script.steps.insert(at, gap),
    }
}

#[test]
fn damaged_conversations() {
    let scripts = scripts_in(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded"));
    assert!(scripts.len() >= 9);
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    for (path, whole) in scripts {
        for round in 0..ROUNDS {
            let mut script = whole.clone();
            script.info.midstream = random.below(3) == 0;
            for _ in 0..=random.below(6) {
                damage(&mut script, &mut random);
            }
            script
                .steps
                .retain(|step| !matches!(step, Step::Data { bytes, .. } if bytes.is_empty()));
            let expected = script.run(&smb::PARSER, Cut::Whole);
            for cut in [Cut::Lines, Cut::Bytes, Cut::At(random.below(2_000))] {
                let outcome = script.run(&smb::PARSER, cut);
                assert_eq!(outcome, expected, "{path:?}, round {round}, {cut:?}");
            }
        }
    }
}
