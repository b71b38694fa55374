//! `--deterministic`: instructions take the place of time.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell};
use flowcell_tests::packets::{Conversation, Pcap};

/// Runs two guests that are stopped somewhere, with flows in several lanes.
fn run(arguments: &[&str], limits: &str) -> Run {
    let flow = |port| {
        let flow = Conversation::tcp(port, 9).open().send(Client, b"one\r\n");
        flow.send(Server, b"ONE\r\n").send(Client, b"two\r\n").send(Server, b"TWO\r\n").close()
    };
    let scratch = Scratch::new();
    let pcap = Pcap::of(&(4000..4008).map(flow).collect::<Vec<_>>());
    let capture = scratch.capture("some.pcap", &pcap);
    let limits = scratch.write("limits.toml", limits);
    let [guest, options @ ..] = arguments else { panic!("a guest") };
    let mut command = flowcell(["run", "-q", "--parsers"]);
    command.arg(scratch.parsers(&[guest])).arg("--limits").arg(limits).args(options);
    Run::of(command.arg("-r").arg(capture))
}

/// Any run stops a guest at the same instruction, whatever else the machine does.
#[test]
fn a_guest_that_spins_is_stopped_at_the_same_instruction_in_every_run() {
    let limits = "[cells]\ncall_time = 10\n";
    let first = run(&["spins_and_tells", "--deterministic"], limits);
    let faults = first.of_type("fault");
    assert_eq!(faults.len(), 8, "{}", first.stderr);
    assert!(faults.iter().all(|fault| fault["data"]["class"] == "deadline"), "{}", first.stdout);
    // 10 million instructions, and the loop has at least 10,000 for each record.
    let told = first.of_type("spins_and_tells.note").len();
    assert!((8..=8_000).contains(&told), "{told} records");
    let again = run(&["spins_and_tells", "--deterministic", "--workers", "2"], limits);
    assert_eq!(again.stdout, first.stdout);
    let longer = run(&["spins_and_tells", "--deterministic"], "[cells]\ncall_time = 20\n");
    let told_then = longer.of_type("spins_and_tells.note").len();
    assert!(told_then.abs_diff(2 * told) <= 16, "twice the time: {told_then} for {told}");
}

#[test]
fn a_flow_is_charged_for_its_instructions() {
    // A delivery takes it more than 70 million of them.
    let limits = "[cells]\nflow_cpu = 100\n";
    let first = run(&["slow_and_steady", "--deterministic"], limits);
    let faults = first.of_type("fault");
    assert_eq!(faults.len(), 8, "{}", first.stderr);
    assert!(faults.iter().all(|fault| fault["data"]["class"] == "cpu"), "{}", first.stdout);
    assert!(!first.of_type("slow_and_steady.note").is_empty(), "not at once");
    let again = run(&["slow_and_steady", "--deterministic", "--workers", "2"], limits);
    assert_eq!(again.stdout, first.stdout);
}

/// Parsers that behave make the same records by instructions as by the clock.
#[test]
fn records_are_those_of_any_other_run() {
    let [by_fuel, by_time] =
        [&["reports_deliveries", "--deterministic"][..], &["reports_deliveries"]]
            .map(|arguments| run(arguments, ""));
    assert_eq!(by_fuel.of_type("reports_deliveries.delivery").len(), 8 * 6);
    assert_eq!(by_fuel.stdout, by_time.stdout);
}

/// What the host does for a guest is paid for as well, or a guest could have it work for ever.
#[test]
fn a_guest_pays_for_the_work_of_the_host() {
    let run = run(
        &["logs_for_ever", "--deterministic", "--stats-json", "/dev/stderr"],
        "[cells]\ncall_time = 10\n",
    );
    assert_eq!(run.of_type("fault").len(), 8, "{}", run.stderr);
    let stats = run.stderr.lines().find(|line| line.starts_with('{')).expect("counters");
    let stats: serde_json::Value = serde_json::from_str(stats).expect("JSON");
    let lines = stats["parsers"]["log_lines_dropped"].as_u64().expect("a counter");
    // Ten million instructions in each of 8 flows, for 65,536 bytes a line.
    assert!((8..=8 * 152).contains(&lines), "{lines} lines");
}
