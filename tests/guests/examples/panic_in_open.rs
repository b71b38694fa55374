//! Emits a record and panics when a flow opens.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let text = field("text", Kind::Text);
        description("panic_in_open", vec![schema("note", vec![text])])
    }

    fn open(flow: WireFlow) {
        std::panic::set_hook(Box::new(|info| host::log(host::Level::Error, &info.to_string())));
        host::emit(0, b"\x81\x64last");
        panic!("afraid of port {}", flow.client.port);
    }

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
