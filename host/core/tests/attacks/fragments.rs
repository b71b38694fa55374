//! Fragments that were never meant to be put together.

use flowcell_core::fuzzing::frame::{self, Part};

use crate::common::{Crowd, World};

const TOTAL: u64 = 100_000;

fn world() -> World {
    World::new(|config| {
        config.limits.frag_total = TOTAL;
        config.limits.frag_datagrams = 50;
    })
}

fn fragment(host: u8, protocol: u8, id: u32, offset: u16, more: bool, len: usize) -> Vec<u8> {
    let part = Part { id: id as u16, offset, more };
    frame::ipv4([10, 9, 0, host], [10, 9, 255, 1], protocol, part, &vec![7; len])
}

/// Sends a datagram in three parts, out of order, which nobody attacks.
fn honest_datagram(world: &mut World, id: u16) {
    let text = [id as u8; 1000];
    let whole = frame::udp([40_000, 7], &text);
    let parts =
        [(992, false, &whole[992..]), (0, true, &whole[..496]), (496, true, &whole[496..992])];
    for (offset, more, bytes) in parts {
        let part = Part { id, offset, more };
        world.packet(&frame::ipv4([10, 1, 9, 9], [10, 1, 9, 1], 17, part, bytes));
    }
}

/// Plays an attack with honest connections and honest fragments beside it.
fn attacked(frames: u32, mut attack: impl FnMut(&mut World, u32)) -> flowcell_core::Counters {
    let mut world = world();
    let mut crowd = Crowd::established(5, &mut world);
    let mut sent = 0;
    crowd.attacked(&mut world, frames, |world, i| {
        attack(world, i);
        if i % 100 == 0 {
            honest_datagram(world, sent);
            sent += 1;
        }
    });
    assert!(world.peak <= TOTAL);
    let (witness, counters) = crowd.complete(world);
    let flow = witness.flows.iter().find(|(tuple, _)| tuple.resp.port == 7);
    let text: Vec<u8> = (0..sent).flat_map(|id| [id as u8; 1000]).collect();
    assert!(flow.is_some_and(|(_, lives)| lives[0][0].bytes == text), "a datagram was lost");
    counters
}

#[test]
fn datagrams_that_never_become_whole() {
    let counters = attacked(20_000, |world, i| {
        world.packet(&fragment((i >> 14) as u8, 17, i, 8, true, 1400));
    });
    assert!(counters.frag_total_hit + counters.frag_datagrams_hit > 19_000);
    assert_eq!(counters.frag_whole, 200);
}

#[test]
fn tiny_fragments_that_hide_a_header() {
    let counters = attacked(20_000, |world, i| {
        world.packet(&fragment(1, 6, i / 4, (i % 4) as u16 * 8, true, 8));
    });
    assert_eq!(counters.frag_tiny, 5000);
    assert_eq!(counters.frag_whole, 200);
}

#[test]
fn overlapping_fragments_give_up_their_datagram_only() {
    let counters = attacked(20_000, |world, i| {
        let offset = [0, 64, 32, 96][i as usize % 4];
        world.packet(&fragment(2, 17, i / 4, offset, i % 4 != 3, 64));
    });
    assert_eq!(counters.frag_overlap, 5000);
    assert_eq!((counters.frag_dropped, counters.frag_whole), (5000, 200));
}

#[test]
fn ping_of_death() {
    let counters = attacked(10_000, |world, i| {
        world.packet(&fragment(3, 1, i, 65_528, false, 1000));
    });
    assert_eq!((counters.frag_too_large, counters.icmp_messages), (10_000, 0));
}

#[test]
fn one_datagram_in_thousands_of_parts() {
    let counters = attacked(8000, |world, i| {
        // Backwards, with a hole in the middle that nothing fills.
        let offset = (8000 - i) as u16 * 8;
        if offset != 32_000 {
            world.packet(&fragment(4, 17, 1, offset, true, 8));
        }
    });
    assert!(counters.frag_total_hit >= 1);
    assert_eq!(counters.frag_whole, 80);
}
