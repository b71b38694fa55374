//! A network of a test's own: real interfaces and sockets, and traffic that goes nowhere else.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::command::caches;

/// A network namespace with nothing in it but `lo`. It goes when this goes.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one; where that is not possible says why, and the test has nothing to test.
    #[must_use]
    pub fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("flowcell-test-{}-{number}", std::process::id());
        match ip(["netns", "add", &name]) {
            Ok(()) => {}
            Err(reason) => {
                println!("skipped: no network namespace can be made: {reason}");
                return None;
            }
        }
        let namespace = Self { name };
        match ip(["-n", &namespace.name, "link", "set", "lo", "up"]) {
            Ok(()) => Some(namespace),
            Err(reason) => {
                println!("skipped: the network namespace has no loopback: {reason}");
                None
            }
        }
    }

    /// `program`, to be run inside. It replaces `ip`, so that its process id is the child's.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program).stdin(Stdio::null());
        command.env("XDG_CACHE_HOME", caches());
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip(["netns", "delete", &self.name]);
    }
}

fn ip<const N: usize>(arguments: [&str; N]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// Connections to an echo server, both inside of a namespace, made by the program `echo-traffic`.
#[derive(Debug)]
pub struct Traffic {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Traffic {
    /// Starts `program`, which is `env!("CARGO_BIN_EXE_echo-traffic")`.
    ///
    /// # Panics
    /// When it can not be started.
    #[must_use]
    pub fn start(namespace: &Namespace, program: impl AsRef<Path>) -> Self {
        let mut child = namespace
            .command(program.as_ref())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{error}"));
        let orders = child.stdin.take();
        let Some(answers) = child.stdout.take() else { panic!("its output is connected") };
        Self { child, orders, answers: BufReader::new(answers) }
    }

    /// Sends a line on the connection of that name, which is opened if need be, and waits for the
    /// server to send it back.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn say(&mut self, connection: &str, text: &str) {
        self.order(&format!("{connection} {text}"));
    }

    /// Closes a connection and waits until the server has closed it as well.
    ///
    /// # Panics
    /// When that does not happen.
    pub fn close(&mut self, connection: &str) {
        self.order(connection);
    }

    fn order(&mut self, order: &str) {
        let Some(orders) = &mut self.orders else { return };
        let mut line = String::new();
        let _ = writeln!(line, "{order}");
        orders.write_all(line.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer, line, "the traffic goes as ordered");
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        drop(self.orders.take()); // which ends it
        let _ = self.child.wait();
    }
}
