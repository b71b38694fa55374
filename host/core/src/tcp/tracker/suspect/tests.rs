use crate::Side::{Orig, Resp};
use crate::testing::{Lab, seg};
use crate::{Checksums, EngineConfig};

#[test]
fn segment_that_the_receiver_drops_is_dropped() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "0000").bad_sum())
        .send(Orig, seg(0, "real"))
        .send(Resp, seg(0, "").ack(4));
    lab.expect(&["orig 0 real"]);
    assert_eq!((lab.count("checksum_bad"), lab.count("checksum_unverified")), (1, 0));
    assert_eq!(lab.engine.held_bytes(), 0);
}

#[test]
fn segment_that_the_receiver_acknowledges_is_taken() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "edited ").bad_sum()).send(Orig, seg(7, "capture")).expect(&[]);
    lab.send(Resp, seg(0, "").ack(14)).expect(&["orig 0 edited ", "orig 7 capture"]);
    assert_eq!((lab.count("checksum_bad"), lab.count("checksum_unverified")), (0, 1));
    assert_eq!(lab.finish().log.summary.as_ref().map(|s| s.orig.missed_bytes), Some(0));
}

#[test]
fn segment_acknowledged_by_another_such_segment_is_taken() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "ask").bad_sum()).send(Resp, seg(0, "answer").ack(3).bad_sum());
    lab.expect(&["orig 0 ask"]);
    lab.send(Orig, seg(3, "").ack(6)).expect(&["resp 0 answer"]);
}

#[test]
fn what_a_right_segment_has_brought_in_part_is_completed() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abXXef").bad_sum()).send(Orig, seg(2, "cd")).send(Orig, seg(0, "ab"));
    lab.send(Resp, seg(0, "").ack(6)).expect(&["orig 0 ab", "orig 2 cd", "orig 4 ef"]);
}

#[test]
fn end_of_the_flow_takes_what_waits() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "one-sided").bad_sum()).expect(&[]);
    lab.finish().expect(&[
        "orig 0 one-sided",
        "orig end shutdown",
        "resp end shutdown",
        "closed shutdown",
    ]);
    assert_eq!(lab.engine.held_bytes(), 0);
}

#[test]
fn fin_counts_once_it_is_acknowledged() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "bye").flags("F").bad_sum()).expect(&[]);
    lab.send(Resp, seg(0, "").ack(4)).expect(&["orig 0 bye", "orig end fin"]);
}

#[test]
fn only_so_many_wait() {
    let mut lab = Lab::established();
    for at in 0..100 {
        lab.send(Orig, seg(at * 3, "abc").bad_sum());
    }
    assert_eq!(lab.count("suspects_dropped"), 100 - super::MAX_SUSPECTS as u64);
    lab.finish();
    assert_eq!(lab.log.streams[0].len(), super::MAX_SUSPECTS * 3);
    assert_eq!(lab.engine.held_bytes(), 0);
}

#[test]
fn checksums_on_drops_them_all_and_off_takes_them_all() {
    for (checksums, taken) in [(Checksums::On, 0), (Checksums::Off, 3)] {
        let mut lab = Lab::configured(EngineConfig { checksums, ..EngineConfig::default() });
        lab = lab.handshake();
        lab.send(Orig, seg(0, "bad").bad_sum()).send(Resp, seg(0, "").ack(3)).finish();
        assert_eq!(lab.log.streams[0].len(), taken);
    }
}

#[test]
fn what_waits_is_given_back_however_the_flow_ends() {
    let ends: [fn(&mut Lab); 3] = [
        |lab| {
            lab.send(Orig, seg(0, "").flags("R"));
        },
        |lab| {
            lab.send(Orig, seg(0, "").flags("F")).send(Resp, seg(0, "").flags("F").ack(1));
        },
        |lab| {
            lab.tick_ms(600_000);
        },
    ];
    for end in ends {
        let mut lab = Lab::established();
        for at in 1..30 {
            lab.send(Orig, seg(at * 100, "waits").bad_sum());
        }
        assert_ne!(lab.engine.held_bytes(), 0);
        end(&mut lab);
        lab.tick_ms(600_000).finish();
        assert_eq!(lab.engine.held_bytes(), 0);
    }
}

#[test]
fn sums_left_to_the_card_wait_where_others_were_right() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "EVIL").no_sum())
        .send(Orig, seg(0, "GOOD"))
        .send(Resp, seg(0, "").ack(4));
    lab.expect(&["orig 0 GOOD"]);
    lab.send(Orig, seg(4, "").flags("R").no_sum())
        .send(Orig, seg(4, " more"))
        .expect(&["orig 4  more"]);
}

#[test]
fn hole_that_ages_does_not_make_others_bytes_believed() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "EVIL").bad_sum()).send(Orig, seg(8, "later")).tick_ms(30_000);
    lab.expect(&["orig 0 gap 8 lost", "orig 8 later"]);
}
