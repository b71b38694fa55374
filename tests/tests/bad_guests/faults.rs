//! Parsers that break down, or would bring others down, while they parse.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::packets::Conversation;

use super::{BAD, fault, fault_in, run_with, two_lines};

/// A flow that starts after so many frames of no protocol.
fn late(flow: Conversation, frames: usize) -> Conversation {
    let waiting = (0..frames).fold(Conversation::tcp(1, 1), |flow, _| flow.frame(vec![0; 60]));
    flow.frames().iter().fold(waiting, |flow, frame| flow.frame(frame.clone()))
}

#[test]
pub(crate) fn loop_in_open() {
    assert_eq!(fault("loop_in_open", "deadline"), "the call took too long (`call_time`)");
}

#[test]
pub(crate) fn loop_in_poll() {
    let (run, message) = fault_in("loop_in_poll", &two_lines(), "deadline");
    assert_eq!(message, "the call took too long (`call_time`)");
    // What was said before the loop stands.
    assert_eq!(run.only("loop_in_poll.note")["data"]["text"], "before the loop");
}

#[test]
pub(crate) fn wakes_itself() {
    assert_eq!(fault("wakes_itself", "deadline"), "the call took too long (`call_time`)");
}

#[test]
pub(crate) fn loop_in_realloc() {
    assert_eq!(fault("loop_in_realloc", "deadline"), "the call took too long (`call_time`)");
}

#[test]
pub(crate) fn panic_in_open() {
    let (run, message) = fault_in("panic_in_open", &two_lines(), "trap");
    assert_eq!(run.only("panic_in_open.note")["data"]["text"], "last");
    assert!(message.ends_with("afraid of port 4000"), "{message}");
    assert!(message.contains("panic_in_open.rs:"), "says where: {message}");
}

#[test]
pub(crate) fn panic_in_poll() {
    let (run, message) = fault_in("panic_in_poll", &two_lines(), "trap");
    assert!(message.ends_with("a line of 3 bytes"), "{message}");
    assert_eq!(run.only("panic_in_poll.note")["data"]["text"], "first line");
    let fault = run.only("fault");
    let backtrace = fault["data"]["backtrace"].as_array().expect("a backtrace");
    let named = |frame: &serde_json::Value| frame.as_str().unwrap_or("").contains("panic_in_poll");
    assert!(backtrace.iter().any(named), "names the guest's function: {fault}");
}

#[test]
pub(crate) fn deep_recursion() {
    assert_eq!(fault("deep_recursion", "stack"), "call stack exhausted");
}

#[test]
pub(crate) fn memory_bomb() {
    let message = fault("memory_bomb", "memory");
    assert!(message.ends_with("bytes of memory wanted, 4194304 allowed (`memory`)"), "{message}");
}

#[test]
pub(crate) fn table_bomb() {
    let message = fault("table_bomb", "memory");
    assert_eq!(message, "10001 table elements wanted, 10000 allowed (`table_elements`)");
}

#[test]
pub(crate) fn never_reads() {
    // Little or much: the parser waits until its flow is gone, and keeps no more than fits.
    let much = vec![b'x'; 5 << 20];
    let flow = Conversation::tcp(4000, BAD).open().send(Client, &much).send(Server, b"ok").close();
    for flow in [two_lines(), flow] {
        let run = run_with("never_reads", &[flow]);
        assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stderr);
        let parsers = &super::flow_record(&run)["data"]["parsers"];
        assert_eq!(parsers[0]["outcome"], "unconfirmed");
    }
}

#[test]
pub(crate) fn bad_progress() {
    let message = fault("bad_progress", "trap");
    assert!(message.contains("discriminant"), "{message}");
}

#[test]
pub(crate) fn realloc_out_of_bounds() {
    let message = fault("realloc_out_of_bounds", "trap");
    assert!(message.contains("realloc"), "{message}");
}

#[test]
pub(crate) fn emit_in_realloc() {
    let message = fault("emit_in_realloc", "trap");
    assert!(message.contains("cannot leave component instance"), "{message}");
}

#[test]
pub(crate) fn emit_out_of_bounds() {
    let message = fault("emit_out_of_bounds", "trap");
    assert!(message.contains("out of bounds"), "{message}");
}

#[test]
pub(crate) fn long_log() {
    let message = fault("long_log", "host_call");
    assert!(message.contains("host"), "{message}");
}

/// Three flows after and beside each other find memory that is zero, though each fills its own.
#[test]
pub(crate) fn finds_leftovers() {
    let flow = |port| {
        let flow = Conversation::tcp(port, BAD).open();
        flow.send(Client, b"one\n").send(Server, b"ONE\n").send(Client, b"two\n").close()
    };
    let flows = [flow(4000), late(flow(4001), 5), late(flow(4002), 20)];
    let run = run_with("finds_leftovers", &flows);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stdout);
    let parsed = run.of_type("flow").into_iter().filter(|flow| flow["resp_port"] == BAD);
    let outcomes: Vec<_> = parsed.map(|flow| &flow["data"]["parsers"][0]["outcome"]).collect();
    assert_eq!(outcomes, ["unconfirmed"; 3]);
}

