//! However streams are cut into segments, repeated and mixed up: the same bytes come out, and where some
//! were lost, everything but these.

#![allow(clippy::cast_possible_truncation, reason = "numbers that the tests made up themselves")]

mod common;

use std::ops::Range;

use common::{FIN, Honest, Rng, Stream, World};
use flowcell_core::{EndReason, GapReason, Side};

/// A connection, and what the capture loses of it.
struct Truth {
    flow: Honest,
    lost: [Vec<Range<usize>>; 2],
}

/// A segment on its way.
struct Seg {
    flow: usize,
    side: Side,
    range: Range<usize>,
    fin: bool,
}

fn truth(seed: u64) -> Vec<Truth> {
    let mut rng = Rng::new(seed);
    let flows = 1 + rng.below(5) as u16;
    let lossy = rng.below(2) == 0;
    (0..flows)
        .map(|number| {
            let mut flow = Honest::new(number, &mut rng);
            // Near the end of the sequence numbers, as often as not.
            flow.first = [0_u32.wrapping_sub(rng.below(3000) as u32), rng.next() as u32];
            flow.texts = [(); 2].map(|()| {
                let len = rng.below(5000) as usize;
                rng.bytes(len)
            });
            let losses = if lossy { rng.below(6) } else { 0 };
            let mut lost = [Vec::new(), Vec::new()];
            for (lost, text) in lost.iter_mut().zip(&flow.texts) {
                let mut at = 0;
                for _ in 0..losses {
                    at += 1 + rng.below(1500) as usize;
                    let end = at + 1 + rng.below(400) as usize;
                    if end > text.len() {
                        break;
                    }
                    lost.push(at..end);
                    at = end;
                }
            }
            Truth { flow, lost }
        })
        .collect()
}

/// Cuts what is left of a part of a stream: every byte of it is in one segment or more.
fn cut(truth: &Truth, side: Side, part: &Range<usize>, rng: &mut Rng) -> Vec<Range<usize>> {
    let lost = &truth.lost[side.index()];
    let mut segments = Vec::new();
    let mut at = part.start;
    let largest = [1, 10, 100, 1400][rng.below(4) as usize];
    while at < part.end {
        if let Some(hole) = lost.iter().find(|hole| hole.contains(&at)) {
            at = hole.end;
            continue;
        }
        let next = lost.iter().map(|hole| hole.start).filter(|start| *start > at).min();
        let edge = next.unwrap_or(part.end).min(part.end);
        let start = at;
        at = (at + 1 + rng.below(largest) as usize).min(edge);
        segments.push(start..at);
        // Again, and not necessarily with the same bounds.
        if rng.below(4) == 0 {
            let known = lost.iter().map(|hole| hole.end).filter(|end| *end <= start).max();
            let first = known.unwrap_or(0).max(start.saturating_sub(rng.below(50) as usize));
            segments.push(first..at);
        }
    }
    segments
}

/// Sends all that was not lost, cut as `rng` says; returns the streams as they came out.
fn run(truths: &[Truth], rng: &mut Rng) -> Vec<[Stream; 2]> {
    let mut world = World::new(|_| {});
    for truth in truths {
        let flow = &truth.flow;
        world.packet(&flow.segment(Side::Orig, usize::MAX, None, common::SYN, &[]));
        world.packet(&flow.segment(Side::Resp, usize::MAX, Some(0), common::SYN, &[]));
        world.packet(&flow.segment(Side::Orig, 0, Some(0), 0, &[]));
    }
    // In two parts, with time enough between them for the holes of the first to be given up.
    for last in [false, true] {
        let mut segments = Vec::new();
        for (i, truth) in truths.iter().enumerate() {
            for side in Side::BOTH {
                let len = truth.flow.texts[side.index()].len();
                let part = if last { len / 2..len } else { 0..len / 2 };
                let ranges = cut(truth, side, &part, rng).into_iter();
                segments.extend(ranges.map(|range| Seg { flow: i, side, range, fin: false }));
                if last {
                    segments.push(Seg { flow: i, side, range: len..len, fin: true });
                }
            }
        }
        rng.shuffle(&mut segments);
        for Seg { flow, side, range, fin } in segments {
            let flow = &truths[flow].flow;
            let flags = if fin { FIN } else { 0 };
            let bytes = &flow.texts[side.index()][range.clone()];
            world.packet(&flow.segment(side, range.start, Some(0), flags, bytes));
        }
        if rng.below(2) == 0 {
            world.wait_ms(31_000);
            continue;
        }
        // Both sides have got everything, whatever the capture has.
        for truth in truths {
            for side in Side::BOTH {
                let done = |text: &Vec<u8>| if last { text.len() } else { text.len() / 2 };
                let [own, peer] = [side, side.other()].map(|s| done(&truth.flow.texts[s.index()]));
                world.packet(&truth.flow.segment(side, own, Some(peer), 0, &[]));
            }
        }
        world.wait_ms(200);
    }
    assert_eq!(world.engine.held_bytes(), 0);
    let (witness, counters) = world.finish();
    assert_eq!((counters.overlap_conflicts, counters.fin_ignored), (0, 0));
    let port = |i: usize| truths[i].flow.ports[0];
    let lives = |i: usize| witness.flows.iter().find(|(tuple, _)| tuple.orig.port == port(i));
    (0..truths.len())
        .map(|i| {
            let lives = lives(i).map(|(_, lives)| &lives[..]).unwrap_or_default();
            assert_eq!(lives.len(), 1);
            lives[0].clone()
        })
        .collect()
}

#[test]
fn any_cut_gives_the_truth_but_for_what_was_lost() {
    let mut losses = 0;
    for seed in 0..250 {
        let truths = truth(seed);
        let mut rng = Rng::new(!seed);
        let first = run(&truths, &mut rng);
        for (truth, streams) in truths.iter().zip(&first) {
            for (side, stream) in Side::BOTH.into_iter().zip(streams) {
                let mut expected = truth.flow.texts[side.index()].clone();
                for hole in &truth.lost[side.index()] {
                    expected[hole.clone()].fill(0);
                }
                assert!(stream.bytes == expected, "seed {seed}: other bytes");
                let lost = truth.lost[side.index()].iter();
                let gaps: Vec<_> = lost
                    .map(|hole| (hole.start as u64, hole.len() as u64, GapReason::Lost))
                    .collect();
                assert_eq!(stream.gaps, gaps, "seed {seed}");
                losses += gaps.len();
                assert_eq!(stream.end, Some(EndReason::Fin), "seed {seed}");
            }
        }
        for _ in 0..2 {
            assert!(run(&truths, &mut rng) == first, "seed {seed}: cut differently, other streams");
        }
    }
    assert!(losses > 500, "only {losses} losses");
}
