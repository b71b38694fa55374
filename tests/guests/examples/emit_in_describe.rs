//! Emits before there is a flow.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        host::emit(0, b"\x80");
        description("emit_in_describe", vec![schema("nothing", Vec::new())])
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
