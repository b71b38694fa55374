//! One state of a connection, one segment, one outcome.

use crate::Side::{Orig, Resp};
use crate::testing::{Lab, Seg, seg, syn};
use crate::{AnomalyKind, EngineConfig};

mod forged;
mod outcome;
mod reuse;

fn fin(offset: i64, data: &str) -> Seg {
    seg(offset, data).flags("F")
}

fn rst(offset: i64) -> Seg {
    seg(offset, "").flags("R")
}

#[test]
fn new_syn_opens_a_flow() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).expect(&["opened"]);
    assert_eq!(lab.engine.flows(), 1);
}

#[test]
fn handshake_and_data_are_delivered() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "hello")).send(Resp, seg(0, "hi").ack(5));
    lab.expect(&["orig 0 hello", "resp 0 hi"]);
}

#[test]
fn syn_retransmit_keeps_first_byte() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Orig, syn());
    lab.send(Resp, syn().ack(0)).send(Resp, syn().ack(0)).send(Orig, seg(0, ""));
    lab.send(Orig, syn()).send(Orig, seg(0, "EHLO"));
    lab.expect(&["opened", "orig 0 EHLO"]);
    assert_eq!(lab.count("syn_retransmits"), 3);
    assert_eq!(lab.count("flows_opened"), 1);
}

#[test]
fn synack_first_flips_the_direction() {
    let mut lab = Lab::new();
    lab.send(Resp, syn().ack(0)).send(Orig, seg(0, "abc")).send(Resp, seg(0, "xyz"));
    lab.expect(&["opened", "orig 0 abc", "resp 0 xyz"]).finish();
    let summary = lab.log.summary.take().unwrap();
    assert!(summary.flipped && !summary.midstream);
    assert_eq!((summary.orig.bytes, summary.resp.bytes), (3, 3));
}

#[test]
fn synack_first_with_first_data_lost_leaves_a_hole_at_zero() {
    let mut lab = Lab::new();
    lab.send(Resp, syn().ack(0)).send(Orig, seg(4, "efg")).send(Resp, seg(0, "ok").ack(7));
    lab.expect(&["opened", "resp 0 ok"]);
    lab.tick_ms(100).expect(&["orig 0 gap 4 lost", "orig 4 efg"]);
}

#[test]
fn ack_before_synack() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Orig, seg(0, "")).send(Resp, syn().ack(0));
    lab.send(Resp, seg(0, "220")).send(Orig, seg(0, "EHLO").ack(3));
    lab.expect(&["opened", "resp 0 220", "orig 0 EHLO"]);
    assert_eq!(lab.count("syn_ignored") + lab.count("syn_retransmits"), 0);
}

#[test]
fn data_before_synack_keeps_its_place() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Resp, seg(0, "220")).send(Resp, syn().ack(0));
    lab.send(Resp, seg(3, "ok")).expect(&["opened", "resp 0 220", "resp 3 ok"]);
}

#[test]
fn lost_synack_and_lost_first_data_become_gap() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Orig, seg(0, "")).send(Resp, seg(4, "later"));
    lab.send(Orig, seg(0, "").ack(9)).tick_ms(100);
    lab.expect(&["opened", "resp 0 gap 4 lost", "resp 4 later"]);
}

#[test]
fn syn_with_data_is_the_first_data() {
    let mut lab = Lab::new();
    lab.send(Orig, syn().data("GET")).send(Resp, syn().ack(3)).send(Orig, seg(3, " /"));
    lab.expect(&["opened", "orig 0 GET", "orig 3  /"]);
    assert_eq!(lab.count("syn_ignored"), 0);
}

#[test]
fn syn_with_data_not_accepted_is_sent_again() {
    let mut lab = Lab::new();
    lab.send(Orig, syn().data("GET")).send(Resp, syn().ack(0)).send(Orig, seg(0, "GET /"));
    lab.expect(&["opened", "resp anomaly syn_data_refused", "orig 0 GET /"]);
}

