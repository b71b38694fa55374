//! Turns the flow engine's events into records.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowcell_core::{
    Anomaly, CaughtUp, Demand, FlowEvent, FlowId, FlowSink, FlowSummary, FlowView,
    FragmentRejected, Side, Tunnel,
};
use serde::Serialize;

use super::aside::{Aside, Asides, Packet};
use super::flow_task::{Delivered, Ending, FlowTask, MAX_DELIVERY};
use super::lane::Recorder;
use super::messages::Messages;
use super::slots::Slots;
use crate::output::{Candidacy, FlowLabel, FlowRecord, Place, Records, Subject, TunnelRecord, uid};
use crate::registry::Handle;
use crate::runtime::Fault;

/// What a worker counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WorkerStats {
    /// Flows that a parser was started on.
    pub parsed_flows: u64,
    /// Flows that got no parser because there were as many cells as there may be.
    pub no_room: u64,
    /// Faults by class.
    pub faults: BTreeMap<&'static str, u64>,
    /// Log lines of parsers that were not shown.
    pub log_lines_dropped: u64,
}

/// A sink that parses: selects a parser for each new flow, runs its cell, writes records.
#[derive(Debug)]
pub struct Worker {
    parsers: Handle,
    records: Records,
    messages: Messages,
    digits: usize,
    stats: WorkerStats,
    log: LogGate,
    tasks: Slots<Tracked>,
    /// Live cells, at most `max_cells`.
    cells: usize,
    max_cells: usize,
    /// Sides that a parser is done with, for the engine to stop reassembling.
    done: Vec<(FlowId, Side)>,
    /// Bytes of several packets are delivered at once.
    together: bool,
    asides: Asides,
}

/// Cells that may live at a time. Each takes two to three memory mappings, and Linux grants a process
/// 65,530 by default: beyond that not even the allocator gets memory.
pub const MAX_CELLS: usize = 16_000;

/// Lets log lines of parsers through at a bounded rate: they all go to one terminal.
#[derive(Debug, Default)]
struct LogGate {
    second: u64,
    lines: u32,
}

/// Log lines that are shown in a second of the capture's time, of all parsers of a lane together.
const LOG_LINES_PER_SECOND: u32 = 20;

impl LogGate {
    fn passes(&mut self, ts: u64) -> bool {
        let second = ts / 1_000_000_000;
        if second > self.second {
            *self = Self { second, lines: 0 };
        }
        self.lines += 1;
        self.lines <= LOG_LINES_PER_SECOND
    }
}

/// A flow with a task, and its label once a record has needed it.
#[derive(Debug)]
struct Tracked {
    task: FlowTask,
    label: Option<FlowLabel>,
    /// Bytes that are not delivered yet.
    aside: Option<Box<Aside>>,
    /// If the engine waits for an answer: bytes that came after nothing more of their side was wanted.
    owed: Option<u64>,
}

/// The data of a `fault` record.
#[derive(Serialize)]
struct FaultRecord<'a> {
    class: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    backtrace: &'a [String],
}

/// The data of an `anomaly` record.
#[derive(Serialize)]
struct AnomalyRecord<'a> {
    kind: &'a str,
    side: String,
    /// Where two copies differ, and how.
    #[serde(flatten)]
    conflict: Option<Conflict>,
}

/// Two copies of the same bytes of a stream; excerpts are base64.
#[derive(Serialize)]
struct Conflict {
    offset: u64,
    len: u64,
    kept: String,
    rejected: String,
}

impl AnomalyRecord<'_> {
    fn new(anomaly: &Anomaly) -> Self {
        let conflict = anomaly.detail.map(|detail| Conflict {
            offset: detail.offset,
            len: detail.len,
            kept: STANDARD.encode(detail.kept.as_slice()),
            rejected: STANDARD.encode(detail.rejected.as_slice()),
        });
        Self { kind: anomaly.kind.name(), side: anomaly.side.to_string(), conflict }
    }
}

