//! Says all that it has to say when the flow opens.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        description("declines_in_open", vec![schema("note", vec![field("port", Kind::Unsigned)])])
    }

    fn open(_flow: WireFlow) {
        host::decline("not from such a port");
    }

    fn poll(_input: WireInput) -> WireProgress {
        panic!("called after it has declined");
    }
}

flowcell_test_guests::export_component!();
