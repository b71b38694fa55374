//! The parser as a component: the exports of `wit/parser.wit` over a [`Task`].

pub mod bindings;
mod digest;
mod image;
mod memory;

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::slice;

use self::bindings::flowcell::parser::{host, types};
use self::memory::Static;
use crate::inbox::Mark;
use crate::info::{Expectation, FlowInfo, Level, Secrets, Side, Transport};
use crate::read_error::{EndReason, GapReason, push_number, push_text};
use crate::record::{ParserDef, Timestamp};
use crate::shared::{Handle, HostCalls};
use crate::task::{Progress, Task};

pub use self::bindings::Guest;
pub use self::bindings::flowcell::parser::description_types::Description;
pub(crate) use self::digest::Digest;
pub use self::image::{Image, image};
pub use self::types::{Flow as WireFlow, Input as WireInput, Progress as WireProgress};

pub use crate::{
    __export as export, __export_open as export_open, __export_parser as export_parser,
};

/// Exports a [`ParserDef`], with its constants laid out for the host instead of copied.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_parser {
    ($parser:ident) => {
        #[allow(unsafe_code, reason = "exported symbols of the component")]
        const _: () = {
            use $crate::wasm;

            struct Component;

            impl wasm::Guest for Component {
                fn describe() -> wasm::Description {
                    ::core::unreachable!()
                }

                fn open(flow: wasm::WireFlow) {
                    wasm::open(&$parser, flow);
                }

                fn poll(_input: wasm::WireInput) -> wasm::WireProgress {
                    ::core::unreachable!()
                }
            }

            #[unsafe(export_name = "describe")]
            extern "C" fn describe() -> *const wasm::Image {
                wasm::image(&$parser)
            }

            wasm::export_open!(Component);

            #[unsafe(export_name = "poll")]
            #[rustfmt::skip]
            unsafe extern "C" fn poll(
                a: i32, b: i32, c: i64, d: i64, e: i32, f: *mut u8, g: usize, h: *mut u8, i: usize,
            ) -> i32 {
                // SAFETY: the host calls this, with arguments that it made of an `input`.
                unsafe { wasm::poll(a, b, c, d, e, f, g, h, i) }
            }
        };
    };
}

/// Exports `open` of a [`Guest`]. The macro that `wit_bindgen` makes would describe the contract a
/// second time in every parser. The arguments are those of the canonical ABI.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_open {
    ($component:ident) => {
        #[unsafe(export_name = "open")]
        #[rustfmt::skip]
        unsafe extern "C" fn export_open(
            a: i32, b: i64, c: i64, d: i32, e: i32, f: i64, g: i64, h: i32, i: i32, j: i64, k: i32, l: i32, m: i32,
            n: *mut u8, o: usize,
        ) {
            use $crate::wasm::bindings::_export_open_cabi as open;
            // SAFETY: the host calls this, with arguments that it made of a `flow`.
            unsafe { open::<$component>(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o) }
        }
    };
}

/// Exports all of a [`Guest`] that is written by hand.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($component:ident with_types_in $($bindings:tt)*) => {
        const _: () = {
            $crate::wasm::export_open!($component);

            #[unsafe(export_name = "poll")]
            #[rustfmt::skip]
            unsafe extern "C" fn export_poll(
                a: i32, b: i32, c: i64, d: i64, e: i32, f: *mut u8, g: usize, h: *mut u8, i: usize,
            ) -> i32 {
                // SAFETY: the host calls this, with arguments that it made of an `input`.
                unsafe { $($bindings)*::_export_poll_cabi::<$component>(a, b, c, d, e, f, g, h, i) }
            }

            #[unsafe(export_name = "describe")]
            unsafe extern "C" fn export_describe() -> *mut u8 {
                // SAFETY: the host calls this.
                unsafe { $($bindings)*::_export_describe_cabi::<$component>() }
            }

            #[unsafe(export_name = "cabi_post_describe")]
            unsafe extern "C" fn post_describe(description: *mut u8) {
                // SAFETY: the host calls this with what `describe` returned.
                unsafe { $($bindings)*::__post_return_describe::<$component>(description) }
            }
        };
    };
}

