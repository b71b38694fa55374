//! Memory of an open flow, and the cost of a frame among more and more of them.

use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use flowcell_traffic::special::OpenFlows;
use flowcell_traffic::write_pcap;

use super::Bench;
use crate::process::{Program, compare, cost, warm};
use crate::report::{mib, to_float};

const PAYLOAD: u16 = 16;
/// The smallest number of open flows; each next one is ten times as large.
const FEWEST: u32 = 1000;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    println!();
    println!("{:<38} {:>9} {:>9}", "open flows", "ns/frame", "RSS MiB");
    let nothing = Capture::make(bench, 1, 0)?;
    let base = cost(&nothing.program, bench.options.repeat)?.memory;
    nothing.remove()?;
    let mut costs = Vec::new();
    let mut peak = 0;
    let steps = std::iter::successors(Some(FEWEST), |flows| flows.checked_mul(10));
    for flows in steps.take_while(|flows| *flows <= bench.options.open) {
        let (nanoseconds, memory) = frame_among(bench, flows)?;
        println!("{flows:<38} {nanoseconds:>9.0} {:>9.1}", mib(memory));
        costs.push((flows, nanoseconds));
        peak = memory;
    }
    let (Some((_, first)), Some((most, last))) = (costs.first(), costs.last()) else {
        return Ok(());
    };
    let each = to_float(peak.saturating_sub(base)) / f64::from(*most);
    println!("{:<38} {each:>9.0}", format!("bytes for each of {most}"));
    println!("{:<38} {:>8.2}×", format!("a frame at {most} against {FEWEST}"), last / first);
    // The keys name a million: another number of flows is no answer to them.
    let asked = (*most == 1_000_000).then_some(());
    bench.report.figure("bytes_per_open_flow", asked.map(|()| each));
    bench.report.figure("rss_mib_1m_flows", asked.map(|()| mib(peak)));
    bench.report.figure("cost_growth_1k_to_1m", asked.map(|()| last / first));
    Ok(())
}

/// CPU nanoseconds of a frame while `flows` flows are open, and the peak with them open.
fn frame_among(bench: &Bench<'_>, flows: u32) -> Result<(f64, u64)> {
    let rounds = (bench.options.frames / flows).max(1);
    // One capture that only opens the flows, and one that has rounds after it: the difference is
    // the cost of the rounds.
    let opened = Capture::make(bench, flows, 0)?;
    let used = Capture::make(bench, flows, rounds)?;
    let programs = [opened.program.clone(), used.program.clone()];
    let costs = compare(&programs, bench.options.repeat)?;
    for name in ["flows_evicted_closed", "flows_evicted_one_sided", "flows_evicted_established"] {
        let evicted = bench.counter(name)?;
        ensure!(evicted == 0, "{evicted} flows were evicted ({name}): not {flows} were open");
    }
    ensure!(bench.counter("flows_opened")? == u64::from(flows), "not {flows} flows were opened");
    opened.remove()?;
    used.remove()?;
    let costs: Option<Vec<_>> = costs.iter().map(|outcome| outcome.cost()).collect();
    let costs = costs.context("flowcell refuses its arguments")?;
    let [opened, used] = costs[..] else { unreachable!("two programs") };
    let rounds_cost = used.cpu.saturating_sub(opened.cpu).as_secs_f64();
    let frames = f64::from(flows) * f64::from(rounds);
    Ok((rounds_cost * 1e9 / frames, opened.memory))
}

/// A capture of open flows, and the program that reads it.
struct Capture {
    path: PathBuf,
    program: Program,
}

impl Capture {
    fn make(bench: &Bench<'_>, flows: u32, rounds: u32) -> Result<Self> {
        let path = bench.dir.join(format!("open-{flows}-{rounds}.pcap"));
        let open = OpenFlows { flows, rounds, payload: PAYLOAD, ..OpenFlows::default() };
        write_pcap(File::create(&path)?, |output| open.frames(output))?;
        warm(&path)?;
        let name = path.to_str().context("a folder for captures whose name is UTF-8")?;
        let program = bench.flowcell(name);
        Ok(Self { path, program })
    }

    fn remove(self) -> Result<()> {
        Ok(fs::remove_file(self.path)?)
    }
}
