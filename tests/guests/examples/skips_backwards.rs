//! Skips by negative numbers, over and over, and what it is done with as well.
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        description("skips_backwards", vec![schema("poll", Vec::new())])
    }

    fn open(_flow: WireFlow) {
        host::done(Side::Server);
        host::skip(Side::Server, (-10_i64).cast_unsigned());
    }

    fn poll(_input: WireInput) -> WireProgress {
        host::emit(0, b"\x80");
        for back in 1..1000_i64 {
            host::skip(Side::Client, (-back).cast_unsigned());
            host::skip(Side::Server, i64::MIN.cast_unsigned());
        }
        host::done(Side::Server);
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
