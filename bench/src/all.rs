//! All measurements, one after the other, and the page that shows them.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::{Args, CommandFactory};
use serde_json::Value;

use crate::report::Report;

/// Options of `flowcell-bench all`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write the tables into this file too.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Measure these only, instead of all.
    #[arg(long, value_name = "COMMAND", value_delimiter = ',')]
    only: Vec<String>,
}

/// The name of the command that runs the others.
const ALL: &str = "all";

/// One measurement of a process of its own: none finds another's memory or warm caches.
struct Measured {
    name: String,
    about: String,
    table: String,
    figures: Value,
    load: String,
}

pub(crate) fn run(options: &Options) -> Result<Report> {
    let mut measured = Vec::new();
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|it| it == name);
    let mut report = Report::default();
    let commands = crate::Args::command();
    for command in commands.get_subcommands() {
        let name = command.get_name();
        if name == ALL || name == "help" || !wanted(name) {
            continue;
        }
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        println!("\n## {name}");
        let one = measure(name, about)?;
        for (key, value) in one.figures.as_object().into_iter().flatten() {
            report.figure(format!("{name}.{key}"), value.as_f64());
        }
        measured.push(one);
    }
    ensure!(!measured.is_empty(), "--only names no measurement");
    if let Some(path) = &options.write {
        fs::write(path, page(&measured)?)
            .with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(report)
}

fn measure(name: &str, about: String) -> Result<Measured> {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let mut child = Command::new(std::env::current_exe()?)
        .args([name, "--json"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().context("a pipe")?).lines() {
        let line = line?;
        println!("{line}");
        lines.push(line);
    }
    let status = child.wait()?;
    ensure!(status.success(), "{name} ended with {status}");
    let json = lines.pop().with_context(|| format!("{name} said nothing"))?;
    let figures = serde_json::from_str(&json).with_context(|| format!("the figures of {name}"))?;
    Ok(Measured { name: name.into(), about, table: lines.join("\n"), figures, load })
}

fn page(measured: &[Measured]) -> Result<String> {
    let mut page = String::new();
    writeln!(page, "# Benchmarks\n")?;
    writeln!(
        page,
        "Written by `flowcell-bench all --write docs/benchmarks.md` (`make bench`). Ratios are of one \
         run, with all contenders in turns and the best round of each; compare them, and absolute \
         figures only with a grain of salt. The last line of each table is what `--json` prints.\n"
    )?;
    writeln!(page, "| | |\n|---|---|")?;
    for (name, value) in machine() {
        writeln!(page, "| {name} | {value} |")?;
    }
    for Measured { name, about, table, figures, load } in measured {
        let table = table.trim();
        writeln!(page, "\n## {name}\n\n{about}.\n")?;
        writeln!(page, "`flowcell-bench {name}`, load average before it {load}\n")?;
        writeln!(page, "```text\n{table}\n{figures}\n```")?;
    }
    Ok(page)
}

/// What was measured, and on what.
fn machine() -> Vec<(&'static str, String)> {
    let first_after = |text: String, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    let changes = said("git", &["status", "--porcelain", "--untracked-files=no"]);
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"]);
    let changed = changes.lines().any(|line| !line.ends_with("docs/benchmarks.md"));
    vec![
        ("Commit", if changed { format!("{commit}, with changes") } else { commit }),
        ("Compiler", said("rustc", &["--version"])),
        ("Processor", first_after(read("/proc/cpuinfo"), "model name")),
        ("Cores", threads.to_string()),
        ("Memory", first_after(read("/proc/meminfo"), "MemTotal")),
        ("Kernel", read("/proc/sys/kernel/osrelease").trim().to_owned()),
        ("tshark", said("tshark", &["--version"]).lines().next().unwrap_or_default().to_owned()),
    ]
}

/// What a program says, if it is there.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "not installed".into())
}
