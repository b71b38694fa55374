//! Describes two records of one name.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let twin = || schema("twin", Vec::new());
        description("duplicate_record", vec![twin(), twin()])
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
