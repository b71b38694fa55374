//! Whole captures: any frames at any times, the same twice, and through any number of shards.

use std::fmt::Debug;

use super::frame::{self, Part, Tcp};
use super::{Checker, Input, Journal};
use crate::{
    Arrival, Checksums, Counters, Dispatcher, EngineConfig, FlowEngine, FlowSink, KeyOptions,
    Limits, LinkType, Outlets, OverlapPolicy, RawFrame, Shard, Timestamp,
};

/// What a frame is, by its first byte modulo [`Kind::COUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A TCP segment of one of a few connections.
    Tcp,
    /// A UDP datagram, at times to a port of a tunnel.
    Udp,
    /// A message of ICMP.
    Icmp,
    /// Any other protocol.
    Other,
    /// Bytes as they are.
    Raw,
    /// Only time passes.
    Tick,
}

impl Kind {
    /// How many there are.
    pub const COUNT: u8 = 6;

    fn of(byte: u8) -> Self {
        match byte % Self::COUNT {
            0 => Self::Tcp,
            1 => Self::Udp,
            2 => Self::Icmp,
            3 => Self::Other,
            4 => Self::Raw,
            _ => Self::Tick,
        }
    }
}

/// Frames in one test at most, so that no test takes long.
const FRAMES: usize = 2000;

/// Something that is handed to an engine.
#[derive(Debug)]
enum Step {
    Frame { ts: Timestamp, link: LinkType, lost: u32, bytes: Vec<u8> },
    Tick(Timestamp),
}

/// Plays a capture: 8 bytes of configuration, then the frames.
///
/// A frame takes 9 bytes: kind, flow and side, wrapping, parts, how time passes (two bytes), a place, a
/// length, and flags. For raw ones the length is that of the bytes that follow, and what is elsewhere
/// the wrapping is the link.
pub fn engine_frames(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let config = config(&mut input);
    let shards = usize::from(input.below(4)) + 2;
    let steps = steps(&mut input);
    let (journal, counters) = alone(&config, &steps);
    let (again, counts) = alone(&config, &steps);
    assert_eq!((&journal, &counters), (&again, &counts), "not the same twice");
    // Shards have a share of what all flows have together, so what comes of running out of it differs.
    let ran_out = counters.emergencies
        + counters.flows_evicted_closed
        + counters.flows_evicted_one_sided
        + counters.flows_evicted_established
        + counters.hold_total_hit;
    if ran_out == 0 {
        let (divided, sum) = divided(&config, &steps, shards);
        compare(&journal, &divided);
        assert_eq!(counters, sum, "{shards} shards count something else");
    }
}

fn config(input: &mut Input<'_>) -> EngineConfig {
    let [tight, options, flows, hold, total, depth, tunnels] = input.array();
    let mut limits = Limits::default();
    if tight & 1 != 0 {
        limits.max_flows = u64::from(flows % 16) + 1;
    }
    if tight & 2 != 0 {
        limits.hold_segments = u64::from(hold & 15);
        limits.hold_bytes = u64::from(hold >> 4) * 100;
        limits.hold_total = u64::from(total) * 32;
    }
    if tight & 4 != 0 {
        limits.depth = u64::from(depth);
    }
    if tight & 8 != 0 {
        limits.tunnel_depth = u64::from(tunnels % 8);
        limits.frag_total = u64::from(total) * 64;
        limits.frag_datagrams = u64::from(hold & 7);
    }
    let policy = OverlapPolicy::ALL.iter().cycle().nth(usize::from(options >> 2 & 15));
    let (vlan, tunnel, interface) = (options & 1 != 0, options & 2 != 0, false);
    EngineConfig {
        limits,
        overlap: policy.copied().unwrap_or_default().into(),
        midstream: tight & 16 == 0,
        checksums: [Checksums::Auto, Checksums::On, Checksums::Off, Checksums::Auto]
            [usize::from(options >> 6)],
        key: KeyOptions { vlan, tunnel, interface },
        ..EngineConfig::default()
    }
}

fn steps(input: &mut Input<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut now = Timestamp(1_700_000_000_000_000_000);
    while !input.is_empty() && steps.len() < FRAMES {
        let [kind, who, wrap, parts, unit, time, place, len, flags] = input.array();
        now = moved(now, unit, u64::from(time), input);
        let kind = Kind::of(kind);
        match kind {
            Kind::Tick => steps.push(Step::Tick(now)),
            Kind::Raw => {
                let link = LinkType::SUPPORTED.iter().cycle().nth(wrap.into());
                let link = link.copied().unwrap_or(LinkType::ETHERNET);
                let bytes = input.bytes(len.into()).to_vec();
                steps.push(Step::Frame { ts: now, link, lost: parts.into(), bytes });
            }
            Kind::Tcp | Kind::Udp | Kind::Icmp | Kind::Other => {
                let packet = transport(kind, who, place, len, flags);
                for packet in split(&packet, who, parts) {
                    let (mut bytes, lost) = (wrapped(packet, wrap, who), u32::from(wrap >> 7));
                    // The frame's last bytes, where the capture cut it.
                    bytes.truncate(bytes.len() - 7 * usize::from(wrap >> 7));
                    let (ts, link) = (now, LinkType::ETHERNET);
                    steps.push(Step::Frame { ts, link, lost: 7 * lost, bytes });
                }
            }
        }
    }
    steps
}

