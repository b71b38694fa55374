//! How long, how many, and by how many workers flows are expected.

use std::fmt::Write as _;

use flowcell_sdk::Side::Client;
use flowcell_tests::packets::{Conversation, Pcap};

use super::expecting::{assert_child, control, counters, run, sequence};
use super::{flow_to, outcomes_of, run_pcap};

fn child(port: u16) -> Conversation {
    Conversation::tcp(5000, port).open().send(Client, b"a\n").close()
}

#[test]
fn for_five_minutes() {
    for (seconds, counts) in [(299, [1, 1, 0, 0, 0]), (301, [1, 0, 0, 0, 1])] {
        let mut pcap = sequence(&[&control("expecting:expect=2000,nameless,x")]);
        pcap = pcap.wait(seconds * 1_000_000);
        for frame in child(2000).frames() {
            pcap = pcap.frame(frame);
        }
        assert_eq!(counters(&run(&pcap)), counts, "after {seconds} s");
    }
}

/// Orders to expect flows to these ports.
fn orders(ports: impl Iterator<Item = u16>) -> String {
    ports.fold(String::new(), |mut text, port| {
        write!(text, " expecting:expect={port},nameless,x").unwrap();
        text
    })
}

/// A flow expects 32 at a time; those that have come, or were said anew, do not count.
#[test]
fn thirty_two_of_a_flow() {
    let all = control(&orders(2000..2033));
    let counted = run(&sequence(&[&all, &child(2000), &child(2001), &child(2032)]));
    assert!(outcomes_of(flow_to(&counted.run, 2000)).is_empty());
    assert_child(&counted, flow_to(&counted.run, 2001));
    assert_child(&counted, flow_to(&counted.run, 2032));
    assert_eq!(counters(&counted), [33, 2, 0, 1, 0]);

    // The first is waited for while forty others come.
    let mut control = control(&orders([1999, 2000].into_iter()));
    let mut frames = control.frames().to_vec();
    for port in 2001..2041 {
        frames.extend_from_slice(child(port - 1).frames());
        let known = control.frames().len();
        control = control.send(Client, format!("{}\n", orders([port].into_iter())).as_bytes());
        frames.extend_from_slice(&control.frames()[known..]);
    }
    frames.extend_from_slice(child(1999).frames());
    let pcap = frames.iter().fold(Pcap::new(1).every(1000), |pcap, frame| pcap.frame(frame));
    let counted = run(&pcap);
    assert_child(&counted, flow_to(&counted.run, 1999));
    assert_eq!(counters(&counted), [42, 41, 0, 0, 0]);
}

#[test]
fn so_many_in_all() {
    let pcap = sequence(&[&control(&orders(2000..2010)), &child(2005), &child(2009)]);
    let limits = "[cells]\nexpected_flows = 32\n"; // two a lane
    let counted = run_pcap(&["expecting", "nameless"], &pcap, &[], limits);
    assert!(outcomes_of(flow_to(&counted.run, 2005)).is_empty());
    assert_child(&counted, flow_to(&counted.run, 2009));
    assert_eq!(counters(&counted), [10, 1, 0, 8, 0]);
}

/// All in one batch, between many hosts, by any number of workers.
#[test]
fn by_any_number_of_workers() {
    let mut flows = Vec::new();
    for number in 0..60_u16 {
        let flow = Conversation::of_its_own(number, 4000, 21).open();
        let text = format!("CONTROL expecting:expect={},nameless,{number}\n", 2000 + number);
        flows.push(flow.send(Client, text.as_bytes()).send(Client, b"more\n").close());
        // Its handshake is at the same time, its first byte comes right behind.
        let flow = Conversation::of_its_own(number, 5000, 2000 + number).open();
        flows.push(flow.send(Client, b"a\n").close());
    }
    let pcap = Pcap::of(&flows);
    let run = |workers| run_pcap(&["expecting", "nameless"], &pcap, &["--workers", workers], "");
    let alone = run("1");
    assert_eq!(counters(&alone), [60, 60, 0, 0, 0]);
    for workers in ["2", "3", "4"] {
        let found = run(workers);
        assert!(alone.run.stdout == found.run.stdout, "{workers} workers");
        assert_eq!(alone.stats, found.stats);
    }
}
