//! Ends in the way that the flow's first byte says, and panics if it is called after that: `r` is
//! ready, `d` declines, `f` fails, `s` is done with both sides.
#![cfg(target_arch = "wasm32")]

use std::cell::Cell;

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

thread_local! {
    static OVER: Cell<bool> = const { Cell::new(false) };
}

impl Guest for Component {
    fn describe() -> Description {
        description("traps_after_the_end", Vec::new())
    }

    fn open(_flow: WireFlow) {}

    fn poll(input: WireInput) -> WireProgress {
        assert!(!OVER.replace(true), "called after the end");
        let WireInput::Data(chunk) = input else { return WireProgress::Pending };
        match chunk.bytes.first() {
            Some(b'r') => return WireProgress::Ready,
            Some(b'd') => host::decline("not mine"),
            Some(b'f') => host::fail("no more"),
            Some(b's') => {
                host::done(Side::Client);
                host::done(Side::Server);
            }
            _ => OVER.set(false),
        }
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
