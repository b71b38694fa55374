//! What the tests share: frames made to order, a sink that writes everything down, and
//! random numbers that are the same in every run.

use etherparse::{PacketBuilder, TcpHeader};

use crate::decode::VlanTags;
use crate::flow::{AnomalyLog, Flow, History, Ident, Proto, Silence, Tally};
pub(crate) use crate::fuzzing::Rng;
use crate::udp::Udp;
use crate::{
    Demand, Endpoint, EngineConfig, FiveTuple, FlowEngine, FlowEvent, FlowId, FlowSink, FlowView,
    Limits, LinkType, RawFrame, Side, Timestamp, Transport,
};

/// The responder's port, larger than any other that the tests use.
const SERVER: u16 = 40_025;

/// Returns a UDP flow for tests of the flow table.
pub(crate) fn udp_flow(port: u16, generation: u32) -> Flow {
    let tuple = FiveTuple {
        orig: Endpoint { addr: [10, 0, 0, 1].into(), port },
        resp: Endpoint { addr: [10, 0, 0, 2].into(), port: 53 },
        transport: Transport::Udp,
    };
    Flow {
        ident: Ident {
            id: FlowId { index: 0, generation },
            tuple,
            first_ts: Timestamp(0),
            first_packet: 1,
            vlan: VlanTags::default(),
            midstream: false,
            flipped: false,
            scope: 0,
            tunnel: None,
        },
        silence: Silence::new(),
        last_ts: Timestamp(0),
        tally: [Tally::default(), Tally::default()],
        anomalies: AnomalyLog::default(),
        history: History::default(),
        proto: Proto::Udp(Udp::default()),
    }
}

/// Writes events down, one line each.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) lines: Vec<String>,
    /// The bytes delivered of each side, gaps left out.
    pub(crate) streams: [Vec<u8>; 2],
    /// The id of the flow of the last event.
    pub(crate) id: Option<FlowId>,
    /// The detail of the last anomaly.
    pub(crate) detail: Option<crate::AnomalyDetail>,
    /// The last summary.
    pub(crate) summary: Option<crate::FlowSummary>,
    /// The side of which no more is wanted.
    pub(crate) enough: Option<Side>,
    /// The time and packet of the last event.
    pub(crate) at: (u64, u64),
    /// Whether lines start with the client's port.
    pub(crate) ports: bool,
}

impl FlowSink for Log {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        self.id = Some(flow.id);
        self.at = (flow.ts.0, flow.packet);
        let mut demand = Demand::More;
        let mut line = match event {
            FlowEvent::Opened => {
                if flow.midstream {
                    "opened midstream".into()
                } else {
                    "opened".into()
                }
            }
            FlowEvent::Data { side, offset, bytes } => {
                assert!(!bytes.is_empty());
                self.streams[side.index()].extend_from_slice(bytes);
                if self.enough == Some(side) {
                    demand = Demand::Done;
                }
                format!("{side} {offset} {}", bytes.escape_ascii())
            }
            FlowEvent::Datagram { side, bytes, .. } => {
                if self.enough == Some(side) {
                    demand = Demand::Done;
                }
                format!("{side} datagram {}", bytes.escape_ascii())
            }
            FlowEvent::Gap { side, offset, len, reason } => {
                assert_ne!(len, 0);
                format!("{side} {offset} gap {len} {reason}")
            }
            FlowEvent::End { side, reason } => format!("{side} end {reason}"),
            FlowEvent::Anomaly(anomaly) => {
                self.detail = anomaly.detail;
                format!("{} anomaly {}", anomaly.side, anomaly.kind)
            }
            FlowEvent::Closed { summary } => {
                self.summary = Some(summary.clone());
                format!("closed {}", summary.end_reason)
            }
        };
        if self.ports {
            // Whoever is not the server, whichever way round the flow was opened.
            line = format!("{} {line}", flow.tuple.orig.port.min(flow.tuple.resp.port));
        }
        self.lines.push(line);
        demand
    }
}

/// A TCP segment to be sent. Positions are stream offsets.
#[derive(Clone, Default)]
pub(crate) struct Seg {
    offset: i64,
    ack: Option<i64>,
    flags: &'static str,
    data: Vec<u8>,
    window: Option<u16>,
    scale: Option<u8>,
    cut: usize,
    bad_sum: bool,
    no_sum: bool,
}

/// Returns a segment at `offset` with `data`.
pub(crate) fn seg(offset: i64, data: impl AsRef<[u8]>) -> Seg {
    Seg { offset, data: data.as_ref().to_vec(), ack: Some(0), ..Seg::default() }
}

/// Returns a SYN without ACK.
pub(crate) fn syn() -> Seg {
    Seg { offset: -1, flags: "S", ..Seg::default() }
}

impl Seg {
    /// Acknowledges the peer's bytes before `offset`.
    pub(crate) fn ack(self, offset: i64) -> Self {
        Self { ack: Some(offset), ..self }
    }

    pub(crate) fn no_ack(self) -> Self {
        Self { ack: None, ..self }
    }

    /// Sets flags: any of S, F, R and U.
    pub(crate) fn flags(self, flags: &'static str) -> Self {
        Self { flags, ..self }
    }

    pub(crate) fn data(self, data: impl AsRef<[u8]>) -> Self {
        Self { data: data.as_ref().to_vec(), ..self }
    }

    pub(crate) fn window(self, window: u16) -> Self {
        Self { window: Some(window), ..self }
    }

