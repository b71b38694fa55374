//! What a cell's store holds besides the guest: what it said, and how much it may still use.

use std::sync::Arc;

use rustix::time::{ClockId, Timespec, clock_gettime};
use wasmtime::{ResourceLimiter, UpdateDeadline};

use super::description::Description;
use super::fault::{FaultClass, Violation};
use super::limits::CellLimits;

/// One record, checked against its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// Index into the description's records.
    pub kind: usize,
    /// The `data` object as JSON.
    pub json: Vec<u8>,
    /// Names of the fields whose text was not UTF-8.
    pub escaped: Vec<String>,
    /// The segment of the delivery that it belongs to.
    pub segment: u32,
}

/// What a parser decided about its flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Not its protocol.
    Declined(String),
    /// The protocol is violated.
    Failed(String),
}

/// A line for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `error`, `warn`, `info` or `debug`.
    pub level: &'static str,
    /// At most [`CellLimits::text_bytes`].
    pub message: String,
    /// The segment of the delivery that it belongs to.
    pub segment: u32,
}

/// What a guest said in the calls since the last look.
#[derive(Debug, Default)]
pub struct Output {
    /// In order.
    pub records: Vec<Emitted>,
    /// It has said that the protocol is its own.
    pub confirmed: bool,
    /// It has ended parsing.
    pub verdict: Option<Verdict>,
    /// Bytes that need not be delivered, client and server, since the last look.
    pub skip: [u64; 2],
    /// Sides that are not wanted any more, client and server.
    pub done: [bool; 2],
    /// Kept log lines.
    pub log: Vec<LogLine>,
    /// Log lines that were not kept, in all.
    pub log_dropped: u64,
    /// The segment of the delivery that it got to.
    pub segment: u32,
}

/// Which exports are being called: `describe` may do nothing but log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Describe,
    Parse,
}

/// The data of a store.
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) limits: CellLimits,
    /// Empty while the parser is being described.
    pub(crate) description: Option<Arc<Description>>,
    pub(crate) output: Output,
    /// Packets that the current delivery is of.
    segments: u32,
    /// It has said that the protocol is its own.
    pub(crate) confirmed: bool,
    pub(crate) log_lines: u32,
    /// Records emitted in the current call.
    pub(crate) emitted: usize,
    /// Bytes of JSON that the current call's records made.
    pub(crate) output_bytes: usize,
    /// The last line that the guest logged as an error in the current call.
    pub(crate) last_words: Option<String>,
    /// Bytes of all its memories.
    memory: usize,
    /// Elements of all its tables.
    tables: usize,
    /// Thread CPU time when the current call was first looked at; `None` before.
    looked_at: Option<Timespec>,
}

impl State {
    pub(crate) fn new(
        phase: Phase,
        limits: CellLimits,
        description: Option<Arc<Description>>,
    ) -> Self {
        Self {
            phase,
            limits,
            description,
            output: Output::default(),
            segments: 1,
            confirmed: false,
            log_lines: 0,
            emitted: 0,
            output_bytes: 0,
            last_words: None,
            memory: 0,
            tables: 0,
            looked_at: None,
        }
    }

    pub(crate) fn begin_call(&mut self) {
        (self.output.segment, self.segments) = (0, 1);
        self.begin_segment();
    }

    /// What is about to be delivered is of so many packets.
    pub(crate) fn set_segments(&mut self, segments: usize) {
        self.segments = u32::try_from(segments).unwrap_or(u32::MAX);
    }

    /// Goes on to a segment of the delivery. What a call may do holds for each of them, as if it had
    /// been delivered alone.
    pub(crate) fn go_on(&mut self, index: u32) -> Result<(), Violation> {
        let now = self.output.segment;
        if index < now || index >= self.segments {
            let last = self.segments.saturating_sub(1);
            let message = format!("`segment` called with {index}, which is not in {now}..={last}");
            return Err(Violation::new(FaultClass::HostCall, message));
        }
        if index > now {
            self.output.segment = index;
            self.begin_segment();
        }
        Ok(())
    }

    fn begin_segment(&mut self) {
        self.emitted = 0;
        self.output_bytes = 0;
        self.last_words = None;
        self.looked_at = None;
    }

    /// Called at the first tick of a call and at every further one. The epoch runs on wall time, and
    /// a thread that the system has set aside must not count as a guest that spins: what decides is
    /// the CPU time since the first look. Calls that end within a tick never get here.
    pub(crate) fn look(&mut self) -> UpdateDeadline {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        let Some(first) = self.looked_at else {
            self.looked_at = Some(now);
            return UpdateDeadline::Continue(1);
        };
        let spent = now - first;
        let limit = Timespec::try_from(self.limits.call_time).unwrap_or(now);
        if spent >= limit { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) }
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.memory = self.memory.saturating_add(desired.saturating_sub(current));
        if self.memory <= self.limits.memory {
            return Ok(true);
        }
        let (wanted, limit) = (self.memory, self.limits.memory);
        let message = format!("{wanted} bytes of memory wanted, {limit} allowed");
        Err(Violation::new(FaultClass::Memory, message).into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.tables = self.tables.saturating_add(desired.saturating_sub(current));
        if self.tables <= self.limits.table_elements {
            return Ok(true);
        }
        let limit = self.limits.table_elements;
        let message = format!("{} table elements wanted, {limit} allowed", self.tables);
        Err(Violation::new(FaultClass::Memory, message).into())
    }

    fn memories(&self) -> usize {
        4
    }

    fn tables(&self) -> usize {
        8
    }

    fn instances(&self) -> usize {
        32
    }
}
