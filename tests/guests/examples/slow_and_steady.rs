//! Takes long over every delivery, but never too long for one, and says when it is through. It also
//! wants port 7, where the live tests have their traffic.
#![cfg(target_arch = "wasm32")]

use std::hint::black_box;

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

/// Some 8 ms. Without a clock, rounds are all that a guest can count.
const ROUNDS: u64 = 7_000_000;

impl Guest for Component {
    fn describe() -> Description {
        let description = description("slow_and_steady", vec![schema("note", Vec::new())]);
        Description { tcp_ports: vec![7, 9], ..description }
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        for round in 0..ROUNDS {
            black_box(round);
        }
        host::emit(0, b"\x80");
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
