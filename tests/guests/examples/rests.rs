//! Tells of everything that it is given, the how-manieth that is, and whether an instance before it had the
//! flow; and says that it keeps nothing, unless the datagram begins with `p`. Panics at `x` if there was one.
#![cfg(target_arch = "wasm32")]

use std::cell::Cell;

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

thread_local! {
    static GIVEN: Cell<u8> = const { Cell::new(0) };
    static STATE: Cell<u8> = const { Cell::new(0) };
}

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let fields = vec![
            field("what", Kind::Text),
            field("given", Kind::Unsigned),
            field("state", Kind::Unsigned),
        ];
        let records = vec![schema("told", fields)];
        Description { udp_ports: vec![9], ..description("rests", records) }
    }

    fn open(flow: WireFlow) {
        STATE.set(flow.state.bits());
    }

    fn poll(input: WireInput) -> WireProgress {
        host::log(host::Level::Info, "polled");
        GIVEN.set(GIVEN.get() + 1);
        let (what, first) = match input {
            WireInput::Data(chunk) => ("data", chunk.bytes.first().copied()),
            WireInput::Gap(_) => ("gap", None),
            WireInput::End(_) => ("end", None),
        };
        assert!(first != Some(b'x') || STATE.get() == 0, "there was one before");
        let mut body = vec![0x83, 0x60 | what.len() as u8];
        body.extend_from_slice(what.as_bytes());
        body.extend_from_slice(&[0x18, GIVEN.get(), 0x18, STATE.get()]);
        host::emit(0, &body);
        if first == Some(b'p') { WireProgress::Pending } else { WireProgress::Resting }
    }
}

flowcell_test_guests::export_component!();
