//! A share of the flows: their table, their timers and what their streams hold.
//!
//! All packets of a flow go to the same shard, and shards have nothing in common, so any number of
//! them can work side by side. What a shard does follows from the calls it gets and from nothing else.

use crate::config::Checksums;
use crate::decode::{Checksum, Packet, Payload};
use crate::flow::{
    AHEAD, AnomalyLog, Class, Cx, Due, Emit, Flow, FlowTable, History, Ident, Letter, Proto,
    Silence, Tally, Timers, tag,
};
use crate::limits::{MAX_FLOWS, MAX_JUMP};
use crate::tcp::{self, HoldPool, Opening, Tcp, Verdict};
use crate::udp::Udp;
use crate::{
    Arrival, Counters, EndReason, EngineConfig, FiveTuple, FlowEvent, FlowId, FlowSink, Origin,
    OverlapPolicies, Side, Timestamp,
};

/// A share of the flows.
#[derive(Debug)]
pub struct Shard {
    table: FlowTable,
    timers: Timers,
    pool: HoldPool,
    counters: Counters,
    midstream: bool,
    overlap: OverlapPolicies,
    checksums: Checksums,
    /// Number of the last frame heard of.
    packet: u64,
    max_flows: usize,
    /// Numbers of flows at which an emergency begins, and ends.
    emergency: [usize; 2],
    max_jump: u64,
    /// Flows left to be closed at the end of the input, as first packet and slot, the next one last.
    finishing: Vec<(u64, u32)>,
}

/// Flows that are in the processor's caches anyhow.
const FLOWS_IN_CACHE: usize = 256;

/// What a packet's checksum says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credit {
    /// It is taken.
    Given,
    /// It is taken if its receiver has taken it.
    Waits,
    /// It is ignored.
    Refused,
}

/// Timers that fire at most before a packet is looked at. More of them come due at once only when time
/// jumps; the rest is left to later packets and to [`Shard::advance`], so that nothing piles up.
const TIMERS_PER_PACKET: usize = 8;

impl Shard {
    /// Packets that it is of use to look ahead for.
    pub const AHEAD: usize = AHEAD;

