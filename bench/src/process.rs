//! Programs, and what a run of one costs.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use wait4::Wait4;

/// Returns the program to measure: `named`, or the `flowcell` beside this one.
pub(crate) fn beside(named: Option<&Path>) -> Result<PathBuf> {
    let flowcell = match named {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()?.with_file_name("flowcell"),
    };
    ensure!(
        flowcell.is_file(),
        "{} is not there: build it with the same profile, or name it with --flowcell",
        flowcell.display()
    );
    Ok(flowcell)
}

/// A program with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    path: OsString,
    args: Vec<OsString>,
    /// Where its output goes, if anybody is to read it.
    output: Option<PathBuf>,
}

/// What a run cost, or the least of several runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    /// The largest resident set, in bytes.
    pub(crate) memory: u64,
}

/// How a program fared.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Ran(Cost),
    /// It is not installed, or refuses its arguments: why.
    Missing(String),
}

impl Outcome {
    pub(crate) const fn cost(&self) -> Option<Cost> {
        match self {
            Self::Ran(cost) => Some(*cost),
            Self::Missing(_) => None,
        }
    }
}

impl Program {
    pub(crate) fn new(name: &str, path: impl AsRef<OsStr>) -> Self {
        Self { name: name.into(), path: path.as_ref().into(), args: Vec::new(), output: None }
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Its standard output goes to a file.
    pub(crate) fn writing(mut self, output: PathBuf) -> Self {
        self.output = Some(output);
        self
    }

    fn spawn(&self, stdin: Stdio) -> io::Result<Child> {
        let stdout = match &self.output {
            Some(path) => File::create(path)?.into(),
            None => Stdio::null(),
        };
        Command::new(&self.path)
            .args(&self.args)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
    }

    fn run(&self) -> Result<Outcome> {
        let start = Instant::now();
        let child = match self.spawn(Stdio::null()) {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Outcome::Missing("not installed".into()));
            }
            Err(error) => return Err(error).with_context(|| format!("can't run {}", self.name)),
        };
        self.finish(child, start)
    }

    /// Runs the program while `feed` writes its standard input.
    pub(crate) fn run_fed(
        &self,
        feed: impl FnOnce(ChildStdin) -> io::Result<()>,
    ) -> Result<Outcome> {
        let start = Instant::now();
        let mut child = self.spawn(Stdio::piped())?;
        let stdin = child.stdin.take().context("a pipe that was asked for")?;
        // If the program dies, how it ended says more than the broken pipe.
        let fed = feed(stdin);
        let outcome = self.finish(child, start)?;
        fed?;
        Ok(outcome)
    }

    fn finish(&self, mut child: Child, start: Instant) -> Result<Outcome> {
        let said = child.stderr.take().map(io::read_to_string).transpose()?.unwrap_or_default();
        let used = child.wait4()?;
        let wall = start.elapsed();
        match used.status.code() {
            Some(0) => Ok(Outcome::Ran(Cost {
                cpu: used.rusage.utime + used.rusage.stime,
                wall,
                memory: used.rusage.maxrss,
            })),
            // What clap and most others exit with when they do not know an option.
            Some(2) => Ok(Outcome::Missing(said.lines().next().unwrap_or_default().into())),
            _ => bail!("{} ended with {}: {said}", self.name, used.status),
        }
    }
}

/// The least that each of `programs` cost in `rounds` runs, which are taken in turns so that
/// whatever else the machine does meets all of them.
pub(crate) fn compare(programs: &[Program], rounds: u32) -> Result<Vec<Outcome>> {
    let mut best: Vec<Option<Outcome>> = vec![None; programs.len()];
    for _ in 0..rounds {
        for (program, best) in programs.iter().zip(&mut best) {
            if let Some(Outcome::Missing(_)) = best {
                continue;
            }
            let run = program.run()?;
            *best = Some(match (best.take(), run) {
                (Some(Outcome::Ran(old)), Outcome::Ran(new)) => Outcome::Ran(old.least(new)),
                (_, run) => run,
            });
        }
    }
    best.into_iter().map(|outcome| outcome.context("at least one round")).collect()
}

/// The cost of a program that must be there.
pub(crate) fn cost(program: &Program, rounds: u32) -> Result<Cost> {
    match compare(std::slice::from_ref(program), rounds)?.pop() {
        Some(Outcome::Ran(cost)) => Ok(cost),
        Some(Outcome::Missing(why)) => bail!("{}: {why}", program.name),
        None => bail!("{} did not run", program.name),
    }
}

impl Cost {
    fn least(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.min(other.cpu),
            wall: self.wall.min(other.wall),
            memory: self.memory.min(other.memory),
        }
    }
}

/// Reads a file once, so that those who are measured find it in memory.
pub(crate) fn warm(path: &Path) -> Result<()> {
    io::copy(&mut File::open(path)?, &mut io::sink())?;
    Ok(())
}
