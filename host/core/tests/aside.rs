//! A sink that puts bytes aside and answers later: the engine makes the same of every flow as if it had
//! answered at once.

#![allow(clippy::cast_possible_truncation, reason = "numbers that the tests made up themselves")]

mod common;

use std::collections::BTreeMap;

use common::{FIN, Honest, RST, Rng};
use flowcell_core::fuzzing::frame;
use flowcell_core::{
    CaughtUp, Counters, Demand, EngineConfig, FlowEngine, FlowEvent, FlowId, FlowSink, FlowView,
    LinkType, RawFrame, Side, Timestamp,
};

/// What wants to hear of a flow until the bytes say that it is enough.
#[derive(Default)]
struct Listener {
    sum: u32,
    done: [bool; 2],
    /// A side's segments that were put aside, with their packets.
    aside: Vec<(u64, Side, Vec<u8>)>,
}

/// What came of which packet: of timers first, in any case in this order.
type Log = Vec<((u64, bool), String)>;

impl Listener {
    fn hear(&mut self, side: Side, bytes: &[u8]) {
        for byte in bytes {
            self.sum = self.sum.wrapping_mul(31).wrapping_add(u32::from(*byte));
        }
        match self.sum % 40 {
            0 => self.done[side.index()] = true,
            1 => self.done[side.other().index()] = true,
            2 => self.done = [true; 2],
            _ => {}
        }
    }

    /// Hears what was put aside; returns how much of it was not wanted.
    fn catch_up(&mut self, log: &mut Log) -> u64 {
        let mut unwanted = 0;
        for (packet, side, bytes) in std::mem::take(&mut self.aside) {
            if self.done[side.index()] {
                unwanted += bytes.len() as u64;
            } else {
                self.hear(side, &bytes);
                log.push(((packet, true), format!("heard {}", self.sum)));
            }
        }
        unwanted
    }
}

/// Answers at once, or as late as it may.
struct Sink {
    late: bool,
    listeners: BTreeMap<u64, (FlowId, Listener)>,
    done: Vec<(FlowId, Side)>,
    behind: Vec<FlowId>,
    log: Log,
    /// Bytes that were put aside.
    waited: usize,
}

impl Sink {
    fn new(late: bool) -> Self {
        let listeners = BTreeMap::new();
        Self { late, listeners, done: Vec::new(), behind: Vec::new(), log: Vec::new(), waited: 0 }
    }
}

impl FlowSink for Sink {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        let (_, listener) =
            self.listeners.entry(flow.first_packet).or_insert((flow.id, Listener::default()));
        let place = (flow.packet, !flow.timer);
        match event {
            FlowEvent::Data { side, .. }
                if listener.done[side.index()] && listener.aside.is_empty() =>
            {
                Demand::Done
            }
            FlowEvent::Data { side, bytes, .. } => {
                if flow.may_wait && self.late {
                    if listener.aside.is_empty() {
                        self.behind.push(flow.id);
                    }
                    self.waited += bytes.len();
                    listener.aside.push((flow.packet, side, bytes.to_vec()));
                    return Demand::Later;
                }
                assert!(listener.aside.is_empty(), "the engine asks first");
                let before = listener.done[side.other().index()];
                listener.hear(side, bytes);
                self.log.push((place, format!("heard {}", listener.sum)));
                if listener.done[side.other().index()] && !before {
                    self.done.push((flow.id, side.other()));
                }
                if listener.done[side.index()] { Demand::Done } else { Demand::More }
            }
            FlowEvent::Anomaly(anomaly) => {
                self.log.push((place, format!("{} {anomaly:?}", flow.first_packet)));
                Demand::More
            }
            other => {
                assert!(listener.aside.is_empty(), "the engine asks first: {other:?}");
                let text = format!("{} {other:?} {:?}", flow.first_packet, listener.done);
                self.log.push((place, text));
                match other {
                    FlowEvent::Gap { side, .. } if listener.done[side.index()] => Demand::Done,
                    _ => Demand::More,
                }
            }
        }
    }

    fn next_done(&mut self) -> Option<(FlowId, Side)> {
        self.done.pop()
    }

    fn catch_up(&mut self, flow: FlowId) -> CaughtUp {
        let mut listeners = self.listeners.values_mut().filter(|(id, _)| *id == flow);
        let Some((_, listener)) = listeners.next_back() else { return CaughtUp::default() };
        let unwanted = listener.catch_up(&mut self.log);
        CaughtUp { done: listener.done, unwanted }
    }

    fn next_behind(&mut self) -> Option<FlowId> {
        self.behind.pop()
    }
}

