//! Speaks of packets that it was not given. The first byte of a delivery says how: `o` of one that is out
//! of range, `b` of one before the last that it spoke of, `t` twice of the same, which is no lie.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let records = vec![schema("note", vec![field("segments", Kind::Unsigned)])];
        Description { segments: true, ..description("lies_about_segments", records) }
    }

    fn open(_flow: WireFlow) {
        host::segment(0);
    }

    fn poll(input: WireInput) -> WireProgress {
        if let WireInput::Data(chunk) = input {
            let segments = chunk.segments.as_ref().map_or(1, Vec::len) as u32;
            let last = segments - 1;
            for index in match chunk.bytes.first() {
                Some(b'o') => [last, segments],
                Some(b'b') => [last, last.saturating_sub(1)],
                _ => [last, last],
            } {
                host::segment(index);
                host::emit(0, &[0x81, 0x18, segments as u8]);
            }
        }
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
