//! `flowcell streams`: what each side of each flow said, as length and digest.

use flowcell_core::{Demand, FlowEvent, FlowSink, FlowView, Side};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::pipeline::Recorder;
use super::slots::Slots;
use crate::output::{FlowLabel, Subject, Writer};

/// A sink that digests the delivered bytes and writes one `stream` record a flow side.
#[derive(Debug)]
pub struct StreamDigests {
    writer: Writer,
    digits: usize,
    flows: Slots<[Tally; 2]>,
}

/// What was delivered of one side.
#[derive(Debug, Default)]
struct Tally {
    bytes: u64,
    missed: u64,
    digest: Sha256,
}

/// The data of a `stream` record.
#[derive(Serialize)]
struct StreamRecord {
    side: String,
    bytes: u64,
    missed: u64,
    sha256: String,
}

impl StreamDigests {
    /// Records go to `writer`.
    #[must_use]
    pub fn new(writer: Writer) -> Self {
        Self { writer, digits: 6, flows: Slots::default() }
    }

    fn delivered(&mut self, flow: &FlowView<'_>, side: Side, bytes: &[u8]) {
        if let Some(tallies) = self.flows.get_mut(flow.id) {
            let tally = &mut tallies[side.index()];
            tally.bytes += bytes.len() as u64;
            tally.digest.update(bytes);
        }
    }

    fn closed(&mut self, flow: &FlowView<'_>) {
        let Some(tallies) = self.flows.remove(flow.id) else {
            return;
        };
        let label = FlowLabel::new(flow);
        for (side, tally) in Side::BOTH.into_iter().zip(tallies) {
            let record = StreamRecord {
                side: side.to_string(),
                bytes: tally.bytes,
                missed: tally.missed,
                sha256: format!("{:x}", tally.digest.finalize()),
            };
            let subject = Subject::of(&label, flow.first_ts.0, self.digits, flow.first_packet);
            self.writer.own("stream", &subject, &record);
        }
    }
}

impl FlowSink for StreamDigests {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        match event {
            FlowEvent::Opened => self.flows.insert(flow.id, Default::default()),
            FlowEvent::Data { side, bytes, .. } | FlowEvent::Datagram { side, bytes } => {
                self.delivered(flow, side, bytes);
            }
            FlowEvent::Gap { side, len, .. } => {
                if let Some(tallies) = self.flows.get_mut(flow.id) {
                    tallies[side.index()].missed += len;
                }
            }
            FlowEvent::Closed { .. } => self.closed(flow),
            _ => {}
        }
        Demand::More
    }
}

impl Recorder for StreamDigests {
    fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    fn set_digits(&mut self, digits: usize) {
        self.digits = digits;
    }
}
