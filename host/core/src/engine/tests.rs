//! Many flows, time, limits and the end of the input.

use crate::Side::{Orig, Resp};
use crate::testing::{Lab, Log, Rng, Seg, seg, syn};
use crate::{EngineConfig, FlowEngine, Limits, LinkType, RawFrame, Timestamp};

#[test]
fn udp_datagrams_go_both_ways() {
    let mut lab = Lab::new();
    lab.datagram(Orig, b"ask").datagram(Resp, b"tell").datagram(Orig, b"").finish();
    let datagrams = ["opened", "orig datagram ask", "resp datagram tell", "orig datagram "];
    let end = ["orig end shutdown", "resp end shutdown", "closed shutdown"];
    lab.expect(&[&datagrams[..], &end].concat());
    let summary = lab.log.summary.unwrap();
    assert_eq!((summary.orig.pkts, summary.orig.bytes, summary.resp.bytes), (2, 3, 4));
}

#[test]
fn udp_done_stops_one_side() {
    let mut lab = Lab::new();
    lab.log.enough = Some(Orig);
    lab.datagram(Orig, b"a").datagram(Orig, b"b").datagram(Resp, b"c");
    lab.expect(&["opened", "orig datagram a", "resp datagram c"]);
}

#[test]
fn udp_one_sided_expires_sooner() {
    let mut lab = Lab::new();
    lab.datagram(Orig, b"a").tick_ms(29_999).expect(&["opened", "orig datagram a"]);
    lab.tick_ms(1).expect(&["orig end idle", "resp end idle", "closed idle"]);
    lab.datagram(Orig, b"a").datagram(Resp, b"b").tick_ms(59_999);
    assert_eq!(lab.engine.flows(), 1);
    lab.tick_ms(1);
    assert_eq!(lab.engine.flows(), 0);
    assert_eq!(lab.count("flows_expired_udp_one_sided"), 1);
    assert_eq!(lab.count("flows_expired_udp"), 1);
}

#[test]
fn unanswered_syn_expires() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).tick_ms(60_000);
    lab.expect(&["opened", "orig end idle", "resp end idle", "closed idle"]);
    assert_eq!(lab.count("flows_expired_attempt"), 1);
}

#[test]
fn established_flow_expires_and_flushes() {
    let mut lab = Lab::with(|limits| limits.reorder_window_ms = u64::MAX).handshake();
    lab.send(Orig, seg(2, "cd")).tick_ms(599_999).expect(&[]).tick_ms(1);
    let flushed = ["orig 0 gap 2 lost", "orig 2 cd"];
    lab.expect(&[&flushed[..], &["orig end idle", "resp end idle", "closed idle"]].concat());
    assert_eq!(lab.count("flows_expired_tcp"), 1);
}

#[test]
fn timers_fire_before_the_frame_that_moved_time() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "old")).wait_ms(700_000).send(Orig, seg(3, "new"));
    let old = ["orig 0 old", "orig end idle", "resp end idle", "closed idle"];
    lab.expect(&[&old[..], &["opened midstream", "orig 0 new"]].concat());
}

#[test]
fn hole_and_linger_timers_run_through_one_jump() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(2, "").flags("F")).send(Resp, seg(0, "").flags("F"));
    lab.expect(&["resp end fin"]).tick_ms(1_000_000_000);
    lab.expect(&["orig 0 gap 2 lost", "orig end fin", "closed fin"]);
    assert_eq!(lab.engine.held_bytes(), 0);
}

#[test]
fn timestamps_jumping_years_do_not_hang() {
    let year = 365 * 24 * 3_600_000_000_000_u64;
    let mut lab = Lab::new();
    for jump in [year, 100 * year, 0, 3 * year, u64::MAX, 5, u64::MAX - 1, u64::MAX] {
        lab.now = jump;
        lab.port += 1;
        lab.send(Orig, syn()).send(Resp, syn().ack(0)).send(Orig, seg(5, "x"));
    }
    assert_eq!(lab.count("flows_opened"), 8);
    assert!(lab.count("time_went_back") > 0);
    lab.finish();
    assert_eq!(lab.count("flows_closed"), 8);
    assert_eq!(lab.engine.flows(), 0);
    assert_eq!(lab.engine.held_bytes(), 0);
}