/// Frames and how many nanoseconds pass before each.
fn frames(rng: &mut Rng) -> Vec<(u64, Vec<u8>)> {
    let flows: Vec<Honest> = (0..4).map(|number| Honest::new(number, rng)).collect();
    let mut flows: Vec<Vec<Vec<u8>>> = flows.iter().map(|flow| packets(flow, rng)).collect();
    flows.iter_mut().for_each(|flow| flow.reverse());
    let step = [10_000, 5_000_000, 80_000_000][rng.below(3) as usize];
    let mut frames = Vec::new();
    while !flows.is_empty() {
        let index = rng.below(flows.len() as u64) as usize;
        for _ in 0..=rng.below(8) {
            let Some(packet) = flows[index].pop() else { break };
            frames.push((step, frame::ethernet(&[], 0x0800, &packet)));
        }
        if flows[index].is_empty() {
            flows.swap_remove(index);
        }
    }
    frames
}

/// A connection of which segments are lost, sent again, changed and out of order.
fn packets(flow: &Honest, rng: &mut Rng) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let (mut sent, mut side) = ([0usize; 2], Side::Orig);
    while sent.iter().zip(&flow.texts).any(|(sent, text)| *sent < text.len()) {
        if rng.below(6) == 0 {
            side = if rng.below(2) == 0 { Side::Orig } else { Side::Resp };
        }
        let (at, text) = (sent[side.index()], &flow.texts[side.index()]);
        let end = text.len().min(at + 1 + rng.below(90) as usize);
        let other = sent[side.other().index()];
        let ack = Some(other);
        let flags = if end == text.len() && rng.below(4) != 0 { FIN } else { 0 };
        match rng.below(60) {
            0 => {}
            1 => {
                let forged: Vec<u8> = text[at..end].iter().map(|byte| !byte).collect();
                packets.push(flow.segment(side, at + 20, ack, 0, &forged));
                continue;
            }
            2 => {
                let jump = [0, 5, 5000][rng.below(3) as usize];
                packets.push(flow.segment(side, at + jump, ack, RST, &[]));
            }
            3 => packets.push(flow.segment(side, at.saturating_sub(30), ack, 0, &text[at..end])),
            4 if rng.below(3) == 0 => packets.push(flow.segment(side, at + 40, ack, FIN, &[])),
            5 => packets.push(flow.segment(side.other(), other, Some(end + 9), 0, &[])),
            _ => packets.push(flow.segment(side, at, ack, flags, &text[at..end])),
        }
        sent[side.index()] = end;
        if end == text.len() {
            side = side.other();
        }
    }
    for index in 1..packets.len() {
        match rng.below(40) {
            0 => packets.swap(index - 1, index),
            1 => packets.insert(index, packets[index - 1].clone()),
            _ => {}
        }
    }
    packets
}

fn play(frames: &[(u64, Vec<u8>)], config: &EngineConfig, late: Option<u64>) -> (Sink, Counters) {
    let mut engine = FlowEngine::new(config);
    let mut sink = Sink::new(late.is_some());
    let mut rng = Rng::new(late.unwrap_or(0));
    let mut now = 1_700_000_000_000_000_000;
    for (number, (step, bytes)) in (1..).zip(frames) {
        now += step;
        let (link, len, ts) = (LinkType::ETHERNET, bytes.len() as u32, Timestamp(now));
        let frame = RawFrame { number, ts, interface: 0, link, len, bytes };
        engine.handle_frame(&frame, &mut sink);
        if late.is_some() && rng.below(50) == 0 {
            engine.catch_up(&mut sink);
        }
    }
    engine.catch_up(&mut sink);
    engine.finish(&mut sink);
    sink.log.sort_by_key(|(place, _)| *place);
    (sink, engine.counters())
}

#[test]
fn an_answer_may_come_late() {
    let (mut waited, mut stopped) = (0, 0);
    for seed in 0..1500 {
        let mut rng = Rng::new(seed);
        let mut config = EngineConfig::default();
        if rng.below(4) == 0 {
            config.limits.depth = 100 + rng.below(2000);
        }
        if rng.below(8) == 0 {
            config.limits.max_flows = 2;
        }
        let frames = frames(&mut rng);
        let (prompt, counted) = play(&frames, &config, None);
        let (late, counters) = play(&frames, &config, Some(seed));
        for (prompt, late) in prompt.log.iter().zip(&late.log) {
            assert_eq!(prompt, late, "seed {seed}");
        }
        assert_eq!(prompt.log.len(), late.log.len(), "seed {seed}");
        assert_eq!(counted, counters, "seed {seed}");
        waited += late.waited;
        let stops = |(_, listener): &(FlowId, Listener)| listener.done != [false; 2];
        stopped += prompt.listeners.values().filter(|known| stops(known)).count();
    }
    assert!(waited > 1_000_000 && stopped > 1000, "{waited} bytes, {stopped} flows");
}
