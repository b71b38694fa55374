//! Through the program: a file that is too much for the compiler is refused, and the others work.

use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell, program};
use flowcell_tests::guests::{compile_bomb, component_of};
use flowcell_tests::packets::{Conversation, Pcap};

use super::{echo, limits, refusal};

/// Runs the echo parser beside a file under these limits; returns what is told of the file.
fn told(file: &[u8], limits: &str) -> String {
    let scratch = Scratch::new();
    let flow = Conversation::tcp(5000, 7).open().send(Client, b"one\n").send(Server, b"one\n");
    let capture = scratch.capture("echo.pcap", &Pcap::of(&[flow.close()]));
    let parsers = scratch.parsers(&[]);
    scratch.write("parsers/bomb.wasm", file);
    let limits = scratch.write("limits.toml", format!("[compiler]\n{limits}\n"));
    let mut command = flowcell(["run", "--parsers"]);
    let run = Run::of(command.arg(parsers).arg("-r").arg(capture).arg("--limits").arg(limits));
    assert_eq!(run.code, Some(2), "an input error\n{}", run.stderr);
    assert_eq!(run.of_type("echo.exchange").len(), 1, "the other parser works\n{}", run.stderr);
    let line = run.stderr.lines().find_map(|line| line.split_once("/bomb.wasm: "));
    line.unwrap_or_else(|| panic!("nothing about it in\n{}", run.stderr)).1.to_owned()
}

#[test]
fn one_that_takes_too_much_time() {
    assert_eq!(
        told(&compile_bomb(), "cpu_time = \"1 s\""),
        "compiling it takes more than 1 s of CPU time; make it smaller, or raise `cpu_time` in \
         section [compiler] of --limits"
    );
}

#[test]
fn one_that_takes_too_much_memory() {
    // Many values, each of which lives to the end.
    let values = 100_000;
    let value = |number: usize| {
        let number = u8::try_from(number % 60).unwrap_or_default();
        [0x20, 0, 0x42, number, 0x7c]
    };
    let add_up = [0x7c].repeat(values - 1);
    let leave_if = [0xa7, 0x0d, 0];
    let body = [&(0..values).flat_map(value).collect::<Vec<u8>>()[..], &add_up, &leave_if].concat();
    assert_eq!(
        told(&component_of(&[body]), "memory = \"80 MiB\"\nfunction_bytes = \"1 MiB\""),
        "compiling it takes more than 83886080 bytes of memory; make it smaller, or raise `memory` \
         in section [compiler] of --limits"
    );
}

#[test]
fn one_that_is_too_large_when_it_is_compiled() {
    let body: Vec<u8> = [0x41, 7, 0x1a].repeat(10);
    // Large enough for the echo parser.
    let told = told(&component_of(&vec![body; 15_000]), "code_bytes = \"500 KiB\"");
    assert!(
        told.starts_with("compiling it takes more than 512000 bytes of machine code"),
        "{told}"
    );
}

#[test]
fn one_that_takes_too_long() {
    let refused = refusal(&program(), &limits(&["wall_time=1"]), &echo());
    assert!(refused.starts_with("compiling it takes more than 1 ms; make it smaller"), "{refused}");
}

#[test]
fn less_memory_than_a_worker_needs() {
    let refused = refusal(&program(), &limits(&["memory=16777216"]), &echo());
    assert!(refused.starts_with("compiling it takes more than 16777216 bytes"), "{refused}");
}

#[test]
fn branches_to_very_many_places() {
    // br_table with more targets than the compiler takes: it says so itself.
    let targets = 100_000usize;
    let count = [0xa0, 0x8d, 0x06];
    let body = [&[0x41, 0, 0x0e], &count[..], &vec![0; targets + 1]].concat();
    let told = told(&component_of(&[body]), "");
    assert!(told.starts_with("not a valid component: "), "{told}");
    assert!(told.contains("br_table"), "{told}");
}

#[test]
fn the_bundled_parsers_fit() {
    let scratch = Scratch::new();
    let flow = Conversation::tcp(5000, 25).open().send(Server, b"220 hello\r\n").close();
    let capture = scratch.capture("smtp.pcap", &Pcap::of(&[flow]));
    let run = Run::of(flowcell(["run", "--no-cache", "-r"]).arg(&capture));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.only("flow")["data"]["parsers"].is_array(), "{}", run.stdout);
}