/// What the component keeps between two calls. One instance is one flow. The host frees it as a whole:
/// destructors would be wasted work, and code.
static TASK: Static<RefCell<Option<ManuallyDrop<Task>>>> = Static::new(RefCell::new(None));

/// What is also needed while the task runs.
static SHARED: Static<Cell<Option<Handle>>> = Static::new(Cell::new(None));

/// Where `cabi_realloc` puts the next delivery: the side that was delivered last, because long runs of one
/// side are what costs.
static EXPECTED: Static<Cell<Side>> = Static::new(Cell::new(Side::Client));

/// `open`: starts the parser's task.
pub fn open(def: &'static ParserDef, flow: WireFlow) {
    let is = |state: types::FlowState| flow.state.bits() & state.bits() != 0;
    let info = FlowInfo {
        client: endpoint(&flow.client),
        server: endpoint(&flow.server),
        transport: match flow.transport {
            types::Transport::Tcp => Transport::Tcp,
            types::Transport::Udp => Transport::Udp,
        },
        at: Timestamp(flow.at),
        midstream: is(types::FlowState::MIDSTREAM),
        confirmed: is(types::FlowState::CONFIRMED),
        secrets: if is(types::FlowState::SECRETS) { Secrets::Shown } else { Secrets::Masked },
        originator: side(flow.originator),
        context: flow.context,
    };
    let task = Task::new(def, info, Imports);
    SHARED.set(Some(task.shared()));
    log_panics();
    TASK.replace(Some(ManuallyDrop::new(task)));
}

/// Has panics logged as their `Display` shows them, with less code.
fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let mut text = Vec::new();
        push_text(&mut text, "panicked at ");
        if let Some(place) = info.location() {
            push_text(&mut text, place.file());
            for number in [place.line(), place.column()] {
                push_text(&mut text, ":");
                push_number(&mut text, number as usize);
            }
        }
        if let Some(message) = info.payload_as_str() {
            push_text(&mut text, ":\n");
            push_text(&mut text, message);
        }
        if let Some(shared) = SHARED.get() {
            shared.log(Level::Error, str::from_utf8(&text).unwrap_or_default());
        }
    }));
}

/// `poll`: one delivery, as the canonical ABI flattens it. What `wit_bindgen` makes of it would copy the
/// segments.
///
/// # Safety
/// The arguments are what the host made of an `input`.
#[expect(clippy::too_many_arguments, reason = "the canonical ABI's")]
#[expect(unsafe_code, reason = "the canonical ABI passes lists as address and length")]
pub unsafe fn poll(
    case: i32,
    from: i32,
    third: i64,
    fourth: i64,
    fifth: i32,
    segments: *const u8,
    segment_count: usize,
    bytes: *mut u8,
    byte_count: usize,
) -> i32 {
    let mut slot = TASK.borrow_mut();
    let Some(task) = &mut *slot else {
        return WireProgress::Ready as i32;
    };
    let from = if from == types::Side::Client as i32 { Side::Client } else { Side::Server };
    let progress = match (case, fifth) {
        (DATA, 0) => {
            // SAFETY: the host has placed so many bytes there, where `cabi_realloc` said.
            let delivery = unsafe { memory::Delivery::of(bytes, byte_count) };
            let expected = EXPECTED.replace(from);
            let at = Timestamp(fourth.cast_unsigned());
            task.refuse(from, at, delivery.len()).unwrap_or_else(|| {
                let inbox = |side| task.shared().inbox(side);
                if !delivery.claim(&mut inbox(expected).buffer.bytes, from == expected) {
                    inbox(from).buffer.push_bytes(&delivery);
                }
                task.delivered(from)
            })
        }
        (DATA, _) => {
            EXPECTED.set(from);
            // SAFETY: the host has placed so many records and bytes there, aligned for them; nothing
            // else uses these buffers before the next delivery.
            let (segments, bytes) = unsafe {
                (
                    slice::from_raw_parts(segments.cast(), segment_count),
                    slice::from_raw_parts_mut(bytes, byte_count),
                )
            };
            let progress = task.segments(from, segments, bytes);
            bytes.fill(0); // so that a guest that waits is quickly stored
            progress
        }
        (GAP, reason) => {
            let reason = match reason {
                0 => GapReason::Lost,
                1 => GapReason::Memory,
                2 => GapReason::Depth,
                _ => GapReason::Snaplen,
            };
            task.mark(from, Mark::Gap { length: fourth.cast_unsigned(), reason })
        }
        _ => {
            let reason = match fourth {
                0 => EndReason::Fin,
                1 => EndReason::Reset,
                2 => EndReason::Idle,
                3 => EndReason::Evicted,
                _ => EndReason::Shutdown,
            };
            task.end(from, Timestamp(third.cast_unsigned()), reason)
        }
    };
    match progress {
        Progress::Pending => WireProgress::Pending as i32,
        Progress::Resting => WireProgress::Resting as i32,
        Progress::Ready => {
            *slot = None;
            WireProgress::Ready as i32
        }
    }
}

