//! The compile worker: a process that compiles one file and ends.

use std::fs::File;
use std::io::{self, Write, stdin, stdout};
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::thread;

use super::confine::confine;
use super::protocol::{Answer, read_request, write_answer};
use super::translate::{engine_hash, engines, translate};
use super::{CompileError, CompilerLimits, panic_text};
use crate::runtime::MAX_FILE;

/// Reads a file from standard input, compiles it and writes the answer to standard output, with no
/// other way to reach anything. The process has to be a new one with one thread, and to end afterwards.
///
/// # Errors
/// When there is nobody to answer to, or the process can not be confined.
pub fn work(limits: &CompilerLimits) -> Result<(), String> {
    let engines = engines();
    let confinement =
        confine(limits).map_err(|error| format!("it can not be confined: {error}"))?;
    let told = |error: io::Error| error.to_string();
    let (subject, bytes) = read_request(&mut stdin().lock(), MAX_FILE).map_err(told)?;
    let outcome = engines.and_then(|engines| {
        let Some(engine) = engines.iter().find(|engine| engine_hash(engine) == subject.engine)
        else {
            let other = "it is another version of the program, or has other settings";
            return Err(CompileError::Worker(other.into()));
        };
        // The file is untrusted and the compiler is large.
        catch_unwind(AssertUnwindSafe(|| translate(engine, &bytes, limits)))
            .unwrap_or_else(|panic| Err(CompileError::Failed(panic_text(&*panic))))
    });
    let answer = Answer { outcome, confined: confinement.seccomp };
    write_answer(&mut stdout().lock(), &subject, &answer).map_err(told)
}

/// Confines the process as [`work`] does, then tries what a worker must not be able to do and writes
/// what came of each: for tests, and for those who want to see it on their machine.
///
/// # Errors
/// As [`work`].
pub fn probe(limits: &CompilerLimits) -> Result<(), String> {
    let parent = rustix::process::getppid();
    let confinement =
        confine(limits).map_err(|error| format!("it can not be confined: {error}"))?;
    let largest = usize::try_from(limits.memory).unwrap_or(usize::MAX);
    let came = |outcome: io::Result<()>| match outcome {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    };
    let signal = |process| rustix::process::test_kill_process(process).map_err(io::Error::from);
    let mut memory = Vec::<u8>::new();
    let results = [
        ("seccomp", confinement.seccomp.to_string()),
        ("descriptors", confinement.descriptors.to_string()),
        ("read a file", came(File::open("/etc/hostname").map(drop))),
        ("write a file", came(File::create("/dev/null").map(drop))),
        ("list a folder", came(std::fs::read_dir("/").map(drop))),
        ("open a socket", came(UdpSocket::bind("127.0.0.1:0").map(drop))),
        ("start a program", came(Command::new("/bin/true").spawn().map(drop))),
        ("start a thread", came(thread::Builder::new().spawn(|| ()).map(drop))),
        ("signal the parent", came(parent.map_or(Ok(()), signal))),
        ("raise a limit", came(raise_a_limit())),
        (
            "take all memory",
            came(memory.try_reserve(largest).map_err(|_| io::ErrorKind::OutOfMemory.into())),
        ),
    ];
    let text: String = results.iter().map(|(what, result)| format!("{what}: {result}\n")).collect();
    stdout().lock().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

fn raise_a_limit() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(1) })?)
}
