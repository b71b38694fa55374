//! Workers that answer wrongly, too much, or never; and what a good one has to do without.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use flowcell::registry::Compiler;
use flowcell::registry::compiler::CompilerLimits;
use flowcell_tests::command::{Scratch, program, read};
use flowcell_tests::guests;

use super::{echo, limits, load, load_by, refusal, script};

/// What is told when this shell script is the worker.
fn told(text: &str, settings: &[&str]) -> String {
    let scratch = Scratch::new();
    refusal(&script(&scratch, text), &limits(settings), &echo())
}

#[test]
fn one_that_answers_with_something_else() {
    let unusable = "the compile worker can not be used: its answer can not be used: ";
    assert_eq!(told("exit 0", &[]), format!("{unusable}it is cut short"));
    assert_eq!(told("cat >/dev/null; echo hello", &[]), format!("{unusable}it is cut short"));
    let noise = "cat >/dev/null; head -c 5000 /bin/sh";
    assert_eq!(told(noise, &[]), format!("{unusable}it is no answer"));
}

#[test]
fn one_that_does_not_answer() {
    assert_eq!(
        told("echo sorry >&2; exit 3", &[]),
        "the compile worker can not be used: it ended with exit code 3: sorry"
    );
    assert_eq!(
        told("cat >/dev/null; echo panicked at >&2; exit 101", &[]),
        "the compiler failed on it: panicked at"
    );
    assert_eq!(
        told("cat >/dev/null; kill -9 $$", &[]),
        "the compiler failed on it: it was ended by signal 9"
    );
    assert_eq!(
        told("cat >/dev/null; echo panicked >&2; kill -6 $$", &[]),
        "the compiler failed on it: it was ended by signal 6: panicked"
    );
    assert_eq!(
        told("cat >/dev/null; kill -11 $$", &[]),
        "the compiler failed on it: its call stack was exhausted"
    );
    let long = told("cat >/dev/null; head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1", &[]);
    assert!((4000..5000).contains(&long.len()), "{} bytes are told", long.len());
}

#[test]
fn one_that_can_not_be_started() {
    let refused = refusal(Path::new("/nowhere/at/all"), &CompilerLimits::default(), &echo());
    assert!(
        refused.starts_with("the compile worker can not be used: it can not be started: No such"),
        "{refused}"
    );
}

#[test]
fn one_that_answers_without_end() {
    assert_eq!(
        told("cat >/dev/null; exec cat /dev/zero", &["code_bytes=1000000"]),
        "compiling it takes more than 1000000 bytes of machine code; make it smaller, or raise \
         `code_bytes` in section [compiler] of --limits"
    );
}

#[test]
fn one_that_never_ends_is_ended_with_all_that_it_started() {
    let scratch = Scratch::new();
    let written = scratch.path("process");
    for end in ["wait", "exec >&- 2>&-; wait", "exit 0"] {
        let text = format!("sleep 1000 & echo $! >{}; {end}", written.display());
        let refused = refusal(&script(&scratch, &text), &limits(&["wall_time=300"]), &echo());
        assert!(refused.starts_with("compiling it takes more than 300 ms"), "{end}: {refused}");
        let process = String::from_utf8(read(&written)).unwrap();
        let status = format!("/proc/{}/status", process.trim());
        // It may be there for a moment after its end, until somebody takes note.
        let ended =
            || fs::read_to_string(&status).map_or(true, |status| status.contains("State:\tZ"));
        assert!(
            (0..600).any(|_| ended() || {
                std::thread::sleep(Duration::from_millis(50));
                false
            }),
            "{end}: its child lives on"
        );
    }
}

