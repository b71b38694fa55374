//! The program's memory does not grow with the number of flows that bad parsers have had.
//!
//! A process that is started counts the peak of the one that started it as its own, so these tests are in a
//! small one.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::process::Stdio;

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};
use wait4::Wait4;

/// The port whose flows the bad parsers want.
const BAD: u16 = 9;

/// Most resident memory of a run over so many flows, one after the other, in bytes.
fn peak(guest: &str, flows: u16) -> u64 {
    // 50 ms for a frame: more flows than there are at the end have long been forgotten.
    let flow = |port| {
        let flow = Conversation::tcp(port, BAD).open().send(Client, b"one\r\n");
        flow.send(Server, b"ONE\r\n").send(Client, b"two\r\n").send(Server, b"TWO\r\n").close()
    };
    let frames = (4000..4000 + flows).map(flow).flat_map(|flow| flow.frames().to_vec());
    let pcap = frames.fold(Pcap::new(1).every(50_000), |pcap, frame| pcap.frame(&frame));
    let scratch = Scratch::new();
    let capture = scratch.capture("flows.pcap", &pcap);
    let limits = scratch.write("limits.toml", "[cells]\ncall_time = 2\nlog_lines = 0\n");
    let mut command = flowcell(["run", "-q", "-o", "/dev/null", "--parsers"]);
    command.arg(scratch.parsers(&[guest])).arg("--limits").arg(limits).arg("-r").arg(capture);
    let child = command.stderr(Stdio::null()).spawn().expect("the program starts");
    let used = child.wait4().expect("it ends");
    assert!(used.status.success(), "{guest}");
    used.rusage.maxrss
}

#[test]
fn peak_memory_does_not_depend_on_the_number_of_flows() {
    for guest in
        ["never_reads", "panic_in_poll", "memory_bomb", "wakes_itself", "garbage_record", "fails"]
    {
        // The first run compiles, which takes more than anything that comes then.
        peak(guest, 1);
        let (few, many) = (peak(guest, 40), peak(guest, 1000));
        // A cell that is left behind takes at least 16 KiB.
        assert!(many < few + (8 << 20), "{guest}: {few} bytes for 40 flows, {many} for 1000");
    }
}
