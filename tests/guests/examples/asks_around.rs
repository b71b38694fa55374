//! Has a pattern that asks for what is around it.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let patterns = vec![pattern(Side::Client, "^GET$")];
        Description { patterns, ..description("asks_around", Vec::new()) }
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Ready
    }
}

flowcell_test_guests::export_component!();