/// The data of an `anomaly` record about fragments of an IP packet.
#[derive(Serialize)]
struct FragmentRecord<'a> {
    kind: &'a str,
    src_ip: String,
    dst_ip: String,
    id: u32,
}

impl WorkerStats {
    /// Adds what another worker has counted.
    pub fn merge(&mut self, other: &Self) {
        let Self { parsed_flows, no_room, faults, log_lines_dropped } = other;
        self.parsed_flows += parsed_flows;
        self.no_room += no_room;
        self.log_lines_dropped += log_lines_dropped;
        for (class, count) in faults {
            *self.faults.entry(class).or_default() += count;
        }
    }
}

impl Worker {
    /// New flows get their parser from `parsers`; what is made of them goes to `records`.
    #[must_use]
    pub fn new(parsers: Handle, records: Records, messages: Messages) -> Self {
        Self {
            parsers,
            records,
            messages,
            digits: 6,
            stats: WorkerStats::default(),
            log: LogGate::default(),
            tasks: Slots::default(),
            cells: 0,
            max_cells: MAX_CELLS,
            done: Vec::new(),
            together: true,
            asides: Asides::default(),
        }
    }

    /// Sets whether the bytes of several packets may be delivered at once, which changes no record.
    pub fn set_together(&mut self, together: bool) {
        self.together = together;
    }

    /// Sets how many cells may live at a time, at most [`MAX_CELLS`].
    pub fn set_max_cells(&mut self, max: usize) {
        self.max_cells = max.min(MAX_CELLS);
    }

