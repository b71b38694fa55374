//! What somebody who is neither of the endpoints may have sent.

use super::{fin, rst};
use crate::Side::{Orig, Resp};
use crate::testing::{Lab, seg, syn};

/// The window that the lab advertises unless told otherwise.
const WINDOW: i64 = 65_535;

#[test]
fn reset_within_the_window_is_doubted_and_data_goes_on() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Orig, rst(1000));
    lab.expect(&["orig 0 abc", "orig anomaly reset_challenged"]);
    lab.send(Resp, seg(0, "ok").ack(3)).send(Orig, seg(3, "def").ack(2));
    lab.expect(&["resp 0 ok", "orig 3 def"]);
    assert_eq!((lab.count("reset_challenged"), lab.count("reset_ignored")), (1, 0));
}

#[test]
fn doubted_reset_is_ignored_once_its_sender_goes_on_behind_it() {
    let mut lab = Lab::established();
    lab.send(Orig, rst(10)).send(Orig, seg(0, [b'x'; 20]));
    let text = "x".repeat(20);
    let data = format!("orig 0 {text}");
    lab.expect(&["orig anomaly reset_challenged", &data, "orig anomaly reset_ignored"]);
    assert_eq!(lab.count("reset_ignored"), 1);
    lab.send(Orig, fin(20, "")).send(Resp, fin(0, "").ack(21));
    lab.finish().expect(&["orig end fin", "resp end fin", "closed fin"]);
}

#[test]
fn doubted_reset_is_ignored_once_bytes_behind_it_are_acknowledged() {
    let mut lab = Lab::established();
    lab.send(Orig, rst(10)).send(Resp, seg(0, "").ack(12));
    lab.expect(&["orig anomaly reset_challenged", "orig anomaly reset_ignored"]);
}

#[test]
fn doubted_reset_that_nothing_contradicts_ends_the_flow_as_reset() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Orig, rst(1000)).tick_ms(600_000);
    let end = ["orig end reset", "resp end reset", "closed reset"];
    lab.expect(&[&["orig 0 abc", "orig anomaly reset_challenged"], &end[..]].concat());
    assert_eq!(lab.log.summary.unwrap().conn_state.name(), "RSTO");
}

#[test]
fn doubted_reset_comes_true_with_a_new_connection() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Resp, rst(1000));
    lab.first = [9000, 8000];
    lab.send(Orig, syn()).send(Resp, syn().ack(0)).send(Orig, seg(0, "abc"));
    let old = ["orig 0 abc", "resp anomaly reset_challenged", "orig anomaly syn_ignored"];
    let end = ["orig end reset", "resp end reset", "closed reset"];
    lab.expect(&[&old[..], &end[..], &["opened", "orig 0 abc"]].concat());
}

#[test]
fn doubted_reset_and_a_syn_that_nobody_answers_end_nothing() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Orig, rst(46)).send(Orig, seg(900, "").flags("S").no_ack());
    lab.send(Orig, seg(3, "def"));
    lab.finish();
    assert_eq!(lab.log.streams[0], b"abcdef");
    assert_eq!(lab.count("flows_opened"), 1);
}

#[test]
fn half_open_connection_is_reset_and_opened_anew() {
    // RFC 9293 §3.5.1: the server still has an old connection, and answers the SYN with its
    // acknowledgment; the client resets that one and sends its SYN again.
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Resp, seg(70_000, "").ack(9_000_000));
    lab.send(Orig, rst(9_000_000).no_ack()).send(Orig, syn()).send(Resp, syn().ack(0));
    lab.send(Orig, seg(0, "")).send(Orig, seg(0, "abc")).send(Resp, seg(0, "xyz").ack(3));
    lab.finish();
    assert_eq!(lab.log.streams, [b"abc", b"xyz"]);
    assert_eq!(lab.count("flows_opened"), 1);
    let summary = lab.log.summary.unwrap();
    assert_eq!((summary.orig.bytes, summary.resp.bytes), (3, 3));
}

#[test]
fn doubted_reset_comes_true_once_the_bytes_before_it_are_here() {
    // The capture has put the RST before the bytes that its sender sent before it.
    let mut lab = Lab::established();
    lab.send(Resp, rst(6)).send(Resp, seg(0, "abc")).send(Resp, seg(3, "def"));
    let end = ["orig end reset", "resp end reset"];
    lab.expect(
        &[&["resp anomaly reset_challenged", "resp 0 abc", "resp 3 def"], &end[..]].concat(),
    );
    assert_eq!(lab.count("reset_ignored"), 0);
}

#[test]
fn reset_is_obeyed_wherever_its_receiver_may_be() {
    // Bytes 0 to 3 are acknowledged, 3 to 6 are not, 6 to 9 are missing, 9 to 12 are here.
    for at in [3, 6, 12] {
        let mut lab = Lab::established();
        lab.send(Orig, seg(0, "abc")).send(Orig, seg(3, "def")).send(Orig, seg(9, "jkl"));
        lab.send(Resp, seg(0, "").ack(3)).send(Orig, rst(at));
        assert_eq!(lab.count("reset_challenged"), 0, "{at}");
        assert!(lab.log.lines.iter().any(|line| line == "orig end reset"), "{at}");
    }
}

#[test]
fn reset_elsewhere_in_the_window_is_not_obeyed() {
    for at in [4, 5, 7, 11, 13, WINDOW + 3] {
        let mut lab = Lab::established();
        lab.send(Orig, seg(0, "abc")).send(Orig, seg(3, "def")).send(Orig, seg(9, "jkl"));
        lab.send(Resp, seg(0, "").ack(3)).send(Orig, rst(at));
        assert_eq!(lab.count("reset_challenged"), 1, "{at}");
        lab.send(Orig, seg(6, "ghi"));
        assert_eq!(lab.log.streams[0], b"abcdefghijkl", "{at}");
    }
}

