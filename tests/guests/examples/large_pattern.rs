//! Has a pattern whose automaton has millions of states.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let patterns = vec![pattern(Side::Server, "^[ab]*a[ab]{20}")];
        Description { patterns, ..description("large_pattern", Vec::new()) }
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Ready
    }
}

flowcell_test_guests::export_component!();
