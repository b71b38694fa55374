//! Writes what comes of a delivery, and what there is to say of a flow.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowcell_core::{Anomaly, FlowView, Tunnel};
use serde::Serialize;

use super::aside::Packet;
use super::breaker::{BreakerRecord, Gate, Pass, When};
use super::expectations::ExpectationStats;
use super::flow_task::{Delivered, Ending, FlowTask};
use super::log_gate::LogGate;
use super::messages::Messages;
use super::parking::ParkingStats;
use super::repro::{Recording, ReproDesk};
use super::streams::StreamRecord;
use crate::documented::{Documented, FieldDoc, documented};
use crate::output::{
    Candidacy, CandidacyOutcome, FlowLabel, FlowRecord, Records, Subject, TunnelRecord, uid,
};
use crate::runtime::{Fault, Parser};

documented! {
    /// What a worker counts.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct WorkerStats {
        /// Flows that have ended and that a parser had until then: one that has confirmed, failed, switched or faulted, or
        /// never said whether it knows the protocol. Flows whose parsers have all declined do not count, nor those
        /// that were left without one.
        pub parsed_flows: u64,
        /// Flows that got no parser because there were as many cells as there may be.
        pub no_room: u64,
        /// Flows that got no parser because its breaker was open.
        pub breaker_open: u64,
        /// How often a breaker has opened.
        pub breakers_opened: u64,
        /// Flows that got no parser because it had taken more of the processor than its share.
        pub throttled: u64,
        /// Faults by class: those of `fault` records.
        pub faults: BTreeMap<&'static str, u64>,
        /// Log lines of parsers that were not shown.
        pub log_lines_dropped: u64,
        /// What parking came to.
        #[serde(flatten)]
        pub parking: ParkingStats,
        /// Flows that parsers have expected.
        pub expectations: ExpectationStats,
    }
}

impl WorkerStats {
    /// Adds what another worker has counted.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            parsed_flows,
            no_room,
            breaker_open,
            breakers_opened,
            faults,
            throttled,
            log_lines_dropped,
            parking,
            expectations,
        } = other;
        self.parsed_flows += parsed_flows;
        self.no_room += no_room;
        self.breaker_open += breaker_open;
        self.breakers_opened += breakers_opened;
        self.throttled += throttled;
        self.log_lines_dropped += log_lines_dropped;
        self.parking.merge(parking);
        self.expectations.merge(expectations);
        for (class, count) in faults {
            *self.faults.entry(class).or_default() += count;
        }
    }
}

documented! {
    /// The data of a `fault` record.
    #[derive(Serialize)]
    pub(crate) struct FaultRecord<'a> {
        /// What kind of fault: see below.
        class: &'a str,
        /// The parser's panic message if it panicked, else what happened; at most 1,024 bytes.
        message: &'a str,
        /// Names of the parser's functions, innermost first, at most 24. Absent if there are none, as where it did not
        /// happen in a call.
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        backtrace: &'a [String],
    }
}

impl<'a> From<&'a Fault> for FaultRecord<'a> {
    fn from(fault: &'a Fault) -> Self {
        let Fault { class, message, backtrace } = fault;
        Self { class: class.name(), message, backtrace }
    }
}

documented! {
    /// The data of an `anomaly` record.
    #[derive(Serialize)]
    pub(super) struct AnomalyRecord<'a> {
        /// What was wrong: see below.
        kind: &'a str,
        /// Who sent the packet that showed it: `orig` or `resp`.
        side: String,
        /// Where two copies differ, and how.
        #[serde(flatten)]
        conflict: Option<Conflict>,
    }
}

documented! {
    /// Two copies of the same bytes of a stream; excerpts are base64.
    #[derive(Serialize)]
    struct Conflict {
        /// Only of `overlap_conflict`, as the next three: stream offset of the first byte in which the copies differ.
        offset: u64,
        /// Number of bytes from there to the last one in which they differ.
        len: u64,
        /// The first of these bytes in the copy that counts, at most 16, in base64.
        kept: String,
        /// The first of these bytes in the other copy, at most 16, in base64.
        rejected: String,
    }
}

impl AnomalyRecord<'_> {
    pub(super) fn new(anomaly: &Anomaly) -> Self {
        let conflict = anomaly.detail.map(|detail| Conflict {
            offset: detail.offset,
            len: detail.len,
            kept: STANDARD.encode(detail.kept.as_slice()),
            rejected: STANDARD.encode(detail.rejected.as_slice()),
        });
        Self { kind: anomaly.kind.name(), side: anomaly.side.to_string(), conflict }
    }
}

documented! {
    /// The data of an `anomaly` record about fragments of an IP packet.
    #[derive(Serialize)]
    pub(super) struct FragmentRecord<'a> {
        /// What was wrong: see below.
        pub(super) kind: &'a str,
        /// Sender of the fragment.
        pub(super) src_ip: String,
        /// Its destination.
        pub(super) dst_ip: String,
        /// The identification that the fragments of a packet have in common.
        pub(super) id: u32,
    }
}

/// The fields of the host's own records, by type. A type may have several forms; an object in a record is a type
/// of its own here.
pub const RECORDS: &[(&str, &[FieldDoc])] = &[
    ("flow", FlowRecord::FIELDS),
    ("flow.tunnel", TunnelRecord::FIELDS),
    ("flow.parsers", Candidacy::FIELDS),
    ("anomaly", AnomalyRecord::FIELDS),
    ("anomaly.conflict", Conflict::FIELDS),
    ("anomaly.fragment", FragmentRecord::FIELDS),
    ("fault", FaultRecord::FIELDS),
    ("parser.breaker", BreakerRecord::FIELDS),
    ("stream", StreamRecord::FIELDS),
];

