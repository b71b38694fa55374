//! One connection through the engine, against a plain map of bytes.

use super::frame::{self, Part, Tcp};
use super::{Checker, Input};
use crate::{
    Checksums, Demand, EndReason, EngineConfig, FlowEngine, FlowEvent, FlowSink, FlowView,
    GapReason, Limits, LinkType, RawFrame, Side, Timestamp,
};

/// What an operation is, by its first byte modulo [`Op::COUNT`]. Its second byte names the side, by its
/// lowest bit; for what the others mean, see [`reassembler_ops`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// A segment near the front of the stream.
    Seg,
    /// A FIN behind all that was sent.
    Fin,
    /// An acknowledgment of what the other side has sent.
    Ack,
    /// Time passes.
    Wait,
    /// A RST that is next in its stream.
    Rst,
    /// A RST or a FIN far away from the stream, from somebody who can't see it.
    Blind,
    /// The same SYN again.
    Syn,
    /// A segment whose end the capture cut.
    Cut,
    /// Anything at all.
    Wild,
}

impl Op {
    /// How many there are.
    pub const COUNT: u8 = 9;

    fn of(byte: u8) -> Self {
        match byte % Self::COUNT {
            0 => Self::Seg,
            1 => Self::Fin,
            2 => Self::Ack,
            3 => Self::Wait,
            4 => Self::Rst,
            5 => Self::Blind,
            6 => Self::Syn,
            7 => Self::Cut,
            _ => Self::Wild,
        }
    }
}

/// What became of one byte of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unseen,
    Seen(u8),
    Cut,
    Delivered,
    Missed,
}

/// The streams of one side: as it was sent, and as it came out.
#[derive(Debug, Default)]
struct Model {
    bytes: Vec<Fate>,
    next: usize,
    /// As far as anything was sent.
    highest: usize,
    fin: Option<usize>,
    ended: bool,
}

impl Model {
    fn see(&mut self, at: usize, bytes: &[u8], len: usize) {
        let len = match self.fin {
            Some(fin) => len.min(fin.saturating_sub(at)),
            None => len,
        };
        if len == 0 {
            return;
        }
        if self.bytes.len() < at + len {
            self.bytes.resize(at + len, Fate::Unseen);
        }
        self.highest = self.highest.max(at + len);
        for (i, fate) in self.bytes.iter_mut().skip(at).take(len).enumerate() {
            if *fate == Fate::Unseen {
                *fate = bytes.get(i).map_or(Fate::Cut, |byte| Fate::Seen(*byte));
            }
        }
    }

    /// Takes the next `len` bytes out, each of which must be what `expected` says.
    fn advance(&mut self, len: usize, to: Fate, expected: impl Fn(usize, Fate) -> bool) {
        for i in 0..len {
            let at = self.next;
            let fate = self.bytes.get(at).copied().unwrap_or(Fate::Unseen);
            assert!(expected(i, fate), "offset {at} is {fate:?}, not to be {to:?}");
            if let Some(fate) = self.bytes.get_mut(at) {
                *fate = to;
            }
            self.next += 1;
        }
    }

    fn waiting(&self) -> usize {
        self.bytes.iter().filter(|fate| matches!(fate, Fate::Seen(_))).count()
    }
}

/// Checks events against the models as long as these are known to be right.
#[derive(Debug, Default)]
struct Judge {
    checker: Checker,
    sides: [Model; 2],
    /// The segment on its way: side, place, bytes and length. Timers come before it.
    coming: Option<(Side, usize, Vec<u8>, usize)>,
    /// Something was sent of which receivers may think what they like, or the connection is over.
    lost_track: bool,
}

impl FlowSink for Judge {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        if !flow.timer {
            self.arrive();
        }
        if !self.lost_track {
            self.judge(&event);
        }
        self.checker.event(flow, event)
    }
}

impl Judge {
    fn arrive(&mut self) {
        let Some((side, at, bytes, len)) = self.coming.take() else { return };
        let model = &mut self.sides[side.index()];
        // One byte right before the position can't be told from a keep-alive.
        if !model.ended && (len != 1 || at + 1 != model.next) {
            model.see(at, &bytes, len);
        }
    }