#[test]
fn time_going_back_is_counted_and_breaks_nothing() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc"));
    lab.now -= 5_000_000_000;
    lab.send(Orig, seg(3, "def")).expect(&["orig 0 abc", "orig 3 def"]);
    assert_eq!(lab.count("time_went_back"), 1);
    assert_eq!(lab.log.at.0, lab.now);
    lab.finish();
    let summary = lab.log.summary.unwrap();
    assert!(summary.last_ts >= summary.first_ts);
}

#[test]
fn syn_flood_respects_the_cap() {
    let mut lab = Lab::with(|limits| limits.max_flows = 100).handshake();
    for port in 5000..15_000 {
        lab.port = port;
        lab.send(Orig, syn());
        assert!(lab.engine.flows() <= 100);
    }
    // The one flow that is established has outlived all attempts.
    lab.log.lines.clear();
    lab.port = 4000;
    lab.send(Orig, seg(0, "still here")).expect(&["orig 0 still here"]);
    assert_eq!(lab.count("flows_evicted_one_sided"), 9_901);
    assert_eq!(lab.count("flows_evicted_established"), 0);
}

#[test]
fn eviction_prefers_closed_flows_and_then_the_longest_idle() {
    let mut lab = Lab::with(|limits| limits.max_flows = 3);
    lab.log.ports = true;
    for port in 1..=3 {
        lab.port = port;
        lab = lab.handshake();
        lab.wait_ms(10);
    }
    lab.port = 3;
    lab.send(Orig, seg(0, "").flags("R"));
    lab.port = 1;
    lab.send(Orig, seg(0, "x"));
    lab.log.lines.clear();
    lab.port = 4;
    lab.send(Orig, syn()).expect(&["3 closed reset", "4 opened"]);
    lab.send(Resp, syn().ack(0)).send(Orig, seg(0, ""));
    lab.port = 5;
    lab.send(Orig, syn());
    lab.expect(&["2 orig end evicted", "2 resp end evicted", "2 closed evicted", "5 opened"]);
    assert_eq!(lab.count("flows_evicted_closed"), 1);
    assert_eq!(lab.count("flows_evicted_established"), 1);
}

#[test]
fn eviction_flushes_what_is_held() {
    let mut lab = Lab::with(|limits| limits.max_flows = 1).handshake();
    lab.send(Orig, seg(2, "cd"));
    lab.port = 9;
    lab.send(Orig, syn());
    let old = ["orig 0 gap 2 lost", "orig 2 cd", "orig end evicted", "resp end evicted"];
    lab.expect(&[&old[..], &["closed evicted", "opened"]].concat());
    assert_eq!(lab.engine.held_bytes(), 0);
}

#[test]
fn finish_closes_in_order_of_opening() {
    let mut lab = Lab::new();
    lab.log.ports = true;
    for port in [7, 3, 9, 1] {
        lab.port = port;
        lab.datagram(Orig, b"x").wait_ms(1);
    }
    // Slots are reused in another order than they were first used.
    lab.wait_ms(29_997);
    for port in [8, 2] {
        lab.port = port;
        lab.datagram(Orig, b"x");
    }
    lab.log.lines.clear();
    lab.finish();
    let closed: Vec<_> = lab.log.lines.iter().filter(|line| line.contains("closed")).collect();
    assert_eq!(
        closed,
        ["9 closed shutdown", "1 closed shutdown", "8 closed shutdown", "2 closed shutdown"]
    );
}

#[test]
fn done_stops_one_side_for_good() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "a")).send(Orig, seg(5, "held"));
    let id = lab.log.id.unwrap();
    lab.engine.done(id, Orig);
    assert_eq!(lab.engine.held_bytes(), 0);
    lab.send(Orig, seg(1, "bcde")).send(Resp, seg(0, "x")).expect(&["orig 0 a", "resp 0 x"]);
    lab.send(Orig, seg(9, "j").flags("F")).expect(&["orig end fin"]).finish();
    let summary = lab.log.summary.take().unwrap();
    assert_eq!((summary.orig.bytes, summary.orig.delivered_bytes), (10, 1));
    assert_eq!(summary.orig.missed_bytes, 0);
    // Whoever has the slot now is not meant.
    lab.first = [1, 1];
    lab.send(Orig, syn()).engine.done(id, Orig);
    lab.log.lines.clear();
    lab.send(Orig, seg(0, "new")).expect(&["orig 0 new"]);
}

