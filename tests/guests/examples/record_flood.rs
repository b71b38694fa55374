//! Emits without end.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        description("record_flood", vec![schema("note", Vec::new())])
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        // The smallest record there is, so that it is the number that counts and not the time.
        loop {
            host::emit(0, b"\x80");
        }
    }
}

flowcell_test_guests::export_component!();
