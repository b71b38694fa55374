//! The account of a flow.

use super::{Flow, Proto};
use crate::{AnomalySet, ConnState, EndReason, HistoryText, Side, Timestamp};

/// What one side of a flow amounted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SideSummary {
    /// Packets sent.
    pub pkts: u64,
    /// Their bytes on the wire from the IP header on.
    pub ip_bytes: u64,
    /// Payload bytes sent, each counted once: what Zeek calls `orig_bytes` and `resp_bytes`.
    ///
    /// For TCP this is the distance in sequence space from the first byte to the last that was
    /// seen or that the peer plausibly acknowledged, whether or not all between were captured. For a
    /// midstream side it starts at the first sequence number seen. For UDP it is the sum of the
    /// payload lengths.
    pub bytes: u64,
    /// Bytes handed to the sink.
    pub delivered_bytes: u64,
    /// Bytes of gaps. `delivered_bytes + missed_bytes ≤ bytes`; the two add up to less where the
    /// sink wanted no more, or where the last bytes are known from an acknowledgment only.
    pub missed_bytes: u64,
    /// Bytes sent again, counted as often as they were sent again.
    pub duplicate_bytes: u64,
    /// Segments that came before bytes of a lower offset.
    pub out_of_order: u32,
    /// How the side ended.
    pub end_reason: EndReason,
}

/// What a whole flow amounted to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowSummary {
    /// When the first packet was seen.
    pub first_ts: Timestamp,
    /// The latest time at which a packet was seen.
    pub last_ts: Timestamp,
    /// The number of the frame that carried the first packet.
    pub first_packet: u64,
    /// What the originator sent.
    pub orig: SideSummary,
    /// What the responder sent.
    pub resp: SideSummary,
    /// How the flow ended: `Reset` if a side did, else whatever cut a side short, else `Fin`.
    pub end_reason: EndReason,
    /// How far the flow got, in Zeek's terms.
    pub conn_state: ConnState,
    /// What happened, in the letters of Zeek's `history`.
    pub history: HistoryText,
    /// Whether the handshake of a TCP flow was not seen.
    pub midstream: bool,
    /// Whether the first packet came from the responder: a SYN-ACK.
    pub flipped: bool,
    /// VLAN ids of the first packet, outermost first.
    pub vlan: Vec<u16>,
    /// How many anomalies there were.
    pub anomaly_count: u32,
    /// The kinds of these anomalies.
    pub anomalies: AnomalySet,
}

impl FlowSummary {
    /// Draws up the account of a flow whose sides have ended.
    pub(super) fn new(flow: &Flow) -> Self {
        let [orig, resp] = Side::BOTH.map(|side| SideSummary::new(flow, side));
        let end_reason = match (orig.end_reason, resp.end_reason) {
            (EndReason::Reset, _) | (_, EndReason::Reset) => EndReason::Reset,
            (EndReason::Fin, other) | (other, _) => other,
        };
        let history = flow.history.text();
        let conn_state = match &flow.proto {
            Proto::Tcp(tcp) => ConnState::of_tcp(
                tcp.states(),
                orig.bytes == 0 && resp.bytes == 0,
                history.as_str(),
            ),
            Proto::Udp(_) => ConnState::of_udp(orig.pkts != 0, resp.pkts != 0),
        };
        Self {
            first_ts: flow.ident.first_ts,
            last_ts: flow.last_ts,
            first_packet: flow.ident.first_packet,
            orig,
            resp,
            end_reason,
            conn_state,
            history,
            midstream: flow.ident.midstream,
            flipped: flow.ident.flipped,
            vlan: flow.ident.vlan.ids().to_vec(),
            anomaly_count: flow.anomalies.count,
            anomalies: flow.anomalies.kinds,
        }
    }

    /// Returns what one side sent.
    #[must_use]
    pub const fn side(&self, side: Side) -> &SideSummary {
        match side {
            Side::Orig => &self.orig,
            Side::Resp => &self.resp,
        }
    }
}

impl SideSummary {
    fn new(flow: &Flow, side: Side) -> Self {
        let tally = &flow.tally[side.index()];
        let mut summary = Self {
            pkts: tally.pkts,
            ip_bytes: tally.ip_bytes,
            bytes: 0,
            delivered_bytes: 0,
            missed_bytes: 0,
            duplicate_bytes: 0,
            out_of_order: 0,
            end_reason: tally.end.unwrap_or(EndReason::Shutdown),
        };
        match &flow.proto {
            Proto::Tcp(tcp) => {
                let stream = tcp.stream(side);
                // A side of which no packet was seen is known by hearsay only.
                let acked = if tally.pkts == 0 { 0 } else { stream.acked() };
                summary.bytes = stream.fin().unwrap_or_else(|| stream.highest().max(acked));
                let counts = stream.counts();
                summary.delivered_bytes = counts.delivered;
                summary.missed_bytes = counts.missed;
                summary.duplicate_bytes = counts.duplicate;
                summary.out_of_order = counts.out_of_order;
            }
            Proto::Udp(udp) => {
                let side = udp.side(side);
                summary.bytes = side.bytes;
                summary.delivered_bytes = side.delivered;
                summary.missed_bytes = side.missed;
            }
        }
        summary
    }
}