/// The cases of `input`, by their places in the contract. What is left is `end`.
const DATA: i32 = 0;
const GAP: i32 = 1;

fn side(side: types::Side) -> Side {
    match side {
        types::Side::Client => Side::Client,
        types::Side::Server => Side::Server,
    }
}

fn endpoint(endpoint: &types::Endpoint) -> SocketAddr {
    let address = match endpoint.address {
        types::Address::Ipv4(bits) => IpAddr::V4(Ipv4Addr::from_bits(bits)),
        types::Address::Ipv6((upper, lower)) => {
            IpAddr::V6(Ipv6Addr::from_bits(u128::from(upper) << 64 | u128::from(lower)))
        }
    };
    SocketAddr::new(address, endpoint.port)
}

fn wire_endpoint(endpoint: SocketAddr) -> types::Endpoint {
    let address = match endpoint.ip() {
        IpAddr::V4(v4) => types::Address::Ipv4(v4.to_bits()),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
            let lower = bits as u64;
            types::Address::Ipv6(((bits >> 64) as u64, lower))
        }
    };
    types::Endpoint { address, port: endpoint.port() }
}

/// The host as the imports offer it.
#[derive(Debug)]
pub struct Imports;

impl HostCalls for Imports {
    fn emit(&self, kind: u32, body: &[u8]) {
        host::emit(kind, body);
    }

    fn confirm(&self) {
        host::confirm();
    }

    fn decline(&self, reason: &str) {
        host::decline(reason);
    }

    fn fail(&self, reason: &str) {
        host::fail(reason);
    }

    fn skip(&self, side: Side, bytes: u64) {
        host::skip(wire_side(side), bytes);
    }

    fn done(&self, side: Side) {
        host::done(wire_side(side));
    }

    fn switch_to(&self, protocol: &str, client: &[u8], server: &[u8]) {
        host::switch_to(protocol, client, server);
    }

    fn expect(&self, expectation: &Expectation<'_>) {
        host::expect(&types::Expectation {
            parser: expectation.parser.into(),
            transport: match expectation.transport {
                Transport::Tcp => types::Transport::Tcp,
                Transport::Udp => types::Transport::Udp,
            },
            server: wire_endpoint(expectation.server),
            context: expectation.context.into(),
        });
    }

    fn segment(&self, index: u32) {
        host::segment(index);
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Error => host::Level::Error,
            Level::Warn => host::Level::Warn,
            Level::Info => host::Level::Info,
            Level::Debug => host::Level::Debug,
        };
        host::log(level, message);
    }
}

fn wire_side(side: Side) -> types::Side {
    match side {
        Side::Client => types::Side::Client,
        Side::Server => types::Side::Server,
    }
}
