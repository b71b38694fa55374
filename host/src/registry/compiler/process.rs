//! Starts a compile worker, asks it, and sees to it that it ends.

use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::protocol::{ANSWER_HEAD, Answer, Subject, read_answer, write_request};
use super::{CompileError, CompilerLimits};

/// What the command line calls a worker.
pub const COMMAND: &str = "compile-worker";

/// Bytes of what a worker says on standard error that are kept.
const MAX_WORDS: u64 = 4096;

/// With which a Rust program ends that panics.
const PANIC: i32 = 101;

/// How long the last words of a worker that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Longest text in an answer, and more than any reason has.
const MAX_REASON: u64 = 64 << 10;

/// What comes out of a pipe, once it has ended.
type Heard = Receiver<Vec<u8>>;

/// Has `bytes` compiled by a new process of `program`.
///
/// # Errors
/// Whatever went wrong; the process is gone in any case.
pub(super) fn ask(
    program: &Path,
    limits: &CompilerLimits,
    subject: &Subject,
    bytes: &[u8],
) -> Result<Answer, CompileError> {
    let deadline = Instant::now().checked_add(limits.wall());
    let child = start(program, limits).map_err(|error| unable(&error))?;
    let mut child = Ended { child, gone: false };
    let longest = limits.code_bytes.max(MAX_REASON).saturating_add(ANSWER_HEAD as u64);
    let (answers, words) =
        connect(&mut child.child, *subject, bytes, longest).map_err(|error| unable(&error))?;
    let Some(answer) = within(&answers, deadline) else { return Err(CompileError::wall(limits)) };
    if answer.len() as u64 > longest {
        return Err(CompileError::code(limits));
    }
    let Some(status) = child.wait(deadline).map_err(|error| unable(&error))? else {
        return Err(CompileError::wall(limits));
    };
    if !status.success() {
        let words = words.recv_timeout(LAST_WORDS).unwrap_or_default();
        return Err(why(status, String::from_utf8_lossy(&words).trim(), limits));
    }
    read_answer(&answer, subject, limits)
        .map_err(|problem| CompileError::Worker(format!("its answer can not be used: {problem}")))
}

fn start(program: &Path, limits: &CompilerLimits) -> io::Result<Child> {
    Command::new(program)
        .arg0("flowcell")
        .arg(COMMAND)
        .args(limits.settings())
        .env_clear()
        .current_dir("/")
        // Its own, so that whatever it may have started can be ended with it.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Feeds the worker, and reads what it says on both of its outputs, never more than it may say. The
/// threads end with the worker.
fn connect(
    child: &mut Child,
    subject: Subject,
    bytes: &[u8],
    longest: u64,
) -> io::Result<(Heard, Heard)> {
    let missing = || io::Error::other("a pipe is missing");
    let mut stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let bytes = bytes.to_owned();
    let answer = reader(stdout, longest.saturating_add(1), false)?;
    let words = reader(stderr, MAX_WORDS, true)?;
    thread::Builder::new().name("compile-in".into()).spawn(move || {
        // A worker that does not listen says why, or its end does.
        let _ = write_request(&mut stdin, &subject, &bytes);
    })?;
    Ok((answer, words))
}

/// Reads the first `most` bytes to the end of the pipe, and what follows if `drain`.
fn reader(mut from: impl Read + Send + 'static, most: u64, drain: bool) -> io::Result<Heard> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new().name("compile-out".into()).spawn(move || {
        let mut bytes = Vec::new();
        // Where it breaks off, what came before tells that something is missing.
        let _ = from.by_ref().take(most).read_to_end(&mut bytes);
        if drain {
            let _ = io::copy(&mut from, &mut io::sink());
        }
        let _ = sender.send(bytes);
    })?;
    Ok(receiver)
}

fn within(answers: &Heard, deadline: Option<Instant>) -> Option<Vec<u8>> {
    match deadline {
        Some(deadline) => {
            answers.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
        }
        None => answers.recv().ok(),
    }
}

/// A process that does not outlive this.
struct Ended {
    child: Child,
    /// Waited for: its number may be another's by now.
    gone: bool,
}

impl Ended {
    /// Waits until it has ended by itself; none: it has not.
    fn wait(&mut self, deadline: Option<Instant>) -> io::Result<Option<ExitStatus>> {
        // It has closed its output, so its end is near.
        let mut pause = Duration::from_micros(50);
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.gone = true;
                return Ok(Some(status));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(None);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if !self.gone {
            // Also when it has ended: what it started may be there.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Why a worker ended without an answer.
fn why(status: ExitStatus, words: &str, limits: &CompilerLimits) -> CompileError {
    // What Rust's runtime says before it aborts, and what it calls the error.
    if words.contains("memory allocation of") || words.contains("out of memory") {
        return CompileError::memory(limits);
    }
    let Some(signal) = status.signal() else {
        let code = status.code().unwrap_or_default();
        if code == PANIC {
            return CompileError::Failed(words.to_owned());
        }
        return CompileError::Worker(format!("it ended with exit code {code}: {words}"));
    };
    if signal == Signal::XCPU.as_raw() {
        return CompileError::cpu(limits);
    }
    if words.contains("overflowed its stack") || signal == Signal::SEGV.as_raw() {
        return CompileError::Failed("its call stack was exhausted".into());
    }
    let words = if words.is_empty() { String::new() } else { format!(": {words}") };
    CompileError::Failed(format!("it was ended by signal {signal}{words}"))
}

fn unable(error: &io::Error) -> CompileError {
    CompileError::Worker(format!("it can not be started: {error}"))
}
