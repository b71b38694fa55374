//! Compiled once, used again: unless anything is odd.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use flowcell::registry::Compiler;
use flowcell::registry::compiler::{Cache, CompilerLimits};
use flowcell_sdk::Side::{Client, Server};
use flowcell_tests::command::{Run, Scratch, flowcell, program, read};
use flowcell_tests::packets::{Conversation, Pcap};

use super::{echo, limits, load_by, script};

/// A worker that keeps count of its calls, and a cache.
struct Counted {
    scratch: Scratch,
    worker: PathBuf,
}

impl Counted {
    fn new() -> Self {
        let scratch = Scratch::new();
        let calls = scratch.write("calls", b"");
        let (calls, program) = (calls.display(), program());
        let text = format!("echo call >>{calls}; exec {} \"$@\"", program.display());
        Self { worker: script(&scratch, &text), scratch }
    }

    fn folder(&self) -> PathBuf {
        self.scratch.path("cache")
    }

    /// Loads the echo parser as a new process would; returns how many times it has been compiled
    /// by now.
    fn load(&self, limits: &CompilerLimits) -> usize {
        let cache = Cache::open(self.folder(), limits.cache_bytes).expect("a cache");
        let compiler = Compiler::subprocess(self.worker.clone(), *limits);
        let loaded = load_by(&compiler.with(Some(cache), |_| ()), &echo()).expect("it is loaded");
        assert_eq!(loaded.parser.description().name, "echo");
        String::from_utf8(read(&self.scratch.path("calls"))).unwrap().lines().count()
    }

    fn entry(&self) -> PathBuf {
        let entries = entries(&self.folder());
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries[0].clone()
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).map(|files| files.map(|file| file.unwrap().path()));
    let files = files.into_iter().flatten();
    files.filter(|path| path.extension().is_some_and(|end| end == "code")).collect()
}

#[test]
fn a_file_is_compiled_once() {
    let counted = Counted::new();
    let defaults = CompilerLimits::default();
    assert_eq!([1, 2, 3].map(|_| counted.load(&defaults)), [1, 1, 1]);
}

#[test]
fn another_compiler_or_other_limits_compile_it_again() {
    let counted = Counted::new();
    let defaults = CompilerLimits::default();
    assert_eq!(counted.load(&defaults), 1);
    assert_eq!(counted.load(&limits(&["functions=19999"])), 2);
    let now = SystemTime::now() + Duration::from_secs(10);
    fs::File::open(&counted.worker).unwrap().set_modified(now).unwrap();
    assert_eq!(counted.load(&defaults), 3, "another build of the program");
    assert_eq!(counted.load(&defaults), 3);
}

#[test]
fn a_damaged_entry_is_made_anew() {
    let counted = Counted::new();
    let defaults = CompilerLimits::default();
    assert_eq!(counted.load(&defaults), 1);
    let good = read(&counted.entry());
    let mut calls = 1;
    for byte in [0, 8, 40, 48, 79, 80, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[byte] ^= 0x10;
        fs::write(counted.entry(), &bad).unwrap();
        calls += 1;
        assert_eq!(counted.load(&defaults), calls, "byte {byte}");
        assert_eq!(counted.load(&defaults), calls, "and is good again");
    }
    fs::write(counted.entry(), &good[..good.len() - 1]).unwrap();
    assert_eq!(counted.load(&defaults), calls + 1, "cut short");
    fs::set_permissions(counted.entry(), Permissions::from_mode(0o666)).unwrap();
    assert_eq!(counted.load(&defaults), calls + 2, "others could have written it");
}

#[test]
fn without_room_nothing_is_kept() {
    let counted = Counted::new();
    let none = limits(&["cache_bytes=1000"]);
    assert_eq!([1, 2].map(|_| counted.load(&none)), [1, 2]);
    assert!(entries(&counted.folder()).is_empty());
}

