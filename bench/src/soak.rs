//! Memory over time: the same traffic again and again in one process, parsers that fault included.

use std::fs;
use std::io;

use anyhow::{Context, Result, ensure};
use clap::Args;
use flowcell::driver::WorkerStats;
use flowcell::runtime::Engine;
use flowcell_traffic::special::Dialogues;
use flowcell_traffic::{Impairments, Mix, Rate, Side, Weights};

use crate::guest;
use crate::report::{Report, mib, to_float};
use crate::tape::{self, Tape};

/// Options of `flowcell-bench soak`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often the capture is played.
    #[arg(long, default_value_t = 200)]
    rounds: u32,

    /// Flows of mail, web and DNS in a round; about 40 kB each.
    #[arg(long, default_value_t = 250)]
    flows: u64,
}

/// Rounds after which everything has its size: the memory that growth is measured against.
const WARM_UP: usize = 10;

/// Longer than any timeout: what is left of one round must be gone before the next.
const BETWEEN: u64 = 3_600_000_000_000;

/// Faults in a round, of the flows to a port each: what clients say, and how many of them. They ask for a
/// panic, for all of the memory that there is, and for all of the time.
const FAULTS: [(u16, &[u8], u32); 3] = [(2, b"panic\n", 40), (3, b"grow\n", 10), (4, b"spin\n", 1)];

/// Rows of the table.
const ROWS: usize = 10;

pub(crate) fn run(options: &Options) -> Result<Report> {
    let warm_up = WARM_UP;
    ensure!(options.rounds as usize > warm_up, "--rounds must be more than {warm_up}");
    let engine = Engine::new()?;
    let mut parsers = guest::bundled_parsers(&engine)?;
    parsers.push(guest::lines(&engine)?);
    parsers.push(guest::faulty(&engine)?);
    let parsers = guest::handle(parsers);
    let tape = traffic(options)?;
    let mut samples = Vec::new();
    let outcome = {
        let rounds = (0..u64::from(options.rounds)).flat_map(|round| {
            samples.push(resident());
            tape.frames(round * tape.len(), round * BETWEEN)
        });
        tape::run(rounds, &parsers, io::sink())?
    };
    samples.push(resident());
    let samples: Vec<u64> = samples.into_iter().collect::<Result<_>>()?;
    let mut stats = WorkerStats::default();
    outcome.sinks.iter().for_each(|worker| stats.merge(worker.stats()));
    let faults: u64 = stats.faults.values().sum();
    ensure!(stats.parsed_flows > 0, "there was nothing to parse");
    for class in ["trap", "memory", "deadline"] {
        ensure!(stats.faults.contains_key(class), "there was no fault of class {class}");
    }
    println!(
        "{} rounds of {} frames: {} flows parsed, {faults} faults",
        options.rounds,
        tape.len(),
        stats.parsed_flows
    );
    println!("{:<38} {:>9}", "after rounds", "RSS MiB");
    for round in (0..samples.len()).step_by((samples.len() / ROWS).max(1)) {
        println!("{round:<38} {:>9.1}", mib(samples[round]));
    }
    let (start, end) = (samples[warm_up], samples[samples.len() - 1]);
    let growth = to_float(end) / to_float(start);
    let slope = slope(&samples[warm_up..]) * 1000.0 / f64::from(1 << 20);
    println!("{:<38} {growth:>8.3}×", format!("growth since round {warm_up}"));
    println!("{:<38} {slope:>9.2}", "slope, MiB in 1000 rounds");
    let mut report = Report::default();
    report.figure("rss_mib_start", Some(mib(start)));
    report.figure("rss_mib_end", Some(mib(end)));
    report.figure("growth", Some(growth));
    report.figure("mib_per_1000_rounds", Some(slope));
    report.figure("parsed_flows", Some(to_float(stats.parsed_flows)));
    report.figure("faults", Some(to_float(faults)));
    Ok(report)
}

fn traffic(options: &Options) -> Result<Tape> {
    let rate = Rate::per_million(5000);
    let mix = Mix {
        flows: options.flows,
        concurrent: 200,
        weights: Weights { mail: 3, web: 1, dns: 4, ..Weights::NONE },
        impairments: Impairments {
            loss: rate,
            retransmit: rate,
            reorder: rate,
            duplicate: rate,
            overlap: rate,
            conflict: rate,
        },
        ..Mix::default()
    };
    let mut tape = Tape::record(|output| mix.frames(output))?;
    for (port, line, flows) in FAULTS {
        let script = [(Side::Client, line)];
        let dialogues = Dialogues { flows, at_once: flows, port, script: &script };
        tape.append(|output| dialogues.frames(output))?;
    }
    Ok(tape)
}

/// Memory of this process that is in use, in bytes.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("only Linux tells")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 =
        line.context("no VmRSS")?.trim_end_matches("kB").trim().parse().context("no number")?;
    Ok(kib << 10)
}

/// Bytes by which samples grow from one to the next, by least squares.
fn slope(samples: &[u64]) -> f64 {
    let count = to_float(samples.len() as u64);
    let middle = (count - 1.0) / 2.0;
    let mean = samples.iter().map(|sample| to_float(*sample)).sum::<f64>() / count;
    let (mut over, mut under) = (0.0, 0.0);
    for (index, sample) in samples.iter().enumerate() {
        let x = to_float(index as u64) - middle;
        over += x * (to_float(*sample) - mean);
        under += x * x;
    }
    if under > 0.0 { over / under } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn slope_is_that_of_the_line_through_the_samples() {
        assert!((slope(&[10, 13, 16, 19]) - 3.0).abs() < 1e-9);
        assert!((slope(&[10, 30, 10, 30, 10]) - 0.0).abs() < 1e-9);
        assert!(slope(&[7]).abs() < 1e-9);
    }
}