#[test]
fn syn_with_other_data_than_what_is_sent_again_shows_nothing() {
    let mut lab = Lab::new();
    lab.send(Orig, syn().data("EVIL")).send(Resp, syn().ack(0)).send(Orig, seg(0, "GOOD"));
    lab.send(Resp, seg(0, "").ack(4)).finish();
    assert_eq!(lab.log.streams[0], b"GOOD");
    assert_eq!((lab.count("syn_data_refused"), lab.engine.held_bytes()), (1, 0));
}

#[test]
fn synack_that_acknowledges_another_syn_is_ignored() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Resp, syn().ack(500));
    lab.expect(&["opened", "resp anomaly syn_ignored"]);
}

#[test]
fn simultaneous_open_delivers_both_sides() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Resp, syn()).send(Orig, syn().ack(0)).send(Resp, syn().ack(0));
    lab.send(Orig, seg(0, "abc")).send(Resp, seg(0, "xyz"));
    lab.expect(&["opened", "orig 0 abc", "resp 0 xyz"]);
}

#[test]
fn wrap_in_order() {
    let mut lab = Lab::new();
    lab.first = [u32::MAX - 4, u32::MAX];
    let mut lab = lab.handshake();
    for at in 0..10 {
        lab.send(Orig, seg(at * 3, "abc")).send(Resp, seg(at, "x").ack(at * 3 + 3));
    }
    lab.send(Orig, fin(30, "")).send(Resp, fin(10, "").ack(31));
    assert_eq!(lab.log.streams[0], b"abc".repeat(10));
    assert_eq!(lab.log.streams[1], b"x".repeat(10));
    assert_eq!(&lab.log.lines[20..], ["orig end fin", "resp end fin"]);
}

#[test]
fn wrap_out_of_order() {
    let mut lab = Lab::new();
    lab.first = [u32::MAX - 4, 0];
    let mut lab = lab.handshake();
    for at in [6, 3, 9, 0] {
        lab.send(Orig, seg(at, "abc"));
    }
    lab.expect(&["orig 0 abc", "orig 3 abc", "orig 6 abc", "orig 9 abc"]);
}

#[test]
fn streams_beyond_four_gib_keep_their_offsets() {
    let mut lab = Lab::established();
    let step = 1_000_000_000;
    for at in 0..10 {
        lab.send(Orig, seg(at * step, "abcd"));
        lab.send(Resp, seg(0, "").ack(at * step + 4)).tick_ms(100);
    }
    let last = lab.log.lines.last().unwrap().clone();
    assert_eq!(last, "orig 9000000000 abcd");
    lab.finish();
    assert_eq!(lab.log.summary.unwrap().orig.bytes, 9_000_000_004);
}

#[test]
fn initial_number_zero_is_ordinary() {
    let mut lab = Lab::new();
    lab.first = [0, 1];
    let mut lab = lab.handshake();
    lab.send(Orig, seg(0, "a")).send(Resp, seg(0, "b")).expect(&["orig 0 a", "resp 0 b"]);
}

#[test]
fn one_lost_segment_becomes_gap() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "ab")).send(Orig, seg(5, "fg")).expect(&["orig 0 ab"]);
    lab.send(Resp, seg(0, "").ack(2)).expect(&[]);
    lab.send(Resp, seg(0, "").ack(7)).tick_ms(99).expect(&[]);
    lab.tick_ms(1).expect(&["orig 2 gap 3 lost", "orig 5 fg"]);
}

#[test]
fn hole_older_than_the_reorder_window_becomes_gap_with_the_time_it_was_due() {
    let mut lab = Lab::established();
    let sent = lab.now;
    lab.send(Orig, seg(5, "fg")).expect(&[]);
    lab.tick_ms(60_000).expect(&["orig 0 gap 5 lost", "orig 5 fg"]);
    assert_eq!(lab.log.at.0, sent + 30_000_000_000);
    assert_eq!(lab.count("holes_aged"), 1);
}

