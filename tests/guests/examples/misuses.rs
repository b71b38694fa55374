//! Asks the host for what it may not. The first byte that the client sends says what:
//!
//! | byte | call |
//! |---|---|
//! | `m` | `switch-to` with more bytes than were delivered |
//! | `l` | `switch-to` with more than 262,144 bytes, once so many were delivered |
//! | `t` | `switch-to` twice: the first one counts |
//! | `n` | `sha256-add` to a digest that there is not, `e` `sha256-end` of one |
//! | `b` | `sha256-add` with 65,537 bytes |
//! | `c` | `expect` with a context of 1,025 bytes |
//! | `p` | `expect` of a parser with a name of 33 bytes |
//! | `f` | `expect` a million times |
#![cfg(target_arch = "wasm32")]

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

struct Component;

static ORDER: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);
static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// Most bytes that can be handed over.
const MOST: usize = 256 << 10;

impl Guest for Component {
    fn describe() -> Description {
        Description { expects: true, ..description("misuses", Vec::new()) }
    }

    fn open(_flow: WireFlow) {}

    fn poll(input: WireInput) -> WireProgress {
        use std::sync::atomic::Ordering::Relaxed;
        let WireInput::Data(chunk) = input else { return WireProgress::Pending };
        if chunk.side == Side::Server {
            return WireProgress::Pending;
        }
        if chunk.offset == 0 {
            ORDER.store(chunk.bytes[0], Relaxed);
        }
        let count = COUNT.fetch_add(chunk.bytes.len(), Relaxed) + chunk.bytes.len();
        match ORDER.load(Relaxed) {
            b'm' => host::switch_to("nameless", &vec![0; count + 1], &[]),
            b'l' if count > MOST => host::switch_to("nameless", &vec![0; MOST + 1], &[]),
            b't' => {
                host::switch_to("nameless", &chunk.bytes, &[]);
                host::switch_to("third", &[], &[]);
            }
            b'n' => host::sha256_add(16, b"x"),
            b'e' => drop(host::sha256_end(16)),
            b'b' => host::sha256_add(0, &vec![0; 65_537]),
            b'c' => host::expect(&expectation("nameless", 2000, 1025)),
            b'p' => host::expect(&expectation(&"p".repeat(33), 2000, 0)),
            b'f' => {
                for number in 0..1_000_000_u32 {
                    host::expect(&expectation("nameless", number as u16, 1024));
                }
            }
            _ => {}
        }
        WireProgress::Pending
    }
}

flowcell_test_guests::export_component!();
