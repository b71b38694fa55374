//! Lines of 25 bytes: a sandboxed parser against the same parser built natively, and against the crate
//! `protolens`.
//!
//! Three places to start from are measured, because they are worth different things:
//!
//! - **packets**: decoded packets in order, of one TCP flow. This is where protolens starts, so this is
//!   what `ratio_vs_protolens` compares. Protolens puts them into order and reads the lines; it has no
//!   flow table. The other two go through the flow engine, which finds the flow of each packet, does all
//!   the checks and bookkeeping of TCP, and delivers to the parser: through the driver's
//!   [`Worker`](flowcell::driver::Worker) if it is sandboxed, straight if it is native.
//! - **bytes**: the bytes in order, as the parser gets them, a segment at a time and (sandboxed) 64 KiB
//!   at a time. Nothing but the parser and the way into it.
//! - **frames**: all of what `flowcell run` does with frames in memory, from decoding to JSON.
//!
//! All find the line ends of the same bytes, hand out each line without its end, and count. The counts
//! must agree.

mod native;
mod protolens;
mod sandboxed;
mod segments;

use anyhow::Result;
use flowcell::runtime::Engine;

use crate::guest;
use crate::report::{Report, to_float};
use crate::turns::{Contender, take_turns};
use segments::{LINE, Segments};

const ROUNDS: u32 = 31;

/// Payloads of segments.
const SIZES: [usize; 3] = [1460, 500, 100];

pub(crate) fn run() -> Result<Report> {
    let engine = Engine::new()?;
    let loaded = guest::lines(&engine)?;
    let parser = loaded.parser.clone();
    let handle = guest::handle(vec![loaded]);
    let mut report = Report::default();
    let (mut least_protolens, mut least_native) = (f64::INFINITY, f64::INFINITY);
    println!("{:<38} {:>9} {:>9} {:>9}", "25-byte lines", "ns/line", "ns/seg", "MiB/s");
    for size in SIZES {
        let segments = Segments::new(size)?;
        let mut contenders = [
            Contender::new("packets, protolens", || protolens::packets(&segments)),
            Contender::new("packets, native", || native::packets(&segments)),
            Contender::new("packets, sandboxed", || sandboxed::packets(&segments, &handle)),
            Contender::new("bytes, native", || native::bytes(&segments)),
            Contender::new("bytes, sandboxed", || sandboxed::bytes(&segments, &parser, size)),
            Contender::new("bytes, sandboxed, 64 KiB at a time", || {
                sandboxed::bytes(&segments, &parser, 65_536)
            }),
            Contender::new("frames, sandboxed", || sandboxed::frames(&segments, &handle)),
        ];
        take_turns(&mut contenders, ROUNDS)?;
        println!("in segments of {size} bytes");
        let costs = contenders.each_ref().map(|one| one.nanoseconds(to_float(segments.lines)));
        for (contender, cost) in contenders.iter().zip(costs) {
            let line = to_float(LINE.len() as u64);
            let segment = cost * to_float(size as u64) / line;
            let speed = line * 1e9 / cost / f64::from(1 << 20);
            println!("{:<38} {cost:>9.1} {segment:>9.0} {speed:>9.0}", contender.name);
        }
        let [lens, native, sandboxed, native_bytes, sandboxed_bytes, coalesced_bytes, frames] =
            costs;
        let ratios = [
            ("vs_protolens", "packets: protolens to sandboxed", lens / sandboxed),
            ("vs_native", "packets: native to sandboxed", native / sandboxed),
            ("bytes_vs_protolens", "protolens to sandboxed bytes", lens / sandboxed_bytes),
            ("bytes_vs_native", "bytes: native to sandboxed", native_bytes / sandboxed_bytes),
            ("64k_vs_native", "bytes: native to 64 KiB at a time", native_bytes / coalesced_bytes),
            ("frames_vs_protolens", "protolens to sandboxed frames", lens / frames),
        ];
        for (key, what, ratio) in ratios {
            println!("{what:<38} {ratio:>8.2}×");
            report.figure(format!("ratio_{key}_{size}"), Some(ratio));
        }
        report.figure(format!("ns_per_line_{size}"), Some(sandboxed));
        least_protolens = least_protolens.min(lens / sandboxed);
        least_native = least_native.min(native / sandboxed);
    }
    println!("{:<38} {least_protolens:>8.2}×", "least: protolens to sandboxed packets");
    println!("{:<38} {least_native:>8.2}×", "least: native to sandboxed packets");
    report.figure("min_ratio_vs_protolens", Some(least_protolens));
    report.figure("min_ratio_vs_native", Some(least_native));
    Ok(report)
}
