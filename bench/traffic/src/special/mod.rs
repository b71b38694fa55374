//! Captures that load or attack one part of an engine. Each needs hardly any memory itself.

mod attack;
mod dialogues;
mod open;
mod plain;
mod tunnel;

pub use attack::{collide, fragment_bomb, hole, one_byte_segments, syn_flood};
pub use dialogues::Dialogues;
pub use open::OpenFlows;
pub use tunnel::{MOST_LAYERS, tunnel_tower};

use crate::output::{Output, Wire};

/// A port that stands for no protocol.
const PORT: u16 = 9000;
/// A microsecond from frame to frame: a million flows open within seconds of capture time.
const STEP: u64 = 1000;

fn wire<'a, 'b>(output: &'a mut Output<'b>) -> Wire<'a, 'b> {
    Wire::new(output, crate::mix::DEFAULT_START, STEP)
}
