//! Far too many flows.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use flowcell_core::fuzzing::frame::{self, Part, Tcp};
use flowcell_core::{Endpoint, EngineConfig, FiveTuple, FlowKey, Transport};

use crate::common::{Crowd, SYN, World, udp};

fn syn(src: u32, port: u16, seq: u32) -> Vec<u8> {
    let tcp = Tcp { ports: [port, 80], seq, flags: SYN, window: 1024, ..Tcp::default() };
    frame::ipv4(src.to_be_bytes(), [10, 9, 0, 1], 6, Part::default(), &frame::tcp(&tcp))
}

#[test]
fn syn_flood_leaves_established_flows_alone() {
    let mut world = World::new(|config| config.limits.max_flows = 2000);
    let mut crowd = Crowd::established(20, &mut world);
    crowd.attacked(&mut world, 100_000, |world, i| {
        world.packet(&syn(0x0a09_0000 + i / 50, 1000 + (i % 50) as u16, i.wrapping_mul(77_777)));
    });
    let counters = world.engine.counters();
    assert_eq!(counters.flows_opened, 100_020);
    assert_eq!(counters.flows_evicted_one_sided, 98_020);
    assert_eq!((counters.flows_evicted_established, counters.emergencies), (0, 1));
    crowd.complete(world);
}

#[test]
fn syns_with_ever_new_numbers_are_one_flow_at_a_time() {
    let mut world = World::new(|config| config.limits.max_flows = 100);
    let mut crowd = Crowd::established(5, &mut world);
    crowd.attacked(&mut world, 20_000, |world, i| {
        world.packet(&syn(0x0a09_0001, 1234, i.wrapping_mul(0x0123_4567)));
    });
    assert_eq!(world.engine.flows(), 6);
    assert_eq!(world.engine.counters().flows_reused, 19_999);
    crowd.complete(world);
}

#[test]
fn addresses_and_ports_in_sequence_fill_the_table_and_no_more() {
    let mut world = World::new(|config| config.limits.max_flows = 10_000);
    let mut crowd = Crowd::established(20, &mut world);
    crowd.attacked(&mut world, 60_000, |world, i| {
        let [_, _, high, low] = (i >> 6).to_be_bytes();
        world.packet(&udp([10, 9, high, low], [10, 9, 255, 1], [(i & 63) as u16 * 1024, 53], &[7]));
    });
    let counters = world.engine.counters();
    assert_eq!((counters.flows_opened, world.engine.flows()), (60_020, 10_000));
    assert_eq!((counters.flows_evicted_one_sided, counters.flows_evicted_established), (50_020, 0));
    crowd.complete(world);
}

/// Whoever knows the secret can have all flows collide; under another one the same flows do not.
#[test]
fn flows_that_collide_are_told_apart() {
    let known = EngineConfig::default().hash_key;
    let tuple = |i: u32| FiveTuple {
        orig: Endpoint { addr: Ipv4Addr::from(0x0a09_0000 + (i >> 16)).into(), port: i as u16 },
        resp: Endpoint { addr: Ipv4Addr::new(10, 9, 255, 1).into(), port: 53 },
        transport: Transport::Udp,
    };
    let home = |i: u32, key| FlowKey::new(&tuple(i)).hash(key) & 0x3ff;
    let colliding: Vec<u32> = (0..1_000_000).filter(|&i| home(i, known) == 0).collect();
    assert!(colliding.len() > 800);
    let spread: BTreeSet<u64> = colliding.iter().map(|&i| home(i, [11, 12])).collect();
    assert!(spread.len() > 500, "only {} places for {} flows", spread.len(), colliding.len());

    let mut world = World::new(|_| {});
    let mut crowd = Crowd::established(5, &mut world);
    for round in 1..=3 {
        for &i in &colliding {
            let src = (0x0a09_0000 + (i >> 16)).to_be_bytes();
            world.packet(&udp(src, [10, 9, 255, 1], [i as u16, 53], &[round]));
        }
        crowd.step(&mut world);
    }
    assert_eq!(world.engine.flows(), colliding.len() + 5);
    crowd.complete(world);
}

#[test]
fn other_protocols_can_not_push_flows_out() {
    let mut world = World::new(|config| config.limits.max_flows = 1000);
    let mut crowd = Crowd::established(10, &mut world);
    crowd.attacked(&mut world, 40_000, |world, i| {
        let [_, _, high, low] = (i >> 1).to_be_bytes();
        let src = [10, 9, high, low];
        let (protocol, payload) = match i % 2 {
            0 => (1, frame::icmp(8, 0, &[1; 40])),
            _ => (132, vec![2; 40]),
        };
        world.packet(&frame::ipv4(src, [10, 9, 255, 1], protocol, Part::default(), &payload));
    });
    let counters = world.engine.counters();
    assert_eq!((counters.icmp_messages, counters.other_packets), (20_000, 20_000));
    assert_eq!((counters.flows_evicted_one_sided, counters.flows_evicted_established), (39_010, 0));
    crowd.complete(world);
}

#[test]
fn vlans_multiply_flows_up_to_the_limit_only() {
    for (vlan, opened) in [(true, 3 * 4096), (false, 1)] {
        let mut world = World::new(|config| {
            config.key.vlan = vlan;
            config.limits.max_flows = 500;
        });
        let mut crowd = Crowd::established(10, &mut world);
        crowd.attacked(&mut world, 3 * 4096, |world, i| {
            let tags = [i as u16 & 0xfff, (i >> 12) as u16];
            let packet = udp([10, 9, 0, 1], [10, 9, 0, 2], [1, 2], b"x");
            world.frame(&frame::ethernet(&tags, 0x0800, &packet));
        });
        let counters = world.engine.counters();
        assert_eq!(counters.flows_opened, opened + 10);
        assert_eq!(counters.flows_evicted_established, 0);
        crowd.complete(world);
    }
}
