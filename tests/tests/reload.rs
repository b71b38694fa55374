//! Parsers are replaced while traffic flows: new flows use the new version, old ones keep theirs.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use flowcell_tests::command::{Running, Scratch, program};
use flowcell_tests::guests;
use flowcell_tests::namespace::{Namespace, Traffic};
use serde_json::Value;

/// The program that makes the traffic.
const TRAFFIC: &str = env!("CARGO_BIN_EXE_echo-traffic");

/// A capture on the loopback interface, with the echo parser in its folder.
struct Live {
    running: Running,
    traffic: Traffic,
    scratch: Scratch,
    _namespace: Namespace,
}

impl Live {
    fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// Starts with this file of limits.
    fn start_with(limits: &str) -> Option<Self> {
        let namespace = Namespace::new()?;
        let scratch = Scratch::new();
        let mut command = namespace.command(program());
        command.args(["run", "-q", "-i", "lo", "--parsers"]).arg(scratch.parsers(&[]));
        command.arg("--limits").arg(scratch.write("limits.toml", limits));
        let running = Running::start(&mut command);
        let traffic = Traffic::start(&namespace, TRAFFIC);
        let mut live = Self { running, traffic, scratch, _namespace: namespace };
        let loaded = live.reported("loaded", "echo.wasm");
        assert_eq!(loaded["parser"], version_1());
        Some(live)
    }

    /// Waits for the next `parser` record of this event about this file.
    fn reported(&mut self, event: &str, file: &str) -> Value {
        self.running.wait_for(&format!("{event} {file}"), |record| {
            let of_file =
                || record["data"]["file"].as_str().is_some_and(|name| name.ends_with(file));
            record["type"] == "parser" && record["data"]["event"] == event && of_file()
        })
    }

    /// Says something on a connection and returns what the parser made of it.
    fn say(&mut self, connection: &str, text: &str) -> Value {
        self.traffic.say(connection, text);
        self.running.wait_for(text, |record| record["data"]["request"] == text)
    }

    /// Puts a file into the folder as one should: written elsewhere, then moved.
    fn put(&self, file: &str, bytes: &[u8]) {
        let outside = self.scratch.write("outside", bytes);
        fs::rename(outside, self.path(file)).expect("it can be moved");
    }

    fn path(&self, file: &str) -> PathBuf {
        self.scratch.path("parsers").join(file)
    }
}

fn version_1() -> String {
    format!("echo@{}", env!("CARGO_PKG_VERSION"))
}

const VERSION_2: &str = "echo@2.0.0";

#[test]
fn a_new_version_gets_new_flows_and_leaves_old_ones_alone() {
    let Some(mut live) = Live::start() else { return };
    assert_eq!(live.say("old", "before")["parser"], version_1());

    live.put("echo.wasm", &guests::guest("echo_v2"));
    let replaced = live.reported("replaced", "echo.wasm");
    assert_eq!(
        (&replaced["parser"], &replaced["data"]["previous"]),
        (&VERSION_2.into(), &version_1().into())
    );
    assert!(replaced["data"]["sha256"].as_str().is_some_and(|hash| hash.len() == 64), "{replaced}");

    let record = live.say("new", "after");
    assert_eq!((&record["parser"], &record["data"]["answered"]), (&VERSION_2.into(), &5.into()));
    let record = live.say("old", "still here");
    assert_eq!((&record["parser"], &record["data"]["equal"]), (&version_1().into(), &true.into()));
    live.traffic.close("old");
    live.traffic.close("new");
    live.say("last", "so that everything before is known to have been looked at");
    let run = live.running.end_with("INT");
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    for flow in run.of_type("flow") {
        assert_eq!(flow["data"]["missed_bytes"], 0, "{flow}");
        assert_eq!(flow["data"]["parsers"][0]["outcome"], "confirmed", "{flow}");
    }
    assert_eq!(run.of_type("flow").len(), 3);
    assert_eq!(run.of_type("fault").len(), 0);
}

fn half_of(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() / 2].to_vec()
}

#[test]
fn a_broken_file_keeps_the_version_before_it() {
    let Some(mut live) = Live::start() else { return };
    for (connection, broken, reason) in [
        ("a", b"<html>404</html>".to_vec(), "not a WebAssembly file"),
        ("b", guests::guest("loop_in_describe"), "deadline"),
        ("c", Vec::new(), "the file is empty"),
        ("d", half_of(&guests::guest("echo_v2")), "the file is cut short"),
    ] {
        live.put("echo.wasm", &broken);
        let refused = live.reported("refused", "echo.wasm");
        let text = refused["data"]["reason"].as_str().expect("a reason");
        assert!(text.contains(reason), "{refused}");
        assert_eq!(refused["data"]["previous"], version_1(), "it stays: {refused}");
        assert_eq!(live.say(connection, reason)["parser"], version_1());
    }
    // And a good one after all of that is taken.
    live.put("echo.wasm", &guests::guest("echo_v2"));
    assert_eq!(live.reported("replaced", "echo.wasm")["parser"], VERSION_2);
    assert_eq!(live.say("good", "good")["parser"], VERSION_2);
}

