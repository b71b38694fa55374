//! `flowcell streams`: what each side of each flow said, as length and digest.

use flowcell_core::{Demand, FlowEvent, FlowSink, FlowView, Side, Transport};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::lane::Recorder;
use super::slots::Slots;
use crate::documented::documented;
use crate::output::{FlowLabel, Place, Records, Subject};

/// A sink that digests the delivered bytes and writes one `stream` record a flow side.
#[derive(Debug)]
pub struct StreamDigests {
    records: Records,
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

documented! {
    /// The data of a `stream` record.
    #[derive(Serialize)]
    pub(super) struct StreamRecord {
        /// Whose bytes: `orig` or `resp`. There is a record of each side of each TCP and UDP flow.
        side: String,
        /// Payload bytes of the side, in order and each once, without those that are missing.
        bytes: u64,
        /// Bytes that are missing between or behind them.
        missed: u64,
        /// SHA-256 of the bytes, in hexadecimal.
        sha256: String,
    }
}

impl StreamDigests {
    /// Records go to `records`.
    #[must_use]
    pub fn new(records: Records) -> Self {
        Self { records, digits: 6, flows: Slots::default() }
    }

    /// The records that were made.
    #[must_use]
    pub const fn made(&self) -> &Records {
        &self.records
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
            self.records.own(Place::of(flow), "stream", &subject, &record);
        }
    }
}

impl FlowSink for StreamDigests {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        match event {
            // ICMP and the like have no streams.
            FlowEvent::Opened
                if matches!(flow.tuple.transport, Transport::Tcp | Transport::Udp) =>
            {
                self.flows.insert(flow.id, Default::default());
            }
            FlowEvent::Data { side, bytes, .. } | FlowEvent::Datagram { side, bytes, .. } => {
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
    fn records(&mut self) -> &mut Records {
        &mut self.records
    }

    fn set_digits(&mut self, digits: usize) {
        self.digits = digits;
    }
}
