//! Time on a capture of mail, web and DNS, against programs that only follow or copy it.

use std::fs::{self, File};

use anyhow::{Context, Result};
use flowcell_traffic::{Mix, write_pcap};

use super::Bench;
use crate::process::{Outcome, Program, compare, warm};
use crate::report::{mib, to_float};

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let path = bench.dir.join("mix.pcap");
    let mix = Mix { flows: bench.options.flows, concurrent: 1000, ..Mix::default() };
    let made = write_pcap(File::create(&path)?, |output| mix.frames(output))?;
    warm(&path)?;
    println!(
        "mail, web and DNS: {} flows, {} frames, {:.0} MiB",
        made.flows,
        made.frames,
        mib(made.bytes)
    );
    println!("{:<38} {:>9} {:>9} {:>9} {:>9}", "", "CPU s", "wall s", "MiB/s", "RSS MiB");
    let capture = path.to_str().context("a folder for captures whose name is UTF-8")?;
    let programs = [
        bench.flowcell(capture).named("flowcell, one worker"),
        bench.flowcell(capture).args(["--workers", "2"]).named("flowcell, two workers"),
        Program::new("tshark -q -z conv,tcp", "tshark")
            .args(["-q", "-z", "conv,tcp", "-r", capture]),
        Program::new("tcpdump -w /dev/null", "tcpdump").args(["-r", capture, "-w", "/dev/null"]),
    ];
    let outcomes = compare(&programs, bench.options.repeat)?;
    for (program, outcome) in programs.iter().zip(&outcomes) {
        match outcome {
            Outcome::Missing(why) => println!("{:<38} {why}", program.name),
            Outcome::Ran(cost) => println!(
                "{:<38} {:>9.2} {:>9.2} {:>9.0} {:>9.0}",
                program.name,
                cost.cpu.as_secs_f64(),
                cost.wall.as_secs_f64(),
                to_float(made.bytes) / f64::from(1 << 20) / cost.wall.as_secs_f64(),
                mib(cost.memory)
            ),
        }
    }
    let [one, two, tshark, tcpdump] = &outcomes[..] else { return Ok(()) };
    let ratio = |much: &Outcome, little: &Outcome| {
        Some(much.cost()?.cpu.as_secs_f64() / little.cost()?.cpu.as_secs_f64())
    };
    let speedup = || Some(one.cost()?.wall.as_secs_f64() / two.cost()?.wall.as_secs_f64());
    for (key, what, value) in [
        ("ratio_vs_tshark_conv", "CPU of tshark against flowcell's", ratio(tshark, one)),
        ("ratio_vs_tcpdump", "CPU of tcpdump against flowcell's", ratio(tcpdump, one)),
        ("speedup_2_workers", "two workers against one (wall)", speedup()),
    ] {
        match value {
            Some(value) => println!("{what:<38} {value:>8.2}×"),
            None => println!("{what:<38} not measured"),
        }
        bench.report.figure(key, value);
    }
    fs::remove_file(path)?;
    Ok(())
}
