//! The parser as a component: the exports of `wit/parser.wit` over a [`Task`].

pub mod bindings;
mod describe;
mod memory;

use std::cell::RefCell;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use self::bindings::flowcell::parser::{host, types};
use crate::info::{FlowInfo, Level, Side, Transport};
use crate::read_error::{EndReason, GapReason};
use crate::record::{ParserDef, Timestamp};
use crate::shared::HostCalls;
use crate::task::{Input, Progress, Task};

pub use self::bindings::flowcell::parser::description_types::Description;
pub use self::bindings::{Guest, export};
pub use self::describe::describe;
pub use self::types::{Flow as WireFlow, Input as WireInput, Progress as WireProgress};

/// What the component keeps between two calls. One instance is one flow.
struct Component {
    task: Task,
    /// Where `cabi_realloc` puts the next delivery: the side that was delivered last, because long
    /// runs of one side are what costs.
    expected: Side,
}

thread_local! {
    static COMPONENT: RefCell<Option<Component>> = const { RefCell::new(None) };
}

/// `open`: starts the parser's task.
pub fn open(def: &'static ParserDef, flow: WireFlow) {
    std::panic::set_hook(Box::new(|info| host::log(host::Level::Error, &info.to_string())));
    let info = FlowInfo {
        client: endpoint(&flow.client),
        server: endpoint(&flow.server),
        transport: match flow.transport {
            types::Transport::Tcp => Transport::Tcp,
            types::Transport::Udp => Transport::Udp,
        },
        at: Timestamp(flow.at),
        midstream: flow.midstream,
        originator: side(flow.originator),
    };
    let task = Task::new(def, info, Box::new(Imports));
    let component = Component { task, expected: Side::Client };
    COMPONENT.with_borrow_mut(|slot| *slot = Some(component));
}

/// `poll`: one delivery.
pub fn poll(input: WireInput) -> WireProgress {
    COMPONENT.with_borrow_mut(|slot| {
        let Some(component) = slot else {
            return WireProgress::Ready;
        };
        match deliver(component, input) {
            Progress::Pending => WireProgress::Pending,
            Progress::Ready => {
                // The host frees the instance as a whole: running destructors would be wasted work.
                mem::forget(slot.take());
                WireProgress::Ready
            }
        }
    })
}

fn deliver(component: &mut Component, input: WireInput) -> Progress {
    let task = &mut component.task;
    match input {
        WireInput::Data(chunk) => {
            let from = side(chunk.side);
            let expected = mem::replace(&mut component.expected, from);
            let shared = Rc::clone(task.shared());
            let delivery = memory::Delivery::of(chunk.bytes);
            let placed = delivery.claim(&mut shared.inbox(expected).buffer.bytes, from == expected);
            if !placed {
                shared.inbox(from).buffer.push_bytes(&delivery);
            }
            task.delivered(from, Timestamp(chunk.at))
        }
        WireInput::Gap(gap) => {
            let reason = match gap.reason {
                types::GapReason::Lost => GapReason::Lost,
                types::GapReason::Memory => GapReason::Memory,
                types::GapReason::Depth => GapReason::Depth,
                types::GapReason::Snaplen => GapReason::Snaplen,
            };
            task.deliver(Input::Gap { side: side(gap.side), length: gap.length, reason })
        }
        WireInput::End(end) => {
            let reason = match end.reason {
                types::EndReason::Fin => EndReason::Fin,
                types::EndReason::Reset => EndReason::Reset,
                types::EndReason::Idle => EndReason::Idle,
                types::EndReason::Evicted => EndReason::Evicted,
                types::EndReason::Shutdown => EndReason::Shutdown,
            };
            task.deliver(Input::End { side: side(end.side), at: Timestamp(end.at), reason })
        }
    }
}

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

/// The host as the imports offer it.
struct Imports;

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
