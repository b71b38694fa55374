//! Expects flows, and wants packets together: what it expects would come too late.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let segments = true;
        Description { segments, expects: true, ..description("expects_together", Vec::new()) }
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Ready
    }
}

flowcell_test_guests::export_component!();
