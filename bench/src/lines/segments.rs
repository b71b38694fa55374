//! The flow that all contenders read.

use std::rc::Rc;

use anyhow::{Result, ensure};
use flowcell_core::{Arrival, Detached, Dispatcher, EngineConfig, FlowSink, Outlets};
use flowcell_traffic::Side;
use flowcell_traffic::special::Dialogues;

use crate::tape::Tape;

/// With its end.
pub(super) const LINE: &[u8] = b"MAIL FROM:<one@exa.org>\r\n";

/// Lines of the flow: as many as fit into no cache of a processor's core, packets included.
const LINES: usize = 100_000;

/// A flow of lines, cut into segments without regard to line ends.
pub(super) struct Segments {
    pub(super) lines: u64,
    pub(super) text: Rc<[u8]>,
    pub(super) size: usize,
    pub(super) tape: Tape,
    pub(super) packets: Packets,
}

/// Decoded packets, and the bytes that they have borrowed.
#[derive(Default)]
pub(super) struct Packets {
    bytes: Vec<u8>,
    /// Each packet, and where its bytes end.
    marks: Vec<(Detached, usize)>,
}

impl Segments {
    pub(super) fn new(size: usize) -> Result<Self> {
        let text = LINE.repeat(LINES);
        let script: Vec<(Side, &[u8])> =
            text.chunks(size).map(|segment| (Side::Client, segment)).collect();
        let dialogues = Dialogues { flows: 1, at_once: 1, port: 1, script: &script };
        let tape = Tape::record(|output| dialogues.frames(output))?;
        let packets = Packets::decode(&tape);
        ensure!(packets.marks.len() as u64 == tape.len(), "every frame has a packet");
        Ok(Self { lines: LINES as u64, size, tape, packets, text: text.into() })
    }
}

impl Packets {
    fn decode(tape: &Tape) -> Self {
        let mut packets = Self::default();
        let mut dispatcher = Dispatcher::new(&EngineConfig::default());
        for frame in tape.frames(0, 0) {
            dispatcher.handle_frame(&frame, &mut packets);
        }
        packets
    }

    /// The packets, with their bytes.
    pub(super) fn arrivals(&self) -> impl Iterator<Item = Arrival<'_>> {
        let starts = std::iter::once(0).chain(self.marks.iter().map(|(_, end)| *end));
        starts
            .zip(&self.marks)
            .map(|(start, (packet, end))| packet.attach(&self.bytes[start..*end]))
    }
}

impl Outlets for Packets {
    fn packet(&mut self, arrival: Arrival<'_>) {
        self.bytes.extend_from_slice(arrival.bytes());
        self.marks.push((arrival.detach(), self.bytes.len()));
    }

    fn carriers(&mut self) -> &mut dyn FlowSink {
        unreachable!("no flow of these carries another")
    }
}