/// Where all that comes of a worker's deliveries is written.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) records: Records,
    pub(super) messages: Messages,
    pub(super) stats: WorkerStats,
    pub(super) log: LogGate,
    pub(super) gate: Gate,
    /// Where faults are kept to be replayed, if they are.
    pub(super) repro: Option<ReproDesk>,
}

impl Books {
    /// Writes about a delivery of these packets to a flow's parser. `pass` is how the flow got it.
    pub(super) fn scribe<'a>(
        &'a mut self,
        packets: &'a [Packet],
        flow: &'a FlowView<'a>,
        label: &'a mut Option<FlowLabel>,
        pass: Option<Pass>,
    ) -> Scribe<'a> {
        Scribe { books: self, packets, flow, label, pass: pass.unwrap_or(Pass::Free) }
    }
}

/// Writes what one delivery led to.
pub(super) struct Scribe<'a> {
    books: &'a mut Books,
    /// Those that the delivery was of.
    packets: &'a [Packet],
    flow: &'a FlowView<'a>,
    label: &'a mut Option<FlowLabel>,
    pass: Pass,
}

impl Scribe<'_> {
    pub(super) fn write(&mut self, task: &FlowTask, delivered: Delivered) {
        let Delivered { output, fault, recording } = delivered;
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
            self.books.records.parsed(
                packet.place,
                &description.name,
                name,
                &subject,
                &emitted.json,
            );
        }
        self.books.stats.log_lines_dropped += output.log_dropped;
        for line in output.log.iter().filter(|line| line.level != "debug") {
            let limit = parser.limits().log_lines_per_second;
            if !self.books.log.passes(parser.label(), limit, self.packet(line.segment).ts.0) {
                self.books.stats.log_lines_dropped += 1;
                continue;
            }
            let label = self.label.get_or_insert_with(|| FlowLabel::new(self.flow));
            let (level, uid, message) = (line.level, label.uid(), &line.message);
            self.books
                .messages
                .tell(&format!("{level} from {}, flow {uid}: {message}", parser.label()));
        }
        if let Some(fault) = &fault {
            let packet = self.packet(output.segment);
            self.fault(parser, fault, packet);
            if let Some(recording) = recording {
                self.enclose(*recording, parser, fault, packet);
            }
        }
    }

    /// Lets a bundle go along with the fault's record.
    fn enclose(&mut self, recording: Recording, parser: &Parser, fault: &Fault, packet: Packet) {
        let label = self.label.get_or_insert_with(|| FlowLabel::new(self.flow));
        let desk = self.books.repro.as_ref();
        let bundle = desk.and_then(|desk| desk.bundle(recording, parser, label.uid(), fault));
        if let Some(bundle) = bundle {
            self.books.records.enclose(packet.place, bundle);
        }
    }

    /// The packet that a segment of the delivery has come in.
    fn packet(&self, segment: u32) -> Packet {
        let packet = self.packets.get(segment as usize).or(self.packets.last()).copied();
        packet.unwrap_or_else(|| Packet::of(self.flow, 6))
    }

    /// Counts and tells a fault.
    pub(super) fn fault(&mut self, parser: &Arc<Parser>, fault: &Fault, packet: Packet) {
        let when = When { ts: packet.ts.0, packet: packet.number };
        self.books.gate.fault(parser, self.pass, when, fault);
        *self.books.stats.faults.entry(fault.class.name()).or_default() += 1;
        let label = self.label.get_or_insert_with(|| FlowLabel::new(self.flow));
        let subject = Subject {
            parser: Some(parser.label()),
            ..Subject::of(label, packet.ts.0, packet.digits, packet.number)
        };
        self.books.records.own(packet.place, "fault", &subject, &FaultRecord::from(fault));
    }
}

pub(super) fn tunnel_record(tunnel: &Tunnel) -> TunnelRecord {
    let Tunnel { kind, id, depth, parent } = tunnel;
    TunnelRecord { kind: kind.name(), id: *id, depth: *depth, parent: uid(parent) }
}

pub(super) fn candidacy<'a>(task: &'a FlowTask, ending: &'a Ending) -> Candidacy<'a> {
    use CandidacyOutcome as Outcome;
    let (outcome, reason) = match ending {
        Ending::Declined(why) => (Outcome::Declined, Some(why.as_str())),
        Ending::Failed(why) => (Outcome::Failed, Some(why.as_str())),
        Ending::Switched(protocol) => (Outcome::Switched, Some(protocol.as_str())),
        Ending::Fault(class) => (Outcome::Fault, Some(*class)),
        Ending::NoRoom => (Outcome::NoRoom, None),
        Ending::BreakerOpen => (Outcome::BreakerOpen, None),
        Ending::Throttled => (Outcome::Throttled, None),
        Ending::Done if task.confirmed() => (Outcome::Confirmed, None),
        Ending::Done => (Outcome::Unconfirmed, None),
    };
    Candidacy { parser: task.parser().label(), outcome: outcome.name(), reason }
}

/// Nanoseconds as seconds, exact to the microsecond for any duration a capture can have.
#[expect(clippy::cast_precision_loss, reason = "2^53 µs are 285 years")]
pub(super) fn seconds(nanos: u64) -> f64 {
    (nanos / 1_000) as f64 / 1e6
}
