//! What is known to go wrong in other reassemblers, and the tests that show that it does not here.
//!
//! [`TABLE`] is the index: defects that were observed in, or reported against, libraries and
//! engines for the same purpose, each with the tests that cover it, wherever they are. Tests that
//! have no better place are below.

use crate::Side::{Orig, Resp};
use crate::testing::{Lab, Rng, seg, syn};

/// Defects, and the names of the tests that cover them.
const TABLE: &[(&str, &[&str])] = &[
    ("in-order data is lost where sequence numbers wrap", &["wrap_in_order"]),
    (
        "out-of-order data is sorted by the raw number, so a wrap reverses it",
        &["wrap_out_of_order"],
    ),
    ("streams over 4 GiB lose their place", &["streams_beyond_four_gib_keep_their_offsets"]),
    ("number 0 stands for 'not known yet'", &["initial_number_zero_is_ordinary"]),
    ("a retransmitted SYN moves the stream by one", &["syn_retransmit_keeps_first_byte"]),
    (
        "data on a SYN is off by one, or lost",
        &["syn_with_data_is_the_first_data", "syn_with_data_not_accepted_is_sent_again"],
    ),
    ("a simultaneous open has two clients", &["simultaneous_open_delivers_both_sides"]),
    ("a SYN-ACK before its SYN is another connection", &["synack_before_syn_is_one_connection"]),
    (
        "a connection whose SYN was missed has client and server swapped",
        &["synack_first_flips_the_direction"],
    ),
    (
        "midstream traffic is dropped, or taken for a whole flow",
        &["midstream_is_picked_up_and_marked"],
    ),
    (
        "segments after the 128th out of order are dropped",
        &["late_128_segments", "a_thousand_segments_come_late"],
    ),
    (
        "too many out-of-order packets end the connection without a word",
        &["hole_that_is_never_filled_keeps_memory_bounded"],
    ),
    (
        "one lost segment stops the stream for ever",
        &[
            "one_lost_segment_becomes_gap",
            "hole_older_than_the_reorder_window_becomes_gap_with_the_time_it_was_due",
        ],
    ),
    (
        "a flow with a gap of which one side is seen buffers for ever",
        &["one_sided_flow_with_a_loss_goes_on"],
    ),
    (
        "out-of-order memory has no limit",
        &[
            "full_bytes_give_up_the_first_hole",
            "full_segments_give_up_the_first_hole",
            "hold_limit_is_shared_by_all_flows",
        ],
    ),
    (
        "one flow uses up the memory of all",
        &["one_stream_leaves_room_for_the_fair_shares_of_others"],
    ),
    (
        "an ACK that the mirror put before its data declares a loss",
        &["ack_before_its_data_is_no_loss"],
    ),
    ("a forged ACK declares a loss", &["wild_ack_does_not_shorten_the_wait_for_a_hole"]),
    (
        "retransmitted bytes come twice",
        &[
            "retransmissions_come_once",
            "any_segmentation_order_and_duplication_gives_the_same_bytes",
        ],
    ),
    (
        "which copy of an overlap counts depends on whether one was read before",
        &["conflicting_overlap_is_the_same_before_and_after_delivery"],
    ),
    (
        "a conflicting overlap is not reported",
        &["conflicting_overlap_first_wins", "conflict_tells_where_and_what"],
    ),
    (
        "all receivers are taken to resolve overlaps alike",
        &["overlap_policy_is_the_receivers", "every_policy_decides_every_relation"],
    ),
    ("ranges that were overtaken are skipped or come twice", &["flush_after_stale"]),
    (
        "a stale or forged FIN ends the stream",
        &[
            "stale_fin_ignored",
            "fin_before_bytes_already_seen_is_ignored",
            "fin_beyond_the_window_ignored",
        ],
    ),
    (
        "a FIN before its data cuts it off",
        &["fin_out_of_order_waits_for_its_hole", "fin_with_data"],
    ),
    ("RST is not looked at", &["reset_ends_both_sides", "refused_connection_is_reset"]),
    (
        "a forged RST ends the connection",
        &[
            "stale_reset_ignored",
            "reset_beyond_the_window_ignored",
            "reset_within_the_window_is_doubted_and_data_goes_on",
        ],
    ),
    ("a half-closed connection is a closed one", &["half_close_lets_the_other_side_go_on"]),
    (
        "closing one side loses what the other one has",
        &["reset_flushes_what_is_held", "eviction_flushes_what_is_held"],
    ),
    ("keep-alives become data", &["keep_alives_are_no_data"]),
    ("zero-window probes come twice", &["zero_window_probe_is_delivered_once"]),
    (
        "reused ports continue the old stream",
        &["port_reuse_after_close_opens_a_new_flow", "port_reuse_of_an_open_flow_closes_it_first"],
    ),
    ("one byte a segment defeats the parser", &["one_byte_segments_in_any_order"]),
    (
        "flows without FIN or RST stay for ever",
        &["established_flow_expires_and_flushes", "unanswered_syn_expires"],
    ),
    (
        "timeouts follow the wall clock, also in a file",
        &["timers_fire_before_the_frame_that_moved_time"],
    ),
    (
        "a full table drops new flows",
        &["syn_flood_respects_the_cap", "eviction_prefers_closed_flows_and_then_the_longest_idle"],
    ),
    (
        "what a finished parser does not want is buffered and leaked",
        &["done_drops_what_is_held", "done_stops_one_side_for_good"],
    ),
    ("a snaplen looks like the end of the data", &["cut_frame_leaves_a_snaplen_gap"]),
    ("a depth limit ends the stream without a word", &["depth_leaves_one_gap_before_the_end"]),
];