#[test]
fn hole_filled_before_the_reorder_window_is_no_gap() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(5, "fg")).wait_ms(29_999).send(Orig, seg(0, "abcde"));
    lab.tick_ms(60_000).expect(&["orig 0 abcde", "orig 5 fg"]);
}

#[test]
fn conflicting_overlap_first_wins() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(4, "GOOD")).send(Orig, seg(4, "EVIL")).send(Orig, seg(0, "0123"));
    lab.expect(&["orig anomaly overlap_conflict", "orig 0 0123", "orig 4 GOOD"]);
    lab.send(Orig, seg(4, "EVIL+")).expect(&["orig 8 +"]);
    assert_eq!(lab.count("overlap_conflicts"), 1);
    let detail = lab.log.detail.unwrap();
    assert_eq!((detail.offset, detail.len), (4, 4));
    assert_eq!((detail.kept.as_slice(), detail.rejected.as_slice()), (&b"GOOD"[..], &b"EVIL"[..]));
}

#[test]
fn overlap_policy_is_the_receivers() {
    // The originator is 10.0.0.1, the responder 10.0.0.2.
    let overlap = "first,10.0.0.2=last".parse().unwrap();
    let config = EngineConfig { overlap, ..EngineConfig::default() };
    for flipped in [false, true] {
        let mut lab = Lab::configured(config.clone());
        if !flipped {
            lab.send(Orig, syn());
        }
        lab.send(Resp, syn().ack(0)).send(Orig, seg(0, "")).log.lines.clear();
        for side in [Orig, Resp] {
            lab.send(side, seg(1, "1")).send(side, seg(1, "2")).send(side, seg(0, "0"));
        }
        let orig = ["orig anomaly overlap_conflict", "orig 0 0", "orig 1 2"];
        lab.expect(&[&orig[..], &["resp 0 0", "resp 1 1"]].concat());
    }
}

#[test]
fn anomaly_of_the_same_kind_is_told_once_but_counted() {
    let mut lab = Lab::established();
    for text in ["abcd", "ABCD", "AbCd", "aBcD"] {
        lab.send(Orig, seg(4, text));
    }
    lab.expect(&["orig anomaly overlap_conflict"]).finish();
    let summary = lab.log.summary.unwrap();
    assert_eq!(summary.anomaly_count, 3);
    assert!(summary.anomalies.contains(AnomalyKind::OverlapConflict));
    assert_eq!(lab.engine.counters().overlap_conflicts, 3);
}

#[test]
fn fin_with_data() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "bye")).expect(&["orig 0 bye", "orig end fin"]);
    lab.send(Resp, fin(0, "ok").ack(4)).expect(&["resp 0 ok", "resp end fin"]);
}

#[test]
fn fin_out_of_order_waits_for_its_hole() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(3, "def")).expect(&[]);
    lab.send(Orig, seg(0, "abc")).expect(&["orig 0 abc", "orig 3 def", "orig end fin"]);
}

#[test]
fn overlap_with_fin() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abcd")).send(Orig, fin(2, "cdef"));
    lab.expect(&["orig 0 abcd", "orig 4 ef", "orig end fin"]);
    lab.finish();
    assert_eq!(lab.log.summary.unwrap().orig.bytes, 6);
}

#[test]
fn duplicate_fin_ends_once() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "bye")).send(Orig, fin(0, "bye")).send(Orig, fin(3, ""));
    lab.expect(&["orig 0 bye", "orig end fin"]);
    assert_eq!(lab.count("fin_ignored"), 0);
}

#[test]
fn stale_fin_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abcdef")).send(Orig, fin(2, ""));
    lab.expect(&["orig 0 abcdef", "orig anomaly fin_ignored"]);
    lab.send(Orig, seg(6, "ghi")).expect(&["orig 6 ghi"]);
    assert_eq!(lab.count("fin_ignored"), 1);
}

