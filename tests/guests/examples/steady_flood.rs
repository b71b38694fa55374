//! Emits as much for every delivery as one call may, or a bit less.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        description("steady_flood", vec![schema("note", Vec::new())])
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        for _ in 0..40_000 {
            host::emit(0, b"\x80");
        }
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