    /// Makes a shard without flows; its limits are those of `config`, undivided.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        let limits = &config.limits;
        let max_flows = limits.max_flows.clamp(1, MAX_FLOWS);
        let share = |percent: u64| {
            let flows = u128::from(max_flows) * u128::from(percent) / 100;
            usize::try_from(flows).unwrap_or(usize::MAX)
        };
        let begin = limits.emergency_percent;
        Self {
            table: FlowTable::new(),
            timers: Timers::new(limits),
            pool: HoldPool::new(limits),
            counters: Counters::default(),
            midstream: config.midstream,
            overlap: config.overlap.clone(),
            checksums: config.checksums,
            packet: 0,
            max_flows: usize::try_from(max_flows).unwrap_or(usize::MAX),
            emergency: [share(begin).max(1), share(begin.saturating_mul(4) / 5)],
            max_jump: limits.max_jump.min(MAX_JUMP),
            finishing: Vec::new(),
        }
    }

    /// Makes a shard for flows that carry others, whose ids are no other flow's.
    pub(crate) fn of_carriers(config: &EngineConfig) -> Self {
        Self { table: FlowTable::of_carriers(), ..Self::new(config) }
    }

    /// Returns what was counted so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Returns the number of flows in the table, lingering ones included.
    #[must_use]
    pub const fn flows(&self) -> usize {
        self.table.len()
    }

    /// Returns how many bytes streams hold behind holes, bookkeeping included.
    #[must_use]
    pub const fn held_bytes(&self) -> u64 {
        self.pool.total()
    }

    /// Takes the news of which packets come next, by their hashes, at most [`Self::AHEAD`] of them. It
    /// changes nothing but that they are handled faster when there are many flows.
    #[inline]
    pub fn look_ahead(&self, hashes: impl Iterator<Item = u64>) {
        if self.table.len() >= FLOWS_IN_CACHE {
            std::hint::black_box(self.table.look_ahead(hashes));
        }
    }

    /// Takes the next packet; returns the flow that it is of.
    pub fn handle(&mut self, arrival: &Arrival<'_>, sink: &mut dyn FlowSink) -> Option<Origin> {
        self.packet = arrival.number;
        self.finishing.clear();
        self.fire(arrival.now, TIMERS_PER_PACKET, sink);
        let index = self.handle_packet(arrival, sink);
        self.heed(sink);
        let flow = self.table.get_mut(index?)?;
        let Ident { tuple, first_ts, first_packet, .. } = flow.ident;
        Some(Origin { tuple, first_ts, first_packet })
    }

    /// Takes the news that frame `number` has come and that it is `now`. Fires at most `budget` timers.
    pub fn advance(&mut self, now: Timestamp, number: u64, budget: usize, sink: &mut dyn FlowSink) {
        self.packet = self.packet.max(number);
        self.fire(now, budget, sink);
        self.heed(sink);
    }

    /// Has the sink deal with all that it has put aside.
    pub fn catch_up(&mut self, sink: &mut dyn FlowSink) {
        while let Some(id) = sink.next_behind() {
            let Some(flow) = self.table.get_mut(id.index).filter(|flow| flow.ident.id == id) else {
                continue;
            };
            let (ts, packet) = (self.pool.now, self.packet);
            let emit = Emit { counters: &mut self.counters, sink, ts, packet, timer: false };
            flow.catch_up(&mut Cx { pool: &mut self.pool, emit, max_jump: self.max_jump });
        }
    }

    /// Stops what the sink has found out that it does not want.
    #[inline]
    fn heed(&mut self, sink: &mut dyn FlowSink) {
        while let Some((flow, side)) = sink.next_done() {
            self.done(flow, side);
        }
    }

    /// Closes the flows whose first packet was in frame `last` or before, in the order in which they
    /// opened: the input has ended.
    ///
    /// The shard can be used again afterwards; its counters and its time go on.
    pub fn finish_until(&mut self, last: u64, sink: &mut dyn FlowSink) {
        if self.finishing.is_empty() && self.table.len() != 0 {
            self.finishing = self.table.in_order();
            self.finishing.reverse();
        }
        let now = self.pool.now;
        while let Some((_, index)) = self.finishing.pop_if(|(first, _)| *first <= last) {
            // What its timer was left to do comes first.
            if self.is_current(index, sink) {
                self.close(index, EndReason::Shutdown, now, true, sink);
            }
        }
    }

    /// Stops delivering and holding one side of a flow, apart from its end.
    ///
    /// An id of a flow that has closed is ignored.
    pub fn done(&mut self, flow: FlowId, side: Side) {
        if let Some(state) = self.table.get_mut(flow.index)
            && state.ident.id == flow
        {
            state.done(side, &mut self.pool);
        }
    }

    /// Moves time and fires the timers that are due, at most `budget` of them.
    #[inline]
    fn fire(&mut self, now: Timestamp, budget: usize, sink: &mut dyn FlowSink) {
        let now = now.max(self.pool.now);
        for _ in 0..budget {
            let due = self.timers.pop_due(now, |index| self.table.since(index));
            let Some((deadline, due)) = due else { break };
            self.pool.now = self.pool.now.max(deadline);
            match due {
                Due::Idle(index, class) => self.expire(index, class, deadline, sink),
                Due::Hole(index) => self.expire_holes(index, deadline, sink),
            }
        }
        self.pool.now = now;
    }

    /// Closes a flow that was silent for too long.
    fn expire(&mut self, index: u32, class: Class, deadline: Timestamp, sink: &mut dyn FlowSink) {
        *match class {
            Class::Closed => &mut self.counters.flows_expired_closed,
            Class::Attempt => &mut self.counters.flows_expired_attempt,
            Class::Tcp | Class::TcpOneSided => &mut self.counters.flows_expired_tcp,
            Class::UdpOneSided => &mut self.counters.flows_expired_udp_one_sided,
            Class::Udp => &mut self.counters.flows_expired_udp,
            Class::Icmp => &mut self.counters.flows_expired_icmp,
            Class::Other => &mut self.counters.flows_expired_other,
        } += 1;
        self.close(index, EndReason::Idle, deadline, true, sink);
    }

    /// Gives up the holes of a flow that were too old at `now`, which may be in the past: when it is done
    /// must make no difference.
    fn expire_holes(&mut self, index: u32, now: Timestamp, sink: &mut dyn FlowSink) {
        let Some(flow) = self.table.get_mut(index) else { return };
        let present = std::mem::replace(&mut self.pool.now, now);
        let ended = flow.ended();
        let packet = self.packet;
        let emit = Emit { counters: &mut self.counters, sink, ts: now, packet, timer: true };
        let mut cx = Cx { pool: &mut self.pool, emit, max_jump: self.max_jump };
        tcp::expire_holes(flow, now, &mut cx);
        if flow.ended() && !ended {
            self.timers.touch(index, &mut flow.silence, Class::Closed, now);
        } else if let Some(deadline) = flow.hole_deadline(&self.pool) {
            self.timers.watch_hole(index, deadline);
        }
        self.pool.now = present;
    }

    fn handle_packet(&mut self, arrival: &Arrival<'_>, sink: &mut dyn FlowSink) -> Option<u32> {
        let tuple = arrival.packet.tuple();
        let tag = tag(arrival.hash);
        match arrival.packet.payload {
            Payload::Tcp(_) => self.counters.tcp_segments += 1,
            Payload::Udp(_) => self.counters.udp_datagrams += 1,
            Payload::Icmp(_) => self.counters.icmp_messages += 1,
            Payload::Other(_) => self.counters.other_packets += 1,
        }
        let sum = self.checksum(&arrival.packet);
        let found = self.table.find(tag, arrival.scope, &tuple);
        if let Some((index, side)) = found
            && self.is_current(index, sink)
        {
            match self.credit(index, side, sum) {
                Credit::Given => {}
                Credit::Waits => {
                    self.suspect(index, side, arrival, sink);
                    return Some(index);
                }
                Credit::Refused => return None,
            }
            if self.deliver(index, side, arrival, sink) == Verdict::Handled {
                return Some(index);
            }
            self.counters.flows_reused += 1;
            // A new connection in its place means that both ends gave the old one up.
            self.close(index, EndReason::Reset, arrival.ts, false, sink);
        }
        if sum == Checksum::Bad && self.checksums == Checksums::On {
            self.counters.checksum_bad += 1;
            return None;
        }
        let (index, side) = self.open(tag, tuple, arrival, sink)?;
        self.credit(index, side, sum);
        self.deliver(index, side, arrival, sink);
        Some(index)
    }

    /// Returns what the checksums of a packet are worth.
    #[inline]
    fn checksum(&self, packet: &Packet<'_>) -> Checksum {
        if self.checksums == Checksums::Off {
            Checksum::Unknown
        } else if packet.header_checksum_ok {
            packet.checksum()
        } else {
            Checksum::Bad
        }
    }

    /// Takes note of a packet's checksum; returns whether the packet is to be believed.
    #[inline]
    fn credit(&mut self, index: u32, side: Side, sum: Checksum) -> Credit {
        let Some(flow) = self.table.get_mut(index) else { return Credit::Given };
        let tally = &mut flow.tally[side.index()];
        let waits = tally.verified && matches!(flow.proto, Proto::Tcp(_));
        match sum {
            Checksum::Good => tally.verified = true,
            Checksum::Unknown => {}
            Checksum::Bad if self.checksums == Checksums::On => {
                self.counters.checksum_bad += 1;
                flow.history.note(side, Letter::Checksum);
                return Credit::Refused;
            }
            // Who fills in checksums fills in all of them.
            Checksum::Bad | Checksum::Offloaded if waits => return Credit::Waits,
            Checksum::Offloaded => {}
            Checksum::Bad => self.counters.checksum_unverified += 1,
        }
        Credit::Given
    }

    /// Takes a segment that may be one that its receiver has dropped.
    #[cold]
    fn suspect(&mut self, index: u32, side: Side, arrival: &Arrival<'_>, sink: &mut dyn FlowSink) {
        let Some(flow) = self.table.get_mut(index) else { return };
        let Payload::Tcp(segment) = &arrival.packet.payload else { return };
        let Arrival { ts, number: packet, .. } = *arrival;
        let emit = Emit { counters: &mut self.counters, sink, ts, packet, timer: false };
        let mut cx = Cx { pool: &mut self.pool, emit, max_jump: self.max_jump };
        tcp::handle_suspect(flow, side, segment, arrival.packet.ip_len, &mut cx);
        self.note_seen(index, ts);
    }

    /// Sets the timers of a flow of which a packet has been handled.
    #[inline]
    fn note_seen(&mut self, index: u32, ts: Timestamp) {
        let Some(flow) = self.table.get_mut(index) else { return };
        flow.last_ts = flow.last_ts.max(ts);
        let class = flow.class();
        self.timers.touch(index, &mut flow.silence, class, self.pool.now);
        if let Some(deadline) = flow.hole_deadline(&self.pool) {
            self.timers.watch_hole(index, deadline);
        }
    }

    /// Does what timers of this flow should have done, if they were left for later, in the order of their
    /// deadlines; returns whether the flow is still there.
    #[inline]
    fn is_current(&mut self, index: u32, sink: &mut dyn FlowSink) -> bool {
        let now = self.pool.now;
        loop {
            let Some(flow) = self.table.get_mut(index) else { return false };
            let idle = self.timers.deadline(&flow.silence);
            let hole = flow.hole_deadline(&self.pool);
            match hole.filter(|hole| *hole <= now.min(idle) && *hole != Timestamp::MAX) {
                Some(hole) => self.expire_holes(index, hole, sink),
                None if idle > now || idle == Timestamp::MAX => return true,
                None => {
                    let class = flow.class();
                    self.expire(index, class, idle, sink);
                    return false;
                }
            }
        }
    }

    /// Hands a packet to its flow.
    #[inline]
    fn deliver(
        &mut self,
        index: u32,
        side: Side,
        arrival: &Arrival<'_>,
        sink: &mut dyn FlowSink,
    ) -> Verdict {
        let Some(flow) = self.table.get_mut(index) else { return Verdict::Handled };
        let Arrival { ts, number: packet, .. } = *arrival;
        let emit = Emit { counters: &mut self.counters, sink, ts, packet, timer: false };
        let mut cx = Cx { pool: &mut self.pool, emit, max_jump: self.max_jump };
        let tally = &mut flow.tally[side.index()];
        tally.pkts += 1;
        tally.ip_bytes += arrival.packet.ip_len;
        let verdict = match &arrival.packet.payload {
            Payload::Tcp(segment) => tcp::handle_segment(flow, side, segment, &mut cx),
            other => {
                if let (Proto::Udp(udp), Some((bytes, wire_len))) =
                    (&mut flow.proto, other.datagram())
                {
                    flow.history.note_once(side, Letter::Data);
                    udp.handle(&flow.ident, side, bytes, wire_len, &mut cx);
                }
                Verdict::Handled
            }
        };
        if verdict == Verdict::Reuse {
            // The packet belongs to the flow to come.
            let tally = &mut flow.tally[side.index()];
            tally.pkts -= 1;
            tally.ip_bytes -= arrival.packet.ip_len;
            return verdict;
        }
        self.note_seen(index, ts);
        verdict
    }

    /// Opens a flow for a packet that has none; returns it, and the side that sent the packet.
    fn open(
        &mut self,
        tag: u32,
        tuple: FiveTuple,
        arrival: &Arrival<'_>,
        sink: &mut dyn FlowSink,
    ) -> Option<(u32, Side)> {
        let (opening, proto) = match &arrival.packet.payload {
            Payload::Udp(_) | Payload::Icmp(_) | Payload::Other(_) => {
                (Opening::default(), Proto::Udp(Udp::default()))
            }
            Payload::Tcp(segment) => {
                let Some(opening) = Opening::of(segment) else {
                    self.counters.bad_flags += 1;
                    return None;
                };
                if opening.midstream && !self.midstream {
                    self.counters.midstream_refused += 1;
                    return None;
                }
                let mut policies = self.overlap.of_streams(&tuple);
                if opening.flipped {
                    policies.reverse();
                }
                (opening, Proto::Tcp(Tcp::new(policies)))
            }
        };
        self.make_room(arrival.ts, sink);
        let Opening { flipped, midstream } = opening;
        let (tuple, side) =
            if flipped { (tuple.flipped(), Side::Resp) } else { (tuple, Side::Orig) };
        self.counters.flows_opened += 1;
        self.counters.flows_midstream += u64::from(midstream);
        self.counters.flows_flipped += u64::from(flipped);
        let Arrival { ts, number, scope, .. } = *arrival;
        let (vlan, tunnel) = (arrival.packet.vlan, arrival.tunnel.clone());
        let index = self.table.insert(tag, |id| Flow {
            ident: Ident {
                id,
                tuple,
                first_ts: ts,
                first_packet: number,
                vlan,
                midstream,
                flipped,
                scope,
                tunnel,
            },
            silence: Silence::new(),
            last_ts: ts,
            tally: [Tally::default(), Tally::default()],
            anomalies: AnomalyLog::default(),
            history: History::default(),
            proto,
        });
        if let Some(flow) = self.table.get_mut(index) {
            if flipped {
                flow.history.note_again(side, Letter::Flip);
            }
            let packet = number;
            let counters = &mut self.counters;
            let mut emit = Emit { counters, sink, ts, packet, timer: false };
            emit.tell(&flow.ident, FlowEvent::Opened);
        }
        Some((index, side))
    }

    /// Makes room for a flow.
    fn make_room(&mut self, ts: Timestamp, sink: &mut dyn FlowSink) {
        let [begin, end] = self.emergency;
        let flows = self.table.len();
        if !self.timers.emergency() && flows >= begin {
            self.timers.set_emergency(true);
            self.counters.emergencies += 1;
            self.fire(self.pool.now, TIMERS_PER_PACKET, sink);
        } else if self.timers.emergency() && flows <= end {
            self.timers.set_emergency(false);
        }
        if self.table.len() >= self.max_flows {
            self.evict(ts, sink);
        }
    }

    #[cold]
    fn evict(&mut self, ts: Timestamp, sink: &mut dyn FlowSink) {
        let Some((index, class)) = self.timers.victim(|index| self.table.since(index)) else {
            return;
        };
        *match class {
            Class::Closed => &mut self.counters.flows_evicted_closed,
            Class::Attempt
            | Class::TcpOneSided
            | Class::UdpOneSided
            | Class::Icmp
            | Class::Other => &mut self.counters.flows_evicted_one_sided,
            Class::Tcp | Class::Udp => &mut self.counters.flows_evicted_established,
        } += 1;
        self.close(index, EndReason::Evicted, ts, false, sink);
    }

    /// Takes a flow out of the table.
    fn close(
        &mut self,
        index: u32,
        reason: EndReason,
        ts: Timestamp,
        timer: bool,
        sink: &mut dyn FlowSink,
    ) {
        let Some(mut flow) = self.table.remove(index) else { return };
        self.timers.remove(index, &mut flow.silence);
        let emit = Emit { counters: &mut self.counters, sink, ts, packet: self.packet, timer };
        let mut cx = Cx { pool: &mut self.pool, emit, max_jump: self.max_jump };
        flow.close(reason, &mut cx);
    }
}
