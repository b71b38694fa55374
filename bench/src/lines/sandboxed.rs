//! The parser in its sandbox.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use flowcell::driver::Recorder;
use flowcell::output::{Lines, Types};
use flowcell::registry::Handle;
use flowcell::runtime::{End, EndReason, Input, Parser, Side};
use flowcell_core::{EngineConfig, Shard, Timestamp};
use serde_json::Value;

use super::segments::Segments;
use crate::guest;
use crate::tape::{self, Kept};

/// Packets between which the driver does what it does for many at once.
const ROUND: u64 = 1024;

pub(super) fn packets(segments: &Segments, parsers: &Handle) -> Result<()> {
    let mut shard = Shard::new(&EngineConfig::default());
    let mut worker = tape::worker(parsers, &Types::new(&[]));
    for arrival in segments.packets.arrivals() {
        shard.handle(&arrival, &mut worker);
        if arrival.number.is_multiple_of(ROUND) {
            shard.catch_up(&mut worker);
            shard.advance(arrival.now, arrival.number, 256, &mut worker);
        }
    }
    shard.finish_until(u64::MAX, &mut worker);
    let mut output = Vec::new();
    Lines::merge(&[worker.records().take()], |line| output.extend_from_slice(line));
    check(segments, &output)
}

pub(super) fn frames(segments: &Segments, parsers: &Handle) -> Result<()> {
    let kept = Kept::default();
    tape::run(segments.tape.frames(0, 0), parsers, kept.clone())?;
    check(segments, &kept.take())
}

pub(super) fn bytes(segments: &Segments, parser: &Arc<Parser>, at_once: usize) -> Result<()> {
    let mut cell = guest::cell(parser)?;
    let mut offset = 0;
    for bytes in segments.text.chunks(at_once) {
        guest::deliver(&mut cell, offset, bytes)?;
        offset += bytes.len() as u64;
    }
    let end = End { side: Side::Client, at: Timestamp(0).0, reason: EndReason::Fin };
    cell.poll(Input::End(end)).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let record =
        cell.output().records.pop().context("the parser tells how many lines there were")?;
    counted(segments, &serde_json::from_slice(&record.json)?)
}

/// There must be one record of the parser, with the right number.
fn check(segments: &Segments, output: &[u8]) -> Result<()> {
    let mut counts = Vec::new();
    for line in output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let record: Value = serde_json::from_slice(line)?;
        if record["type"] == "lines.count" {
            counts.push(record["data"].clone());
        }
    }
    ensure!(counts.len() == 1, "there is one flow, and {} were counted", counts.len());
    counts.iter().try_for_each(|count| counted(segments, count))
}

fn counted(segments: &Segments, data: &Value) -> Result<()> {
    let lines = data["lines"].as_u64();
    ensure!(lines == Some(segments.lines), "{lines:?} lines instead of {}", segments.lines);
    Ok(())
}
