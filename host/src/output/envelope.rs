//! What every record carries: when, what, and of which flow.

use flowcell_core::{FiveTuple, FlowView};
use serde::Serialize;

use super::ids;
use crate::documented::{FieldDoc, documented};
use crate::json;

/// A flow's part of the envelope, rendered once.
#[derive(Debug, Clone)]
pub struct FlowLabel {
    uid: String,
    /// From `"uid"` to `"resp_port"`, as it stands in a record.
    fields: Vec<u8>,
}

impl FlowLabel {
    /// Names the flow of `view`.
    #[must_use]
    pub fn new(view: &FlowView<'_>) -> Self {
        let uid = ids::uid(view.tuple, view.first_ts.0, view.first_packet);
        Self::of(uid, view.tuple)
    }

    /// Names a flow that has this id already, of letters and digits.
    #[must_use]
    pub fn of(uid: String, tuple: &FiveTuple) -> Self {
        let FiveTuple { orig, resp, transport } = tuple;
        let community_id = ids::community_id(tuple);
        // Nothing in here needs escaping.
        let fields = format!(
            "\"uid\":\"{uid}\",\"community_id\":\"{community_id}\",\"proto\":\"{transport}\",\
             \"orig_ip\":\"{}\",\"orig_port\":{},\"resp_ip\":\"{}\",\"resp_port\":{}",
            orig.addr, orig.port, resp.addr, resp.port
        );
        Self { uid, fields: fields.into_bytes() }
    }

    /// The flow's id.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }
}

/// What a record is about, besides its data.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// ns since the Unix epoch.
    pub ts: u64,
    /// Digits of `ts` behind the second.
    pub digits: usize,
    /// The flow, if it is about one.
    pub flow: Option<&'a FlowLabel>,
    /// `name@version` of the parser that it is from or about.
    pub parser: Option<&'a str>,
    /// Number of the packet that completed it.
    pub packet: Option<u64>,
    /// Fields of the data whose text was not UTF-8.
    pub escaped: &'a [String],
}

impl<'a> Subject<'a> {
    /// Something about a flow at `ts`, seen in `packet`.
    #[must_use]
    pub fn of(flow: &'a FlowLabel, ts: u64, digits: usize, packet: u64) -> Self {
        Self { ts, digits, flow: Some(flow), parser: None, packet: Some(packet), escaped: &[] }
    }
}

/// Appends one line. `kind` is `(prefix, name)` of the type; a host record has no prefix. `data` appends
/// a JSON object.
pub(super) fn line(
    out: &mut Vec<u8>,
    kind: (Option<&str>, &str),
    subject: &Subject<'_>,
    data: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(b"{\"ts\":\"");
    json::push_timestamp(out, subject.ts, subject.digits);
    out.extend_from_slice(b"\",\"type\":\"");
    if let Some(prefix) = kind.0 {
        out.extend_from_slice(prefix.as_bytes());
        out.push(b'.');
    }
    out.extend_from_slice(kind.1.as_bytes());
    out.push(b'"');
    if let Some(flow) = subject.flow {
        out.push(b',');
        out.extend_from_slice(&flow.fields);
    }
    if let Some(parser) = subject.parser {
        out.extend_from_slice(b",\"parser\":");
        json::string(out, parser);
    }
    if let Some(packet) = subject.packet {
        out.extend_from_slice(b",\"packet\":");
        out.extend_from_slice(itoa::Buffer::new().format(packet).as_bytes());
    }
    for (index, name) in subject.escaped.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b",\"escaped\":[" } else { b"," });
        json::string(out, name);
    }
    if !subject.escaped.is_empty() {
        out.push(b']');
    }
    out.extend_from_slice(b",\"data\":");
    data(out);
    out.extend_from_slice(b"}\n");
}

/// The fields of the envelope, in order.
pub const ENVELOPE: &[FieldDoc] = &[
    field(
        "ts",
        "time",
        "",
        "When it happened: the time of the packet that completed it. Of `flow` and `stream`, of the flow's first packet. Of `parser`, the time of day, but for breakers the packets' time",
    ),
    field(
        "type",
        "text",
        "",
        "`parser.record`, or one of the host's own: `flow`, `anomaly`, `fault`, `parser`, `stream`",
    ),
    field(
        "uid",
        "text",
        "skip",
        "The flow: `F` and 17 letters and digits. It follows from addresses, ports and protocol, and from time and number of the first packet, so it is the same in every run over the same files. Absent where no flow is meant: `parser`, and `anomaly` of a fragment; so are the next six",
    ),
    field(
        "community_id",
        "text",
        "skip",
        "The Community ID, version 1 with seed 0, which other tools give the same flow",
    ),
    field(
        "proto",
        "text",
        "skip",
        "`tcp`, `udp`, `icmp` (of IPv6 as well), another name such as `gre`, `esp`, `sctp`, or the IP protocol's number as text",
    ),
    field(
        "orig_ip",
        "text",
        "skip",
        "Address of the originator: who sent the first packet seen, unless that packet was an answer (a SYN-ACK, or from a port that servers use: `^` in `history`)",
    ),
    field(
        "orig_port",
        "integer",
        "skip",
        "Its port. ICMP: the type of its messages. 0 for protocols without ports",
    ),
    field("resp_ip", "text", "skip", "Address of the responder"),
    field(
        "resp_port",
        "integer",
        "skip",
        "Its port. ICMP: the type of the messages that answer, or the code where none do. 0 for protocols without ports",
    ),
    field(
        "parser",
        "text",
        "skip",
        "`name@version` of the parser that says it, or that it is about (`fault`, `parser`). Absent from `flow`, `stream` and `anomaly`, and where a file was refused",
    ),
    field(
        "packet",
        "integer",
        "skip",
        "Number of the frame that completed it, from 1; of `flow` and `stream`, of the flow's first one. It runs on over all files that are read, and frames that a filter rejects count. Absent from `parser`, and where a bundle is replayed",
    ),
    field(
        "escaped",
        "list of text",
        "skip",
        "Fields of `data` with text that is not UTF-8. In all text of such a field, stray bytes are `\\xNN` and backslashes are doubled, so that nothing is lost. Absent if there are none",
    ),
    field("data", "object", "", "The record itself"),
];

