//! Damaged handshakes: no panic, and nothing depends on how the bytes were cut.

mod common;

use common::*;
use flowcell_sdk::testing::{Cut, FlowScript, Step};
use flowcell_sdk::{GapReason, Side};

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

/// Flips, drops, doubles, inserts and tears bytes in a few places; cuts steps short and swaps them.
fn damage(script: &mut FlowScript, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(script.steps.len());
        let other = random.below(script.steps.len());
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
            4 => bytes.insert(place, [0, 0xff, b'\n', 20][random.below(4)]),
            5 => drop(script.steps.remove(at)),
            6 => {
                let rest = bytes.split_off(place);
                script.steps.insert(at + 1, gap);
                script.steps.insert(at + 2, Step::Data { side, bytes: rest });
            }
            _ => script.steps.swap(at, other),
        }
    }
    script.steps.retain(|step| !matches!(step, Step::Data { bytes, .. } if bytes.is_empty()));
}

#[test]
fn damaged_handshakes_never_panic_and_do_not_depend_on_segments() {
    let version_1 = vec![
        (Side::Server, b"hello\r\nSSH-1.99-s\n".to_vec()),
        (Side::Client, b"SSH-1.5-c\n".to_vec()),
        (Side::Server, public_key_of_version_1()),
        (Side::Client, packet_of_version_1(3, &[6; 200])),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for turns in [ordinary(), version_1] {
        let whole = flow("", &borrowed(&turns));
        for round in 0..1_500 {
            let mut script = whole.clone();
            script.info.midstream ^= random.below(4) == 0;
            damage(&mut script, &mut random);
            let expected = script.run(&ssh::PARSER, Cut::Whole);
            for cut in [Cut::Bytes, Cut::At(random.below(900)), Cut::At(random.below(900))] {
                let outcome = script.run(&ssh::PARSER, cut);
                assert_eq!(outcome, expected, "round {round}, {cut:?}");
            }
            if round % 16 == 0 {
                script.check_together(&ssh::PARSER, Cut::Lines);
            }
        }
    }
}
