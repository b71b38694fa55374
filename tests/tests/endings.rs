//! What becomes of flows that are there when the input ends.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};

fn flows(pcap: &Pcap) -> Vec<(u64, String)> {
    let scratch = Scratch::new();
    let capture = scratch.capture("some.pcap", pcap);
    let run = Run::of(flowcell(["run", "-q", "--types", "flow", "-r"]).arg(capture));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let flows = run.records.iter().map(|flow| {
        let reason = flow["data"]["end_reason"].as_str().expect("a reason");
        (flow["orig_port"].as_u64().expect("a port"), reason.to_owned())
    });
    flows.collect()
}

/// They go to lanes by their hash, and what a lane saw last makes no difference.
#[test]
fn flows_that_are_left_end_in_the_order_in_which_they_began() {
    let open = |port| Conversation::tcp(port, 7).open();
    let begun: Vec<Conversation> = (0..40).map(|index| open(4000 + index)).collect();
    let mut pcap = Pcap::of(&begun);
    // The first ones are seen last.
    for flow in begun.iter().take(20).rev() {
        let more = flow.clone().send(Client, b"more").send(Server, b"more");
        pcap = more.frames()[3..].iter().fold(pcap, |pcap, frame| pcap.frame(frame));
    }
    let expected: Vec<_> = (4000..4040).map(|port| (port, "shutdown".to_owned())).collect();
    assert_eq!(flows(&pcap), expected);
}

/// However few frames came since, and whichever lanes they were for.
#[test]
fn flows_that_were_silent_for_too_long_have_ended_before_the_input() {
    let datagram = |port| Conversation::tcp(port, 53).datagram(Client, b"who is there?");
    let frame = |port| datagram(port).frames()[0].clone();
    let pcap = Pcap::new(1).frame(&frame(4000)).wait(20_000_000).frame(&frame(4001));
    let left = pcap.clone().wait(5_000_000).frame(&frame(4002));
    let ended = pcap.wait(15_000_000).frame(&frame(4002));
    let reasons = |words: [&str; 3]| {
        let ports = [4000, 4001, 4002].into_iter();
        ports.zip(words.map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(flows(&left), reasons(["shutdown", "shutdown", "shutdown"]));
    assert_eq!(flows(&ended), reasons(["idle", "shutdown", "shutdown"]));
}