    /// The records that were made.
    #[must_use]
    pub const fn made(&self) -> &Records {
        &self.records
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> &WorkerStats {
        &self.stats
    }

    fn opened(&mut self, flow: &FlowView<'_>) {
        let candidate = self.parsers.current().select(flow.tuple, flow.midstream);
        if let Some(candidate) = candidate {
            let tracked =
                Tracked { task: FlowTask::new(candidate), label: None, aside: None, owed: None };
            self.tasks.insert(flow.id, tracked);
        }
    }

    /// Runs `step` on the flow's task, if it has one, and writes what comes of it.
    fn with_task(
        &mut self,
        flow: &FlowView<'_>,
        side: Side,
        step: impl FnOnce(&mut FlowTask, &mut dyn FnMut(&FlowTask, Delivered)),
    ) -> Demand {
        self.settle_cells(flow.id);
        let Some(Tracked { task, label, .. }) = self.tasks.get_mut(flow.id) else {
            return Demand::More;
        };
        if task.is_done(side) {
            return Demand::Done;
        }
        if self.cells >= self.max_cells {
            task.no_room();
        }
        let (had_cell, other_was_done) = (task.has_cell(), task.is_done(side.other()));
        let mut scribe = Scribe {
            records: &mut self.records,
            messages: &self.messages,
            stats: &mut self.stats,
            log: &mut self.log,
            packets: &[Packet::of(flow, self.digits)],
            flow,
            label,
        };
        step(task, &mut |task, delivered| scribe.write(task, &delivered));
        if !other_was_done && task.is_done(side.other()) {
            self.done.push((flow.id, side.other()));
        }
        self.cells = self.cells + usize::from(task.has_cell()) - usize::from(had_cell);
        if task.is_done(side) { Demand::Done } else { Demand::More }
    }

    /// Whether bytes of a flow can be delivered with others.
    fn may_wait(&mut self, id: FlowId) -> bool {
        self.together && self.tasks.get_mut(id).is_some_and(|known| known.task.takes_segments())
    }

    /// Keeps bytes for later if the flow's parser may want them. The answer is [`Demand::Later`] then.
    fn put_aside(&mut self, flow: &FlowView<'_>, side: Side, offset: u64, bytes: &[u8]) -> Demand {
        self.settle_cells(flow.id);
        let is_full = |aside: &Aside| aside.side != side || !aside.fits(bytes.len());
        let waiting = self.tasks.get_mut(flow.id).and_then(|tracked| tracked.aside.as_deref());
        if waiting.is_some_and(is_full) {
            self.deliver_aside(flow.id);
        }
        let Some(Tracked { task, aside, owed, .. }) = self.tasks.get_mut(flow.id) else {
            return Demand::More;
        };
        if task.is_done(side) {
            let Some(unwanted) = owed else { return Demand::Done };
            *unwanted += bytes.len() as u64;
            return Demand::Later;
        }
        if !task.started() && !task.has_cell() {
            if self.cells >= self.max_cells {
                task.no_room();
                return Demand::Done;
            }
            task.reserve();
            self.cells += 1;
        }
        let (skipped, rest) = task.after_skip(side, bytes);
        if !rest.is_empty() {
            let asides = &mut self.asides;
            let aside = aside.get_or_insert_with(|| asides.take(flow, side, offset + skipped));
            aside.push(Packet::of(flow, self.digits), rest);
            if owed.is_none() {
                *owed = Some(0);
                self.asides.flows.push_back(flow.id);
            }
        }
        if owed.is_some() { Demand::Later } else { Demand::More }
    }

    /// Delivers what a flow has aside.
    fn deliver_aside(&mut self, id: FlowId) {
        let Some(Tracked { task, label, aside, owed }) = self.tasks.get_mut(id) else { return };
        let Some(aside) = aside.take() else { return };
        let had_cell = task.has_cell();
        let flow = &aside.view();
        let mut scribe = Scribe {
            records: &mut self.records,
            messages: &self.messages,
            stats: &mut self.stats,
            log: &mut self.log,
            packets: &aside.packets,
            flow,
            label,
        };
        let mut last = u32::MAX;
        let tell = &mut |task: &FlowTask, delivered: Delivered| {
            last = delivered.output.segment;
            scribe.write(task, &delivered);
        };
        task.segments(flow, aside.side, aside.offset, &aside.segments, &aside.bytes, tell);
        if task.is_done(aside.side) {
            *owed.get_or_insert(0) += aside.behind(last);
        }
        self.cells = self.cells + usize::from(task.has_cell()) - usize::from(had_cell);
        self.asides.give_back(aside);
    }

    /// If a flow is in want of a cell and there is none, finds out which would be free if everything
    /// had been delivered as it came.
    fn settle_cells(&mut self, id: FlowId) {
        let wants = |tracked: &mut Tracked| !tracked.task.started() && !tracked.task.has_cell();
        if self.cells >= self.max_cells && self.tasks.get_mut(id).is_some_and(wants) {
            let behind = std::mem::take(&mut self.asides.flows);
            behind.iter().for_each(|id| self.deliver_aside(*id));
            self.asides.flows = behind;
        }
    }

    fn closed(&mut self, flow: &FlowView<'_>, summary: &FlowSummary) {
        let mut tracked = self.tasks.remove(flow.id);
        let has_cell = tracked.as_ref().is_some_and(|tracked| tracked.task.has_cell());
        self.cells -= usize::from(has_cell);
        let label = match tracked.as_mut().and_then(|tracked| tracked.label.take()) {
            Some(label) => label,
            None => FlowLabel::new(flow),
        };
        let task = tracked.as_ref().map(|tracked| &tracked.task).filter(|task| task.started());
        let ending = task.map(FlowTask::ending);
        let no_room = matches!(ending, Some(Ending::NoRoom));
        self.stats.no_room += u64::from(no_room);
        self.stats.parsed_flows += u64::from(task.is_some() && !no_room);
        let service = task
            .filter(|task| task.confirmed())
            .map(|task| task.parser().description().name.as_str());
        let parsers = task.zip(ending.as_ref()).map(|(task, ending)| candidacy(task, ending));
        let (orig, resp) = (&summary.orig, &summary.resp);
        let record = FlowRecord {
            duration: seconds(summary.last_ts.0.saturating_sub(summary.first_ts.0)),
            service,
            orig_bytes: orig.bytes,
            resp_bytes: resp.bytes,
            missed_bytes: orig.missed_bytes + resp.missed_bytes,
            orig_pkts: orig.pkts,
            orig_ip_bytes: orig.ip_bytes,
            resp_pkts: resp.pkts,
            resp_ip_bytes: resp.ip_bytes,
            conn_state: summary.conn_state.name(),
            history: summary.history.as_str(),
            end_reason: summary.end_reason.name(),
            midstream: summary.midstream,
            vlan: &summary.vlan,
            tunnel: flow.tunnel.map(tunnel_record),
            anomalies: summary.anomalies.iter().map(|kind| kind.name()).collect(),
            parsers: parsers.into_iter().collect(),
        };
        let subject = Subject::of(&label, summary.first_ts.0, self.digits, summary.first_packet);
        self.records.own(Place::of(flow), "flow", &subject, &record);
    }
}

impl FlowSink for Worker {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        match event {
            FlowEvent::Opened => {
                self.opened(flow);
                Demand::More
            }
            FlowEvent::Data { side, offset, bytes }
                if flow.may_wait && self.may_wait(flow.id) && bytes.len() <= MAX_DELIVERY =>
            {
                self.put_aside(flow, side, offset, bytes)
            }
            FlowEvent::Data { side, offset, bytes } => {
                self.with_task(flow, side, |task, tell| task.data(flow, side, offset, bytes, tell))
            }
            FlowEvent::Datagram { side, bytes } => {
                self.with_task(flow, side, |task, tell| task.datagram(flow, side, bytes, tell))
            }
            FlowEvent::Gap { side, offset, len, reason } => {
                self.with_task(flow, side, |task, tell| {
                    task.gap(flow, side, offset, len, reason, tell);
                })
            }
            FlowEvent::End { side, reason } => {
                let demand =
                    self.with_task(flow, side, |task, tell| task.end(flow, side, reason, tell));
                if let Some(Tracked { task, .. }) = self.tasks.get_mut(flow.id) {
                    let had_cell = task.has_cell();
                    task.ended(side);
                    self.cells -= usize::from(had_cell && !task.has_cell());
                }
                demand
            }
            FlowEvent::Anomaly(anomaly) => {
                let label = FlowLabel::new(flow);
                let subject = Subject::of(&label, flow.ts.0, self.digits, flow.packet);
                let record = AnomalyRecord::new(&anomaly);
                self.records.own(Place::of(flow), "anomaly", &subject, &record);
                Demand::More
            }
            FlowEvent::Closed { summary } => {
                self.closed(flow, summary);
                Demand::More
            }
            _ => Demand::More,
        }
    }

