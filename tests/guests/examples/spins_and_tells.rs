//! Spins and emits a record now and then, so that it shows where it was stopped.
#![cfg(target_arch = "wasm32")]

use std::hint::black_box;

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        description("spins_and_tells", vec![schema("note", Vec::new())])
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        loop {
            for round in 0..10_000 {
                black_box(round);
            }
            host::emit(0, b"\x80");
        }
    }
}

flowcell_test_guests::export_component!();
