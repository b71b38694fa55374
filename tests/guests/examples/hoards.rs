//! Keeps every delivery.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;

use flowcell_test_guests::by_hand::*;

struct Component;

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Guest for Component {
    fn describe() -> Description {
        description("hoards", Vec::new())
    }

    fn open(_flow: WireFlow) {}

    fn poll(input: WireInput) -> WireProgress {
        if let WireInput::Data(chunk) = input {
            KEPT.with_borrow_mut(|kept| kept.push(chunk.bytes.to_vec()));
        }
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
