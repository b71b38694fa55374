//! Describes objects that hold two of the one before: 2^40 fields when all is written out.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let first = schema("level", vec![field("value", Kind::Unsigned)]);
        let mut objects = vec![first];
        for level in 0..40 {
            let fields = vec![field("a", Kind::Object(level)), field("b", Kind::Object(level))];
            objects.push(schema("level", fields));
        }
        Description { objects, ..description("doubling_objects", Vec::new()) }
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