/// A capture of one line to the echo parser.
fn capture(scratch: &Scratch) -> PathBuf {
    let flow = Conversation::tcp(5000, 7).open().send(Client, b"one\n").send(Server, b"one\n");
    scratch.capture("echo.pcap", &Pcap::of(&[flow.close()]))
}

/// Runs the echo parser with these options; checks that it works.
fn run(scratch: &Scratch, change: impl FnOnce(&mut Command)) -> Run {
    let mut command = flowcell(["run", "-q", "--parsers"]);
    command.arg(scratch.parsers(&[])).arg("-r").arg(capture(scratch));
    change(&mut command);
    let run = Run::of(&mut command);
    assert_eq!((run.code, run.of_type("echo.exchange").len()), (Some(0), 1), "{}", run.stderr);
    run
}

#[test]
fn where_the_program_keeps_it() {
    let scratch = Scratch::new();
    let (named, xdg, home) = (scratch.path("named"), scratch.path("xdg"), scratch.path("home"));
    fs::create_dir(&home).unwrap();
    let count = |folder: &Path| entries(folder).len();
    run(&scratch, |command| {
        command.arg("--cache").arg(&named).env("XDG_CACHE_HOME", &xdg);
    });
    assert_eq!((count(&named), xdg.exists()), (1, false));
    run(&scratch, |command| {
        command.env("XDG_CACHE_HOME", &xdg).env("HOME", &home);
    });
    assert_eq!((count(&xdg.join("flowcell")), home.join(".cache").exists()), (1, false));
    run(&scratch, |command| {
        command.env_remove("XDG_CACHE_HOME").env("HOME", &home);
    });
    assert_eq!(count(&home.join(".cache/flowcell")), 1);
    let elsewhere = scratch.path("elsewhere");
    run(&scratch, |command| {
        command.arg("--no-cache").env("XDG_CACHE_HOME", &elsewhere);
    });
    assert!(!elsewhere.exists());
    run(&scratch, |command| {
        command.env_remove("XDG_CACHE_HOME").env_remove("HOME");
    });
}

#[test]
fn a_folder_that_can_not_be_trusted_is_told_and_not_used() {
    let scratch = Scratch::new();
    let folder = scratch.path("cache");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    let run = run(&scratch, |command| {
        command.arg("--cache").arg(&folder);
    });
    let lines: Vec<&str> = run.stderr.lines().filter(|line| line.contains("cache")).collect();
    let expected = format!(
        "flowcell: {}: not used as a cache of compiled parsers: other users can write to it; chmod \
         700 would help (--cache DIR names another, --no-cache none)",
        folder.display()
    );
    assert_eq!(lines, [expected]);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn programs_that_start_at_once_share_it() {
    let scratch = Scratch::new();
    let (parsers, capture, cache) =
        (scratch.parsers(&[]), capture(&scratch), scratch.path("cache"));
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = flowcell(["run", "-q", "--parsers"]);
            command.arg(&parsers).arg("-r").arg(&capture).arg("--cache").arg(&cache);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
        })
        .collect();
    let outputs: Vec<_> =
        children.into_iter().map(|child| child.wait_with_output().expect("it ends")).collect();
    for output in &outputs {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, outputs[0].stdout);
    }
    assert!(!outputs[0].stdout.is_empty());
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 2, "one entry, and the key");
}

#[test]
fn machine_code_in_the_folder_of_parsers_is_left_alone() {
    let counted = Counted::new();
    counted.load(&CompilerLimits::default());
    // What wasmtime made, without our head in front.
    let code = read(&counted.entry()).split_off(80);
    assert!(code.starts_with(b"\x7fELF"));
    let scratch = Scratch::new();
    scratch.write("parsers/ready.cwasm", &code);
    assert!(!run(&scratch, |_| ()).stderr.contains("ready.cwasm"));
    scratch.write("parsers/ready.wasm", &code);
    let mut command = flowcell(["run", "-q", "--parsers"]);
    let run = Run::of(command.arg(scratch.path("parsers")).arg("-r").arg(capture(&scratch)));
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("ready.wasm: not a WebAssembly file"), "{}", run.stderr);
}
