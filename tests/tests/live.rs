//! Live capture: real sockets on the loopback interface of a network namespace of the test's own.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::process::CommandExt;
use std::process::Command;

use flowcell_tests::command::{Run, Running, Scratch, flowcell, program, read};
use flowcell_tests::guests;
use flowcell_tests::namespace::{Namespace, Traffic};
use serde_json::Value;

/// The program that makes the traffic.
const TRAFFIC: &str = env!("CARGO_BIN_EXE_echo-traffic");

fn exchange(record: &Value) -> bool {
    record["type"] == "echo.exchange"
}

fn capturing(namespace: &Namespace, scratch: &Scratch) -> Command {
    let mut command = namespace.command(program());
    command.args(["run", "-i", "lo", "--parsers"]).arg(scratch.parsers(&[]));
    command
}

/// Starts the program and waits until it is ready: the parsers that it starts with are told first.
fn started(command: &mut Command) -> Running {
    let mut running = Running::start(command);
    let loaded = running.wait_for("the first parser", |record| record["type"] == "parser");
    assert_eq!(loaded["data"]["event"], "loaded", "{loaded}");
    running
}

#[test]
fn records_appear_while_the_traffic_flows() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let mut running = started(&mut capturing(&namespace, &scratch));
    let mut traffic = Traffic::start(&namespace, TRAFFIC);
    traffic.say("a", "hello");
    let record = running.wait_for("the exchange", exchange);
    assert_eq!(record["data"]["request"], "hello");
    assert_eq!((&record["resp_ip"], &record["resp_port"]), (&"127.0.0.1".into(), &7.into()));
    // A second flow while the first one is open, then the end of the first.
    traffic.say("b", "one");
    traffic.say("a", "two");
    for said in ["one", "two"] {
        running.wait_for(said, |record| exchange(record) && record["data"]["request"] == said);
    }
    traffic.close("a");
    traffic.say("b", "three");
    running.wait_for("three", |record| exchange(record) && record["data"]["request"] == "three");
    // The flow that is still open is closed by the end of the run, in order.
    let uid = record["uid"].clone();
    let run = running.end_with("INT");
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    let flows = run.of_type("flow");
    assert_eq!(flows.len(), 2, "{}", run.stderr);
    for flow in flows {
        let reason = if flow["uid"] == uid { "fin" } else { "shutdown" };
        assert_eq!(flow["data"]["end_reason"], reason, "{flow}");
        assert_eq!(flow["data"]["service"], "echo", "{flow}");
        assert_eq!(flow["data"]["midstream"], false, "{flow}");
        assert_eq!(flow["data"]["missed_bytes"], 0, "{flow}");
    }
    assert!(run.stderr.contains("flows_opened"), "the summary is shown\n{}", run.stderr);
}

#[test]
fn sigterm_ends_a_run_in_order_too() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let mut running = started(&mut capturing(&namespace, &scratch));
    let mut traffic = Traffic::start(&namespace, TRAFFIC);
    traffic.say("a", "hello");
    running.wait_for("the exchange", exchange);
    let run = running.end_with("TERM");
    assert_eq!((run.code, run.of_type("flow").len()), (Some(130), 1), "{}", run.stderr);
}

#[test]
fn a_quiet_interface_can_be_interrupted() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let run = started(&mut capturing(&namespace, &scratch)).end_with("INT");
    assert_eq!((run.code, run.records.len()), (Some(130), 0), "{}", run.stderr);
}

#[test]
fn a_filter_is_respected() {
    let Some(namespace) = Namespace::new() else { return };
    let scratch = Scratch::new();
    let mut running = started(capturing(&namespace, &scratch).args(["not", "host", "127.0.0.2"]));
    let mut traffic = Traffic::start(&namespace, TRAFFIC);
    traffic.say("hidden@127.0.0.2", "psst");
    traffic.say("open@127.0.0.1", "hello");
    traffic.say("hidden@127.0.0.2", "psst");
    traffic.say("open@127.0.0.1", "bye");
    running.wait_for("the last word", |record| record["data"]["request"] == "bye");
    let run = running.end_with("INT");
    assert_eq!(run.only("flow")["resp_ip"], "127.0.0.1");
    assert_eq!(run.only("echo.exchange")["data"]["request"], "hello");
}

#[test]
fn an_interface_that_is_not_there() {
    let run = Run::of(&mut flowcell(["run", "-i", "fc-missing0"]));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("fc-missing0: no such interface; there are: "), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_bad_filter_on_an_interface() {
    let run = Run::of(&mut flowcell(["run", "-i", "lo", "tcp", "prot", "25"]));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("bad filter `tcp prot 25`"), "{}", run.stderr);
}

#[test]
fn no_permission_to_capture() {
    const NOBODY: u32 = 65_534;
    let allowed = Command::new(program()).arg("--version").uid(NOBODY).output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        println!("skipped: the program can not be started as another user");
        return;
    }
    let run = Run::of(flowcell(["run", "-i", "lo"]).uid(NOBODY));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for part in ["lo: no permission to capture", "run as root", "sudo setcap"] {
        assert!(run.stderr.contains(part), "`{part}` in {}", run.stderr);
    }
}

/// A parser that takes more than its share of the processor gets no new flows; those that it has go on.
#[test]
fn a_parser_over_its_share_gets_no_new_flows() {
    let Some(namespace) = Namespace::new() else { return };
    for (share, outcome, throttled) in [("900", "confirmed", 0), ("10", "throttled", 1)] {
        let scratch = Scratch::new();
        let file = scratch.write("only/first.wasm", guests::guest("first"));
        // A call that is stopped by the clock is charged by it, however seldom it gets its turn; what comes
        // before it is far from the share.
        let limits = format!("[cells]\nparser_cpu = {share}\ncall_time = 400\n");
        let limits = scratch.write("limits.toml", limits);
        let stats = scratch.path("stats.json");
        let mut command = namespace.command(program());
        command.args(["run", "-i", "lo", "--map", "7=first", "--parsers"]);
        command.arg(file.parent().unwrap()).arg("--limits").arg(limits);
        let mut running = started(command.arg("--stats-json").arg(&stats));
        let mut traffic = Traffic::start(&namespace, TRAFFIC);
        let note = |record: &Value| record["type"] == "first.note";
        traffic.say("before", "first:confirm first:talk");
        traffic.say("before", "hello");
        let uid = running.wait_for("the first flow", note)["uid"].clone();
        traffic.say("spins", "first:spin");
        let fault = running.wait_for("the end of the call", |record| record["type"] == "fault");
        assert_eq!(fault["data"]["class"], "deadline", "{fault}");
        traffic.say("after", "first:confirm");
        traffic.say("before", "good bye");
        let bye =
            |record: &Value| note(record) && record["data"]["text"].to_string().contains("bye");
        let bye = running.wait_for("the first flow, which goes on", bye);
        assert_eq!(bye["uid"], uid);
        let run = running.end_with("INT");
        for flow in run.of_type("flow") {
            let expected = match &flow["uid"] {
                before if *before == uid => "confirmed",
                spins if *spins == fault["uid"] => "fault",
                _after => outcome,
            };
            assert_eq!(flow["data"]["parsers"][0]["outcome"], expected, "{flow}");
        }
        let stats: Value = serde_json::from_slice(&read(&stats)).unwrap();
        assert_eq!(stats["parsers"]["throttled"], throttled);
    }
}
