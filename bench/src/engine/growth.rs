//! Memory over a capture that comes once, and ten times with other addresses.

use anyhow::{Result, bail};
use flowcell_traffic::{Impairments, Mix, Rate, Weights, write_pcap};

use super::Bench;
use crate::process::Outcome;
use crate::report::{mib, to_float};

/// Longer than any timeout: what is left of one replay must be gone before the next.
const BETWEEN: u64 = 3_600_000_000_000;
const REPLAYS: u8 = 10;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let once = peak(bench, 1)?;
    let often = peak(bench, REPLAYS)?;
    let growth = to_float(often) / to_float(once);
    println!();
    println!("{:<38} {:>8.1} MiB", "peak, a capture with losses once", mib(once));
    println!("{:<38} {:>8.1} MiB  {growth:.2}×", "peak, ten times, other addresses", mib(often));
    bench.report.figure("rss_growth", Some(growth));
    Ok(())
}

/// Peak memory over so many replays.
fn peak(bench: &Bench<'_>, replays: u8) -> Result<u64> {
    let rate = Rate::per_million(10_000);
    let mut mix = Mix {
        flows: bench.options.flows * 4,
        concurrent: 5000,
        weights: Weights { mail: 1, web: 1, dns: 20, ..Weights::NONE },
        impairments: Impairments {
            loss: rate,
            retransmit: rate,
            reorder: rate,
            duplicate: rate,
            overlap: rate,
            conflict: Rate::default(),
        },
        ..Mix::default()
    };
    let outcome = bench.flowcell("-").run_fed(|stdin| {
        write_pcap(stdin, |output| {
            for net in 0..replays {
                mix.net = net;
                mix.start = mix.frames(output)?.last + BETWEEN;
            }
            Ok(())
        })
    })?;
    match outcome {
        Outcome::Ran(cost) => Ok(cost.memory),
        Outcome::Missing(why) => bail!("flowcell: {why}"),
    }
}
