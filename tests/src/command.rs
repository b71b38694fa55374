//! Runs the `flowcell` program and looks at what comes out.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;
use tempfile::TempDir;

use crate::{documented, guests, packets::Pcap};

/// How long a test waits for something that is about to happen. Only a broken program takes it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program: it is built beside the tests.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn program() -> PathBuf {
    let test = env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let program = test.ancestors().nth(2).unwrap_or(&test).join("flowcell");
    assert!(program.is_file(), "{}: build it first: cargo build -p flowcell", program.display());
    program
}

/// A folder of a test's own, gone with it.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// An empty folder.
    ///
    /// # Panics
    /// When there is no room for it.
    #[must_use]
    pub fn new() -> Self {
        Self(TempDir::new().unwrap_or_else(|error| panic!("{error}")))
    }

    /// The path of a file in it, there or not.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file; folders in its name are made.
    ///
    /// # Panics
    /// When it can not be written.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{error}"));
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Writes a capture.
    pub fn capture(&self, name: &str, pcap: &Pcap) -> PathBuf {
        self.write(name, pcap.bytes())
    }

    /// Makes the folder `parsers` with the echo parser (TCP port 7) and these guests.
    pub fn parsers(&self, names: &[&str]) -> PathBuf {
        self.write("parsers/echo.wasm", read(&guests::parser("template")));
        for name in names {
            self.write(&format!("parsers/{name}.wasm"), guests::guest(name));
        }
        self.path("parsers")
    }
}

/// A file's bytes.
///
/// # Panics
/// When it can not be read.
#[must_use]
pub fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The program with arguments, to be run.
#[must_use]
pub fn flowcell<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).stdin(Stdio::null()).env("XDG_CACHE_HOME", caches());
    command
}

/// Where the program keeps what it has compiled when tests run it: never where its user does. All
/// tests share it.
///
/// # Panics
/// When there is no room for it.
#[must_use]
pub fn caches() -> PathBuf {
    let folder = program().with_file_name("test-caches");
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{error}"));
    folder
}

/// What a run left behind.
#[derive(Debug, Clone)]
pub struct Run {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output as it came.
    pub stdout: String,
    /// Its lines, parsed.
    pub records: Vec<Value>,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Runs `command` to its end.
    ///
    /// # Panics
    /// When it can not be started, panics, or writes what is not JSON Lines.
    #[must_use]
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = |bytes| String::from_utf8(bytes).unwrap_or_else(|error| panic!("{error}"));
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert!(!stderr.contains("thread '"), "it panicked: {stderr}");
        Self { code: output.status.code(), records: records(&stdout), stdout, stderr }
    }

    /// Runs `command` with `input` on its standard input.
    ///
    /// # Panics
    /// As [`of`](Self::of).
    #[must_use]
    pub fn with_input(command: &mut Command, input: &[u8]) -> Self {
        let (reader, mut writer) = std::io::pipe().unwrap_or_else(|error| panic!("{error}"));
        command.stdin(reader);
        let input = input.to_owned();
        let feeder = thread::spawn(move || {
            // A program that stops reading is the test's subject, not an error of the test.
            let _ = writer.write_all(&input);
        });
        let run = Self::of(command);
        // The command keeps the reading end, which would block a feeder that nobody listens to.
        command.stdin(Stdio::null());
        feeder.join().unwrap_or_else(|_| panic!("the feeder panicked"));
        run
    }

    /// The records of this type.
    #[must_use]
    pub fn of_type(&self, ty: &str) -> Vec<&Value> {
        self.records.iter().filter(|record| record["type"] == ty).collect()
    }

    /// The one record of this type.
    ///
    /// # Panics
    /// When there is none, or more.
    #[must_use]
    pub fn only(&self, ty: &str) -> &Value {
        let found = self.of_type(ty);
        assert_eq!(found.len(), 1, "one `{ty}` in\n{}{}", self.stdout, self.stderr);
        found[0]
    }

    /// The lines about flows to this port of the responder, as they were written.
    #[must_use]
    pub fn lines_of_port(&self, port: u16) -> Vec<&str> {
        let lines = self.stdout.lines().zip(&self.records);
        lines.filter(|(_, record)| record["resp_port"] == port).map(|(line, _)| line).collect()
    }
}

/// JSON Lines, parsed.
///
/// # Panics
/// At a line that is no JSON object with a time, a type and data.
#[must_use]
pub fn records(text: &str) -> Vec<Value> {
    text.lines().map(record).collect()
}

fn record(line: &str) -> Value {
    let record: Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in: {line}"));
    for (field, there) in [
        ("ts", record["ts"].is_string()),
        ("type", record["type"].is_string()),
        ("data", record["data"].is_object()),
    ] {
        assert!(there, "no `{field}` in: {line}");
    }
    documented::check(&record);
    record
}

/// A program that is still running.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// Records that came and were not asked for yet.
    seen: Vec<Value>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts `command` with its outputs connected to the test.
    ///
    /// # Panics
    /// When it can not be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        let stderr = child.stderr.take().map(|mut stderr| {
            thread::spawn(move || {
                let mut text = String::new();
                let _ = stderr.read_to_string(&mut text);
                text
            })
        });
        Self { child, lines, seen: Vec::new(), stderr }
    }

    /// A record that `wanted` accepts, if it has come already; those before it are kept.
    pub fn seen(&mut self, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        self.seen.extend(self.lines.try_iter().map(|line| record(&line)));
        let index = self.seen.iter().position(wanted)?;
        Some(self.seen.remove(index))
    }

    /// Waits for the next record that `wanted` accepts; those before it are kept.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(index) = self.seen.iter().position(&wanted) {
            return self.seen.remove(index);
        }
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                let _ = self.child.kill();
                let stderr = self.stderr.take().and_then(|stderr| stderr.join().ok());
                panic!("{what} did not come; before: {:#?}\n{stderr:?}", self.seen);
            };
            let record = record(&line);
            if wanted(&record) {
                return record;
            }
            self.seen.push(record);
        }
    }

    /// Sends it a signal, for instance `INT`, and waits for its end.
    ///
    /// # Panics
    /// When the signal can not be sent.
    #[must_use]
    pub fn end_with(mut self, signal: &str) -> Run {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &process]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{signal} could not be sent");
        let status = self.child.wait().unwrap_or_else(|error| panic!("{error}"));
        let stderr = self.stderr.take().and_then(|stderr| stderr.join().ok()).unwrap_or_default();
        let rest = self.lines.iter().map(|line| record(&line));
        let records = std::mem::take(&mut self.seen).into_iter().chain(rest).collect();
        Run { code: status.code(), stdout: String::new(), records, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
