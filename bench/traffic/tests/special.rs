//! What the special captures hold.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};

use common::{ACK, Direction, Reassembly, SYN, Seen};
use flowcell_traffic::special::{self, OpenFlows};
use flowcell_traffic::{Output, Summary};

/// All frames of a generator, as they are.
fn frames(generate: impl FnOnce(&mut Output<'_>) -> io::Result<Summary>) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let summary = generate(&mut |frame| {
        frames.push(frame.bytes.to_vec());
        Ok(())
    });
    assert_eq!(summary.unwrap().frames, frames.len() as u64);
    frames
}

fn read(frames: &[Vec<u8>]) -> Vec<Seen> {
    frames.iter().map(|frame| common::read(0, frame)).collect()
}

fn reassembled(frames: &[Vec<u8>]) -> Reassembly {
    let mut reassembly = Reassembly::default();
    (1..).zip(frames).for_each(|(at, frame)| reassembly.add(at, frame));
    reassembly
}

fn flags(seen: &Seen) -> u8 {
    seen.tcp.unwrap().flags
}

#[test]
fn open_flows_stay_open_and_lack_nothing() {
    let open = OpenFlows { flows: 300, rounds: 3, payload: 50, seed: 1 };
    let frames = frames(|output| open.frames(output));
    assert_eq!(frames.len(), 300 * (3 + 2 + 3));
    let seen = reassembled(&frames);
    assert_eq!(seen.directions.len(), 600);
    let said = |direction: &Direction| direction.whole().expect("no hole").len();
    for ((from, _), direction) in &seen.directions {
        assert_eq!(said(direction), if from.port() == 9000 { 2 * 50 } else { 3 * 50 });
        assert_eq!((direction.jumps, direction.fin), (0, false));
    }
}

#[test]
fn a_round_comes_in_an_order_of_its_own() {
    let open = OpenFlows { flows: 1000, rounds: 1, ..OpenFlows::default() };
    let seen = read(&frames(|output| open.frames(output)));
    let (opening, round) = seen.split_at(5000);
    let opened: Vec<_> = opening.iter().step_by(5).map(|seen| seen.from).collect();
    let spoken: Vec<_> = round.iter().map(|seen| seen.from).collect();
    assert_ne!(opened, spoken);
    let same = |flows: &[SocketAddr]| flows.iter().copied().collect::<HashSet<_>>();
    assert_eq!(same(&opened), same(&spoken));
}

#[test]
fn a_syn_flood_is_nothing_but_syns() {
    let seen = read(&frames(|output| special::syn_flood(1000, output)));
    assert!(seen.iter().all(|seen| flags(seen) & SYN != 0));
    let first = seen.iter().filter(|seen| flags(seen) & ACK == 0);
    assert_eq!(first.map(|seen| seen.from).collect::<HashSet<_>>().len(), 1000);
}

#[test]
fn fragments_never_become_a_datagram() {
    let frames = frames(|output| special::fragment_bomb(64, output));
    let mut ids = HashSet::new();
    for frame in &frames {
        assert_eq!(common::sum(&[&frame[14..34]]), 0xffff);
        let place = u16::from_be_bytes([frame[20], frame[21]]);
        assert!(place & 0x2000 != 0, "the last fragment is here");
        ids.insert((&frame[26..34], &frame[18..20]));
    }
    assert_eq!(ids.len(), 64);
    assert!(frames.len() > 128);
}

#[test]
fn segments_of_one_byte_give_the_whole_stream_in_either_order() {
    let mut streams = HashSet::new();
    for (holes, jumps) in [(false, 0), (true, 999)] {
        let frames = frames(|output| special::one_byte_segments(2, 1000, holes, output));
        assert!(read(&frames).iter().all(|seen| seen.payload.len() <= 1));
        let seen = reassembled(&frames);
        for direction in seen.directions.values().filter(|direction| !direction.bytes.is_empty()) {
            assert!(direction.jumps >= jumps);
            streams.insert(direction.whole().expect("no hole"));
        }
    }
    assert_eq!(streams.len(), 1);
    assert!(streams.iter().all(|stream| stream.len() == 1000));
}

#[test]
fn a_hole_stays_open_with_all_bytes_behind_it() {
    let frames = frames(|output| special::hole(3, 100_000, output));
    for direction in reassembled(&frames).directions.values() {
        if !direction.bytes.is_empty() {
            assert_eq!(direction.missing(), (1, 1448));
            assert_eq!(direction.bytes.len(), 2 * 1448 + 100_000);
        }
    }
    let acks = read(&frames).into_iter().filter(|seen| seen.from.port() == 9000);
    let acks: HashSet<_> = acks.map(|seen| (seen.to, seen.tcp.unwrap().ack)).collect();
    assert_eq!(acks.len(), 6, "a server acknowledges the SYN and up to the hole, nothing else");
}

#[test]
fn colliding_flows_differ_but_not_in_what_a_weak_hash_sees() {
    let seen = read(&frames(|output| special::collide(40_000, output)));
    let flows: HashSet<_> = seen.iter().map(|seen| (seen.from, seen.to)).collect();
    assert_eq!(flows.len(), 40_000);
    let address = |ip| match ip {
        IpAddr::V4(ip) => u32::from(ip),
        IpAddr::V6(_) => unreachable!(),
    };
    let weak: HashSet<_> = flows
        .iter()
        .map(|(a, b)| (address(a.ip()) ^ address(b.ip()), a.port() ^ b.port()))
        .collect();
    assert_eq!(weak.len(), 1);
}

#[test]
fn under_all_tunnels_is_the_flow_beside_them() {
    let frames = frames(|output| special::tunnel_tower(2, 5, output));
    for pair in frames.chunks(2) {
        let mut inside = &pair[0][..];
        for layer in 0..5 {
            assert_eq!(common::sum(&[&inside[14..34]]), 0xffff);
            inside = match (layer % 2, inside[23]) {
                (0, 17) => {
                    assert_eq!(common::read(0, inside).to.port(), 4789);
                    &inside[14 + 20 + 8 + 8..]
                }
                (1, 47) => &inside[14 + 20 + 4..],
                other => panic!("{other:?}"),
            };
        }
        let (inside, beside) = (common::read(0, inside), common::read(0, &pair[1]));
        assert_eq!((flags(&inside), &inside.payload), (flags(&beside), &beside.payload));
        assert_ne!(inside.from.ip().min(inside.to.ip()), beside.from.ip().min(beside.to.ip()));
    }
    let error = special::tunnel_tower(1, 2000, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "2000 layers do not fit in a datagram, 1000 do");
    special::tunnel_tower(1, special::MOST_LAYERS, &mut |frame| {
        let len = u16::from_be_bytes([frame.bytes[16], frame.bytes[17]]);
        assert_eq!(usize::from(len) + 14, frame.bytes.len());
        Ok(())
    })
    .unwrap();
}