#[test]
fn fin_beyond_the_window_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Resp, seg(0, "").ack(3).window(1000));
    lab.send(Orig, fin(5000, "")).expect(&["orig 0 abc", "orig anomaly fin_out_of_window"]);
    lab.send(Orig, fin(3, "")).expect(&["orig end fin"]);
}

#[test]
fn second_fin_elsewhere_is_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "abc")).send(Orig, fin(3, "def"));
    let expected = ["orig 0 abc", "orig end fin", "orig anomaly data_after_fin"];
    lab.expect(&[&expected[..], &["orig anomaly fin_ignored"]].concat());
    assert_eq!(lab.count("after_fin_bytes"), 3);
}

#[test]
fn fin_before_held_bytes_is_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(6, "ghi")).send(Orig, fin(4, "")).send(Orig, seg(0, "abcdef"));
    lab.expect(&["orig anomaly fin_ignored", "orig 0 abcdef", "orig 6 ghi"]);
}

#[test]
fn fin_beyond_an_acked_hole_ends_the_side() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(5, "")).send(Resp, seg(0, "").ack(6)).tick_ms(100);
    lab.expect(&["orig 0 gap 5 lost", "orig end fin"]);
}

#[test]
fn fin_beyond_an_old_hole_ends_the_side() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(5, "")).tick_ms(30_000).expect(&["orig 0 gap 5 lost", "orig end fin"]);
}

#[test]
fn half_close_lets_the_other_side_go_on() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "all")).expect(&["orig 0 all", "orig end fin"]);
    lab.wait_ms(100_000).send(Resp, seg(0, "more").ack(4)).expect(&["resp 0 more"]);
    lab.send(Resp, fin(4, "").ack(4)).expect(&["resp end fin"]);
}

#[test]
fn closed_flow_lingers_and_leaves() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "")).send(Resp, fin(0, "").ack(1)).send(Orig, seg(1, "").ack(1));
    lab.expect(&["orig end fin", "resp end fin"]);
    lab.tick_ms(4_999).expect(&[]).tick_ms(1).expect(&["closed fin"]);
    assert_eq!((lab.engine.flows(), lab.count("flows_expired_closed")), (0, 1));
    assert_eq!(lab.count("flows_opened"), 1);
}

#[test]
fn reset_ends_both_sides() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Resp, rst(0).ack(3));
    lab.expect(&["orig 0 abc", "orig end reset", "resp end reset"]);
}

#[test]
fn reset_flushes_what_is_held() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(2, "cd")).send(Resp, rst(0));
    lab.expect(&["orig 0 gap 2 lost", "orig 2 cd", "orig end reset", "resp end reset"]);
}

#[test]
fn reset_after_one_fin_ends_the_other_side() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "")).send(Orig, rst(1)).expect(&["orig end fin", "resp end reset"]);
    lab.finish().expect(&["closed reset"]);
}

#[test]
fn stale_reset_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abcdef")).send(Resp, seg(0, "").ack(6)).send(Orig, rst(2));
    lab.expect(&["orig 0 abcdef", "orig anomaly reset_out_of_window"]);
    lab.send(Orig, seg(6, "g")).expect(&["orig 6 g"]);
    assert_eq!(lab.count("reset_ignored"), 1);
}

#[test]
fn reset_beyond_the_window_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, rst(70_000)).expect(&["orig anomaly reset_out_of_window"]);
}

#[test]
fn reset_within_a_scaled_window_is_doubted() {
    let mut lab = Lab::new();
    lab.send(Orig, syn().scale(7)).send(Resp, syn().ack(0).scale(4));
    lab.send(Orig, seg(0, "")).send(Resp, seg(0, "").window(10_000)).expect(&["opened"]);
    lab.send(Orig, rst(160_001)).expect(&["orig anomaly reset_out_of_window"]);
    lab.send(Orig, rst(160_000)).expect(&["orig anomaly reset_challenged"]);
}

