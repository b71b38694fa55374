//! What a cell's store holds besides the guest: what it said, and how much it may still use.

use std::net::SocketAddr;
use std::sync::Arc;

use rustix::time::{ClockId, Timespec, clock_gettime};
use wasmtime::{ResourceLimiter, UpdateDeadline};

use super::bindings::flowcell::parser::types::{Input, Segment, Side, Transport};
use super::budget::{Budget, OUTPUT_PER_BYTE};
use super::description::Description;
use super::digests::Digests;
use super::fault::{FaultClass, Violation};
use super::limits::CellLimits;
use super::memory::{View, Viewed};

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
    /// The rest is of another protocol.
    Switched(Switch),
}

/// To whom a parser hands its flow over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Name of a parser; empty if that is to be found out.
    pub protocol: String,
    /// What it was given of the client and of the server that is the next one's, up to the last byte that
    /// it was given.
    pub handed: [Vec<u8>; 2],
}

/// A flow that a parser expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Name of the parser that gets it.
    pub parser: String,
    /// Of what kind it is.
    pub transport: Transport,
    /// Where its client will connect to.
    pub server: SocketAddr,
    /// What its parser is told.
    pub context: Vec<u8>,
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
    /// Flows to come.
    pub expected: Vec<Expected>,
    /// Flows to come that made room for those.
    pub expected_before: u64,
    /// Kept log lines.
    pub log: Vec<LogLine>,
    /// Log lines that were not kept, in all.
    pub log_dropped: u64,
    /// The segment of the delivery that it got to.
    pub segment: u32,
}

/// Most bytes of a side that a parser hands over, as the contract says.
pub const MAX_HANDED: usize = 256 << 10;

