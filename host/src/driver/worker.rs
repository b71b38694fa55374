//! Turns the flow engine's events into records.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowcell_core::{
    Anomaly, Demand, FlowEvent, FlowId, FlowSink, FlowSummary, FlowView, FragmentRejected, Side,
    Tunnel,
};
use serde::Serialize;

use super::flow_task::{Delivered, Ending, FlowTask};
use super::lane::Recorder;
use super::log_gate::LogGate;
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
    /// Flows that got no parser because it had taken more of the processor than its share.
    pub throttled: u64,
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
}

/// Cells that may live at a time. Each takes two to three memory mappings, and Linux grants a process
/// 65,530 by default: beyond that not even the allocator gets memory.
pub const MAX_CELLS: usize = 16_000;

/// A flow with a task, and its label once a record has needed it.
#[derive(Debug)]
struct Tracked {
    task: FlowTask,
    label: Option<FlowLabel>,
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
        let Self { parsed_flows, no_room, throttled, faults, log_lines_dropped } = other;
        self.parsed_flows += parsed_flows;
        self.no_room += no_room;
        self.throttled += throttled;
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
        }
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
            let tracked = Tracked { task: FlowTask::new(candidate), label: None };
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
        let Some(Tracked { task, label }) = self.tasks.get_mut(flow.id) else {
            return Demand::More;
        };
        if task.is_done(side) {
            return Demand::Done;
        }
        if self.cells >= self.max_cells {
            task.refuse(Ending::NoRoom);
        }
        if !task.started() && task.parser().is_throttled() {
            task.refuse(Ending::Throttled);
        }
        let (had_cell, other_was_done) = (task.has_cell(), task.is_done(side.other()));
        let mut scribe = Scribe {
            records: &mut self.records,
            messages: &self.messages,
            stats: &mut self.stats,
            log: &mut self.log,
            digits: self.digits,
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
        let throttled = matches!(ending, Some(Ending::Throttled));
        self.stats.no_room += u64::from(no_room);
        self.stats.throttled += u64::from(throttled);
        self.stats.parsed_flows += u64::from(task.is_some() && !no_room && !throttled);
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
    digits: usize,
    flow: &'a FlowView<'a>,
    label: &'a mut Option<FlowLabel>,
}

impl Scribe<'_> {
    fn write(&mut self, task: &FlowTask, delivered: &Delivered) {
        let Delivered { output, fault } = delivered;
        let parser = task.parser();
        for emitted in &output.records {
            let description = parser.description();
            let name = &description.records[emitted.kind].name;
            let label = self.label.get_or_insert_with(|| FlowLabel::new(self.flow));
            let subject = Subject {
                parser: Some(parser.label()),
                escaped: &emitted.escaped,
                ..Subject::of(label, self.flow.ts.0, self.digits, self.flow.packet)
            };
            let place = Place::of(self.flow);
            self.records.parsed(place, &description.name, name, &subject, &emitted.json);
        }
        self.stats.log_lines_dropped += output.log_dropped;
        for line in output.log.iter().filter(|line| line.level != "debug") {
            let limit = parser.limits().log_lines_per_second;
            if !self.log.passes(parser.label(), limit, self.flow.ts.0) {
                self.stats.log_lines_dropped += 1;
                continue;
            }
            let label = self.label.get_or_insert_with(|| FlowLabel::new(self.flow));
            let (level, uid, message) = (line.level, label.uid(), &line.message);
            self.messages.tell(&format!("{level} from {}, flow {uid}: {message}", parser.label()));
        }
        if let Some(fault) = fault {
            self.fault(parser.label(), fault);
        }
    }

    fn fault(&mut self, parser: &str, fault: &Fault) {
        *self.stats.faults.entry(fault.class.name()).or_default() += 1;
        let label = self.label.get_or_insert_with(|| FlowLabel::new(self.flow));
        let subject = Subject {
            parser: Some(parser),
            ..Subject::of(label, self.flow.ts.0, self.digits, self.flow.packet)
        };
        let record = FaultRecord {
            class: fault.class.name(),
            message: &fault.message,
            backtrace: &fault.backtrace,
        };
        self.records.own(Place::of(self.flow), "fault", &subject, &record);
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
        Ending::Throttled => ("throttled", None),
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
