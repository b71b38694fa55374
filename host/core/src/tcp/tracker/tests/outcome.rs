//! What a flow amounted to: its state and its history in Zeek's terms.

use super::{fin, rst};
use crate::Side::{Orig, Resp};
use crate::testing::{Lab, seg, syn};

impl Lab {
    /// Ends the input and compares state and history of the last flow to close.
    #[track_caller]
    fn outcome(&mut self, state: &str, history: &str) {
        self.finish();
        let summary = self.log.summary.take().unwrap();
        assert_eq!((summary.conn_state.name(), summary.history.as_str()), (state, history));
    }
}

#[test]
fn s0_syn_without_answer() {
    Lab::new().send(Orig, syn()).send(Orig, syn()).outcome("S0", "S");
}

#[test]
fn s1_established() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abc")).send(Resp, seg(0, "").ack(3)).send(Resp, seg(0, "ok").ack(3));
    lab.outcome("S1", "ShADad");
}

#[test]
fn sf_closed_by_both() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "abc")).send(Resp, fin(0, "").ack(4)).send(Orig, seg(4, "").ack(1));
    lab.outcome("SF", "ShAFf");
}

#[test]
fn s2_and_s3_half_closed() {
    Lab::established().send(Orig, fin(0, "")).outcome("S2", "ShAF");
    Lab::established().send(Resp, fin(0, "")).outcome("S3", "ShAf");
}

#[test]
fn rej_refused() {
    Lab::new().send(Orig, syn()).send(Resp, rst(0).ack(0)).outcome("REJ", "Sr");
}

#[test]
fn rsto_and_rstr_reset() {
    Lab::established().send(Orig, seg(0, "a")).send(Orig, rst(1)).outcome("RSTO", "ShADR");
    Lab::established().send(Orig, seg(0, "a")).send(Resp, rst(0)).outcome("RSTR", "ShADr");
}

#[test]
fn rstos0_and_rstrh_half_open() {
    Lab::new().send(Orig, syn()).send(Orig, rst(0)).outcome("RSTOS0", "SR");
    Lab::new().send(Resp, syn().ack(0)).send(Resp, rst(0)).outcome("RSTRH", "^hr");
}

#[test]
fn sh_and_shr_one_sided() {
    let mut lab = Lab::new();
    lab.send(Orig, syn()).send(Orig, seg(0, "")).send(Orig, seg(0, "abc")).send(Orig, fin(3, ""));
    lab.outcome("SH", "SADF");
    Lab::new().send(Resp, syn().ack(0)).send(Resp, fin(0, "")).outcome("SHR", "^hf");
}

#[test]
fn oth_midstream() {
    Lab::new().send(Orig, seg(0, "a")).send(Resp, seg(0, "").ack(1)).outcome("OTH", "Da");
    let mut lab = Lab::new();
    lab.send(Orig, fin(0, "a")).send(Resp, fin(0, "").ack(2)).outcome("SF", "Ff");
}

#[test]
fn missed_syn_is_made_up_by_the_synack() {
    let mut lab = Lab::new();
    lab.send(Resp, syn().ack(0)).send(Orig, seg(0, "")).send(Orig, seg(0, "abc"));
    lab.outcome("S1", "^hAD");
}

#[test]
fn reset_behind_both_fins_changes_nothing_but_the_history() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "")).send(Resp, fin(0, "").ack(1)).send(Orig, rst(1)).send(Orig, rst(1));
    lab.outcome("SF", "ShAFfR");
}

#[test]
fn fin_reset_and_fin_is_a_normal_end() {
    let mut lab = Lab::established();
    lab.send(Orig, fin(0, "")).send(Orig, rst(1)).send(Resp, fin(0, "").ack(1));
    lab.outcome("SF", "ShAFRf");
}

#[test]
fn resets_at_different_numbers_are_each_written() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "ab")).send(Orig, rst(2)).send(Orig, rst(1)).send(Orig, rst(1));
    lab.outcome("RSTO", "ShADRR");
}

#[test]
fn forged_reset_and_fin_are_in_the_history_only() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "abcdef")).send(Resp, seg(0, "").ack(6)).send(Orig, rst(2));
    lab.send(Orig, fin(1, "")).send(Resp, seg(0, "ok").ack(6));
    lab.outcome("S1", "ShADaRFd");
}

#[test]
fn retransmissions_are_counted() {
    let mut lab = Lab::established();
    for _ in 0..11 {
        lab.send(Orig, seg(0, "abc"));
    }
    lab.send(Orig, seg(2, "cd")).outcome("S1", "ShADTT");
}

#[test]
fn late_bytes_are_retransmissions_by_their_place() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(3, "def")).send(Orig, seg(0, "abc")).outcome("S1", "ShADT");
}

#[test]
fn gaps_are_counted() {
    let mut lab = Lab::established();
    lab.send(Resp, seg(3, "def")).send(Orig, seg(0, "").ack(6)).tick_ms(100);
    lab.send(Orig, seg(0, "a").ack(6)).outcome("S1", "ShAdgD");
}

#[test]
fn zero_windows_are_counted_while_the_peer_may_send() {
    let mut lab = Lab::established();
    lab.send(Resp, seg(0, "").window(0)).send(Orig, fin(0, ""));
    lab.send(Resp, seg(0, "").ack(1).window(0)).send(Orig, rst(1).window(0));
    lab.outcome("RSTO", "ShAawFR");
}

#[test]
fn contradictory_flags_have_their_letters() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(0, "").flags("SF")).send(Resp, seg(0, "").flags("SR"));
    lab.send(Resp, seg(0, "").flags("FR")).outcome("RSTR", "ShAQqi");
}

#[test]
fn syn_with_another_number_is_written_again() {
    let mut lab = Lab::established();
    lab.send(Orig, seg(2000, "").flags("S").no_ack()).outcome("S1", "ShAS");
}

#[test]
fn syn_of_a_new_connection_is_in_its_own_history() {
    let mut lab = Lab::established();
    lab.first = [90_000_000, 800_000];
    lab.send(Orig, syn()).send(Resp, syn().ack(0)).send(Orig, seg(0, ""));
    assert_eq!(lab.log.summary.take().unwrap().history.as_str(), "ShAS");
    lab.outcome("S1", "^hA");
}

#[test]
fn datagrams_have_states_and_letters_too() {
    Lab::new().datagram(Orig, b"a").datagram(Resp, b"b").datagram(Orig, b"c").outcome("SF", "Dd");
    Lab::new().datagram(Orig, b"").outcome("S0", "D");
}

#[test]
fn long_history_is_cut_and_counted() {
    let mut lab = Lab::established();
    for at in 1..30 {
        lab.send(Orig, rst(-at));
    }
    let expected = format!("ShA{}", "R".repeat(15));
    lab.outcome("S1", &expected);
    assert_eq!(lab.count("histories_cut"), 1);
}
