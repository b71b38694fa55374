//! The same parsers, built for this machine.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};
use flowcell::runtime::{self, Description};
use flowcell_sdk::drive::{HostCalls, Input, Progress, Task};
use flowcell_sdk::{
    EndReason, Expectation, FlowInfo, Level, ParserDef, Secrets, Side, Timestamp, Transport,
};

use super::conversation::{Conversation, Conversations, Packet, What};
use super::{Told, Wanted};

/// What a parser has told of one flow.
struct Host {
    description: Arc<Description>,
    told: Cell<Told>,
    wanted: RefCell<Wanted>,
    /// The parser has decided something about its flow.
    over: Cell<bool>,
    /// A record that is none was emitted.
    failed: Cell<bool>,
}

struct Calls(Rc<Host>);

impl HostCalls for Calls {
    fn emit(&self, kind: u32, body: &[u8]) {
        match self.0.description.json(kind as usize, body) {
            Some(json) => {
                let Told { records, bytes } = self.0.told.get();
                let json = std::hint::black_box(json);
                self.0.told.set(Told { records: records + 1, bytes: bytes + json.len() as u64 });
            }
            None => self.0.failed.set(true),
        }
    }

    fn confirm(&self) {}

    fn decline(&self, _reason: &str) {
        self.0.over.set(true);
    }

    fn fail(&self, _reason: &str) {
        self.0.over.set(true);
    }

    fn skip(&self, side: Side, bytes: u64) {
        self.0.wanted.borrow_mut().skip[index(side)] += bytes;
    }

    fn done(&self, side: Side) {
        self.0.wanted.borrow_mut().done[index(side)] = true;
    }

    fn switch_to(&self, _protocol: &str, _client: &[u8], _server: &[u8]) {
        self.0.over.set(true);
    }

    fn expect(&self, _expectation: &Expectation<'_>) {}

    fn log(&self, _level: Level, _message: &str) {}
}

const fn index(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

pub(super) fn run(
    conversations: &Conversations,
    parser: &'static ParserDef,
    description: &Arc<Description>,
) -> Result<Told> {
    let mut all = Told::default();
    for conversation in &conversations.flows {
        let told = one(conversation, parser, description).context("a record that is none")?;
        all = Told { records: all.records + told.records, bytes: all.bytes + told.bytes };
    }
    Ok(all)
}

fn one(
    conversation: &Conversation,
    parser: &'static ParserDef,
    description: &Arc<Description>,
) -> Option<Told> {
    let host = Rc::new(Host {
        description: Arc::clone(description),
        told: Cell::default(),
        wanted: RefCell::default(),
        over: Cell::new(false),
        failed: Cell::new(false),
    });
    let mut task = None;
    for Packet { side, at, what } in &conversation.packets {
        let at = Timestamp(*at);
        let side = match side {
            runtime::Side::Client => Side::Client,
            runtime::Side::Server => Side::Server,
        };
        let input = match what {
            What::End(reason) => Input::End { side, at, reason: end_reason(*reason) },
            What::Data { bytes, .. } => {
                let unwanted = host.wanted.borrow_mut().unwanted(index(side), bytes.len());
                if unwanted == bytes.len() {
                    continue;
                }
                Input::Data { side, at, bytes: &bytes[unwanted..] }
            }
        };
        if host.wanted.borrow().done[index(side)] {
            continue;
        }
        let task = match &mut task {
            Some(task) => task,
            None if matches!(what, What::End(_)) => continue,
            none => {
                let calls = Box::new(Calls(Rc::clone(&host)));
                none.insert(Task::new(parser, info(conversation), calls))
            }
        };
        if task.deliver(input) == Progress::Ready || host.over.get() {
            break;
        }
    }
    (!host.failed.get()).then(|| host.told.get())
}

fn info(conversation: &Conversation) -> FlowInfo {
    FlowInfo {
        client: conversation.client,
        server: conversation.server,
        transport: match conversation.transport {
            runtime::Transport::Tcp => Transport::Tcp,
            runtime::Transport::Udp => Transport::Udp,
        },
        at: Timestamp(conversation.at),
        midstream: false,
        confirmed: false,
        secrets: Secrets::Masked,
        originator: Side::Client,
        context: None,
    }
}

const fn end_reason(reason: runtime::EndReason) -> EndReason {
    match reason {
        runtime::EndReason::Fin => EndReason::Fin,
        runtime::EndReason::Reset => EndReason::Reset,
        runtime::EndReason::Idle => EndReason::Idle,
        runtime::EndReason::Evicted => EndReason::Evicted,
        runtime::EndReason::Shutdown => EndReason::Shutdown,
    }
}
