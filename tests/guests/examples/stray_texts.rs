//! Emits a record with thousands of texts that are not UTF-8.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

const TEXTS: u16 = 60_000;

impl Guest for Component {
    fn describe() -> Description {
        let mut text = field("texts", Kind::Text);
        text.repeated = true;
        description("stray_texts", vec![schema("note", vec![text])])
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        let mut body = vec![0x81, 0x99];
        body.extend_from_slice(&TEXTS.to_be_bytes());
        for _ in 0..TEXTS {
            body.extend_from_slice(b"\x41\xff");
        }
        host::emit(0, &body);
        WireProgress::Ready
    }
}

flowcell_test_guests::export_component!();
