//! SYNs on a 5-tuple that is in use: a new connection, or a forged one.

use super::fin;
use crate::Side::{Orig, Resp};
use crate::testing::{Lab, seg, syn};

#[test]
fn port_reuse_after_close_opens_a_new_flow() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, ""))
        .send(Resp, fin(0, "").ack(1))
        .expect(&["orig end fin", "resp end fin"]);
    lab.first = [700_000, 800_000];
    lab.send(Orig, syn()).expect(&["closed fin", "opened"]);
    lab.send(Resp, syn().ack(0)).send(Orig, seg(0, "new")).expect(&["orig 0 new"]);
    assert_eq!(lab.count("flows_reused"), 1);
}

#[test]
fn port_reuse_of_an_open_flow_closes_it_first() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "old")).send(Orig, seg(5, "held")).wait_ms(1000);
    lab.expect(&["orig 0 old"]);
    lab.first = [90_000_000, 800_000];
    lab.send(Orig, syn()).expect(&["orig anomaly syn_ignored"]);
    lab.send(Resp, syn().ack(0));
    let old = ["orig 3 gap 2 lost", "orig 5 held", "orig end reset", "resp end reset"];
    lab.expect(&[&old[..], &["closed reset", "opened"]].concat());
    let summary = lab.log.summary.take().unwrap();
    assert_eq!(summary.orig.pkts, 5);
    lab.send(Orig, seg(0, "new")).expect(&["orig 0 new"]);
}

#[test]
fn forged_syn_does_not_end_an_open_flow() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Resp, seg(0, "xyz").ack(3));
    let first = lab.first;
    for number in [90_000_000, 3_000_000_000, 17] {
        lab.first = [number, 0];
        lab.send(Orig, syn());
    }
    lab.first = first;
    // What its receiver answers acknowledges the connection that is open.
    lab.send(Resp, seg(3, "").ack(3)).send(Orig, seg(3, "d").ack(3));
    lab.expect(&["orig 0 abc", "resp 0 xyz", "orig anomaly syn_ignored", "orig 3 d"]);
    assert_eq!((lab.count("flows_reused"), lab.count("syn_ignored")), (0, 3));
}

#[test]
fn port_reuse_of_an_open_one_sided_flow_closes_it_first() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Orig, seg(0, "old"));
    lab.first = [90_000_000, 800_000];
    lab.send(Orig, syn()).send(Orig, seg(0, "new"));
    let old = ["opened", "orig 0 old", "orig end reset", "resp end reset", "closed reset"];
    lab.expect(&[&old[..], &["opened", "orig 0 new"]].concat());
}

#[test]
fn syn_within_the_window_of_an_open_flow_is_ignored() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Orig, seg(2000, "").flags("S").no_ack());
    lab.send(Orig, seg(3, "d"));
    lab.expect(&["orig 0 abc", "orig anomaly syn_ignored", "orig 3 d"]);
}
