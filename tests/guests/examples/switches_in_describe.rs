//! Hands over what it does not have.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        host::switch_to("echo", &[], &[]);
        description("switches_in_describe", Vec::new())
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Ready
    }
}

flowcell_test_guests::export_component!();