/// Moves time by some units of what `unit` says: mostly on and by little.
fn moved(now: Timestamp, unit: u8, time: u64, input: &mut Input<'_>) -> Timestamp {
    const MS: u64 = 1_000_000;
    const MONTH: u64 = 30 * 86_400_000 * MS;
    match unit & 15 {
        0..=9 => now.saturating_add(time * MS / 10),
        10 => now.saturating_add(time * 100 * MS),
        11 => now.saturating_add(time * 10_000 * MS),
        12 => Timestamp(now.0.saturating_sub(time * MS)),
        13 => Timestamp(now.0.saturating_sub(time * MONTH)),
        14 => now.saturating_add(time * MONTH),
        _ => Timestamp(input.long()),
    }
}

const HOSTS: [[u8; 4]; 2] = [[10, 0, 0, 1], [10, 0, 0, 2]];

/// A packet to be: who sends it to whom, the protocol and what is behind the header of IP.
struct Payload {
    back: bool,
    protocol: u8,
    bytes: Vec<u8>,
}

fn transport(kind: Kind, who: u8, place: u8, len: u8, flags: u8) -> Payload {
    let (flow, back) = (u16::from(who >> 1 & 7), who & 1 != 0);
    let turned = |[a, b]: [u16; 2]| if back { [b, a] } else { [a, b] };
    let data: Vec<u8> = (0..len).map(|at| place.wrapping_add(at)).collect();
    let data = &data[..];
    let (protocol, bytes) = match kind {
        Kind::Udp => {
            const PORTS: [u16; 8] = [53, 5353, 4789, 2152, 6081, 3544, 4790, 8472];
            let port = PORTS.get(usize::from(place & 7)).copied().unwrap_or_default();
            (17, frame::udp(turned([1000 + flow, port]), data))
        }
        Kind::Icmp => (1, frame::icmp(place % 20, flags & 3, data)),
        Kind::Other => (place, data.to_vec()),
        _ => {
            let first = [0xffff_ff80, u32::from(flow) * 1000];
            let [own, peer] = if back { [first[1], first[0]] } else { first };
            // A flag that is no flag makes a jump of it.
            let far = if flags & 0x40 != 0 { 1 << 28 } else { 0 };
            let at = u32::from(place).wrapping_mul(if flags & 0x80 != 0 { 4 } else { 1 }) + far;
            let tcp = Tcp {
                ports: turned([2000 + flow, 80]),
                seq: own.wrapping_add(at),
                ack: (flags & 0x10 != 0).then(|| peer.wrapping_add(u32::from(len))),
                flags: flags & 0x0f,
                window: 8000,
                payload: if flags & 0x20 != 0 { &[] } else { data },
            };
            (6, frame::tcp(&tcp))
        }
    };
    Payload { back, protocol, bytes }
}

/// Makes IPv4 packets of a payload, in order or not, if it is to come in parts; else one of them.
fn split(payload: &Payload, who: u8, parts: u8) -> Vec<Vec<u8>> {
    let [src, dst] = if payload.back { [HOSTS[1], HOSTS[0]] } else { HOSTS };
    let Payload { protocol, ref bytes, .. } = *payload;
    let size = usize::from(parts & 7) * 8;
    if size == 0 {
        return vec![frame::ipv4(src, dst, protocol, Part::default(), bytes)];
    }
    let last = bytes.len().saturating_sub(1) / size;
    let id = u16::from(who) << 8 | u16::from(parts >> 4);
    let part = |(i, chunk): (usize, &[u8])| {
        let offset = u16::try_from(i * size).unwrap_or(u16::MAX);
        frame::ipv4(src, dst, protocol, Part { id, offset, more: i < last }, chunk)
    };
    let mut packets: Vec<_> = bytes.chunks(size).enumerate().map(part).collect();
    if parts & 8 != 0 {
        packets.reverse();
    }
    packets
}