#[test]
fn done_as_answer_stops_one_side() {
    let mut lab = Lab::established();
    lab.log.enough = Some(Orig);
    lab.send(Orig, seg(0, "a")).send(Orig, seg(1, "b")).send(Resp, seg(0, "x"));
    lab.expect(&["orig 0 a", "resp 0 x"]);
}

#[test]
fn done_with_a_fin_waiting_ends_the_side() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(5, "x").flags("F"));
    let id = lab.log.id.unwrap_or_else(|| panic!("no event"));
    lab.engine.done(id, Orig);
    lab.tick_ms(30_000).expect(&["orig end fin"]);
}

#[test]
fn hold_limit_is_shared_by_all_flows() {
    let mut lab = Lab::with(|limits| limits.hold_total = 1000);
    for port in 1..=50 {
        lab.port = port;
        lab = lab.handshake();
        lab.send(Orig, seg(10, [b'x'; 100]));
        assert!(lab.engine.held_bytes() <= 1000);
    }
    assert_eq!(lab.count("hold_total_hit"), 45);
    lab.finish();
    assert_eq!(lab.engine.held_bytes(), 0);
    assert_eq!(lab.count("delivered_bytes"), 5000);
}

#[test]
fn vlan_ids_and_packet_numbers_are_in_the_summary() {
    let mut lab = Lab::new();
    let mut bytes = Vec::new();
    etherparse::PacketBuilder::ethernet2([2; 6], [4; 6])
        .double_vlan(100.try_into().unwrap(), 200.try_into().unwrap())
        .ipv4([1, 2, 3, 4], [5, 6, 7, 8], 9)
        .udp(1, 2)
        .write(&mut bytes, b"x")
        .unwrap();
    lab.datagram(Orig, b"first").frame(bytes.len() as u32, &bytes).finish();
    let summary = lab.log.summary.unwrap();
    assert_eq!((summary.vlan, summary.first_packet), (vec![100, 200], 2));
}