#[test]
fn reset_behind_a_fin_is_exact() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(3, "def")).send(Orig, rst(7));
    assert_eq!(lab.count("reset_challenged"), 0);
    lab.expect(&["orig 0 gap 3 lost", "orig 3 def", "orig end fin", "resp end reset"]);
}

#[test]
fn reset_from_a_side_never_seen_is_doubted_in_midstream() {
    let mut lab = Lab::new();
    lab.send(Orig, seg(0, "abc")).send(Resp, rst(77)).send(Orig, seg(3, "def"));
    let expected = ["opened midstream", "orig 0 abc", "resp anomaly reset_challenged"];
    lab.expect(&[&expected[..], &["orig 3 def"]].concat());
}

#[test]
fn lone_reset_ends_at_once() {
    let mut lab = Lab::new();
    lab.send(Orig, rst(0)).expect(&["opened midstream", "orig end reset", "resp end reset"]);
}

#[test]
fn fin_beyond_the_first_byte_of_the_window_leaves_the_hole_open() {
    // In the window, so its receiver would take it: what it says comes true or it does not.
    let mut lab = Lab::established();
    lab.send(Orig, fin(6, "")).send(Orig, seg(0, "abcdef"));
    lab.expect(&["orig 0 abcdef", "orig end fin"]);
}

#[test]
fn fin_at_the_edge_of_the_window_is_believed_and_behind_it_is_not() {
    for (at, believed) in [(WINDOW, true), (WINDOW + 1, false)] {
        let mut lab = Lab::established();
        lab.send(Orig, fin(at, ""));
        assert_eq!(lab.count("fin_ignored"), u64::from(!believed), "{at}");
    }
}

#[test]
fn fin_before_bytes_already_seen_is_ignored() {
    for at in [-5, 0, 1, 2] {
        let mut lab = Lab::established();
        lab.send(Orig, seg(0, "abc")).send(Orig, fin(at, ""));
        lab.expect(&["orig 0 abc", "orig anomaly fin_ignored"]);
    }
}

#[test]
fn wild_ack_does_not_shorten_the_wait_for_a_hole() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(2, "cd")).send(Resp, seg(0, "").ack(4 + WINDOW + 2));
    lab.expect(&["resp anomaly ack_of_unsent"]).tick_ms(29_999).expect(&[]);
    lab.send(Orig, seg(0, "ab")).expect(&["orig 0 ab", "orig 2 cd"]);
    assert_eq!(lab.count("ack_of_unsent"), 1);
}

#[test]
fn wild_ack_does_not_count_as_bytes() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc"));
    // One after the other, each within the window of the one before.
    for step in 1..100 {
        lab.send(Resp, seg(0, "").ack(step * 60_000));
    }
    lab.finish();
    let bytes = lab.log.summary.unwrap().orig.bytes;
    assert!(bytes <= 3 + WINDOW.unsigned_abs(), "{bytes}");
}

#[test]
fn ack_within_the_largest_window_ever_is_plausible() {
    let mut lab = Lab::new();
    lab.send(Orig, syn().scale(0)).send(Resp, syn().ack(0).scale(8));
    lab.send(Orig, seg(0, "")).send(Resp, seg(0, "").window(1000)).send(Orig, seg(0, "abc"));
    // The window was 256,000 and has closed since. Bytes up to its end may have been lost.
    lab.send(Resp, seg(0, "").ack(256_003).window(0)).expect(&["opened", "orig 0 abc"]);
    lab.finish();
    assert_eq!(lab.log.summary.unwrap().orig.bytes, 256_003);
    assert_eq!(lab.engine.counters().ack_of_unsent, 0);
}

#[test]
fn reset_behind_a_great_loss_is_doubted() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Resp, seg(0, "").ack(200_000)).send(Orig, rst(200_000));
    let odd = ["resp anomaly ack_of_unsent", "orig anomaly reset_challenged"];
    lab.expect(&[&["orig 0 abc"], &odd[..]].concat()).finish();
    lab.expect(&["orig end reset", "resp end reset", "closed reset"]);
}

#[test]
fn forged_fin_ahead_does_not_cut_a_slow_stream() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(1000, ""));
    for at in 0..10 {
        lab.wait_ms(20_000).send(Orig, seg(at * 2, "ab"));
    }
    assert_eq!(lab.log.streams[0], b"ab".repeat(10));
    // Once nothing comes any more, the FIN is what is left.
    lab.tick_ms(30_000);
    assert_eq!(&lab.log.lines[10..], ["orig 20 gap 980 lost", "orig end fin"]);
}

#[test]
fn ack_behind_a_fin_is_not_plausible() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(2, "c")).send(Resp, seg(0, "").ack(4)).send(Resp, seg(0, "").ack(5));
    lab.expect(&["resp anomaly ack_of_unsent"]);
}

#[test]
fn ack_of_a_side_that_was_not_captured_is_no_anomaly() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Orig, seg(0, "")).send(Orig, seg(0, "a").ack(3_000_000)).finish();
    assert_eq!(lab.count("ack_of_unsent"), 0);
    assert_eq!(lab.log.summary.unwrap().resp.bytes, 0);
}

#[test]
fn urgent_data_stays_in_the_stream() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "ab!").flags("U")).send(Orig, seg(3, "c"));
    lab.expect(&["orig anomaly urgent_data", "orig 0 ab!", "orig 3 c"]);
    assert_eq!(lab.count("urgent_segments"), 1);
}

#[test]
fn fin_with_reset_is_a_reset() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "").flags("FR"));
    lab.expect(&["orig anomaly fin_with_reset", "orig end reset", "resp end reset"]);
}
