//! What parsers are given: the flows of a mix, put into order by the flow engine.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Result, ensure};
use flowcell::runtime::{EndReason, Segment, Side, Transport};
use flowcell_core::{
    self as core, Arrival, Demand, Dispatcher, EngineConfig, FlowEvent, FlowSink, FlowView,
    Outlets, Shard,
};
use flowcell_traffic::{Mix, Weights};

use crate::tape::Tape;

/// Flows, each with what is delivered of it.
#[derive(Debug, Default)]
pub(super) struct Conversations {
    pub(super) flows: Vec<Conversation>,
    /// Packets with data, of all flows.
    pub(super) packets: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// Where each flow is, by its first packet.
    found: HashMap<u64, usize>,
}

#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    pub(super) transport: Transport,
    pub(super) at: u64,
    pub(super) packets: Vec<Packet>,
    /// The same, with packets that follow each other together.
    pub(super) together: Vec<Packet>,
}

/// What happens to a side.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    pub(super) side: Side,
    pub(super) at: u64,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Data {
        offset: u64,
        bytes: Vec<u8>,
        /// What each packet has brought.
        segments: Vec<Segment>,
    },
    End(EndReason),
}

/// As in the driver.
const TOGETHER: (usize, usize) = (16 << 10, 256);

impl Conversations {
    /// The flows of a mix of these kinds. They stay for ever: protolens has to own packets.
    pub(super) fn of(weights: Weights, flows: u64) -> Result<&'static Self> {
        let mix = Mix { flows, concurrent: 32, weights, ..Mix::default() };
        let tape = Tape::record(|output| mix.frames(output))?;
        let mut engine =
            Engine { shard: Shard::new(&EngineConfig::default()), conversations: Self::default() };
        let mut dispatcher = Dispatcher::new(&EngineConfig::default());
        for frame in tape.frames(0, 0) {
            dispatcher.handle_frame(&frame, &mut engine);
        }
        let Engine { mut shard, mut conversations } = engine;
        shard.finish_until(u64::MAX, &mut conversations);
        ensure!(conversations.flows.len() as u64 == flows, "all flows are seen");
        for flow in &mut conversations.flows {
            flow.put_together();
        }
        Ok(Box::leak(Box::new(conversations)))
    }
}

impl Conversation {
    fn put_together(&mut self) {
        for packet in &self.packets {
            if let (Some(last), What::Data { bytes: new, segments: of_new, .. }) =
                (self.together.last_mut(), &packet.what)
                && let What::Data { bytes, segments, .. } = &mut last.what
                && self.transport == Transport::Tcp
                && last.side == packet.side
                && bytes.len() + new.len() <= TOGETHER.0
                && segments.len() < TOGETHER.1
            {
                bytes.extend_from_slice(new);
                segments.extend_from_slice(of_new);
                last.at = packet.at;
            } else {
                self.together.push(packet.clone());
            }
        }
    }
}

struct Engine {
    shard: Shard,
    conversations: Conversations,
}

impl Outlets for Engine {
    fn packet(&mut self, arrival: Arrival<'_>) {
        self.shard.handle(&arrival, &mut self.conversations);
    }

    fn carriers(&mut self) -> &mut dyn FlowSink {
        unreachable!("no flow of these carries another")
    }
}

impl FlowSink for Conversations {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        if let FlowEvent::Opened = event {
            let endpoint = |end: &core::Endpoint| SocketAddr::new(end.addr, end.port);
            self.found.insert(flow.first_packet, self.flows.len());
            self.flows.push(Conversation {
                client: endpoint(&flow.tuple.orig),
                server: endpoint(&flow.tuple.resp),
                transport: match flow.tuple.transport {
                    core::Transport::Tcp => Transport::Tcp,
                    _ => Transport::Udp,
                },
                at: flow.ts.0,
                packets: Vec::new(),
                together: Vec::new(),
            });
        }
        let found = self.found.get(&flow.first_packet);
        let Some(known) = found.and_then(|index| self.flows.get_mut(*index)) else {
            return Demand::More;
        };
        let data = |offset, bytes: &[u8]| {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let segments = vec![Segment { length, at: flow.ts.0 }];
            What::Data { offset, bytes: bytes.to_vec(), segments }
        };
        let (side, what) = match event {
            FlowEvent::Data { side, offset, bytes }
            | FlowEvent::Datagram { side, offset, bytes } => (side, data(offset, bytes)),
            FlowEvent::End { side, reason } => {
                let reason = match reason {
                    core::EndReason::Fin => EndReason::Fin,
                    core::EndReason::Reset => EndReason::Reset,
                    core::EndReason::Idle => EndReason::Idle,
                    core::EndReason::Evicted => EndReason::Evicted,
                    _ => EndReason::Shutdown,
                };
                (side, What::End(reason))
            }
            _ => return Demand::More,
        };
        if let What::Data { bytes, .. } = &what {
            self.packets += 1;
            self.bytes += bytes.len() as u64;
        }
        let side = match side {
            core::Side::Orig => Side::Client,
            core::Side::Resp => Side::Server,
        };
        known.packets.push(Packet { side, at: flow.ts.0, what });
        Demand::More
    }
}
