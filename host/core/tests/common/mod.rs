//! A world with honest connections in it, and a witness of what the engine makes of them.

#![allow(dead_code, reason = "no test uses all of it")]

use std::collections::BTreeMap;

use flowcell_core::fuzzing::Checker;
pub(crate) use flowcell_core::fuzzing::Rng;
use flowcell_core::fuzzing::frame::{self, Part, Tcp};
use flowcell_core::{
    Counters, Demand, EndReason, EngineConfig, FiveTuple, FlowEngine, FlowEvent, FlowSink,
    FlowView, GapReason, LinkType, RawFrame, Side, Timestamp,
};

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;

/// What came out of one side of a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stream {
    /// The bytes, with zeros in the place of gaps.
    pub(crate) bytes: Vec<u8>,
    pub(crate) gaps: Vec<(u64, u64, GapReason)>,
    pub(crate) end: Option<EndReason>,
}

/// Checks all events, and writes down what comes of flows between hosts in 10.1.0.0/16.
#[derive(Default)]
pub(crate) struct Witness {
    pub(crate) checker: Checker,
    /// The streams of all flows with these endpoints, in the order in which they opened.
    pub(crate) flows: BTreeMap<FiveTuple, Vec<[Stream; 2]>>,
    pub(crate) anomalies: Vec<&'static str>,
}

impl FlowSink for Witness {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        let _: Demand = self.checker.event(flow, event);
        let watched = matches!(flow.tuple.orig.addr, std::net::IpAddr::V4(addr) if addr.octets()[..2] == [10, 1]);
        if !watched {
            return Demand::More;
        }
        let lives = self.flows.entry(*flow.tuple).or_default();
        if matches!(event, FlowEvent::Opened) {
            lives.push(<[Stream; 2]>::default());
        }
        let Some(streams) = lives.last_mut() else { return Demand::More };
        match event {
            FlowEvent::Data { side, bytes, .. } | FlowEvent::Datagram { side, bytes, .. } => {
                streams[side.index()].bytes.extend_from_slice(bytes);
            }
            FlowEvent::Gap { side, offset, len, reason } => {
                let stream = &mut streams[side.index()];
                stream.gaps.push((offset, len, reason));
                stream.bytes.resize(stream.bytes.len() + len as usize, 0);
            }
            FlowEvent::End { side, reason } => streams[side.index()].end = Some(reason),
            FlowEvent::Anomaly(anomaly) => self.anomalies.push(anomaly.kind.name()),
            _ => {}
        }
        Demand::More
    }
}

/// An engine under watch.
pub(crate) struct World {
    pub(crate) engine: FlowEngine,
    pub(crate) witness: Witness,
    config: EngineConfig,
    /// In nanoseconds. Every frame takes ten microseconds.
    pub(crate) now: u64,
    pub(crate) number: u64,
    /// The most events that one frame has caused.
    pub(crate) burst: u64,
    /// The most bytes that were held.
    pub(crate) peak: u64,
}

impl World {
    pub(crate) fn new(change: impl FnOnce(&mut EngineConfig)) -> Self {
        let mut config = EngineConfig::default();
        change(&mut config);
        let engine = FlowEngine::new(&config);
        let (now, witness) = (1_700_000_000_000_000_000, Witness::default());
        Self { engine, witness, config, now, number: 0, burst: 0, peak: 0 }
    }

    /// Sends an Ethernet frame that carries an IPv4 packet.
    pub(crate) fn packet(&mut self, packet: &[u8]) {
        self.frame(&frame::ethernet(&[], 0x0800, packet));
    }

    pub(crate) fn frame(&mut self, bytes: &[u8]) {
        self.now += 10_000;
        self.frame_at(self.now, bytes);
    }

    pub(crate) fn frame_at(&mut self, ts: u64, bytes: &[u8]) {
        self.number += 1;
        let before = self.witness.checker.events();
        let frame = RawFrame {
            number: self.number,
            ts: Timestamp(ts),
            interface: 0,
            link: LinkType::ETHERNET,
            len: bytes.len() as u32,
            bytes,
        };
        self.engine.handle_frame(&frame, &mut self.witness);
        self.burst = self.burst.max(self.witness.checker.events() - before);
        self.peak = self.peak.max(self.engine.held_bytes());
        let limits = &self.config.limits;
        // Flows that carry others have a table of their own.
        let tables = if self.engine.counters().tunnelled == 0 { 1 } else { 2 };
        assert!(self.engine.flows() as u64 <= tables * limits.max_flows);
        assert!(self.engine.held_bytes() <= limits.hold_total * tables + limits.frag_total);
    }

    /// Lets time pass with a tick.
    pub(crate) fn wait_ms(&mut self, ms: u64) {
        self.now += ms * 1_000_000;
        self.engine.handle_time(Timestamp(self.now), &mut self.witness);
    }

    /// Ends the input; returns what was witnessed, and the counters.
    pub(crate) fn finish(mut self) -> (Witness, Counters) {
        self.engine.finish(&mut self.witness);
        assert_eq!(self.engine.flows(), 0);
        assert_eq!(self.witness.checker.open(), 0);
        let counters = self.engine.counters();
        assert_eq!(counters.flows_opened, counters.flows_closed);
        (self.witness, counters)
    }
}

