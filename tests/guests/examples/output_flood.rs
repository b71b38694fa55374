//! Emits few bytes that make many: an object of long names, over and over in one record.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

/// Objects in one record. Each is one byte of CBOR and 67 of JSON for each of its fields.
const OBJECTS: u16 = 1000;
const FIELDS: u8 = 100;

impl Guest for Component {
    fn describe() -> Description {
        let name = |number: u8| format!("{:a<60}{number:03}", "a");
        let fields = (0..FIELDS).map(|number| field(&name(number), Kind::Unsigned)).collect();
        let mut list = field("list", Kind::Object(0));
        list.repeated = true;
        let mut description = description("output_flood", vec![schema("note", vec![list])]);
        description.objects = vec![schema("item", fields)];
        description
    }

    fn open(_flow: WireFlow) {}

    fn poll(_input: WireInput) -> WireProgress {
        let mut body = vec![0x81, 0x99];
        body.extend_from_slice(&OBJECTS.to_be_bytes());
        for _ in 0..OBJECTS {
            body.extend_from_slice(&[0x98, FIELDS]);
            body.extend_from_slice(&[0; FIELDS as usize]);
        }
        loop {
            host::emit(0, &body);
        }
    }
}

flowcell_test_guests::export_component!();
