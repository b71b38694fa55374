//! Segments that lie, and streams that cost.

use flowcell_core::{EndReason, GapReason, OverlapPolicy, Side};

use crate::common::{Crowd, FIN, Honest, RST, Rng, World};

/// Returns a connection that does its handshake and no more.
fn connected(world: &mut World, rng: &mut Rng) -> Honest {
    let mut flow = Honest::new(777, rng);
    for _ in 0..3 {
        flow.step(world);
    }
    flow
}

#[test]
fn single_bytes_in_any_order() {
    let mut world = World::new(|_| {});
    let mut crowd = Crowd::established(5, &mut world);
    let mut rng = Rng::new(1);
    let flow = connected(&mut world, &mut rng);
    let text = rng.bytes(4000);
    let mut order: Vec<usize> = (0..text.len()).collect();
    rng.shuffle(&mut order);
    crowd.attacked(&mut world, 4000, |world, i| {
        let at = order[i as usize];
        world.packet(&flow.segment(Side::Orig, at, Some(0), 0, &text[at..=at]));
    });
    assert_eq!(world.engine.held_bytes(), 0);
    let (witness, _) = crowd.complete(world);
    let lives = witness.flows.iter().find(|(tuple, _)| tuple.orig.port == flow.ports[0]);
    assert!(lives.is_some_and(|(_, lives)| lives[0][0].bytes == text));
}

#[test]
fn single_bytes_backwards_take_no_more_than_they_may() {
    let mut world = World::new(|config| {
        config.limits.hold_segments = 100;
        config.limits.hold_total = 20_000;
    });
    let mut crowd = Crowd::established(5, &mut world);
    let mut rng = Rng::new(2);
    let flow = connected(&mut world, &mut rng);
    crowd.attacked(&mut world, 20_000, |world, i| {
        // Every other byte, so that none touches another.
        let at = 40_001 - 2 * i as usize;
        world.packet(&flow.segment(Side::Orig, at, Some(0), 0, b"x"));
    });
    assert!(world.peak <= 20_000);
    let counters = world.engine.counters();
    assert!(counters.hold_segments_hit > 0 && counters.gaps_memory > 0);
    crowd.complete(world);
}

#[test]
fn a_hole_that_nobody_fills_is_given_up_for_memory() {
    const LIMIT: u64 = 64 << 10;
    let mut world = World::new(|config| config.limits.hold_bytes = LIMIT);
    let mut crowd = Crowd::established(5, &mut world);
    let mut rng = Rng::new(3);
    let flow = connected(&mut world, &mut rng);
    let text = rng.bytes(1000);
    crowd.attacked(&mut world, 4000, |world, i| {
        // The first byte never comes.
        let at = 1 + 1000 * i as usize;
        world.packet(&flow.segment(Side::Orig, at, Some(0), 0, &text));
    });
    assert!(world.peak <= LIMIT * 2, "{} bytes held", world.peak);
    assert!(world.engine.counters().hold_bytes_hit > 0);
    let (witness, _) = crowd.complete(world);
    let lives = witness.flows.iter().find(|(tuple, _)| tuple.orig.port == flow.ports[0]);
    let stream = lives.map(|(_, lives)| lives[0][0].clone()).unwrap_or_default();
    assert_eq!(stream.gaps, [(0, 1, GapReason::Memory)]);
    assert_eq!(stream.bytes.len(), 4_000_001);
    assert!(stream.bytes[1..].chunks(1000).all(|chunk| chunk == text));
}

/// Many flows that all have a hole: what they hold together is bounded.
#[test]
fn holes_in_many_flows_share_one_limit() {
    const TOTAL: u64 = 300_000;
    let mut world = World::new(|config| config.limits.hold_total = TOTAL);
    let mut crowd = Crowd::established(5, &mut world);
    let mut rng = Rng::new(4);
    let flows: Vec<_> = (100..400).map(|number| Honest::new(number, &mut rng)).collect();
    crowd.attacked(&mut world, 12_000, |world, i| {
        let flow = &flows[i as usize % flows.len()];
        let at = 1 + 500 * (i as usize / flows.len());
        world.packet(&flow.segment(Side::Orig, at, Some(0), 0, &[1; 499]));
    });
    assert!(world.peak <= TOTAL && world.peak > TOTAL / 2);
    assert!(world.engine.counters().hold_total_hit > 0);
    let (_, counters) = crowd.complete(world);
    assert!(counters.delivered_bytes >= 12_000 * 499);
}