#[test]
fn traffic_flows_while_the_compiler_is_busy() {
    let Some(mut live) = Live::start_with("[compiler]\ncpu_time = \"1 s\"\n") else { return };
    live.put("echo.wasm", &guests::compile_bomb());
    // It can not be said when the compiler is at work. Whenever that is, lines are answered.
    let mut said = 0;
    let refused = loop {
        said += 1;
        let text = format!("line {said}");
        assert_eq!(live.say("while", &text)["parser"], version_1());
        let report = |record: &Value| record["type"] == "parser";
        if let Some(refused) = live.running.seen(report) {
            break refused;
        }
    };
    assert!(said > 1, "nothing was said meanwhile");
    let reason = refused["data"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("more than 1 s of CPU time"), "{refused}");
    assert_eq!(refused["data"]["previous"], version_1(), "it stays: {refused}");
    assert_eq!(live.say("new", "afterwards")["parser"], version_1());
}

#[test]
fn a_removed_file_retires_its_parser() {
    let Some(mut live) = Live::start() else { return };
    live.say("old", "before");
    fs::remove_file(live.path("echo.wasm")).expect("it can be removed");
    assert_eq!(live.reported("retired", "echo.wasm")["parser"], version_1());
    live.traffic.say("new", "nobody listens");
    assert_eq!(live.say("old", "somebody listens")["parser"], version_1());
    let run = live.running.end_with("INT");
    let parsed = |flow: &&&Value| flow["data"].get("parsers").is_some();
    let flows = run.of_type("flow");
    assert_eq!((flows.len(), flows.iter().filter(parsed).count()), (2, 1), "{flows:?}");
}

#[test]
fn a_file_that_is_written_in_two_steps_is_loaded_when_it_is_whole() {
    let Some(mut live) = Live::start() else { return };
    let whole = guests::guest("ready_at_once");
    let path = live.path("late.wasm");
    fs::write(&path, &whole[..whole.len() / 2]).expect("it can be written");
    let refused = live.reported("refused", "late.wasm");
    assert!(refused["data"].get("previous").is_none(), "there was none: {refused}");
    fs::write(&path, &whole).expect("it can be written");
    let loaded = live.reported("loaded", "late.wasm");
    assert!(loaded["parser"].as_str().is_some_and(|label| label.starts_with("ready_at_once@")));
    let told = live.running.end_with("INT").stderr;
    assert!(
        told.contains("late.wasm: ready_at_once@0.1.0 tcp/9 is in use for new flows"),
        "{told}"
    );
    assert!(!told.contains("echo.wasm"), "it was there at the start: {told}");
}

#[test]
fn what_is_no_parser_file_is_left_alone() {
    let Some(mut live) = Live::start() else { return };
    live.scratch.write("parsers/.echo.wasm.tmp", b"half");
    live.scratch.write("parsers/.hidden.wasm", b"half");
    live.scratch.write("parsers/README.md", b"text");
    live.scratch.write("parsers/folder.wasm/file", b"text");
    // Reports come in order: had one of these made one, it would be before this one.
    live.put("zzz.wasm", b"text");
    let report = live.running.wait_for("a report", |record| record["type"] == "parser");
    assert!(
        report["data"]["file"].as_str().is_some_and(|file| file.ends_with("zzz.wasm")),
        "{report}"
    );
}

#[test]
fn a_file_that_can_not_be_looked_at_is_told_once() {
    let Some(mut live) = Live::start() else { return };
    live.put("long.wasm", &vec![0; (16 << 20) + 1]);
    for file in ["long.wasm", "zzz.wasm"] {
        let report = live.running.wait_for("a report", |record| record["type"] == "parser");
        let name = report["data"]["file"].as_str().expect("a file");
        assert!(name.ends_with(file), "{report}");
        // Makes the folder be read again.
        live.put("zzz.wasm", b"text");
    }
}

#[test]
fn a_name_is_free_again_when_its_file_is_gone() {
    let Some(mut live) = Live::start() else { return };
    live.put("second.wasm", &guests::guest("echo_v2"));
    let refused = live.reported("refused", "second.wasm");
    let reason = refused["data"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("calls itself `echo`"), "{refused}");
    fs::remove_file(live.path("echo.wasm")).expect("it can be removed");
    assert_eq!(live.reported("retired", "echo.wasm")["parser"], version_1());
    assert_eq!(live.reported("loaded", "second.wasm")["parser"], VERSION_2);
    assert_eq!(live.say("new", "after")["parser"], VERSION_2);
}