#[test]
fn refused_connection_is_reset() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Resp, seg(-5002, "").flags("R").ack(0));
    lab.expect(&["opened", "orig end reset", "resp end reset"]);
}

#[test]
fn refused_connection_may_be_tried_again_with_the_same_number() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Resp, rst(0).ack(0)).wait_ms(500);
    lab.expect(&["opened", "orig end reset", "resp end reset"]);
    lab.send(Orig, syn()).send(Resp, syn().ack(0)).send(Orig, seg(0, "abc"));
    lab.expect(&["closed reset", "opened", "orig 0 abc"]);
}

#[test]
fn reset_of_another_attempt_is_ignored() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Resp, rst(0).ack(99)).send(Resp, rst(0).no_ack());
    lab.expect(&["opened", "resp anomaly reset_out_of_window"]);
    assert_eq!(lab.count("reset_ignored"), 2);
}

#[test]
fn data_on_reset_is_not_stream_data() {
    let mut lab = Lab::established();
    lab.send(Resp, rst(0).data("reason")).expect(&["orig end reset", "resp end reset"]);
    assert_eq!(lab.count("reset_bytes"), 6);
}

#[test]
fn data_after_reset_is_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, rst(0)).send(Orig, seg(0, "abc")).send(Resp, seg(0, "xyz"));
    lab.expect(&["orig end reset", "resp end reset", "orig anomaly data_after_close"]);
    assert_eq!(lab.count("after_close_bytes"), 6);
}

#[test]
fn retransmission_after_close_is_no_anomaly() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "abc")).send(Resp, fin(0, "").ack(4)).send(Orig, fin(0, "abc"));
    lab.expect(&["orig 0 abc", "orig end fin", "resp end fin"]);
}

#[test]
fn keep_alives_are_no_data() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Orig, seg(2, "")).send(Orig, seg(2, "\0"));
    lab.send(Resp, seg(-1, "\0")).send(Orig, seg(3, "d"));
    lab.expect(&["orig 0 abc", "orig 3 d"]);
    assert_eq!(lab.count("keep_alives"), 3);
    assert_eq!(lab.count("overlap_conflicts") + lab.count("duplicate_bytes"), 0);
}

#[test]
fn zero_window_probe_is_delivered_once() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Resp, seg(0, "").ack(3).window(0));
    lab.send(Orig, seg(3, "d")).send(Resp, seg(0, "").ack(3).window(0));
    lab.send(Orig, seg(3, "d")).send(Resp, seg(0, "").ack(3)).send(Orig, seg(3, "def"));
    lab.expect(&["orig 0 abc", "orig 3 d", "orig 4 ef"]);
}

#[test]
fn midstream_is_picked_up_and_marked() {
    let mut lab = Lab::new();
    lab.send(Resp, seg(100, "abc")).send(Orig, seg(7, "xyz").ack(103));
    lab.expect(&["opened midstream", "orig 0 abc", "resp 0 xyz"]);
    assert_eq!(lab.count("flows_midstream"), 1);
}

#[test]
fn midstream_bytes_before_the_start_are_counted() {
    let mut lab = Lab::new();
    lab.send(Orig, seg(100, "abc")).send(Orig, seg(90, "0123456789")).send(Orig, seg(98, "89abcd"));
    lab.expect(&["opened midstream", "orig 0 abc", "orig 3 d"]);
    assert_eq!(lab.count("before_start_bytes"), 12);
}

#[test]
fn midstream_after_a_keep_alive_starts_at_the_data() {
    let mut lab = Lab::new();
    lab.send(Orig, seg(99, "")).send(Resp, seg(0, "").ack(100)).send(Orig, seg(100, "abc"));
    lab.expect(&["opened midstream", "orig 0 abc"]);
}

