//! The counters of a run: a table for people, JSON for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use flowcell_core::Counters;
use serde::Serialize;

use crate::capture::Stats;
use crate::driver::WorkerStats;
use crate::driver::repro::ArchiveStats;

/// What a run counted.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    /// Records written, by type.
    records: &'a BTreeMap<String, u64>,
    /// Of the flow engine.
    engine: BTreeMap<&'static str, u64>,
    capture: BTreeMap<&'static str, u64>,
    parsers: Option<&'a WorkerStats>,
    /// Of `--repro-dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repro: Option<ArchiveStats>,
}

impl<'a> Summary<'a> {
    pub(super) fn new(
        records: &'a BTreeMap<String, u64>,
        engine: &Counters,
        capture: Stats,
        parsers: Option<&'a WorkerStats>,
    ) -> Self {
        let capture = BTreeMap::from([
            ("received", capture.received),
            ("filtered", capture.filtered),
            ("dropped_kernel", capture.dropped_kernel),
            ("dropped_interface", capture.dropped_interface),
        ]);
        Self { records, engine: engine.iter().collect(), capture, parsers, repro: None }
    }

    /// The counters that are not zero, a line each.
    pub(super) fn table(&self) -> String {
        let mut table = String::new();
        let mut row = |group: &str, name: &str, value: u64| {
            if value > 0 {
                // Writing to a string can not fail.
                let _ = writeln!(table, "{group:<8} {name:<28} {value:>12}");
            }
        };
        for (name, value) in &self.capture {
            row("capture", name, *value);
        }
        for (name, value) in &self.engine {
            row("engine", name, *value);
        }
        for (name, value) in self.records {
            row("records", name, *value);
        }
        if let Some(stats) = self.parsers {
            row("parsers", "parsed_flows", stats.parsed_flows);
            row("parsers", "no_room", stats.no_room);
            row("parsers", "breaker_open", stats.breaker_open);
            row("parsers", "breakers_opened", stats.breakers_opened);
            row("parsers", "throttled", stats.throttled);
            for (class, count) in &stats.faults {
                row("parsers", &format!("fault {class}"), *count);
            }
            row("parsers", "parks", stats.parking.parks);
            row("parsers", "unparks", stats.parking.unparks);
            row("parsers", "parked_bytes", stats.parking.parked_bytes);
            row("parsers", "log_lines_dropped", stats.log_lines_dropped);
        }
        if let Some(ArchiveStats { written, replaced, left_out, cut, failed }) = self.repro {
            row("repro", "written", written);
            row("repro", "replaced", replaced);
            row("repro", "left_out", left_out);
            row("repro", "cut", cut);
            row("repro", "failed", failed);
        }
        table
    }
}