/// Feeds random traffic to an engine with tight limits and returns all that comes out.
fn random_run(seed: u64) -> (Vec<String>, Vec<(&'static str, u64)>) {
    let mut rng = Rng::new(seed);
    let mut lab = Lab::with(|limits| {
        limits.max_flows = 8;
        limits.hold_segments = 4;
        limits.hold_bytes = 400;
        limits.hold_total = 1200;
        limits.depth = if rng.one_in(3) { 150 } else { 0 };
    });
    lab.log.ports = true;
    for _ in 0..400 {
        lab.port = 1 + rng.below(12) as u16;
        lab.first = [rng.below(2) as u32 * 0xffff_fff0, rng.below(3) as u32 * 1000];
        let side = if rng.one_in(2) { Orig } else { Resp };
        let base = if rng.one_in(30) { 1 << 30 } else { 0 };
        let offset = base + rng.below(200).cast_signed() - 10;
        let data = vec![rng.below(2) as u8 + b'a'; rng.below(50) as usize];
        let cut = if rng.one_in(10) { rng.below(data.len() as u64 + 30) as usize } else { 0 };
        let flags = ["", "", "", "", "", "S", "F", "R", "SF", "FR"][rng.below(10) as usize];
        let mut segment = seg(offset, data).flags(flags).cut(cut).ack(rng.below(200).cast_signed());
        if rng.one_in(3) {
            segment = segment.no_ack();
        }
        lab.send(side, segment);
        match rng.below(20) {
            0 => lab.now += rng.below(100_000) * 10_000_000,
            1 => lab.now -= rng.below(1_000_000_000),
            _ => lab.now += rng.below(300_000_000),
        }
        assert!(lab.engine.flows() <= 8);
        assert!(lab.engine.held_bytes() <= 1200);
    }
    lab.finish();
    assert_eq!((lab.engine.flows(), lab.engine.held_bytes()), (0, 0));
    (lab.log.lines, lab.engine.counters().iter().collect())
}

/// Checks that the events of each flow come in an order that makes sense.
fn check_order(lines: &[String]) {
    let mut open = std::collections::BTreeMap::new();
    for line in lines {
        let (port, event) = line.split_once(' ').unwrap();
        if event.starts_with("opened") {
            assert!(open.insert(port, [Some(0), Some(0)]).is_none(), "{line}");
            continue;
        }
        let sides = open.get_mut(port).unwrap_or_else(|| panic!("not open: {line}"));
        let words: Vec<_> = event.split(' ').collect();
        if words[0] == "closed" {
            assert_eq!(*sides, [None, None], "{line}");
            open.remove(port);
            continue;
        }
        let next = &mut sides[usize::from(words[0] == "resp")];
        match (words[1], words.get(2)) {
            ("end", _) => assert!(next.take().is_some(), "{line}"),
            ("anomaly", _) => {}
            (offset, kind) => {
                assert_eq!(*next, Some(offset.parse::<u64>().unwrap()), "{line}");
                let len = match kind {
                    Some(&"gap") => words[3].parse::<u64>().unwrap(),
                    _ => words[2].len() as u64,
                };
                *next = next.map(|next| next + len);
            }
        }
    }
    assert!(open.is_empty());
}

#[test]
fn random_traffic_is_contiguous_bounded_and_repeatable() {
    for seed in 0..100 {
        let (lines, counters) = random_run(seed);
        check_order(&lines);
        assert_eq!((lines, counters), random_run(seed), "seed {seed}");
    }
}

/// One side of a connection, cut into segments in disorder, some of them twice, the last with FIN.
fn shuffled(rng: &mut Rng, content: &[u8]) -> Vec<Seg> {
    let mut segments = Vec::new();
    let mut at = 0;
    while at < content.len() {
        let end = (at + 1 + rng.below(60) as usize).min(content.len());
        segments.push((at, end));
        if rng.one_in(5) {
            let from = rng.below(end as u64) as usize;
            segments.push((from, end));
        }
        at = end;
    }
    for i in (1..segments.len()).rev() {
        segments.swap(i, rng.below(i as u64 + 1) as usize);
    }
    let segment = |(from, to): (usize, usize)| {
        let flags = if to == content.len() { "F" } else { "" };
        seg((from as u64).cast_signed(), &content[from..to]).flags(flags)
    };
    segments.into_iter().map(segment).collect()
}

#[test]
fn any_order_of_segments_gives_the_same_streams() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let mut lab = Lab::new();
        lab.first = [rng.next() as u32, 0_u32.wrapping_sub(rng.below(300) as u32)];
        let mut lab = lab.handshake();
        let mut text = || (0..1 + rng.below(600)).map(|_| rng.next() as u8).collect::<Vec<_>>();
        let texts = [text(), text()];
        let mut sides = [Orig, Resp].map(|side| (side, shuffled(&mut rng, &texts[side.index()])));
        while sides.iter().any(|(_, segments)| !segments.is_empty()) {
            let (side, segments) = &mut sides[rng.below(2) as usize];
            if let Some(segment) = segments.pop() {
                lab.send(*side, segment);
            }
        }
        assert_eq!(lab.log.streams, texts, "seed {seed}");
        let ends = lab.log.lines.iter().filter(|line| line.ends_with(" end fin")).count();
        assert_eq!((ends, lab.count("missed_bytes")), (2, 0), "seed {seed}");
        assert_eq!((lab.count("fin_ignored"), lab.engine.held_bytes()), (0, 0));
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut rng = Rng::new(3);
    let mut engine =
        FlowEngine::new(&EngineConfig { limits: Limits::default(), ..EngineConfig::default() });
    let mut log = Log::default();
    let links = [0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 999];
    for number in 1..20_000 {
        let mut bytes: Vec<u8> = (0..rng.below(120)).map(|_| rng.next() as u8).collect();
        // Often enough with something at the front that leads further in.
        for (at, byte) in [(12, 8), (13, 0), (14, 0x45), (23, 6), (0, 0x45), (9, 17)] {
            if rng.one_in(2) && at < bytes.len() {
                bytes[at] = byte;
            }
        }
        let link = LinkType(links[rng.below(links.len() as u64) as usize]);
        let (ts, len) = (Timestamp(rng.next()), rng.below(200) as u32);
        engine.handle_frame(
            &RawFrame { number, ts, interface: 0, link, len, bytes: &bytes },
            &mut log,
        );
    }
    engine.finish(&mut log);
    assert_eq!(engine.flows(), 0);
}
