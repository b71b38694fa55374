//! What the engine keeps of a flow, and how events about it go out.

mod conn_state;
mod history;
mod summary;
mod table;
mod timers;

pub use conn_state::ConnState;
pub use history::HistoryText;
pub(crate) use history::{History, LETTERS, Letter};
pub use summary::{FlowSummary, SideSummary};
pub(crate) use table::{AHEAD, FlowTable, tag};
pub(crate) use timers::{Class, Due, Silence, Timers};

use std::sync::Arc;

use crate::decode::VlanTags;
use crate::event::{Anomaly, AnomalyDetail, AnomalyKind, AnomalySet, FlowView};
use crate::tcp::{self, HoldPool, Outlet, Tcp};
use crate::udp::Udp;
use crate::{
    Counters, Demand, EndReason, FiveTuple, FlowEvent, FlowId, FlowSink, GapReason, Side,
    Timestamp, Transport, Tunnel,
};

/// What is fixed when a flow opens.
#[derive(Debug)]
pub(crate) struct Ident {
    pub(crate) id: FlowId,
    pub(crate) tuple: FiveTuple,
    pub(crate) first_ts: Timestamp,
    pub(crate) first_packet: u64,
    pub(crate) vlan: VlanTags,
    pub(crate) midstream: bool,
    pub(crate) flipped: bool,
    /// What tells the flow from others with the same 5-tuple; see [`Arrival`](crate::Arrival).
    pub(crate) scope: u64,
    /// The tunnel that the first packet came through.
    pub(crate) tunnel: Option<Arc<Tunnel>>,
}

/// What is counted of each side whatever the transport.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) pkts: u64,
    pub(crate) ip_bytes: u64,
    /// A packet with a right checksum was seen.
    pub(crate) verified: bool,
    pub(crate) end: Option<EndReason>,
}

/// The anomalies of one flow.
#[derive(Debug, Default)]
pub(crate) struct AnomalyLog {
    pub(crate) kinds: AnomalySet,
    pub(crate) count: u32,
}

/// The state of the flow's transport.
#[derive(Debug)]
pub(crate) enum Proto {
    Tcp(Tcp),
    /// UDP, and all that has no streams either.
    Udp(Udp),
}

/// One flow.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) ident: Ident,
    pub(crate) silence: Silence,
    pub(crate) last_ts: Timestamp,
    pub(crate) tally: [Tally; 2],
    pub(crate) anomalies: AnomalyLog,
    pub(crate) history: History,
    pub(crate) proto: Proto,
}

/// What handling one frame or timer needs of the engine.
pub(crate) struct Cx<'e> {
    pub(crate) pool: &'e mut HoldPool,
    pub(crate) emit: Emit<'e>,
    /// Distance up to which a segment is believed, in bytes.
    pub(crate) max_jump: u64,
}

/// Where events go, and what is the same for all events of one frame or timer.
pub(crate) struct Emit<'e> {
    pub(crate) counters: &'e mut Counters,
    pub(crate) sink: &'e mut dyn FlowSink,
    pub(crate) ts: Timestamp,
    pub(crate) packet: u64,
    /// A timer is the cause, not a packet.
    pub(crate) timer: bool,
}

impl Emit<'_> {
    /// Delivers an event whose answer matters.
    #[inline]
    pub(crate) fn ask(&mut self, flow: &Ident, event: FlowEvent<'_>) -> Demand {
        self.ask_by(flow, event, false)
    }

    /// Delivers an event whose answer may be needed later only.
    #[inline]
    fn ask_by(&mut self, flow: &Ident, event: FlowEvent<'_>, may_wait: bool) -> Demand {
        let view = FlowView {
            id: flow.id,
            tuple: &flow.tuple,
            first_ts: flow.first_ts,
            first_packet: flow.first_packet,
            midstream: flow.midstream,
            vlan: flow.vlan.ids(),
            tunnel: flow.tunnel.as_deref(),
            ts: self.ts,
            packet: self.packet,
            timer: self.timer,
            may_wait,
        };
        self.sink.event(&view, event)
    }

    /// Delivers an event whose answer does not matter.
    pub(crate) fn tell(&mut self, flow: &Ident, event: FlowEvent<'_>) {
        let _: Demand = self.ask(flow, event);
    }

    /// Delivers a gap and counts it.
    pub(crate) fn gap(
        &mut self,
        flow: &Ident,
        side: Side,
        offset: u64,
        len: u64,
        reason: GapReason,
    ) -> Demand {
        *match reason {
            GapReason::Lost => &mut self.counters.gaps_lost,
            GapReason::Memory => &mut self.counters.gaps_memory,
            GapReason::Depth => &mut self.counters.gaps_depth,
            GapReason::Snaplen => &mut self.counters.gaps_snaplen,
        } += 1;
        self.counters.missed_bytes += len;
        self.ask(flow, FlowEvent::Gap { side, offset, len, reason })
    }

    /// Counts an anomaly, and delivers it if it is the first of its kind in the flow.
    #[cold]
    pub(crate) fn anomaly(&mut self, flow: &Ident, log: &mut AnomalyLog, anomaly: Anomaly) {
        log.count = log.count.saturating_add(1);
        if log.kinds.insert(anomaly.kind) {
            self.tell(flow, FlowEvent::Anomaly(anomaly));
        }
    }
}

