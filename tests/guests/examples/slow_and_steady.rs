//! Takes long over every delivery, but never too long for one.
#![cfg(target_arch = "wasm32")]

use std::hint::black_box;

use flowcell_test_guests::by_hand::*;

struct Component;

/// Some 20 ms on a fast machine. Without a clock that is all that a guest can do.
const ROUNDS: u64 = 20_000_000;

impl Guest for Component {
    fn describe() -> Description {
        description("slow_and_steady", Vec::new())
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        for round in 0..ROUNDS {
            black_box(round);
        }
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
