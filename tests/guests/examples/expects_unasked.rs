//! Says that a flow is to come, and has not said that it ever would.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        description("expects_unasked", Vec::new())
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        host::expect(&expectation("nameless", 2000, 0));
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