/// The way of one side's stream to the sink.
pub(crate) struct SideOut<'a, 'e> {
    pub(crate) ident: &'a Ident,
    pub(crate) side: Side,
    pub(crate) emit: &'a mut Emit<'e>,
    pub(crate) log: &'a mut AnomalyLog,
    pub(crate) history: &'a mut History,
    /// Whether the sink may put bytes aside.
    pub(crate) may_wait: bool,
    /// Whether it has.
    pub(crate) put_aside: bool,
}

impl Outlet for SideOut<'_, '_> {
    #[inline]
    fn data(&mut self, offset: u64, bytes: &[u8]) -> Demand {
        self.emit.counters.delivered_bytes += bytes.len() as u64;
        let event = FlowEvent::Data { side: self.side, offset, bytes };
        let answer = self.emit.ask_by(self.ident, event, self.may_wait);
        self.put_aside = self.may_wait && answer == Demand::Later;
        answer
    }

    fn gap(&mut self, offset: u64, len: u64, reason: GapReason) -> Demand {
        if matches!(reason, GapReason::Lost | GapReason::Memory) {
            self.history.note(self.side, Letter::Gap);
        }
        self.emit.gap(self.ident, self.side, offset, len, reason)
    }

    fn conflict(&mut self, detail: &AnomalyDetail) {
        self.emit.counters.overlap_conflicts += 1;
        let kind = AnomalyKind::OverlapConflict;
        let anomaly = Anomaly { kind, side: self.side, detail: Some(*detail) };
        self.emit.anomaly(self.ident, self.log, anomaly);
    }

    fn counters(&mut self) -> &mut Counters {
        self.emit.counters
    }
}

impl Flow {
    /// Reads a word of each part that handling a packet reads. What is returned has no meaning.
    #[inline]
    pub(crate) fn glance(&self) -> u64 {
        let [orig, resp] = &self.tally;
        let streams = match &self.proto {
            Proto::Tcp(tcp) => tcp.glance(),
            Proto::Udp(udp) => udp.side(Side::Orig).bytes,
        };
        let ident = self.ident.scope ^ u64::from(self.ident.tuple.resp.port);
        let ident = ident ^ u64::from(self.history.is_cut());
        ident ^ orig.pkts ^ resp.pkts ^ self.silence.since.0 ^ self.last_ts.0 ^ streams
    }

    /// Returns whether both sides have sent something.
    pub(crate) const fn two_sided(&self) -> bool {
        self.tally[0].pkts != 0 && self.tally[1].pkts != 0
    }

    /// Returns whether both sides have ended.
    pub(crate) const fn ended(&self) -> bool {
        self.tally[0].end.is_some() && self.tally[1].end.is_some()
    }

    /// Returns the class that decides on timeout and eviction.
    #[inline]
    pub(crate) fn class(&self) -> Class {
        if self.ended() {
            return Class::Closed;
        }
        match (&self.proto, self.two_sided()) {
            (Proto::Tcp(tcp), _) if !tcp.is_active() => Class::Attempt,
            (Proto::Tcp(_), true) => Class::Tcp,
            (Proto::Tcp(_), false) => Class::TcpOneSided,
            (Proto::Udp(_), two_sided) => match self.ident.tuple.transport {
                Transport::Udp if two_sided => Class::Udp,
                Transport::Udp | Transport::Tcp => Class::UdpOneSided,
                Transport::Icmp | Transport::Icmpv6 => Class::Icmp,
                Transport::Other(_) => Class::Other,
            },
        }
    }

    /// Returns when the first hole of either side is too old.
    #[inline]
    pub(crate) fn hole_deadline(&self, pool: &HoldPool) -> Option<Timestamp> {
        match &self.proto {
            Proto::Tcp(tcp) => tcp.hole_deadline(pool),
            Proto::Udp(_) => None,
        }
    }

    /// Stops delivering a side.
    pub(crate) fn done(&mut self, side: Side, pool: &mut HoldPool) {
        match &mut self.proto {
            Proto::Tcp(tcp) => tcp.done(side, pool),
            Proto::Udp(udp) => udp.done(side),
        }
    }

    /// Has the sink deal with what it has put aside, and heeds its answer.
    #[inline]
    pub(crate) fn catch_up(&mut self, cx: &mut Cx<'_>) {
        if let Proto::Tcp(tcp) = &mut self.proto {
            tcp.catch_up(self.ident.id, cx);
        }
    }

    /// Ends the sides that have not ended and says goodbye.
    pub(crate) fn close(&mut self, reason: EndReason, cx: &mut Cx<'_>) {
        self.catch_up(cx);
        for side in Side::BOTH {
            if self.tally[side.index()].end.is_none() {
                let reason = tcp::flush(self, side, reason, cx);
                self.tally[side.index()].end = Some(reason);
                cx.emit.tell(&self.ident, FlowEvent::End { side, reason });
            }
        }
        cx.emit.counters.flows_closed += 1;
        cx.emit.counters.histories_cut += u64::from(self.history.is_cut());
        let summary = FlowSummary::new(self);
        cx.emit.tell(&self.ident, FlowEvent::Closed { summary: &summary });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A million flows are to fit into less than 700 MiB, table and timers included.
    #[test]
    fn flow_is_small() {
        let size = size_of::<Flow>();
        assert!(size <= 368, "{size}");
    }
}
