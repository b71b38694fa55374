//! Clocks that lie.

use flowcell_core::{Side, Timestamp};

use crate::common::{Crowd, Honest, Rng, World, udp};

const YEAR: u64 = 365 * 86_400_000_000_000;

/// Timers before and after a frame, each of which may end a flow: two ends, a gap or two, and the close.
const EVENTS_PER_FRAME: u64 = 2 * 64 * 6 + 16;

#[test]
fn years_back_and_forth_do_not_disturb_who_comes_later() {
    let mut world = World::new(|_| {});
    // The farthest future first: from now on time stands still.
    let far = world.now + 300 * YEAR;
    let stray = |i: u32| {
        let packet = udp([10, 9, 0, 1], [10, 9, 0, 2], [i as u16, 9], b"stray");
        flowcell_core::fuzzing::frame::ethernet(&[], 0x0800, &packet)
    };
    world.frame_at(far, &stray(0));
    let mut crowd = Crowd::established(10, &mut world);
    let mut rng = Rng::new(5);
    crowd.attacked(&mut world, 20_000, |world, i| {
        world.frame_at(rng.below(far), &stray(i));
    });
    assert!(world.burst <= EVENTS_PER_FRAME, "{} events", world.burst);
    assert!(world.engine.counters().time_went_back > 19_000);
    crowd.complete(world);
}

#[test]
fn one_jump_does_not_close_everything_at_once() {
    const FLOWS: u32 = 20_000;
    let mut world = World::new(|_| {});
    let packet = |i: u32| udp([10, 9, 1, 1], [10, 9, 0, 2], [i as u16, 9], b"x");
    for i in 0..FLOWS {
        world.packet(&packet(i));
    }
    world.now += 10 * YEAR;
    // Those that are over are over for their next packet, whether or not their timers have fired.
    let mut crowd = Crowd::established(10, &mut world);
    crowd.attacked(&mut world, 1000, |world, i| world.packet(&packet(FLOWS - 1 - i)));
    assert!(world.burst <= EVENTS_PER_FRAME, "{} events", world.burst);
    assert_eq!(world.engine.counters().flows_expired_udp_one_sided, FLOWS.into());
    assert_eq!(world.engine.counters().flows_opened, u64::from(FLOWS) + 1010);
    crowd.complete(world);
}

#[test]
fn a_tick_at_the_end_of_time_ends_all() {
    let mut world = World::new(|_| {});
    let crowd = Crowd::established(100, &mut world);
    drop(crowd);
    world.engine.handle_time(Timestamp::MAX, &mut world.witness);
    assert_eq!((world.engine.flows(), world.engine.held_bytes()), (0, 0));
    world.finish();
}

/// However many timers of others are due and have not fired, a flow's own holes are as old as they are.
#[test]
fn timers_of_others_make_no_difference() {
    let run = |others: u16| {
        let mut world = World::new(|_| {});
        for i in 0..others {
            world.packet(&udp([10, 9, 0, 1], [10, 9, 0, 2], [i, 9], b"x"));
        }
        world.now += 35_000_000_000 - u64::from(others) * 10_000;
        let mut flow = Honest::new(1, &mut Rng::new(1));
        for _ in 0..3 {
            flow.step(&mut world);
        }
        // Two holes on one side and one on the other, which are too old one after the other.
        for (side, at) in [(Side::Orig, 10), (Side::Resp, 10), (Side::Orig, 30)] {
            world.packet(&flow.segment(side, at, Some(0), 0, &[1; 10]));
            world.now += 2_000_000_000;
        }
        world.now += 40_000_000_000;
        // Too late for any of them.
        for (side, at) in [(Side::Orig, 20), (Side::Resp, 0), (Side::Orig, 0)] {
            world.packet(&flow.segment(side, at, Some(0), 0, &[2; 10]));
        }
        world.finish().0.flows
    };
    let alone = run(0);
    let streams: Vec<_> = alone.values().flatten().flatten().collect();
    let gaps: Vec<_> = streams.iter().map(|stream| stream.gaps.len()).collect();
    assert_eq!(gaps, [2, 1]);
    assert_eq!(run(5000), alone);
}