/// The files in which the tests may be.
const SOURCES: &[&str] = &[
    include_str!("known_defects.rs"),
    include_str!("overlap/tests.rs"),
    include_str!("reassembler/model.rs"),
    include_str!("reassembler/tests.rs"),
    include_str!("tracker/tests.rs"),
    include_str!("tracker/tests/forged.rs"),
    include_str!("tracker/tests/reuse.rs"),
    include_str!("../engine/tests.rs"),
];

#[test]
fn every_defect_has_a_test_that_exists() {
    for (defect, tests) in TABLE {
        assert!(!tests.is_empty(), "{defect}");
        for test in *tests {
            let head = format!("#[test]\nfn {test}() {{");
            assert!(
                SOURCES.iter().any(|source| source.contains(&head)),
                "{defect}: no test {test}"
            );
        }
    }
}

#[test]
fn synack_before_syn_is_one_connection() {
    let mut lab = Lab::new();
    lab.send(Resp, syn().ack(0)).send(Orig, syn()).send(Orig, seg(0, ""));
    lab.send(Orig, seg(0, "abc")).send(Resp, seg(0, "xyz").ack(3)).finish();
    let data = ["opened", "orig 0 abc", "resp 0 xyz"];
    let end = ["orig end shutdown", "resp end shutdown", "closed shutdown"];
    lab.expect(&[&data[..], &end[..]].concat());
    let summary = lab.log.summary.unwrap();
    assert_eq!((summary.conn_state.name(), summary.history.as_str()), ("S1", "^hSADd"));
}

#[test]
fn a_thousand_segments_come_late() {
    let mut lab = Lab::established();
    for at in (0..1000).rev() {
        lab.send(Orig, seg(at * 5, format!("{at:04}\n")));
    }
    let expected: String = (0..1000).map(|at| format!("{at:04}\n")).collect();
    assert_eq!(lab.log.streams[0], expected.as_bytes());
    assert_eq!(lab.count("missed_bytes"), 0);
}

#[test]
fn hole_that_is_never_filled_keeps_memory_bounded() {
    const STEP: i64 = 1460;
    let mut lab = Lab::established();
    // 12 MB behind a hole of one byte, none of it acknowledged.
    for at in 0..8000 {
        lab.send(Orig, seg(1 + at * STEP, [b'x'; STEP as usize]));
        assert!(lab.engine.held_bytes() <= (4 << 20) + 4096 * 96);
    }
    assert_eq!((lab.count("gaps_memory"), lab.count("missed_bytes")), (1, 1));
    lab.finish();
    assert_eq!((lab.log.streams[0].len(), lab.engine.held_bytes()), (8000 * STEP as usize, 0));
}

#[test]
fn one_sided_flow_with_a_loss_goes_on() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Orig, seg(0, "")).send(Orig, seg(0, "ab")).send(Orig, seg(4, "ef"));
    lab.expect(&["opened", "orig 0 ab"])
        .tick_ms(30_000)
        .expect(&["orig 2 gap 2 lost", "orig 4 ef"]);
    lab.send(Orig, seg(6, "gh")).expect(&["orig 6 gh"]);
}

#[test]
fn ack_before_its_data_is_no_loss() {
    let mut lab = Lab::established();
    lab.send(Resp, seg(0, "").ack(6)).wait_ms(50).send(Orig, seg(3, "def"));
    lab.wait_ms(50).send(Orig, seg(0, "abc")).tick_ms(60_000);
    lab.expect(&["orig 0 abc", "orig 3 def"]);
    assert_eq!(lab.count("ack_of_unsent"), 0);
}

#[test]
fn retransmissions_come_once() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abcd")).send(Orig, seg(0, "abcd")).send(Orig, seg(2, "cdef"));
    lab.send(Orig, seg(8, "ij")).send(Orig, seg(8, "ij")).send(Orig, seg(6, "ghi"));
    lab.expect(&["orig 0 abcd", "orig 4 ef", "orig 6 gh", "orig 8 ij"]);
}

#[test]
fn conflicting_overlap_is_the_same_before_and_after_delivery() {
    // The copies come in the same order both times; once the first one waits, once it does not.
    for waits in [true, false] {
        let mut lab = Lab::established();
        let early = if waits { 0 } else { 3 };
        lab.send(Orig, seg(0, &"abc"[..early]));
        lab.send(Orig, seg(3, "FIRST")).send(Orig, seg(3, "OTHER+")).send(Orig, seg(0, "abc"));
        assert_eq!(lab.log.streams[0], b"abcFIRST+", "{waits}");
    }
}

#[test]
fn one_byte_segments_in_any_order() {
    let text: Vec<u8> = (0..200).map(|at| b'a' + at % 26).collect();
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let mut lab = Lab::established();
        let mut order: Vec<usize> = (0..text.len()).collect();
        for i in (1..order.len()).rev().filter(|_| seed != 0) {
            order.swap(i, rng.below(i as u64 + 1) as usize);
        }
        for at in order {
            lab.send(Orig, seg((at as u64).cast_signed(), [text[at]]));
        }
        assert_eq!(lab.log.streams[0], text, "seed {seed}");
    }
}
