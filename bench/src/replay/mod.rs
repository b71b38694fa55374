//! The whole program, from a capture to JSON Lines, against tshark.

mod tshark;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use flowcell_traffic::{Mix, Weights, write_pcap};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Outcome, Program, beside, compare, warm};
use crate::report::{Report, mib, to_float};

/// Options of `flowcell-bench replay`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The capture [default: a generated one, of all protocols that have a parser].
    file: Option<PathBuf>,

    /// The program to measure [default: `flowcell` beside this one].
    #[arg(long, value_name = "PATH")]
    flowcell: Option<PathBuf>,

    /// Flows of the generated capture; about 60 kB each.
    #[arg(long, default_value_t = 4000)]
    flows: u64,

    /// Runs of each program, in turns; the best counts, because the machine may be shared.
    #[arg(long, default_value_t = 3)]
    repeat: u32,

    /// Keep the capture and the output here meanwhile [default: the system's temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    let flowcell = beside(options.flowcell.as_deref())?;
    ensure!(options.repeat > 0, "--repeat must be at least 1");
    let dir = match &options.dir {
        Some(dir) => TempDir::new_in(dir),
        None => TempDir::new(),
    };
    let dir = dir.context("no folder for captures")?;
    let capture = match &options.file {
        Some(file) => file.clone(),
        None => generate(dir.path(), options.flows)?,
    };
    warm(&capture).with_context(|| format!("{} can't be read", capture.display()))?;
    let stats = dir.path().join("stats.json");
    let one = Program::new("flowcell, one worker", &flowcell)
        .args(["run".as_ref(), "--quiet".as_ref(), "-r".as_ref(), capture.as_os_str()])
        .args(["--stats-json".as_ref(), stats.as_os_str()]);
    let programs = [
        one.clone(),
        one.clone().named("flowcell, two workers").args(["--workers", "2"]),
        tshark::fields(&capture),
    ];
    // All write what they find to a file.
    let programs: Vec<Program> = ["one", "two", "tshark"]
        .iter()
        .zip(programs)
        .map(|(name, program)| program.writing(dir.path().join(name)))
        .collect();
    let outcomes = compare(&programs, options.repeat)?;
    let counted = Counted::read(&stats)?;
    let frames = to_float(counted.frames);
    let bytes = fs::metadata(&capture)?.len();
    println!("{:.0} MiB, {} frames, {} flows", mib(bytes), counted.frames, counted.flows);
    println!(
        "{:<38} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "CPU s", "wall s", "frames/s", "Mbit/s", "RSS MiB"
    );
    for (program, outcome) in programs.iter().zip(&outcomes) {
        match outcome {
            Outcome::Missing(why) => println!("{:<38} {why}", program.name),
            Outcome::Ran(cost) => println!(
                "{:<38} {:>9.2} {:>9.2} {:>9.0} {:>9.0} {:>9.0}",
                program.name,
                cost.cpu.as_secs_f64(),
                cost.wall.as_secs_f64(),
                frames / cost.wall.as_secs_f64(),
                to_float(bytes) * 8e-6 / cost.wall.as_secs_f64(),
                mib(cost.memory)
            ),
        }
    }
    let [one, two, tshark] = &outcomes[..] else { unreachable!("three programs") };
    let (one, two) = (one.cost().context("flowcell ran")?, two.cost().context("flowcell ran")?);
    same(&dir.path().join("one"), &dir.path().join("two"))?;
    let seen = match tshark {
        Outcome::Ran(_) => Some(tshark::mails(&dir.path().join("tshark"))?),
        Outcome::Missing(_) => None,
    };
    for (ty, count) in &counted.records {
        println!("{:<38} {count:>9}", format!("records {ty}"));
    }
    println!("{:<38} {:>9}", "mails that flowcell tells of", counted.mails);
    println!(
        "{:<38} {:>9}",
        "mails that tshark tells of",
        seen.map_or("not run".into(), |mails| mails.to_string())
    );
    let ratio = tshark.cost().map(|cost| cost.cpu.as_secs_f64() / one.cpu.as_secs_f64());
    let wall = tshark.cost().map(|cost| cost.wall.as_secs_f64() / one.wall.as_secs_f64());
    let speedup = one.wall.as_secs_f64() / two.wall.as_secs_f64();
    let mut report = Report::default();
    for (key, what, value) in [
        ("ratio_vs_tshark", "CPU of tshark against one worker's", ratio),
        ("wall_ratio_vs_tshark", "the same, wall time", wall),
        ("speedup_2_workers", "two workers against one (wall)", Some(speedup)),
    ] {
        match value {
            Some(value) => println!("{what:<38} {value:>8.2}×"),
            None => println!("{what:<38} not measured"),
        }
        report.figure(key, value);
    }
    let seconds = one.wall.as_secs_f64();
    report.figure("packets_per_s", Some(frames / seconds));
    report.figure("bits_per_s", Some(to_float(bytes) * 8.0 / seconds));
    report.figure("mails", Some(to_float(counted.mails)));
    report.figure("mails_tshark", seen.map(to_float));
    Ok(report)
}

fn generate(dir: &Path, flows: u64) -> Result<PathBuf> {
    let path = dir.join("mix.pcap");
    // In a hundred flows, as at the edge of an office.
    let weights = Weights {
        mail: 8,
        web: 15,
        dns: 35,
        ftp: 2,
        imap: 1,
        mqtt: 3,
        pop3: 1,
        redis: 3,
        sip: 3,
        smb: 2,
        ssh: 2,
        tls: 25,
    };
    let mix = Mix { flows, concurrent: 1000, weights, ..Mix::default() };
    write_pcap(File::create(&path)?, |output| mix.frames(output))?;
    Ok(path)
}

/// What flowcell has counted in its last run.
struct Counted {
    frames: u64,
    flows: u64,
    mails: u64,
    /// Records of each type.
    records: Vec<(String, u64)>,
}

impl Counted {
    fn read(stats: &Path) -> Result<Self> {
        let stats: Value = serde_json::from_slice(&fs::read(stats)?)?;
        let engine = |name: &str| {
            let count = stats["engine"][name].as_u64();
            count.with_context(|| format!("the engine does not count {name}"))
        };
        let mails = |ty| stats["records"][ty].as_u64().unwrap_or(0);
        let mails = ["smtp.mail", "pop3.mail", "imap.mail"].into_iter().map(mails).sum();
        let records = stats["records"].as_object().context("what records were written")?;
        let records = records.iter().map(|(ty, count)| (ty.clone(), count.as_u64().unwrap_or(0)));
        Ok(Self {
            frames: engine("frames")?,
            flows: engine("flows_opened")?,
            mails,
            records: records.collect(),
        })
    }
}

/// The number of workers must make no difference.
fn same(one: &Path, two: &Path) -> Result<()> {
    ensure!(fs::read(one)? == fs::read(two)?, "two workers wrote something else than one");
    Ok(())
}
