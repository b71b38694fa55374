//! Towers of tunnels.

use flowcell_core::fuzzing::frame::{self, Part};
use flowcell_core::{
    Demand, EngineConfig, FiveTuple, FlowEngine, FlowEvent, FlowId, FlowSink, FlowView, LinkType,
    RawFrame, Side, Timestamp, Tunnel,
};

use crate::common::{Crowd, World, udp};

/// Puts a packet into `height` others, in a way that differs from floor to floor.
fn tower(height: u8, mut packet: Vec<u8>) -> Vec<u8> {
    for floor in 0..height {
        let (src, dst) = ([172, 16, 0, floor], [172, 16, 1, floor]);
        let (protocol, payload) = match floor % 4 {
            0 => (4, packet),
            1 => (47, frame::gre(&packet)),
            2 => {
                let inner = frame::vxlan(floor, &frame::ethernet(&[5], 0x0800, &packet));
                (17, frame::udp([50_000, 4789], &inner))
            }
            _ => (17, frame::udp([2152, 2152], &frame::gtpu(floor, &packet))),
        };
        packet = frame::ipv4(src, dst, protocol, Part::default(), &payload);
    }
    packet
}

/// Writes down which flows open, and where they come from.
#[derive(Default)]
struct Opened(Vec<(FiveTuple, Option<Tunnel>)>);

impl FlowSink for Opened {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        if matches!(event, FlowEvent::Opened) {
            self.0.push((*flow.tuple, flow.tunnel.cloned()));
        }
        Demand::More
    }
}

#[test]
fn towers_are_climbed_to_the_limit_and_every_floor_names_the_one_around_it() {
    for limit in [0, 1, 4, 9] {
        for height in 0..=64 {
            let mut config = EngineConfig::default();
            config.limits.tunnel_depth = limit;
            let mut engine = FlowEngine::new(&config);
            let inner = udp([10, 1, 0, 1], [10, 1, 0, 2], [40_000, 7], b"hello");
            let bytes = frame::ethernet(&[], 0x0800, &tower(height, inner));
            let (ts, len) = (Timestamp(1), bytes.len() as u32);
            let link = LinkType::ETHERNET;
            let frame = RawFrame { number: 1, ts, interface: 0, link, len, bytes: &bytes };
            let mut opened = Opened::default();
            engine.handle_frame(&frame, &mut opened);

            let floors = u64::from(height).min(limit);
            let counters = engine.counters();
            assert_eq!(opened.0.len() as u64, floors + 1, "{height} floors, {limit} allowed");
            assert_eq!(counters.tunnelled, floors);
            assert_eq!(counters.tunnel_too_deep, u64::from(u64::from(height) > limit));
            assert!(opened.0[0].1.is_none());
            for (depth, pair) in (1..).zip(opened.0.windows(2)) {
                let [(outside, _), (_, Some(tunnel))] = pair else { panic!("no parent") };
                assert_eq!((tunnel.parent.tuple, tunnel.depth), (*outside, depth));
                assert_eq!(tunnel.parent.first_packet, 1);
            }
            let innermost = opened.0.last().map(|(tuple, _)| tuple.resp.port);
            assert_eq!(innermost == Some(7), u64::from(height) <= limit);
        }
    }
}

#[test]
fn towers_of_all_heights_harm_nobody() {
    let mut world = World::new(|config| config.limits.max_flows = 300);
    let mut crowd = Crowd::established(10, &mut world);
    crowd.attacked(&mut world, 20_000, |world, i| {
        let [_, _, high, low] = i.to_be_bytes();
        let inner = udp([10, 9, high, low], [10, 9, 255, 1], [low.into(), 7], b"x");
        world.packet(&tower((i % 65) as u8, inner));
    });
    let (_, counters) = crowd.complete(world);
    assert!(counters.tunnel_too_deep > 15_000);
    assert_eq!(counters.flows_evicted_established, 0);
}

/// Wants no more of the flow that the test names.
#[derive(Default)]
struct Datagrams(Vec<(FlowId, usize)>);

impl FlowSink for Datagrams {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        if let FlowEvent::Datagram { bytes, .. } = event {
            self.0.push((flow.id, bytes.len()));
        }
        Demand::More
    }
}

#[test]
fn a_flow_and_what_carries_it_are_never_taken_for_each_other() {
    let inner = udp([10, 1, 0, 1], [10, 1, 0, 2], [40_000, 7], b"hello");
    let bytes = frame::ethernet(&[], 0x0800, &tower(1, inner.clone()));
    let mut engine = FlowEngine::new(&EngineConfig::default());
    let mut sink = Datagrams::default();
    let mut send = |engine: &mut FlowEngine| {
        let (number, ts, link) = (1, Timestamp(1), LinkType::ETHERNET);
        let len = bytes.len() as u32;
        let frame = RawFrame { number, ts, interface: 0, link, len, bytes: &bytes };
        engine.handle_frame(&frame, &mut sink);
        std::mem::take(&mut sink.0)
    };
    let first = send(&mut engine);
    let [(carrier, outside), (flow, inside)] = first[..] else { panic!("{first:?}") };
    assert_eq!((outside, inside), (inner.len(), 5));
    assert!(carrier.is_carrier() && !flow.is_carrier() && carrier != flow);
    engine.done(carrier, Side::Orig);
    assert_eq!(send(&mut engine), [(flow, 5)]);
    engine.done(flow, Side::Orig);
    assert_eq!(send(&mut engine), []);
}
