//! Running a script, cut in every way.

use super::play::{Outcome, Play, Together};
use super::script::{FlowScript, Step};
use crate::info::Transport;
use crate::record::ParserDef;

/// How the bytes between two changes of side are cut into deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Not at all.
    Whole,
    /// As the script's lines are.
    Lines,
    /// Before this byte of the flow, counted over both sides from 0.
    At(usize),
    /// Everywhere.
    Bytes,
}

/// Ways in which packets are put together; the last puts together whatever can be.
const GROUPINGS: u64 = 9;

impl FlowScript {
    /// Runs `def` over the script, cut as told.
    #[must_use]
    pub fn run(&self, def: &'static ParserDef, cut: Cut) -> Outcome {
        Play::new(self, def, false).run(&self.cut(cut), &mut |_| Together::No)
    }

    /// Runs `def` over the script, cut as told and every step in a packet of its own with a time of its
    /// own; then with the packets of a side delivered together, in random groups. Demands that the host
    /// is told the same, about the same packets.
    ///
    /// # Panics
    /// With both outcomes, at the first that differs.
    pub fn check_together(&self, def: &'static ParserDef, cut: Cut) {
        if def.expects {
            return; // it is never given several packets at once
        }
        let steps = self.cut(cut);
        let alone = Play::new(self, def, true).run(&steps, &mut |_| Together::No);
        for seed in 0..GROUPINGS {
            let mut random = seed;
            let together = Play::new(self, def, true).run(&steps, &mut |_| {
                // Knuth's MMIX generator, of which the upper bits are good.
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(2 * seed + 1);
                if random >> 60 < 2 * seed { Together::Yes } else { Together::No }
            });
            let how = format!("delivering packets together (cut {cut:?}, seed {seed})");
            self.demand_same(&how, &together, &alone);
        }
    }

    /// Demands that nothing else comes of it if the parser begins anew wherever it
    /// [rests](crate::Datagrams::next_resting), as the host may have it do with datagrams.
    ///
    /// # Panics
    /// With both outcomes, if they differ.
    pub fn check_resting(&self, def: &'static ParserDef) {
        if self.info.transport != Transport::Udp {
            return;
        }
        let steps = self.cut(Cut::Whole);
        let afresh = Play::new(self, def, false).afresh().run(&steps, &mut |_| Together::No);
        self.demand_same("beginning anew where it rests", &afresh, &self.run(def, Cut::Whole));
    }

    /// Demands the script's records and verdicts of every way to cut it.
    ///
    /// # Panics
    /// With what is [not as demanded](Self::demand), or with the way of cutting and both outcomes, at the
    /// first that differs.
    pub fn check(&self, def: &'static ParserDef) {
        let expected = self.run(def, Cut::Whole);
        self.demand(&expected, def);
        self.check_resting(def);
        self.check_secrets(def);
        if self.info.transport == Transport::Udp {
            return; // a datagram is not cut
        }
        let ways = [Cut::Lines, Cut::Bytes];
        for cut in ways.into_iter().chain((1..self.length()).map(Cut::At)) {
            self.demand_same(&format!("cut {cut:?}"), &self.run(def, cut), &expected);
        }
        for cut in ways {
            self.check_together(def, cut);
        }
    }

    pub(super) fn length(&self) -> usize {
        let lengths = self.steps.iter().map(|step| match step {
            Step::Data { bytes, .. } => bytes.len(),
            Step::Gap { .. } | Step::End { .. } => 0,
        });
        lengths.sum()
    }

    /// The steps with their data joined and cut again. Datagrams stay as they are.
    #[must_use]
    pub fn cut(&self, cut: Cut) -> Vec<Step> {
        if cut == Cut::Lines || self.info.transport == Transport::Udp {
            return self.steps.clone();
        }
        let mut steps: Vec<Step> = Vec::new();
        let mut position = 0;
        for step in &self.steps {
            let Step::Data { side, bytes } = step else {
                steps.push(step.clone());
                continue;
            };
            for byte in bytes {
                let separate = match cut {
                    Cut::Whole | Cut::Lines => false,
                    Cut::At(at) => at == position,
                    Cut::Bytes => true,
                };
                position += 1;
                match steps.last_mut() {
                    Some(Step::Data { side: last, bytes }) if last == side && !separate => {
                        bytes.push(*byte);
                    }
                    _ => steps.push(Step::Data { side: *side, bytes: vec![*byte] }),
                }
            }
        }
        steps
    }
}