    pub(crate) fn scale(self, scale: u8) -> Self {
        Self { scale: Some(scale), ..self }
    }

    /// Has a wrong checksum.
    pub(crate) fn bad_sum(self) -> Self {
        Self { bad_sum: true, ..self }
    }

    /// Has a checksum of 0, as if the network card were to fill it in.
    pub(crate) fn no_sum(self) -> Self {
        Self { no_sum: true, ..self }
    }

    /// Has the capture lose the last `cut` bytes.
    pub(crate) fn cut(self, cut: usize) -> Self {
        Self { cut, ..self }
    }
}

/// An engine with one connection to play with.
pub(crate) struct Lab {
    pub(crate) engine: FlowEngine,
    pub(crate) log: Log,
    /// Sequence number of the first byte of each side.
    pub(crate) first: [u32; 2],
    /// The originator's port.
    pub(crate) port: u16,
    /// In nanoseconds.
    pub(crate) now: u64,
    pub(crate) number: u64,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut config = EngineConfig::default();
        change(&mut config.limits);
        Self::configured(config)
    }

    pub(crate) fn configured(config: EngineConfig) -> Self {
        Self {
            engine: FlowEngine::new(&config),
            log: Log::default(),
            first: [1001, 5001],
            port: 4000,
            now: 1_000_000_000_000,
            number: 0,
        }
    }

    /// Returns a lab whose connection is established; the handshake is not in its log.
    pub(crate) fn established() -> Self {
        Self::new().handshake()
    }

    /// Does a handshake without window scaling and forgets its events.
    pub(crate) fn handshake(mut self) -> Self {
        self.send(Side::Orig, syn());
        self.send(Side::Resp, syn().ack(0));
        self.send(Side::Orig, seg(0, b""));
        self.log.lines.clear();
        self
    }

    /// Lets time pass.
    pub(crate) fn wait_ms(&mut self, ms: u64) -> &mut Self {
        self.now += ms * 1_000_000;
        self
    }

    pub(crate) fn send(&mut self, from: Side, seg: Seg) -> &mut Self {
        let [own, peer] = match from {
            Side::Orig => self.first,
            Side::Resp => [self.first[1], self.first[0]],
        };
        let low = |offset: i64| offset as u32;
        let mut tcp = TcpHeader::new(0, 0, own.wrapping_add(low(seg.offset)), 65535);
        (tcp.source_port, tcp.destination_port) = self.ports(from);
        if let Some(ack) = seg.ack {
            tcp.ack = true;
            tcp.acknowledgment_number = peer.wrapping_add(low(ack));
        }
        tcp.syn = seg.flags.contains('S');
        tcp.fin = seg.flags.contains('F');
        tcp.rst = seg.flags.contains('R');
        tcp.urg = seg.flags.contains('U');
        tcp.window_size = seg.window.unwrap_or(65535);
        if let Some(scale) = seg.scale {
            tcp.set_options_raw(&[3, 3, scale, 0]).unwrap();
        }
        let [src, dst] = addresses(from);
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(src, dst, 64).tcp_header(tcp);
        let mut bytes = Vec::new();
        builder.write(&mut bytes, &seg.data).unwrap();
        let len = bytes.len() as u32;
        bytes[50] ^= if seg.bad_sum { 0x55 } else { 0 };
        if seg.no_sum {
            bytes[50..52].fill(0);
        }
        bytes.truncate(bytes.len() - seg.cut);
        self.frame(len, &bytes)
    }

    pub(crate) fn datagram(&mut self, from: Side, data: &[u8]) -> &mut Self {
        let [src, dst] = addresses(from);
        let (from, to) = self.ports(from);
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(src, dst, 64).udp(from, to);
        let mut bytes = Vec::new();
        builder.write(&mut bytes, data).unwrap();
        self.frame(bytes.len() as u32, &bytes)
    }

    pub(crate) fn frame(&mut self, len: u32, bytes: &[u8]) -> &mut Self {
        self.number += 1;
        let ts = Timestamp(self.now);
        let (number, link) = (self.number, LinkType::ETHERNET);
        let frame = RawFrame { number, ts, interface: 0, link, len, bytes };
        self.engine.handle_frame(&frame, &mut self.log);
        self
    }

    /// Lets time pass with a tick, not with a frame.
    pub(crate) fn tick_ms(&mut self, ms: u64) -> &mut Self {
        self.wait_ms(ms);
        self.engine.handle_time(Timestamp(self.now), &mut self.log);
        self
    }

    pub(crate) fn finish(&mut self) -> &mut Self {
        self.engine.finish(&mut self.log);
        self
    }

    /// Compares the events since the last call.
    #[track_caller]
    pub(crate) fn expect(&mut self, lines: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.log.lines), lines);
        self
    }

    /// Returns a counter.
    #[track_caller]
    pub(crate) fn count(&self, name: &str) -> u64 {
        let counters = self.engine.counters();
        let found = counters.iter().find(|(counter, _)| *counter == name);
        found.unwrap_or_else(|| panic!("no counter {name}")).1
    }

    fn ports(&self, from: Side) -> (u16, u16) {
        match from {
            Side::Orig => (self.port, SERVER),
            Side::Resp => (SERVER, self.port),
        }
    }
}

fn addresses(from: Side) -> [[u8; 4]; 2] {
    match from {
        Side::Orig => [[10, 0, 0, 1], [10, 0, 0, 2]],
        Side::Resp => [[10, 0, 0, 2], [10, 0, 0, 1]],
    }
}