    fn next_done(&mut self) -> Option<(FlowId, Side)> {
        self.done.pop()
    }

    fn catch_up(&mut self, flow: FlowId) -> CaughtUp {
        self.deliver_aside(flow);
        let Some(Tracked { task, owed, .. }) = self.tasks.get_mut(flow) else {
            return CaughtUp::default();
        };
        let done = Side::BOTH.map(|side| task.is_done(side));
        CaughtUp { done, unwanted: owed.take().unwrap_or(0) }
    }

    fn next_behind(&mut self) -> Option<FlowId> {
        self.asides.flows.pop_front()
    }
}

impl Recorder for Worker {
    fn records(&mut self) -> &mut Records {
        &mut self.records
    }

    fn set_digits(&mut self, digits: usize) {
        self.digits = digits;
    }

    fn fragment_rejected(&mut self, rejected: &FragmentRejected) {
        let FragmentRejected { anomaly, src, dst, id, ts, packet } = *rejected;
        let kind = anomaly.name();
        let record = FragmentRecord { kind, src_ip: src.to_string(), dst_ip: dst.to_string(), id };
        let digits = self.digits;
        let packet = Some(packet);
        let subject = Subject { ts: ts.0, digits, flow: None, parser: None, packet, escaped: &[] };
        self.records.own(Place::before(rejected.packet), "anomaly", &subject, &record);
    }
}

