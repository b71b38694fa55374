//! Never finishes opening a flow.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        description("loop_in_open", Vec::new())
    }

    fn open(_flow: WireFlow) {
        loop {
            std::hint::spin_loop();
        }
    }

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
