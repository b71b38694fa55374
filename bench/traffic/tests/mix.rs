//! What a mix makes, against its truth.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::HashSet;
use std::io;

use common::{Direction, Reassembly};
use flowcell_traffic::{Ending, Impairments, Mix, Rate, Side, Transport, Truth, write_pcap};
use sha2::{Digest, Sha256};

fn impaired() -> Impairments {
    let rate = Rate::per_million(20_000);
    Impairments {
        loss: Rate::default(),
        retransmit: rate,
        reorder: rate,
        duplicate: rate,
        overlap: rate,
        conflict: Rate::default(),
    }
}

fn run(mix: Mix) -> (Reassembly, Vec<Truth>) {
    let mut seen = Reassembly::default();
    let mut truths = Vec::new();
    let summary = mix
        .frames_and_truth(
            &mut |frame| {
                seen.add(frame.at, frame.bytes);
                Ok(())
            },
            &mut |truth| truths.push(truth),
        )
        .unwrap();
    assert_eq!((summary.flows, summary.frames), (mix.flows, seen.frames));
    assert_eq!(truths.len() as u64, mix.flows);
    (seen, truths)
}

/// Calls `check` for each direction that sent something.
fn each_side(
    seen: &Reassembly,
    truths: &[Truth],
    mut check: impl FnMut(&Truth, &flowcell_traffic::SideTruth, &Direction),
) {
    let nothing = Direction::default();
    for truth in truths {
        let (client, server) = (truth.tuple.client, truth.tuple.server);
        for (key, side) in [((client, server), truth.client), ((server, client), truth.server)] {
            let direction = seen.directions.get(&key).unwrap_or(&nothing);
            assert_eq!(direction.segments, side.frames, "frames of {truth:?}");
            check(truth, &side, direction);
        }
    }
}

#[test]
fn unimpaired_frames_give_the_truth() {
    let (seen, truths) = run(Mix { flows: 400, ..Mix::default() });
    assert_eq!(seen.directions.len(), 800);
    each_side(&seen, &truths, |truth, side, direction| {
        let whole = direction.whole().expect("no hole");
        assert_eq!(whole.len() as u64, side.bytes);
        assert_eq!(<[u8; 32]>::from(Sha256::digest(whole)), side.sha256, "{truth:?}");
        assert_eq!((direction.jumps, direction.conflicts), (0, 0), "{truth:?}");
        let finished = truth.transport == Transport::Tcp && matches!(truth.ending, Ending::Fin(_));
        assert_eq!(direction.fin, finished, "{truth:?}");
    });
    let tcp = || truths.iter().filter(|truth| truth.transport == Transport::Tcp);
    for ending in
        [Ending::Fin(Side::Client), Ending::Fin(Side::Server), Ending::Reset, Ending::Open]
    {
        assert!(tcp().any(|truth| truth.ending == ending), "no flow ends with {ending:?}");
    }
}

#[test]
fn impaired_captures_without_loss_have_every_byte() {
    let mix = Mix { flows: 400, impairments: impaired(), ..Mix::default() };
    let (seen, truths) = run(mix);
    let mut jumps = 0;
    each_side(&seen, &truths, |truth, side, direction| {
        jumps += direction.jumps;
        assert_eq!(direction.conflicts, 0);
        if truth.transport == Transport::Tcp {
            let whole = direction.whole().expect("no hole");
            assert_eq!(<[u8; 32]>::from(Sha256::digest(whole)), side.sha256, "{truth:?}");
        }
    });
    assert!(jumps > 1000, "only {jumps} segments out of their place");
}

#[test]
fn impairments_do_not_change_what_is_said() {
    let said = |impairments| {
        let (_, mut truths) = run(Mix { flows: 100, impairments, ..Mix::default() });
        truths.sort_by_key(|truth| truth.flow);
        truths.iter().map(|truth| (truth.client.sha256, truth.server.sha256)).collect::<Vec<_>>()
    };
    assert_eq!(said(impaired()), said(Impairments::default()));
}

#[test]
fn lost_ranges_are_those_that_the_capture_lacks() {
    let loss = Rate::per_million(30_000);
    let impairments = Impairments { loss, ..impaired() };
    let (seen, truths) =
        run(Mix { flows: 400, impairments, segment: (1448, 1448), ..Mix::default() });
    let mut compared = 0;
    each_side(&seen, &truths, |truth, side, direction| {
        // Where the last bytes or the first SYN are lost, the frames alone do not show it.
        let shown = direction.bytes.len() as u64 == side.bytes;
        if truth.transport == Transport::Tcp && shown && direction.isn.is_some() {
            compared += u64::from(side.lost_ranges > 0);
            assert_eq!(direction.missing(), (side.lost_ranges, side.lost_bytes), "{truth:?}");
        }
    });
    assert!(compared > 50, "only {compared} sides with holes");
}

