//! A fault ends the parsing of one flow: others of the same parser, at the same time, do not notice.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};

/// What makes the guest fault.
fn bad_flow(port: u16) -> Conversation {
    let flow = Conversation::tcp(port, 9).open();
    flow.send(Client, b"a\n").send(Server, b"b\n").send(Client, b"c\n").close()
}

/// What does not.
fn good_flow(port: u16) -> Conversation {
    let flow = Conversation::tcp(port, 9).open();
    flow.send(Client, b"a").send(Client, b"\n").send(Server, b"b\n").close()
}

#[test]
fn a_fault_in_one_flow_changes_no_other_flow_of_the_parser() {
    let scratch = Scratch::new();
    let parsers = scratch.parsers(&["panic_in_poll"]);
    let flows = [bad_flow(4000), good_flow(4001), bad_flow(4002), good_flow(4003)];
    let capture = scratch.capture("flows.pcap", &Pcap::of(&flows));
    let run = |filter: &[&str]| {
        Run::of(
            flowcell(["run", "-q", "--parsers"]).arg(&parsers).arg("-r").arg(&capture).args(filter),
        )
    };
    let all = run(&[]);
    assert_eq!(all.of_type("fault").len(), 2, "{}", all.stdout);
    assert_eq!(all.of_type("panic_in_poll.note").len(), 4, "{}", all.stdout);
    for port in [4001, 4003] {
        // Frames that the filter rejects are numbered as well, so the lines must be the same.
        let alone = run(&["port", &port.to_string()]);
        assert_eq!(alone.of_type("fault").len(), 0, "{}", alone.stdout);
        let of_port = |run: &Run| {
            let lines = run.stdout.lines().zip(&run.records);
            let of_port = lines.filter(|(_, record)| record["orig_port"] == port);
            of_port.map(|(line, _)| line.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of_port(&alone).len(), 2, "{}", alone.stdout);
        assert_eq!(of_port(&all), of_port(&alone));
    }
}

/// Many flows fault one after the other, and nothing is used up by that.
#[test]
fn faults_leave_nothing_behind() {
    let scratch = Scratch::new();
    let parsers = scratch.parsers(&["memory_bomb"]);
    let flows: Vec<Conversation> = (0..200).map(|index| bad_flow(4000 + index)).collect();
    let capture = scratch.capture("flows.pcap", &Pcap::of(&flows));
    // 200 times 4 MiB: a run that kept them would not fit.
    let limited = "ulimit -v 500000; exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", limited]).arg(flowcell_tests::command::program());
    let run = Run::of(command.args(["run", "-q", "--parsers"]).arg(parsers).arg("-r").arg(capture));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.of_type("fault").len(), 200);
    assert_eq!(run.of_type("flow").len(), 200);
}