    fn judge(&mut self, event: &FlowEvent<'_>) {
        match *event {
            FlowEvent::Data { side, bytes, .. } => {
                let same = |i, fate| bytes.get(i).is_some_and(|byte| fate == Fate::Seen(*byte));
                self.sides[side.index()].advance(bytes.len(), Fate::Delivered, same);
            }
            FlowEvent::Gap { side, len, reason, .. } => {
                let lost = if reason == GapReason::Snaplen { Fate::Cut } else { Fate::Unseen };
                let len = usize::try_from(len).unwrap_or(usize::MAX);
                self.sides[side.index()].advance(len, Fate::Missed, |_, fate| fate == lost);
            }
            FlowEvent::End { side, reason } => {
                let model = &mut self.sides[side.index()];
                model.ended = true;
                assert_eq!(model.waiting(), 0, "{side} ended with bytes that never came out");
                assert_eq!(model.next, model.highest, "{side} ended early");
                if reason == EndReason::Fin {
                    assert_eq!(model.fin, Some(model.next));
                }
            }
            FlowEvent::Closed { .. } => self.lost_track = true,
            _ => {}
        }
    }
}

/// The connection, and the engine that watches it.
struct Run {
    engine: FlowEngine,
    judge: Judge,
    limits: Limits,
    /// Sequence numbers of the first bytes.
    first: [u32; 2],
    /// As far as each side has acknowledged the other.
    acked: [usize; 2],
    now: u64,
    number: u64,
}

/// Plays operations: 8 bytes of limits and sequence numbers, then 6 for each operation, which are what
/// it is, its side, a place (two bytes), a length or a time, and a variation.
pub fn reassembler_ops(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut limits = Limits::default();
    let [segments, bytes, total, window] = input.array();
    // 0 leaves the default: what is not mentioned is usual.
    for (limit, value, unit) in [
        (&mut limits.hold_segments, segments, 1),
        (&mut limits.hold_bytes, bytes, 16),
        (&mut limits.hold_total, total, 64),
        (&mut limits.reorder_window_ms, window, 100),
    ] {
        if value != 0 {
            *limit = u64::from(value) * unit;
        }
    }
    let near_wrap = 0_u32.wrapping_sub(u32::from(input.short()));
    let first = [near_wrap, u32::from(input.short()) << 16];
    let config = EngineConfig {
        limits: limits.clone(),
        checksums: Checksums::Off,
        ..EngineConfig::default()
    };
    let engine = FlowEngine::new(&config);
    let (acked, now) = ([0, 0], 1_700_000_000_000_000_000);
    let mut run = Run { engine, judge: Judge::default(), limits, first, acked, now, number: 0 };
    run.syn(Side::Orig);
    run.syn(Side::Resp);
    run.send(Side::Orig, 0, 0, 0, &[], 0);
    while !input.is_empty() {
        run.play(input.array());
    }
    run.engine.finish(&mut run.judge);
    assert_eq!((run.engine.held_bytes(), run.engine.flows()), (0, 0));
    let counters = run.engine.counters();
    assert_eq!(counters.flows_opened, counters.flows_closed);
    let _ = run.judge.checker.finish();
}