#[test]
fn rates_are_kept() {
    let frames = |impairments| run(Mix { flows: 300, impairments, ..Mix::default() }).0.frames;
    let whole = frames(Impairments::default());
    let rate = Rate::per_million(50_000);
    let lost = whole - frames(Impairments { loss: rate, ..Impairments::default() });
    let twice = frames(Impairments { duplicate: rate, ..Impairments::default() }) - whole;
    for (what, hit) in [("lost", lost), ("duplicated", twice)] {
        assert!((40..=60).contains(&(hit * 1000 / whole)), "{hit} of {whole} frames {what}");
    }
}

#[test]
fn conflicting_bytes_come_after_the_true_ones() {
    let impairments = Impairments { conflict: Rate::per_million(50_000), ..impaired() };
    let (seen, truths) = run(Mix { flows: 200, impairments, ..Mix::default() });
    let mut conflicts = 0;
    each_side(&seen, &truths, |truth, side, direction| {
        conflicts += direction.conflicts;
        if truth.transport == Transport::Udp {
            return;
        }
        let whole = direction.whole().expect("no hole");
        assert_eq!(<[u8; 32]>::from(Sha256::digest(whole)), side.sha256, "{truth:?}");
    });
    assert!(conflicts > 1000, "only {conflicts} bytes differ");
}

#[test]
fn nobody_acknowledges_what_the_capture_has_not_seen() {
    let mix = Mix { flows: 200, impairments: impaired(), ..Mix::default() };
    let mut seen = Reassembly::default();
    mix.frames(&mut |frame| {
        seen.add(frame.at, frame.bytes);
        let segment = common::read(frame.at, frame.bytes);
        let Some(tcp) = segment.tcp.filter(|tcp| tcp.flags & common::ACK != 0) else {
            return Ok(());
        };
        let other = &seen.directions[&(segment.to, segment.from)];
        let acked = tcp.ack.wrapping_sub(other.isn.unwrap()).wrapping_sub(1) as usize;
        let data = acked.min(other.bytes.len());
        assert!(acked <= data + usize::from(other.fin), "{segment:?} acknowledges too much");
        assert!(other.bytes[..data].iter().rev().take(40_000).all(Option::is_some), "{segment:?}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_truth_is_a_line_of_json() {
    let (_, truths) = run(Mix { flows: 20, v6: Rate::per_million(500_000), ..Mix::default() });
    for truth in truths {
        let line = truth.to_string();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(read["client_ip"], truth.tuple.client.ip().to_string());
        assert_eq!(read["server_port"], truth.tuple.server.port());
        assert_eq!(read["server"]["bytes"], truth.server.bytes);
        assert_eq!(read["client"]["sha256"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_one_others() {
    let bytes = |seed| {
        let mut bytes = Vec::new();
        let mix = Mix { flows: 100, seed, impairments: impaired(), ..Mix::default() };
        write_pcap(&mut bytes, |output| mix.frames(output)).unwrap();
        Sha256::digest(bytes)
    };
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
}

#[test]
fn as_many_flows_are_open_as_was_asked_for() {
    let mix = Mix { flows: 3000, concurrent: 500, ..Mix::default() };
    let (mut open, mut most) = (HashSet::new(), 0);
    let ended = std::cell::RefCell::new(Vec::new());
    mix.frames_and_truth(
        &mut |frame| {
            let seen = common::read(frame.at, frame.bytes);
            for truth in ended.borrow_mut().drain(..) {
                open.remove(&truth);
            }
            open.insert(seen.from.min(seen.to));
            most = most.max(open.len());
            Ok(())
        },
        &mut |truth| ended.borrow_mut().push(truth.tuple.client.min(truth.tuple.server)),
    )
    .unwrap();
    assert_eq!(most, 500);
}

#[test]
fn an_error_of_the_output_ends_the_run() {
    let mut left = 10;
    let error = Mix::default()
        .frames(&mut |_| {
            left -= 1;
            if left == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        })
        .unwrap_err();
    assert_eq!((error.kind(), left), (io::ErrorKind::BrokenPipe, 0));
}

#[test]
fn options_that_make_no_mix_say_why() {
    let loss = Rate::per_million(600_000);
    let rates = Impairments { loss, reorder: loss, ..Impairments::default() };
    for (mix, wanted) in [
        (
            Mix { impairments: rates, ..Mix::default() },
            "the rates of impairments add up to more than 1",
        ),
        (
            Mix { segment: (1000, 10), ..Mix::default() },
            "segments must have from 2 to 16384 bytes, the smallest first",
        ),
        (Mix { concurrent: 0, ..Mix::default() }, "at least one flow must be in progress at once"),
    ] {
        assert_eq!(mix.check().unwrap_err().to_string(), wanted);
        let error = mix.frames(&mut |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
