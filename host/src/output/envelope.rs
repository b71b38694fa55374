//! What every record carries: when, what, and of which flow.

use flowcell_core::{FiveTuple, FlowView};
use serde::Serialize;

use super::ids;
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

/// The data of a `flow` record; names as in Zeek's conn.log where Zeek has the field.
#[derive(Debug, Clone, Serialize)]
pub struct FlowRecord<'a> {
    /// Seconds from the first to the last packet.
    pub duration: f64,
    /// The protocols that parsers have confirmed, in order, with commas between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The `uid` of the flow that has brought about this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<&'a str>,
    /// Payload bytes, for TCP by sequence space.
    pub orig_bytes: u64,
    /// The same of the responder.
    pub resp_bytes: u64,
    /// Payload bytes that were not there to deliver, of both sides.
    pub missed_bytes: u64,
    /// Packets.
    pub orig_pkts: u64,
    /// Their bytes from the IP header on.
    pub orig_ip_bytes: u64,
    /// Packets.
    pub resp_pkts: u64,
    /// Their bytes from the IP header on.
    pub resp_ip_bytes: u64,
    /// How the connection went, as in Zeek: `SF`, `S0`, `REJ` and so on.
    pub conn_state: &'static str,
    /// What happened, in Zeek's letters.
    pub history: &'a str,
    /// `fin`, `reset`, `idle`, `evicted` or `shutdown`.
    pub end_reason: &'a str,
    /// The start was not seen.
    pub midstream: bool,
    /// VLAN ids of the first packet, outermost first.
    #[serde(skip_serializing_if = "<[u16]>::is_empty")]
    pub vlan: &'a [u16],
    /// The tunnel that the flow came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<TunnelRecord>,
    /// Kinds of anomaly that were seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anomalies: Vec<&'a str>,
    /// The parsers that had the flow, and what came of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parsers: Vec<Candidacy<'a>>,
}

/// A tunnel that a flow came through.
#[derive(Debug, Clone, Serialize)]
pub struct TunnelRecord {
    /// What it is: `gre`, `vxlan` and so on.
    pub kind: &'static str,
    /// VNI, GRE key, TEID or ERSPAN session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// How many tunnels the flow is in.
    pub depth: u8,
    /// The `uid` of the flow that carries it.
    pub parent: String,
}

/// A parser that had the flow.
#[derive(Debug, Clone, Serialize)]
pub struct Candidacy<'a> {
    /// `name@version`.
    pub parser: &'a str,
    /// `confirmed`, `unconfirmed`, `declined`, `failed`, `switched` or `fault`; `no_room` or `breaker_open` if it
    /// was not started.
    pub outcome: &'a str,
    /// The parser's reason to decline or fail, the protocol that it has handed over to, or the class of the
    /// fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}