#[test]
fn midstream_may_be_switched_off() {
    let config = EngineConfig { midstream: false, ..EngineConfig::default() };
    let mut lab = Lab::configured(config);
    lab.send(Orig, seg(0, "abc")).expect(&[]);
    assert_eq!((lab.engine.flows(), lab.count("midstream_refused")), (0, 1));
}

#[test]
fn one_sided_flow_is_delivered() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Orig, seg(0, "").ack(0)).send(Orig, seg(0, "abc"));
    lab.send(Orig, fin(3, "def")).finish();
    let [opened, end] = ["opened", "orig end fin"];
    lab.expect(&[opened, "orig 0 abc", "orig 3 def", end, "resp end shutdown", "closed shutdown"]);
}

#[test]
fn segment_far_outside_is_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Orig, seg((1 << 30) + 4, "far"));
    lab.send(Orig, seg(-(1 << 30) - 4, "far")).send(Orig, seg(3, "d"));
    lab.expect(&["orig 0 abc", "orig anomaly out_of_window", "orig 3 d"]);
    assert_eq!(lab.count("out_of_window"), 2);
}

#[test]
fn contradictory_flags_are_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "").flags("SF")).send(Orig, seg(0, "").flags("SR"));
    lab.send(Orig, seg(0, "abc")).expect(&["orig anomaly bad_flags", "orig 0 abc"]);
    assert_eq!(lab.count("bad_flags"), 2);
}

#[test]
fn segment_without_flags_is_data() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc").no_ack()).expect(&["orig anomaly no_ack", "orig 0 abc"]);
    assert_eq!(lab.count("no_ack"), 1);
}

#[test]
fn new_attempt_with_another_number_is_another_flow() {
    let mut lab = Lab::new();
    lab.send(Orig, syn());
    lab.first[0] = 77_000;
    lab.send(Orig, syn());
    lab.expect(&["opened", "orig end reset", "resp end reset", "closed reset", "opened"]);
}

#[test]
fn retransmitted_syn_after_close_is_a_straggler() {
    let mut lab = Lab::established();
    lab.send(Orig, rst(0)).send(Orig, syn()).send(Resp, syn().ack(0));
    lab.expect(&["orig end reset", "resp end reset"]);
    assert_eq!(lab.count("flows_opened"), 1);
}

#[test]
fn cut_frame_leaves_a_snaplen_gap() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abcdef").cut(4)).send(Orig, seg(6, "gh"));
    lab.expect(&["orig 0 ab", "orig 2 gap 4 snaplen", "orig 6 gh"]);
    assert_eq!((lab.count("frames_truncated"), lab.count("gaps_snaplen")), (1, 1));
}

#[test]
fn depth_leaves_one_gap_before_the_end() {
    let mut lab = Lab::with(|limits| limits.depth = 4).handshake();
    lab.send(Orig, seg(0, "abc")).send(Orig, seg(3, "defg")).send(Orig, fin(7, "hi"));
    lab.expect(&["orig 0 abc", "orig 3 d", "orig 4 gap 5 depth", "orig end fin"]);
}

#[test]
fn summary_accounts_for_every_byte() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Orig, seg(0, "abc")).send(Orig, seg(8, "ij"));
    lab.send(Resp, seg(0, "").ack(10)).send(Orig, fin(10, "k")).send(Resp, fin(0, "xy").ack(12));
    lab.finish();
    assert_eq!(lab.log.lines.last().map(String::as_str), Some("closed fin"));
    let summary = lab.log.summary.unwrap();
    let orig = summary.orig;
    assert_eq!((orig.pkts, orig.ip_bytes), (6, 6 * 40 + 9));
    assert_eq!((orig.bytes, orig.delivered_bytes, orig.missed_bytes), (11, 6, 5));
    assert_eq!((orig.duplicate_bytes, orig.out_of_order), (3, 2));
    assert_eq!((summary.resp.bytes, summary.resp.delivered_bytes), (2, 2));
    assert_eq!((summary.first_packet, summary.midstream), (1, false));
}
