//! Describes an object that contains itself.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let objects = vec![schema("ouroboros", vec![field("tail", Kind::Object(0))])];
        let records = vec![schema("nothing", Vec::new())];
        Description { objects, ..description("forward_object", records) }
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
