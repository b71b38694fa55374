//! Emits the record that its flow's first delivery is, as CBOR: so tests choose the lie.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let deepest = schema("leaf", vec![field("number", Kind::Unsigned)]);
        let mut branch = field("leaves", Kind::Object(0));
        branch.repeated = true;
        let mut optional = field("when", Kind::Time);
        optional.optional = true;
        let fields = vec![
            field("text", Kind::Text),
            field("bytes", Kind::Bytes),
            branch,
            field("from", Kind::Address),
            field("real", Kind::Real),
            optional,
        ];
        let records = vec![schema("note", fields)];
        Description { objects: vec![deepest], ..description("lying_records", records) }
    }

    fn open(_flow: WireFlow) {}

    fn poll(input: WireInput) -> WireProgress {
        if let WireInput::Data(chunk) = input {
            host::emit(0, &chunk.bytes);
        }
        WireProgress::Ready
    }
}

flowcell_test_guests::export_component!();