#[test]
fn an_answer_counts_only_for_its_file_and_engine() {
    let scratch = Scratch::new();
    let answer = scratch.path("answer");
    let (program, at) = (program(), answer.display().to_string());
    let defaults = CompilerLimits::default();
    let record = format!("{} \"$@\" | tee {at}", program.display());
    load(&script(&scratch, &record), &defaults, &echo()).expect("it is loaded");

    let replay = script(&scratch, &format!("cat >/dev/null; cat {at}"));
    load(&replay, &defaults, &echo()).expect("the same again");
    let other = refusal(&replay, &defaults, &guests::guest("echo_v2"));
    assert!(other.ends_with("it is for another file"), "{other}");

    let good = read(&answer);
    for (byte, expected) in [
        (0, "it is no answer"),
        (8, "it is for another engine"),
        (40, "it is for another file"),
        (72, "its status is unknown"),
        (74, "it is damaged"),
        (106, "it is damaged"),
        (good.len() / 2, "it is damaged"),
        (good.len() - 1, "it is damaged"),
    ] {
        let mut bad = good.clone();
        bad[byte] ^= 0x80;
        fs::write(&answer, bad).unwrap();
        let refused = refusal(&replay, &defaults, &echo());
        assert!(refused.ends_with(expected), "byte {byte}: {refused}");
    }
}

#[test]
fn a_system_that_does_not_restrict_system_calls_is_told_of_once() {
    let scratch = Scratch::new();
    let answer = scratch.path("answer");
    let (program, at) = (program(), answer.display().to_string());
    let record = format!("{} \"$@\" | tee {at}", program.display());
    load(&script(&scratch, &record), &CompilerLimits::default(), &echo()).expect("it is loaded");
    let mut bytes = read(&answer);
    bytes[73] = 0;
    fs::write(&answer, bytes).unwrap();
    let replay = script(&scratch, &format!("cat >/dev/null; cat {at}"));
    let (sender, told) = mpsc::channel();
    let compiler = Compiler::subprocess(replay, CompilerLimits::default())
        .with(None, move |text| sender.send(text.to_owned()).unwrap());
    for _ in 0..3 {
        load_by(&compiler, &echo()).expect("it is loaded all the same");
    }
    let told: Vec<String> = told.try_iter().collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("seccomp"), "{told:?}");
}

#[test]
fn a_worker_knows_nothing_of_where_it_was_started() {
    let scratch = Scratch::new();
    let seen = scratch.path("seen");
    let text = format!("{{ pwd; env; }} >{}; exit 1", seen.display());
    refusal(&script(&scratch, &text), &CompilerLimits::default(), &echo());
    let seen = String::from_utf8(read(&seen)).unwrap();
    assert!(seen.starts_with("/\n"), "{seen}");
    // The shell sets some variables itself.
    assert!(!seen.contains("CARGO") && !seen.contains("HOME="), "{seen}");
}

/// What the worker tries in the state in which it compiles.
#[test]
fn a_worker_can_not_reach_anything() {
    let scratch = Scratch::new();
    let left_open = scratch.write("secret", b"secret");
    let text = "exec 7<\"$1\" 8<\"$1\"; exec \"$2\" compile-worker --probe";
    let output = Command::new("sh")
        .args(["-c", text, "sh"])
        .arg(left_open)
        .arg(program())
        .stdin(Stdio::null())
        .output()
        .expect("sh");
    let text = String::from_utf8(output.stdout).unwrap();
    let results: Vec<(&str, &str)> =
        text.lines().filter_map(|line| line.split_once(": ")).collect();
    let came = |what: &str| results.iter().find(|(name, _)| *name == what).expect(what).1;
    assert_eq!(came("descriptors"), "3", "what a parent left open is closed\n{text}");
    assert_eq!(came("take all memory"), "OutOfMemory", "{text}");
    if !Path::new("/proc/sys/kernel/seccomp/actions_avail").exists() {
        println!("skipped: this kernel has no seccomp");
        return;
    }
    assert_eq!(came("seccomp"), "true");
    for what in [
        "read a file",
        "write a file",
        "list a folder",
        "open a socket",
        "start a program",
        "start a thread",
        "signal the parent",
        "raise a limit",
    ] {
        assert_eq!(came(what), "PermissionDenied", "{what}\n{text}");
    }
}