#[test]
fn a_renamed_file_is_the_same_parser() {
    let Some(mut live) = Live::start() else { return };
    fs::rename(live.path("echo.wasm"), live.path("other.wasm")).expect("it can be moved");
    live.reported("retired", "echo.wasm");
    assert_eq!(live.reported("loaded", "other.wasm")["parser"], version_1());
    assert_eq!(live.say("new", "after")["parser"], version_1());
}

const BROKEN: &str = "echo@3.0.0";

impl Live {
    /// Makes connections that nobody has to make anything of.
    fn connect(&mut self, name: &str, count: usize) {
        for number in 0..count {
            let connection = format!("{name}{number}");
            self.traffic.say(&connection, "hello");
            self.traffic.close(&connection);
        }
    }
}

#[test]
fn a_new_version_that_fails_at_once_is_rolled_back() {
    let Some(mut live) = Live::start() else { return };
    assert_eq!(live.say("old", "before")["parser"], version_1());
    live.put("echo.wasm", &guests::guest("echo_panics"));
    let replaced = live.reported("replaced", "echo.wasm");
    assert_eq!(replaced["parser"], BROKEN);

    live.connect("panics", 20);
    let open = live.reported("breaker_open", "echo.wasm");
    assert_eq!((&open["parser"], &open["data"]["faults"]), (&BROKEN.into(), &20.into()));
    let back = live.reported("rolled_back", "echo.wasm");
    assert_eq!((&back["parser"], &back["data"]["previous"]), (&version_1().into(), &BROKEN.into()));
    assert_eq!(back["data"]["previous_sha256"], replaced["data"]["sha256"]);
    assert_ne!(back["data"]["sha256"], replaced["data"]["sha256"]);
    assert_eq!(live.say("new", "after")["parser"], version_1());
    assert_eq!(live.say("old", "still")["parser"], version_1(), "it has had it all along");

    // The same content changes nothing; another one is tried; and the bad one is known by now.
    live.put("echo.wasm", &guests::guest("echo_panics"));
    live.put("echo.wasm", &guests::guest("echo_v2"));
    let next = live.reported("replaced", "echo.wasm");
    assert_eq!(
        (&next["parser"], &next["data"]["previous"]),
        (&VERSION_2.into(), &version_1().into())
    );
    assert_eq!(live.say("newer", "and then")["parser"], VERSION_2);
    live.put("echo.wasm", &guests::guest("echo_panics"));
    let refused = live.reported("refused", "echo.wasm");
    assert_eq!(refused["data"]["previous"], VERSION_2);
    let reason = refused["data"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("ended in a fault"), "{refused}");
    assert_eq!(live.say("newest", "in the end")["parser"], VERSION_2);
    let run = live.running.end_with("INT");
    assert!(run.stderr.contains("echo@3.0.0 is rolled back to echo@"), "{}", run.stderr);
}

#[test]
fn a_version_is_new_for_so_many_flows_or_for_so_long() {
    for (limits, back) in [
        ("fresh_flows = 0", true),
        ("fresh_time = 0", true),
        ("fresh_flows = 19\nfresh_time = 0", false),
    ] {
        let Some(mut live) = Live::start_with(&format!("[breaker]\n{limits}\n")) else { return };
        live.put("echo.wasm", &guests::guest("echo_panics"));
        live.reported("replaced", "echo.wasm");
        live.connect("panics", 20);
        live.reported("breaker_open", "echo.wasm");
        // Of one that is rolled back nothing more is heard, and the other way round.
        let next = if back { "rolled_back" } else { "breaker_half_open" };
        live.reported(next, "echo.wasm");
        let run = live.running.end_with("INT");
        let rest = run.of_type("parser");
        assert!(rest.iter().all(|record| record["data"]["event"] != "rolled_back"), "{rest:?}");
    }
}

#[test]
fn a_parser_with_no_version_before_it_is_tried_again_in_quiet_times_too() {
    let Some(mut live) = Live::start() else { return };
    fs::remove_file(live.path("echo.wasm")).expect("it can be removed");
    live.reported("retired", "echo.wasm");
    live.put("only.wasm", &guests::guest("echo_panics"));
    live.reported("loaded", "only.wasm");
    live.connect("panics", 20);
    assert_eq!(live.reported("breaker_open", "only.wasm")["data"]["back_off_ms"], 1000);
    // Until here nothing says how time goes on but the clock.
    live.reported("breaker_half_open", "only.wasm");
    live.connect("again", 5);
    assert_eq!(live.reported("breaker_open", "only.wasm")["data"]["back_off_ms"], 2000);
    live.put("only.wasm", &guests::guest("echo_v2"));
    live.reported("replaced", "only.wasm");
    assert_eq!(live.say("good", "another version begins afresh")["parser"], VERSION_2);
    let run = live.running.end_with("INT");
    assert!(
        run.of_type("parser").is_empty(),
        "nothing was rolled back: {:?}",
        run.of_type("parser")
    );
}