/// A connection whose two ends obey the rules.
pub(crate) struct Honest {
    pub(crate) hosts: [[u8; 4]; 2],
    pub(crate) ports: [u16; 2],
    /// The sequence numbers of the first bytes.
    pub(crate) first: [u32; 2],
    pub(crate) texts: [Vec<u8>; 2],
    pub(crate) sent: [usize; 2],
    steps: u64,
}

/// The most that a side sends at a time, in bytes.
const CHUNK: usize = 100;

impl Honest {
    pub(crate) fn new(number: u16, rng: &mut Rng) -> Self {
        let [high, low] = number.to_be_bytes();
        let texts = [rng.bytes(2500), rng.bytes(3000)];
        Self {
            hosts: [[10, 1, high, low], [10, 1, 255, 1]],
            ports: [30_000 + number, 443],
            first: [rng.next() as u32, rng.next() as u32],
            texts,
            sent: [0, 0],
            steps: 0,
        }
    }

    /// Returns a segment that `side` sends, at a stream offset. With `ack`, it acknowledges as much.
    pub(crate) fn segment(
        &self,
        side: Side,
        at: usize,
        ack: Option<usize>,
        flags: u8,
        payload: &[u8],
    ) -> Vec<u8> {
        let (own, peer) = (side.index(), side.other().index());
        let tcp = Tcp {
            ports: [self.ports[own], self.ports[peer]],
            seq: self.first[own].wrapping_add(at as u32),
            ack: ack.map(|ack| self.first[peer].wrapping_add(ack as u32)),
            flags,
            window: 8000,
            payload,
        };
        frame::ipv4(self.hosts[own], self.hosts[peer], 6, Part::default(), &frame::tcp(&tcp))
    }

    /// Sends the next segment; returns whether there was one.
    pub(crate) fn step(&mut self, world: &mut World) -> bool {
        let minus_one = usize::MAX;
        let step = self.steps;
        self.steps += 1;
        let packet = match step {
            0 => self.segment(Side::Orig, minus_one, None, SYN, &[]),
            1 => self.segment(Side::Resp, minus_one, Some(0), SYN, &[]),
            2 => self.segment(Side::Orig, 0, Some(0), 0, &[]),
            _ => {
                let turn = if step % 2 == 1 { Side::Orig } else { Side::Resp };
                let side = if self.left(turn) == 0 { turn.other() } else { turn };
                if self.left(side) == 0 {
                    return false;
                }
                let at = self.sent[side.index()];
                let text = &self.texts[side.index()];
                let end = (at + CHUNK).min(text.len());
                self.sent[side.index()] = end;
                let ack = Some(self.sent[side.other().index()]);
                let flags = if end == text.len() { FIN } else { 0 };
                self.segment(side, at, ack, flags, &text[at..end])
            }
        };
        world.packet(&packet);
        true
    }

    fn left(&self, side: Side) -> usize {
        self.texts[side.index()].len() - self.sent[side.index()]
    }
}

/// Some honest connections.
pub(crate) struct Crowd {
    pub(crate) flows: Vec<Honest>,
    next: usize,
}

impl Crowd {
    /// Makes `n` connections, all of them established.
    pub(crate) fn established(n: u16, world: &mut World) -> Self {
        let mut rng = Rng::new(u64::from(n));
        let mut flows: Vec<_> = (0..n).map(|number| Honest::new(number, &mut rng)).collect();
        for _ in 0..5 {
            for flow in &mut flows {
                flow.step(world);
            }
        }
        Self { flows, next: 0 }
    }

    /// Has the next connection send a segment, if it has something to say.
    pub(crate) fn step(&mut self, world: &mut World) {
        let n = self.flows.len();
        if let Some(flow) = self.flows.get_mut(self.next % n) {
            flow.step(world);
        }
        self.next += 1;
    }

    /// Plays an attack, with the crowd in between.
    pub(crate) fn attacked(
        &mut self,
        world: &mut World,
        frames: u32,
        mut attack: impl FnMut(&mut World, u32),
    ) {
        let every = (frames / 400).max(1);
        for i in 0..frames {
            attack(world, i);
            if i % every == 0 {
                self.step(world);
            }
        }
    }

    /// Has all connections say the rest, and checks that everything came out.
    #[track_caller]
    pub(crate) fn complete(mut self, mut world: World) -> (Witness, Counters) {
        for flow in &mut self.flows {
            while flow.step(&mut world) {}
        }
        let (witness, counters) = world.finish();
        for flow in &self.flows {
            let found = witness.flows.iter().find(|(tuple, _)| tuple.orig.port == flow.ports[0]);
            let lives = found.map(|(_, lives)| &lives[..]).unwrap_or_default();
            assert_eq!(lives.len(), 1, "port {} was opened so often", flow.ports[0]);
            for (stream, text) in lives[0].iter().zip(&flow.texts) {
                assert_eq!((&stream.gaps[..], stream.end), (&[][..], Some(EndReason::Fin)));
                assert!(stream.bytes == *text, "port {} got other bytes", flow.ports[0]);
            }
        }
        (witness, counters)
    }
}

/// Returns a UDP packet.
pub(crate) fn udp(src: [u8; 4], dst: [u8; 4], ports: [u16; 2], payload: &[u8]) -> Vec<u8> {
    frame::ipv4(src, dst, 17, Part::default(), &frame::udp(ports, payload))
}
