//! Hands its flow over before anything was delivered, and must not be polled then.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        description("switches_in_open", Vec::new())
    }

    fn open(_flow: WireFlow) {
        host::switch_to("nameless", &[], &[]);
    }

    fn poll(_input: WireInput) -> WireProgress {
        panic!("it was polled")
    }
}

flowcell_test_guests::export_component!();
