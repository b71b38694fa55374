//! What the engine costs, in time and memory, against programs that do as much or less.
//!
//! No parser runs here: every figure is about reading, decoding, tracking and reassembling.

mod growth;
mod speed;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Program, beside};
use crate::report::Report;

/// Options of `flowcell-bench engine`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The program to measure [default: `flowcell` beside this one].
    #[arg(long, value_name = "PATH")]
    flowcell: Option<PathBuf>,

    /// Flows of mail, web and DNS in the capture that speed is measured on; about 40 kB each.
    #[arg(long, default_value_t = 12_500)]
    flows: u64,

    /// The largest number of flows that are open at once.
    #[arg(long, default_value_t = 1_000_000)]
    open: u32,

    /// Frames that the cost of a frame among open flows is measured on.
    #[arg(long, default_value_t = 2_000_000)]
    frames: u32,

    /// Runs of each program, in turns; the best counts, because the machine may be shared.
    #[arg(long, default_value_t = 5)]
    repeat: u32,

    /// Keep captures here meanwhile; they need about 1 GB [default: the system's temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What the parts of the measurement share.
#[derive(Debug)]
struct Bench<'a> {
    options: &'a Options,
    flowcell: PathBuf,
    dir: &'a Path,
    report: Report,
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    let flowcell = beside(options.flowcell.as_deref())?;
    ensure!(options.repeat > 0 && options.open > 0, "--repeat and --open must be at least 1");
    let dir = match &options.dir {
        Some(dir) => TempDir::new_in(dir),
        None => TempDir::new(),
    };
    let dir = dir.context("no folder for captures")?;
    fs::create_dir(dir.path().join("parsers"))?;
    let mut bench = Bench { options, flowcell, dir: dir.path(), report: Report::default() };
    speed::measure(&mut bench)?;
    growth::measure(&mut bench)?;
    table::measure(&mut bench)?;
    Ok(bench.report)
}

impl Bench<'_> {
    /// Flowcell on `capture`, without parsers; its counters go to [`Bench::stats`].
    fn flowcell(&self, capture: &str) -> Program {
        Program::new("flowcell", &self.flowcell)
            .args(["run", "--quiet", "-o", "/dev/null", "-r", capture])
            .args(["--parsers".as_ref(), self.dir.join("parsers").as_os_str()])
            .args(["--stats-json".as_ref(), self.stats().as_os_str()])
    }

    fn stats(&self) -> PathBuf {
        self.dir.join("stats.json")
    }

    /// A counter of the engine in the last run.
    fn counter(&self, name: &str) -> Result<u64> {
        let stats: Value = serde_json::from_slice(&fs::read(self.stats())?)?;
        stats["engine"][name].as_u64().with_context(|| format!("the engine does not count {name}"))
    }
}
