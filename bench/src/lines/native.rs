//! The same parser, built for this machine.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Result, ensure};
use flowcell_bench_guest::PARSER;
use flowcell_core::{Demand, EngineConfig, FlowEvent, FlowSink, FlowView, Shard};
use flowcell_sdk::drive::{HostCalls, Input, Task};
use flowcell_sdk::{EndReason, Expectation, FlowInfo, Level, Secrets, Side, Timestamp, Transport};

use super::segments::Segments;

/// Takes the parser's one record.
struct Listener(Rc<Cell<Option<u64>>>);

impl HostCalls for Listener {
    fn emit(&self, _kind: u32, body: &[u8]) {
        self.0.set(only_number(body));
    }

    fn confirm(&self) {}

    fn decline(&self, _reason: &str) {}

    fn fail(&self, _reason: &str) {}

    fn skip(&self, _side: Side, _bytes: u64) {}

    fn done(&self, _side: Side) {}

    fn switch_to(&self, _protocol: &str, _client: &[u8], _server: &[u8]) {}

    fn expect(&self, _expectation: &Expectation<'_>) {}

    fn log(&self, _level: Level, _message: &str) {}
}

/// The number in a CBOR array that has nothing else in it (RFC 8949 §3).
fn only_number(body: &[u8]) -> Option<u64> {
    let [0x81, head, rest @ ..] = body else { return None };
    match (head, rest.len()) {
        (0..0x18, 0) => Some((*head).into()),
        (0x18..=0x1b, len) if len == 1 << (head - 0x18) => {
            Some(rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        }
        _ => None,
    }
}

/// The parser at work on the flow.
struct Running {
    task: Task,
    counted: Rc<Cell<Option<u64>>>,
}

impl Running {
    fn new() -> Self {
        let counted = Rc::new(Cell::new(None));
        let endpoint = |port| SocketAddr::from(([10, 0, 0, 1], port));
        let info = FlowInfo {
            client: endpoint(1000),
            server: endpoint(1),
            transport: Transport::Tcp,
            at: Timestamp(0),
            midstream: false,
            confirmed: false,
            secrets: Secrets::Masked,
            originator: Side::Client,
            context: None,
        };
        let task = Task::new(&PARSER, info, Box::new(Listener(Rc::clone(&counted))));
        Self { task, counted }
    }

    fn data(&mut self, bytes: &[u8]) {
        self.task.deliver(Input::Data { side: Side::Client, at: Timestamp(0), bytes });
    }

    fn end(&mut self) {
        let (side, at) = (Side::Client, Timestamp(0));
        self.task.deliver(Input::End { side, at, reason: EndReason::Fin });
    }

    fn check(&self, segments: &Segments) -> Result<()> {
        let lines = self.counted.get();
        ensure!(lines == Some(segments.lines), "{lines:?} lines instead of {}", segments.lines);
        Ok(())
    }
}

impl FlowSink for Running {
    fn event(&mut self, _flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        match event {
            FlowEvent::Data { side: flowcell_core::Side::Orig, bytes, .. } => self.data(bytes),
            FlowEvent::End { side: flowcell_core::Side::Orig, .. } => self.end(),
            _ => {}
        }
        Demand::More
    }
}

pub(super) fn packets(segments: &Segments) -> Result<()> {
    let mut shard = Shard::new(&EngineConfig::default());
    let mut running = Running::new();
    for arrival in segments.packets.arrivals() {
        shard.handle(&arrival, &mut running);
    }
    shard.finish_until(u64::MAX, &mut running);
    running.check(segments)
}

pub(super) fn bytes(segments: &Segments) -> Result<()> {
    let mut running = Running::new();
    for bytes in segments.text.chunks(segments.size) {
        running.data(bytes);
    }
    running.end();
    running.check(segments)
}

#[cfg(test)]
mod tests {
    use super::only_number;

    #[test]
    fn numbers_of_all_sizes_are_read() {
        for (body, number) in [
            (&b"\x81\x17"[..], Some(23)),
            (b"\x81\x18\x18", Some(24)),
            (b"\x81\x19\x01\x00", Some(256)),
            (b"\x81\x1a\x00\x01\x86\xa0", Some(100_000)),
            (b"\x81\x1b\x00\x00\x00\x01\x00\x00\x00\x00", Some(1 << 32)),
            (b"\x81\x19\x01", None),
            (b"\x81\x20", None),
            (b"\x82\x01", None),
        ] {
            assert_eq!(only_number(body), number, "{body:x?}");
        }
    }
}