/// Puts an IPv4 packet into up to seven others and into a frame.
fn wrapped(mut packet: Vec<u8>, wrap: u8, who: u8) -> Vec<u8> {
    let kind = wrap >> 3 & 3;
    for depth in 0..wrap & 7 {
        let ends = [[172, 16, 0, depth], [172, 16, 1, depth]];
        let (protocol, payload) = match (kind + depth) % 4 {
            0 => (4, packet),
            1 => (47, frame::gre(&packet)),
            2 => {
                let inner = frame::vxlan(who, &frame::ethernet(&[], 0x0800, &packet));
                (17, frame::udp([5000, 4789], &inner))
            }
            _ => (17, frame::udp([2152, 2152], &frame::gtpu(who, &packet))),
        };
        packet = frame::ipv4(ends[0], ends[1], protocol, Part::default(), &payload);
    }
    let vlans: &[u16] = match wrap >> 5 & 3 {
        0 => &[],
        1 => &[1],
        2 => &[2],
        _ => &[1, 2],
    };
    frame::ethernet(vlans, 0x0800, &packet)
}

/// Makes the frame of a step; nothing of one that only tells the time.
fn raw(step: &Step, number: u64) -> Result<RawFrame<'_>, Timestamp> {
    match step {
        Step::Tick(ts) => Err(*ts),
        Step::Frame { ts, link, lost, bytes } => {
            let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_add(*lost);
            Ok(RawFrame { number, ts: *ts, interface: 0, link: *link, len, bytes })
        }
    }
}

/// Plays all steps to one engine, checking its limits after each.
fn alone(config: &EngineConfig, steps: &[Step]) -> (Journal, Counters) {
    let mut engine = FlowEngine::new(config);
    let mut checker = Checker::default();
    let limits = &config.limits;
    for (number, step) in (1..).zip(steps) {
        match raw(step, number) {
            Ok(frame) => engine.handle_frame(&frame, &mut checker),
            Err(now) => engine.handle_time(now, &mut checker),
        }
        // Flows that carry others have a table and a store of their own.
        assert!(engine.flows() as u64 <= 2 * limits.max_flows);
        assert!(engine.held_bytes() <= 2 * limits.hold_total + limits.frag_total);
        assert_eq!(engine.flows(), checker.open());
    }
    engine.finish(&mut checker);
    assert_eq!(engine.flows(), 0);
    assert!(engine.held_bytes() <= limits.frag_total, "streams hold bytes though all are closed");
    let counters = engine.counters();
    assert_eq!(counters.flows_opened, counters.flows_closed);
    (checker.finish(), counters)
}

/// Takes packets to one of several shards, as a copy.
struct Divided {
    shards: Vec<(Shard, Checker)>,
    carriers: Checker,
}

impl Outlets for Divided {
    fn packet(&mut self, arrival: Arrival<'_>) {
        let at = arrival.hash.checked_rem(self.shards.len() as u64).unwrap_or_default();
        let bytes = arrival.bytes().to_vec();
        let kept = arrival.detach();
        if let Some((shard, checker)) =
            usize::try_from(at).ok().and_then(|i| self.shards.get_mut(i))
        {
            shard.handle(&kept.attach(&bytes), checker);
        }
    }

    fn carriers(&mut self) -> &mut dyn FlowSink {
        &mut self.carriers
    }
}

/// Plays all steps to a dispatcher and shards that hear of the time only now and then.
fn divided(config: &EngineConfig, steps: &[Step], shards: usize) -> (Journal, Counters) {
    let mut dispatcher = Dispatcher::new(config);
    let shard = || (Shard::new(config), Checker::default());
    let shards = std::iter::repeat_with(shard).take(shards).collect();
    let mut out = Divided { shards, carriers: Checker::default() };
    for (number, step) in (1..).zip(steps) {
        match raw(step, number) {
            Ok(frame) => dispatcher.handle_frame(&frame, &mut out),
            Err(now) => dispatcher.handle_time(now),
        }
        if number % 7 == 0 || number == steps.len() as u64 {
            let now = dispatcher.now();
            dispatcher.carriers().advance(now, number, usize::MAX, &mut out.carriers);
            for (shard, checker) in &mut out.shards {
                shard.advance(now, number, usize::MAX, checker);
            }
        }
    }
    dispatcher.carriers().finish_until(u64::MAX, &mut out.carriers);
    let mut counters = dispatcher.counters();
    let mut journal = out.carriers.finish();
    for (mut shard, mut checker) in out.shards {
        shard.finish_until(u64::MAX, &mut checker);
        counters.merge(shard.counters());
        for (name, notes) in checker.finish() {
            assert!(journal.insert(name, notes).is_none(), "a flow in two shards");
        }
    }
    (journal, counters)
}

fn compare<K: Ord + Debug, V: PartialEq + Debug>(
    one: &std::collections::BTreeMap<K, V>,
    other: &std::collections::BTreeMap<K, V>,
) {
    for (name, notes) in one {
        assert_eq!(Some(notes), other.get(name), "flow {name:?} differs");
    }
    assert_eq!(one.len(), other.len(), "flows differ");
}