/// Writes what one delivery led to.
struct Scribe<'a> {
    records: &'a mut Records,
    messages: &'a Messages,
    stats: &'a mut WorkerStats,
    log: &'a mut LogGate,
    /// Those that the delivery was of.
    packets: &'a [Packet],
    flow: &'a FlowView<'a>,
    label: &'a mut Option<FlowLabel>,
}

impl Scribe<'_> {
    fn write(&mut self, task: &FlowTask, delivered: &Delivered) {
        let Delivered { output, fault } = delivered;
        let parser = task.parser();
        for emitted in &output.records {
            let packet = self.packet(emitted.segment);
            let description = parser.description();
            let name = &description.records[emitted.kind].name;
            let label = self.label.get_or_insert_with(|| FlowLabel::new(self.flow));
            let subject = Subject {
                parser: Some(parser.label()),
                escaped: &emitted.escaped,
                ..Subject::of(label, packet.ts.0, packet.digits, packet.number)
            };
            self.records.parsed(packet.place, &description.name, name, &subject, &emitted.json);
        }
        self.stats.log_lines_dropped += output.log_dropped;
        for line in output.log.iter().filter(|line| line.level != "debug") {
            if !self.log.passes(self.packet(line.segment).ts.0) {
                self.stats.log_lines_dropped += 1;
                continue;
            }
            let label = self.label.get_or_insert_with(|| FlowLabel::new(self.flow));
            let (level, uid, message) = (line.level, label.uid(), &line.message);
            self.messages.tell(&format!("{level} from {}, flow {uid}: {message}", parser.label()));
        }
        if let Some(fault) = fault {
            self.fault(parser.label(), fault, self.packet(output.segment));
        }
    }

    /// The packet that a segment of the delivery has come in.
    fn packet(&self, segment: u32) -> Packet {
        let packet = self.packets.get(segment as usize).or(self.packets.last()).copied();
        packet.unwrap_or_else(|| Packet::of(self.flow, 6))
    }

    fn fault(&mut self, parser: &str, fault: &Fault, packet: Packet) {
        *self.stats.faults.entry(fault.class.name()).or_default() += 1;
        let label = self.label.get_or_insert_with(|| FlowLabel::new(self.flow));
        let subject = Subject {
            parser: Some(parser),
            ..Subject::of(label, packet.ts.0, packet.digits, packet.number)
        };
        let record = FaultRecord {
            class: fault.class.name(),
            message: &fault.message,
            backtrace: &fault.backtrace,
        };
        self.records.own(packet.place, "fault", &subject, &record);
    }
}

fn tunnel_record(tunnel: &Tunnel) -> TunnelRecord {
    let Tunnel { kind, id, depth, parent } = tunnel;
    TunnelRecord { kind: kind.name(), id: *id, depth: *depth, parent: uid(parent) }
}

fn candidacy<'a>(task: &'a FlowTask, ending: &'a Ending) -> Candidacy<'a> {
    let (outcome, reason) = match ending {
        Ending::Declined(why) => ("declined", Some(why.as_str())),
        Ending::Failed(why) => ("failed", Some(why.as_str())),
        Ending::Fault(class) => ("fault", Some(*class)),
        Ending::NoRoom => ("no_room", None),
        Ending::Done if task.confirmed() => ("confirmed", None),
        Ending::Done => ("unconfirmed", None),
    };
    Candidacy { parser: task.parser().label(), outcome, reason }
}

/// Nanoseconds as seconds, exact to the microsecond for any duration a capture can have.
#[expect(clippy::cast_precision_loss, reason = "2^53 µs are 285 years")]
fn seconds(nanos: u64) -> f64 {
    (nanos / 1_000) as f64 / 1e6
}