/// The place of a side where there is one for each.
pub(crate) const fn index(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
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
    /// Shared by all cells of the parser.
    pub(crate) limits: Arc<CellLimits>,
    /// Empty while the parser is being described.
    pub(crate) description: Option<Arc<Description>>,
    pub(crate) output: Output,
    /// What the packets of the current delivery have brought, if there are several.
    segments: Vec<Segment>,
    pub(crate) budget: Budget,
    pub(crate) digests: Digests,
    /// Bytes that it was given, client and server.
    delivered: [u64; 2],
    /// It has said that the protocol is its own.
    pub(crate) confirmed: bool,
    pub(crate) log_lines: u32,
    /// Records emitted in the current call.
    pub(crate) emitted: usize,
    /// Bytes of JSON that the current call's records made.
    pub(crate) output_bytes: usize,
    /// Bytes that were delivered in the segment that the guest speaks of.
    at_hand: usize,
    /// The last line that the guest logged as an error in the current call.
    pub(crate) last_words: Option<String>,
    /// Where its memory is.
    view: Option<Arc<View>>,
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
        limits: Arc<CellLimits>,
        description: Option<Arc<Description>>,
    ) -> Self {
        Self {
            phase,
            limits,
            description,
            output: Output::default(),
            segments: Vec::new(),
            budget: Budget::default(),
            digests: Digests::default(),
            delivered: [0; 2],
            confirmed: false,
            log_lines: 0,
            emitted: 0,
            output_bytes: 0,
            at_hand: 0,
            last_words: None,
            view: None,
            memory: 0,
            tables: 0,
            looked_at: None,
        }
    }

    /// Bytes of all its memories and tables.
    pub(crate) const fn bytes(&self) -> usize {
        self.memory.saturating_add(self.tables.saturating_mul(size_of::<usize>()))
    }

    /// The data of a store whose guest has no flow.
    pub(crate) fn blank(&self) -> Self {
        Self::new(Phase::Parse, Arc::clone(&self.limits), None)
    }

    /// It is going to be the data of the store whose data is `before`: the guest is the same.
    pub(crate) fn take_place_of(&mut self, before: &mut Self) {
        self.view = before.view.take();
        (self.memory, self.tables) = (before.memory, before.tables);
    }

    /// Another guest is to go on with the flow: what the one before had is gone, but not what it has used.
    pub(crate) fn begin_anew(&mut self) {
        self.rest();
        self.begin_instance();
        self.digests = Digests::default();
        self.at_hand = 0;
    }

    /// The guest is to be made once more: what the one before had is gone.
    pub(crate) fn begin_instance(&mut self) {
        (self.memory, self.tables) = (0, 0);
    }

    /// A call begins. Returns the fuel for it, unless it runs by the clock.
    pub(crate) fn begin_call(&mut self) -> Option<u64> {
        self.output.segment = 0;
        self.segments.clear();
        self.begin_segment();
        self.budget.begin(&self.limits)
    }

    /// Takes account of what is about to be delivered.
    pub(crate) fn deliver(&mut self, input: &Input<'_>) {
        self.budget.deliver(input);
        if let Input::Data(chunk) = input {
            let first = chunk.segments.and_then(|segments| segments.first());
            self.at_hand = first.map_or(chunk.bytes.len(), |segment| segment.length as usize);
            let delivered = &mut self.delivered[index(chunk.side)];
            *delivered = delivered.saturating_add(chunk.bytes.len() as u64);
        }
    }

    /// Whether the guest may hand so many bytes of each side to another parser.
    pub(crate) fn may_hand_over(&self, counts: [usize; 2]) -> bool {
        let fits =
            |(count, delivered): (usize, u64)| count <= MAX_HANDED && count as u64 <= delivered;
        counts.into_iter().zip(self.delivered).all(fits)
    }

    /// What is about to be delivered is of these packets.
    pub(crate) fn set_segments(&mut self, segments: &[Segment]) {
        self.segments.extend_from_slice(segments);
    }

    /// It will be a while before anything is delivered.
    pub(crate) fn rest(&mut self) {
        self.segments = Vec::new();
        self.view = None;
        self.last_words = None;
    }

    /// Goes on to a segment of the delivery. What a call may do holds for each of them, as if it had
    /// been delivered alone.
    pub(crate) fn go_on(&mut self, index: u32) -> Result<(), Violation> {
        let now = self.output.segment;
        let last = self.segments.len().saturating_sub(1);
        if index < now || index as usize > last {
            let message = format!("`segment` called with {index}, which is not in {now}..={last}");
            return Err(Violation::new(FaultClass::HostCall, message));
        }
        if index > now {
            self.arrive(index as usize);
            self.output.segment = index;
            let segment = self.segments.get(index as usize);
            self.at_hand = segment.map_or(0, |segment| segment.length as usize);
            self.begin_segment();
        }
        Ok(())
    }

    /// Counts a record of so many bytes of output. What a segment may lead to grows with it, as there may
    /// be many messages in it.
    pub(crate) fn emit(&mut self, bytes: usize) -> Result<(), Violation> {
        self.output_bytes = self.output_bytes.saturating_add(bytes);
        let grown = (self.at_hand as u64).saturating_mul(OUTPUT_PER_BYTE);
        let most = (self.limits.output_bytes as u64).max(grown);
        if self.output_bytes as u64 > most {
            let message = format!("more than {most} bytes of output in one call");
            return Err(Violation::new(FaultClass::RecordFlood, message));
        }
        self.budget.emit(bytes, &self.limits)
    }

    /// Counts a record, before it is looked at.
    pub(crate) fn count_record(&mut self) -> Result<(), Violation> {
        self.emitted += 1;
        let most = self.limits.records_per_call.max(self.at_hand);
        if self.emitted > most {
            let message = format!("more than {most} records in one call");
            return Err(Violation::new(FaultClass::RecordFlood, message));
        }
        Ok(())
    }

    /// Takes account of the packets behind the one that the guest speaks of, up to `last`.
    fn arrive(&mut self, last: usize) {
        let next = self.output.segment as usize + 1;
        let come = self.segments.get(next..=last).unwrap_or_default();
        come.iter().for_each(|segment| self.budget.arrive(segment.at, segment.length as usize));
    }

    fn begin_segment(&mut self) {
        self.emitted = 0;
        self.output_bytes = 0;
        self.last_words = None;
        self.looked_at = None;
    }

    /// The call has ended, with so much of its fuel left.
    pub(crate) fn end_call(&mut self, left: Option<u64>) -> Result<(), Violation> {
        // What the guest did not speak of has come all the same.
        self.arrive(self.segments.len().saturating_sub(1));
        self.budget.end(left, &self.limits)
    }

    /// Called at the first tick of a call and at every further one. The epoch runs on wall time, and
    /// a thread that the system has set aside must not count as a guest that spins: what decides is
    /// the CPU time since the first look. Calls that end within a tick never get here.
    pub(crate) fn look(&mut self) -> Result<UpdateDeadline, Violation> {
        self.budget.tick(&self.limits)?;
        let now = clock_gettime(ClockId::ThreadCPUTime);
        let Some(first) = self.looked_at else {
            self.looked_at = Some(now);
            return Ok(UpdateDeadline::Continue(1));
        };
        let spent = now - first;
        let limit = Timespec::try_from(self.limits.call_time).unwrap_or(now);
        let over = spent >= limit;
        Ok(if over { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
    }
}

impl Viewed for State {
    fn view(&mut self) -> &mut Option<Arc<View>> {
        &mut self.view
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory = self.memory.saturating_add(desired.saturating_sub(current));
        if self.memory <= self.limits.memory {
            return Ok(true);
        }
        let (wanted, limit) = (self.memory, self.limits.memory);
        let message = format!("{wanted} bytes of memory wanted, {limit} allowed (`memory`)");
        Err(Violation::new(FaultClass::Memory, message).into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.tables = self.tables.saturating_add(desired.saturating_sub(current));
        if self.tables <= self.limits.table_elements {
            return Ok(true);
        }
        let limit = self.limits.table_elements;
        let message =
            format!("{} table elements wanted, {limit} allowed (`table_elements`)", self.tables);
        Err(Violation::new(FaultClass::Memory, message).into())
    }

    /// The guest was allowed more, and the system had none.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if error.chain().any(|cause| cause.is::<std::io::Error>()) {
            let message = format!("no memory for a guest: {error:#}");
            return Err(Violation::new(FaultClass::Capacity, message).into());
        }
        Ok(())
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
