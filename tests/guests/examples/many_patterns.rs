//! Has one pattern more than it may.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let patterns =
            (0..33).map(|number| pattern(Side::Client, &format!("^{number} "))).collect();
        Description { patterns, ..description("many_patterns", Vec::new()) }
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Ready
    }
}

flowcell_test_guests::export_component!();