const fn field(
    name: &'static str,
    ty: &'static str,
    serde: &'static str,
    doc: &'static str,
) -> FieldDoc {
    FieldDoc { name, ty, serde, doc }
}

documented! {
    /// The data of a `flow` record; names as in Zeek's conn.log where Zeek has the field.
    #[derive(Debug, Clone, Serialize)]
    pub struct FlowRecord<'a> {
        /// Seconds from the first packet to the last, exact to the microsecond.
        pub duration: f64,
        /// The protocols that parsers have confirmed, in order, with commas between them. Absent if there are none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub service: Option<String>,
        /// The `uid` of the flow whose parser has said that this one would come. Absent if none has.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub parent: Option<&'a str>,
        /// Payload bytes that the originator sent, each counted once. Of TCP, by sequence numbers: bytes that were
        /// not captured count as well.
        pub orig_bytes: u64,
        /// The same of the responder.
        pub resp_bytes: u64,
        /// Bytes of both sides that were wanted and can not be had: not captured, cut by the capture, or given up
        /// by a limit.
        pub missed_bytes: u64,
        /// Packets of the originator.
        pub orig_pkts: u64,
        /// Their bytes on the wire, from the IP header on.
        pub orig_ip_bytes: u64,
        /// Packets of the responder.
        pub resp_pkts: u64,
        /// Their bytes on the wire, from the IP header on.
        pub resp_ip_bytes: u64,
        /// How far the flow got: see below.
        pub conn_state: &'static str,
        /// What was seen, in order, at most 18 letters: see below.
        pub history: &'a str,
        /// How it ended: see below.
        pub end_reason: &'a str,
        /// The handshake of a TCP flow was not seen.
        pub midstream: bool,
        /// VLAN ids of the first packet, outermost first. Absent if it has none.
        #[serde(skip_serializing_if = "<[u16]>::is_empty")]
        pub vlan: &'a [u16],
        /// The tunnel that the first packet came through. Absent if it came through none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tunnel: Option<TunnelRecord>,
        /// Kinds of `anomaly` that were seen. Absent if there are none.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub anomalies: Vec<&'a str>,
        /// The parsers that were tried, in order, and what came of it. Absent if none was.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub parsers: Vec<Candidacy<'a>>,
    }
}

documented! {
    /// A tunnel that a flow came through.
    #[derive(Debug, Clone, Serialize)]
    pub struct TunnelRecord {
        /// Which kind: see below.
        pub kind: &'static str,
        /// GRE's key or PPTP's call, ERSPAN's session, the network of VXLAN or Geneve, GTP-U's endpoint. Absent where
        /// there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub id: Option<u32>,
        /// How many tunnels the flow is in, at least 1. The fields are about the innermost.
        pub depth: u8,
        /// The `uid` of the flow that carries it.
        pub parent: String,
    }
}

documented! {
    /// A parser that had the flow.
    #[derive(Debug, Clone, Serialize)]
    pub struct Candidacy<'a> {
        /// `name@version`.
        pub parser: &'a str,
        /// What came of it: see below.
        pub outcome: &'a str,
        /// The parser's reason if it declined or failed, the protocol that it has handed over to (empty: whichever
        /// knows it), or the class of the fault. Absent otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reason: Option<&'a str>,
    }
}

flowcell_core::named! {
    /// What came of a parser's having a flow.
    CandidacyOutcome {
        /// It knew the protocol, and went on to the end or to what it wanted.
        Confirmed = "confirmed",
        /// It never said whether it knows the protocol.
        Unconfirmed = "unconfirmed",
        /// It said that this is not its protocol; the next one that may know it had the flow from the first byte.
        Declined = "declined",
        /// It said that the protocol is violated beyond recovery.
        Failed = "failed",
        /// It has handed the rest of the flow over to another protocol.
        Switched = "switched",
        /// It was ended by a fault: there is a `fault` record.
        Fault = "fault",
        /// It was not started: there were as many cells as there may be, or they had as much memory.
        NoRoom = "no_room",
        /// It was not started: too many of its flows had ended in a fault.
        BreakerOpen = "breaker_open",
        /// It was not started: it had taken more of the processor than its share. Live only.
        Throttled = "throttled",
    }
}

flowcell_core::named! {
    /// What a `parser` record tells of.
    ParserEvent {
        /// It was in the folder when the program started, or is a new file there.
        Loaded = "loaded",
        /// A new version has come in its file, and gets all new flows.
        Replaced = "replaced",
        /// Its file is gone; it gets no new flows.
        Retired = "retired",
        /// A file is no parser, or none that can be used; what was there before it stays.
        Refused = "refused",
        /// A new version faulted too often; the version before it gets all new flows again.
        RolledBack = "rolled_back",
        /// Too many of its flows have ended in a fault; it gets no new ones for a while.
        BreakerOpen = "breaker_open",
        /// A few new flows try it.
        BreakerHalfOpen = "breaker_half_open",
        /// It gets all new flows again.
        BreakerClosed = "breaker_closed",
    }
}