/// Nothing of one flow is there in the next one.
fn finds_nothing(guest: &str) {
    let flow =
        |port, ms| late(Conversation::tcp(port, BAD).open().send(Client, b"one\n").close(), ms);
    let run = run_with(guest, &[flow(4000, 0), flow(4001, 20), flow(4002, 40)]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stdout);
    assert_eq!(run.of_type("flow").len(), 4, "with that of the echo");
}

#[test]
pub(crate) fn hooked() {
    finds_nothing("hooked");
}

#[test]
pub(crate) fn grows() {
    finds_nothing("grows");
}

#[test]
pub(crate) fn large() {
    finds_nothing("large");
}

#[test]
pub(crate) fn trap_in_post_return() {
    let message = fault("trap_in_post_return", "trap");
    assert!(message.contains("unreachable"), "{message}");
}

#[test]
pub(crate) fn emit_in_post_return() {
    let message = fault("emit_in_post_return", "trap");
    assert!(message.contains("cannot leave component instance"), "{message}");
}

#[test]
pub(crate) fn grow_bomb() {
    assert_eq!(
        fault("grow_bomb", "memory"),
        "4279369728 bytes of memory wanted, 4194304 allowed (`memory`)"
    );
}

#[test]
pub(crate) fn grow_in_realloc() {
    assert_eq!(
        fault("grow_in_realloc", "memory"),
        "66715648 bytes of memory wanted, 4194304 allowed (`memory`)"
    );
}

#[test]
pub(crate) fn hoards() {
    // A little is its own affair.
    let run = run_with("hoards", &[two_lines()]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stderr);
    let much = vec![b'x'; 5 << 20];
    let flow = Conversation::tcp(4000, BAD).open().send(Client, &much).send(Server, b"ok").close();
    let (_, message) = fault_in("hoards", &flow, "memory");
    assert!(message.ends_with("bytes of memory wanted, 4194304 allowed (`memory`)"), "{message}");
}

#[test]
pub(crate) fn bad_side() {
    let message = fault("bad_side", "trap");
    assert!(message.contains("discriminant"), "{message}");
}

#[test]
pub(crate) fn bad_level() {
    let message = fault("bad_level", "trap");
    assert!(message.contains("discriminant"), "{message}");
}

#[test]
pub(crate) fn log_out_of_bounds() {
    let message = fault("log_out_of_bounds", "trap");
    assert!(message.contains("out of bounds"), "{message}");
}

#[test]
pub(crate) fn log_not_utf8() {
    let message = fault("log_not_utf8", "trap");
    assert!(message.contains("utf-8"), "{message}");
}

#[test]
pub(crate) fn realloc_wraps() {
    let message = fault("realloc_wraps", "trap");
    assert!(message.contains("realloc"), "{message}");
}

#[test]
pub(crate) fn realloc_recurses() {
    assert_eq!(fault("realloc_recurses", "stack"), "call stack exhausted");
}

/// Places that are odd, and even foolish, are the guest's own affair.
#[test]
pub(crate) fn realloc_misaligned() {
    let run = run_with("realloc_misaligned", &[two_lines()]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stdout);
}

#[test]
pub(crate) fn realloc_overlaps() {
    let run = run_with("realloc_overlaps", &[two_lines(), late(two_lines(), 30)]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stdout);
}

/// What is taken from the processor is a matter of limits: `tests/tests/limits`.
#[test]
pub(crate) fn slow_and_steady() {
    let run = run_with("slow_and_steady", &[two_lines()]);
    assert_eq!((run.code, run.of_type("fault").len()), (Some(0), 0), "{}", run.stdout);
}

/// Where it is stopped is a matter of the clock, or of `--deterministic`: `tests/tests/limits`.
#[test]
pub(crate) fn spins_and_tells() {
    let (run, message) = fault_in("spins_and_tells", &two_lines(), "deadline");
    assert_eq!(message, "the call took too long (`call_time`)");
    assert!(!run.of_type("spins_and_tells.note").is_empty(), "what it said before stands");
}

#[test]
pub(crate) fn claims_much() {
    let message = fault("claims_much", "memory");
    assert_eq!(message, "5308416 bytes of memory wanted, 4194304 allowed (`memory`)");
}

#[test]
pub(crate) fn logs_for_ever() {
    assert_eq!(fault("logs_for_ever", "deadline"), "the call took too long (`call_time`)");
}

#[test]
pub(crate) fn loop_after_ready() {
    assert_eq!(fault("loop_after_ready", "deadline"), "the call took too long (`call_time`)");
}