#[test]
fn overlapping_lies_are_settled_by_the_policy_and_told() {
    for (policy, expected) in [(OverlapPolicy::First, b'a'), (OverlapPolicy::Last, b'b')] {
        let mut world = World::new(|config| config.overlap = policy.into());
        let mut crowd = Crowd::established(5, &mut world);
        let mut rng = Rng::new(6);
        let flow = connected(&mut world, &mut rng);
        crowd.attacked(&mut world, 300, |world, i| {
            let base = 100 * i as usize;
            for (byte, at, len) in [(b'a', 20, 80), (b'b', 10, 80), (b'c', 0, 10), (b'd', 0, 20)] {
                let payload = vec![byte; len];
                // Only what is held can be lied about: the hole is filled last.
                world.packet(&flow.segment(Side::Orig, base + at, Some(0), 0, &payload));
            }
        });
        let (witness, counters) = crowd.complete(world);
        let lives = witness.flows.iter().find(|(tuple, _)| tuple.orig.port == flow.ports[0]);
        let stream = lives.map(|(_, lives)| lives[0][0].clone()).unwrap_or_default();
        assert_eq!((stream.bytes.len(), stream.gaps.len()), (30_000, 0));
        for block in stream.bytes.chunks(100) {
            assert!(block[..10].iter().all(|&byte| byte == b'c'));
            assert!(block[10..20].iter().all(|&byte| byte == b'b'));
            assert!(block[20..90].iter().all(|&byte| byte == expected), "{policy:?}");
            assert!(block[90..].iter().all(|&byte| byte == b'a'));
        }
        assert!(counters.overlap_conflicts >= 300);
        assert_eq!(witness.anomalies, ["overlap_conflict"]);
    }
}

#[test]
fn random_lies_come_out_the_same_every_time() {
    let run = |policy: OverlapPolicy, seed| {
        let mut world = World::new(|config| {
            config.overlap = policy.into();
            config.limits.hold_bytes = 3000;
        });
        let mut crowd = Crowd::established(2, &mut world);
        let mut rng = Rng::new(seed);
        let flow = connected(&mut world, &mut rng);
        crowd.attacked(&mut world, 3000, |world, i| {
            let at = i as usize + rng.below(400) as usize;
            let len = 2 + rng.below(60) as usize;
            let payload = vec![b'a' + rng.below(3) as u8; len];
            world.packet(&flow.segment(Side::Orig, at, Some(0), 0, &payload));
        });
        let (witness, counters) = crowd.complete(world);
        assert!(counters.overlap_conflicts > 100);
        witness.flows
    };
    for policy in [OverlapPolicy::First, OverlapPolicy::Last] {
        for seed in 0..5 {
            assert!(run(policy, seed) == run(policy, seed), "{policy:?} {seed}");
        }
    }
}

/// Somebody who knows the addresses and ports, but not the sequence numbers.
#[test]
fn forged_ends_out_of_the_window_end_nothing() {
    let mut world = World::new(|_| {});
    let mut crowd = Crowd::established(5, &mut world);
    let mut rng = Rng::new(8);
    for _ in 0..4000 {
        let victim = &crowd.flows[rng.below(5) as usize];
        let side = if rng.below(2) == 0 { Side::Orig } else { Side::Resp };
        let far = 100_000 + rng.below((1 << 32) - 200_000) as usize;
        let flags = if rng.below(2) == 0 { RST } else { FIN };
        let at = victim.sent[side.index()] + far;
        let packet = victim.segment(side, at, None, flags, &[]);
        world.packet(&packet);
        if rng.below(8) == 0 {
            crowd.step(&mut world);
        }
    }
    let (witness, counters) = crowd.complete(world);
    assert!(counters.reset_ignored > 0 && counters.fin_ignored + counters.out_of_window > 0);
    assert!(witness.anomalies.contains(&"reset_out_of_window"));
}

/// Acknowledgments of what was never sent, while the honest bytes come in the wrong order: the moment
/// that an acknowledged hole stays open is enough for these.
#[test]
fn wild_acknowledgments_lose_no_bytes() {
    let mut world = World::new(|_| {});
    let mut crowd = Crowd::established(5, &mut world);
    let mut rng = Rng::new(9);
    let flow = connected(&mut world, &mut rng);
    let text = rng.bytes(20_000);
    let mut chunks: Vec<_> = (0..).zip(text.chunks(100)).collect();
    for group in chunks.chunks_mut(10) {
        rng.shuffle(group);
    }
    crowd.attacked(&mut world, 200, |world, i| {
        let (at, bytes) = chunks[i as usize];
        world.packet(&flow.segment(Side::Orig, at * 100, Some(0), 0, bytes));
        for _ in 0..5 {
            let ack = Some(rng.next() as u32 as usize);
            world.packet(&flow.segment(Side::Resp, 0, ack, 0, &[]));
        }
    });
    world.packet(&flow.segment(Side::Orig, text.len(), Some(0), FIN, &[]));
    let (witness, _) = crowd.complete(world);
    let lives = witness.flows.iter().find(|(tuple, _)| tuple.orig.port == flow.ports[0]);
    let stream = lives.map(|(_, lives)| lives[0][0].clone()).unwrap_or_default();
    assert_eq!((&stream.gaps[..], stream.end), (&[][..], Some(EndReason::Fin)));
    assert!(stream.bytes == text);
}