impl Run {
    fn play(&mut self, [op, side, high, low, len, vary]: [u8; 6]) {
        let side = if side & 1 == 0 { Side::Orig } else { Side::Resp };
        let place = usize::from(u16::from_be_bytes([high, low]));
        let model = &self.judge.sides[side.index()];
        // Near the position of the stream, so that ranges meet in every way.
        let near = model.next.saturating_sub(64) + place % 1024;
        let (next, highest, ended) = (model.next, model.highest, model.ended);
        match Op::of(op) {
            Op::Seg => self.data(side, near, len.into(), vary, 0),
            Op::Cut => self.data(side, near, len.into(), vary & 3, usize::from(vary >> 2)),
            Op::Fin => {
                let model = &mut self.judge.sides[side.index()];
                if !ended {
                    model.fin.get_or_insert(highest);
                }
                self.send(side, 1, highest, 0, &[], 0);
            }
            Op::Ack => {
                let peer = &self.judge.sides[side.other().index()];
                let acked = peer.highest.min(place % 2048 + usize::from(len));
                let acked = self.acked[side.index()].max(acked);
                self.acked[side.index()] = acked;
                self.send(side, 0, highest, 0, &[], 0);
            }
            Op::Wait => {
                let unit = if vary & 7 == 7 { 1_000_000_000 } else { 10_000_000 };
                self.now += u64::from(len) * unit;
                if vary & 8 != 0 {
                    self.engine.handle_time(Timestamp(self.now), &mut self.judge);
                }
            }
            Op::Rst => {
                self.send(side, 4, next, 0, &[], 0);
                // Not believed where what was acknowledged says otherwise; either is right.
                self.judge.lost_track = true;
            }
            Op::Blind => {
                let far = highest + (1 << 24) + (place << 12);
                self.send(side, if vary & 1 == 0 { 4 } else { 1 }, far, 0, &[], 0);
            }
            Op::Syn => self.syn(side),
            Op::Wild => {
                self.judge.lost_track = true;
                let seq = u32::from_be_bytes([high, low, len, vary]);
                let offset = usize::try_from(seq).unwrap_or_default();
                self.send(side, vary & 0x3f, offset, usize::from(low) << 8, &[high; 9], 0);
            }
        }
        self.check();
    }

    fn check(&self) {
        let held = self.engine.held_bytes();
        assert!(held <= self.limits.hold_total, "{held} bytes held");
        if !self.judge.lost_track {
            let waiting: usize = self.judge.sides.iter().map(Model::waiting).sum();
            assert!(waiting as u64 <= held, "{waiting} bytes wait, {held} are held");
        }
        assert!(self.engine.flows() <= 2);
    }

    fn data(&mut self, side: Side, at: usize, len: usize, version: u8, cut: usize) {
        let byte = |at: usize| {
            let [.., high, low] = at.to_be_bytes();
            low.wrapping_mul(7) ^ high ^ if version > 250 { version } else { 0 }
        };
        let bytes: Vec<u8> = (at..at + len).map(byte).collect();
        let kept = len.saturating_sub(cut);
        let seen = bytes.get(..kept).unwrap_or_default().to_vec();
        self.judge.coming = Some((side, at, seen, len));
        self.send(side, 0, at, 0, &bytes, len - kept);
        self.judge.arrive();
    }

    fn syn(&mut self, side: Side) {
        let before = usize::MAX; // one before the first byte
        self.send(side, 2, before, 0, &[], 0);
    }

    /// Sends a segment whose place is a stream offset; `skew` falsifies its acknowledgment.
    fn send(&mut self, side: Side, flags: u8, at: usize, skew: usize, bytes: &[u8], cut: usize) {
        let [own, peer] = match side {
            Side::Orig => self.first,
            Side::Resp => [self.first[1], self.first[0]],
        };
        let first_syn = flags & 2 != 0 && side == Side::Orig;
        let (ports, hosts) = match side {
            Side::Orig => ([40_000, 25], [[10, 0, 0, 1], [10, 0, 0, 2]]),
            Side::Resp => ([25, 40_000], [[10, 0, 0, 2], [10, 0, 0, 1]]),
        };
        let [acked, skew, at] = [self.acked[side.index()], skew, at].map(low);
        let ack = (!first_syn).then(|| peer.wrapping_add(acked).wrapping_add(skew));
        let seq = own.wrapping_add(at);
        let tcp = Tcp { ports, seq, ack, flags, window: 65_535, payload: bytes };
        let packet = frame::ipv4(hosts[0], hosts[1], 6, Part::default(), &frame::tcp(&tcp));
        let kept = packet.get(..packet.len().saturating_sub(cut)).unwrap_or_default();
        self.number += 1;
        let frame = RawFrame {
            number: self.number,
            ts: Timestamp(self.now),
            interface: 0,
            link: LinkType::RAW,
            len: low(packet.len()),
            bytes: kept,
        };
        self.engine.handle_frame(&frame, &mut self.judge);
    }
}

/// Returns the low 32 bits.
fn low(number: usize) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or_default()
}
