//! Conversations that went wrong.

use super::run::Cut;
use super::script::{FlowScript, Step};
use crate::info::{Secrets, Side, Transport};
use crate::read_error::GapReason;
use crate::record::ParserDef;

/// Numbers that look like chance and are the same in every run (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins a sequence.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2) | 1)
    }

    /// The next number, below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or(0) % limit.max(1)
    }
}

/// Bytes that mean something to many protocols, and lengths that lie.
const TELLING: &[u8] = b"\r\n\0\xff\x7f\x80\x01 :;,0G\"{}*$\x16\x30";

impl FlowScript {
    /// Damages the conversation in one to four places: bytes changed, lost, doubled, moved and taken from
    /// `other`; gaps; steps left out and swapped. Now and then its start is not seen, or what one side says.
    pub fn damage(&mut self, other: &Self, random: &mut Random) {
        self.info.midstream ^= random.below(4) == 0;
        for _ in 0..=random.below(4) {
            self.damage_once(other, random);
        }
        if random.below(8) == 0 {
            let silent = Side::BOTH[random.below(2)];
            self.steps.retain(|step| !matches!(step, Step::Data { side, .. } if *side == silent));
        }
        let streams = self.info.transport == Transport::Tcp;
        self.steps.retain(|step| match step {
            Step::Data { bytes, .. } => !(streams && bytes.is_empty()),
            Step::Gap { .. } | Step::End { .. } => true,
        });
    }

    fn damage_once(&mut self, other: &Self, random: &mut Random) {
        let at = random.below(self.steps.len());
        let foreign = other.steps.get(random.below(other.steps.len()));
        let kind = random.below(14);
        let length = random.below(300);
        let Some(Step::Data { side, bytes }) = self.steps.get_mut(at) else { return };
        let (side, place) = (*side, random.below(bytes.len()));
        let gap =
            |side: Side| Step::Gap { side, length: 1 + length as u64, reason: GapReason::Lost };
        match kind {
            0..=2 if !bytes.is_empty() => bytes[place] ^= 1 << random.below(8),
            3 | 4 if !bytes.is_empty() => bytes[place] = TELLING[random.below(TELLING.len())],
            5 => bytes.insert(place, TELLING[random.below(TELLING.len())]),
            6 => drop(bytes.drain(place..(place + length).min(bytes.len()))),
            7 => {
                let piece: Vec<u8> = bytes[place..].iter().copied().take(length).collect();
                let to = random.below(bytes.len());
                drop(bytes.splice(to..to, piece));
            }
            8 => bytes.truncate(place),
            9 => {
                if let Some(Step::Data { bytes: spliced, .. }) = foreign {
                    bytes.truncate(place);
                    bytes.extend_from_slice(spliced);
                }
            }
            10 => drop(self.steps.remove(at)),
            11 => self.steps.insert(at, gap(side)),
            12 => {
                let rest = bytes.split_off(place);
                self.steps.insert(at + 1, gap(side));
                self.steps.insert(at + 2, Step::Data { side, bytes: rest });
            }
            _ => {
                let to = random.below(self.steps.len());
                self.steps.swap(at, to);
            }
        }
    }
}

/// Runs a parser over damaged copies of each script, `rounds` of each, with secrets shown in every fourth: it
/// must not panic, and say the same however the bytes are cut and wherever it is begun anew. The damage is the
/// same in every run.
///
/// # Panics
/// With the script's number, the round and the way of cutting, at the first that differs.
pub fn check_damaged(scripts: &[FlowScript], def: &'static ParserDef, rounds: usize) {
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    for (index, whole) in scripts.iter().enumerate() {
        for round in 0..rounds {
            let mut script = whole.clone();
            if let Some(other) = scripts.get(random.below(scripts.len())) {
                script.damage(other, &mut random);
            }
            if round % 4 == 3 {
                script.info.secrets = Secrets::Shown;
            }
            let expected = script.run(def, Cut::Whole);
            script.check_resting(def);
            let length = script.length();
            for cut in [Cut::Bytes, Cut::At(random.below(length)), Cut::At(random.below(300))] {
                let outcome = script.run(def, cut);
                assert_eq!(outcome, expected, "script {index}, round {round}, {cut:?}: {script:?}");
            }
        }
    }
}
