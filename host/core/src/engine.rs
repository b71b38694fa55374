//! The façade: frames and time in, events out.
//!
//! The contract:
//!
//! - Methods are of three kinds: **getters**; **`handle_*`** and [`FlowEngine::finish`], which take
//!   a frame, a point in time or the end of the input, and deliver the events this causes before
//!   they return; and **control**, [`FlowEngine::done`].
//! - Time is what the frames say. It never goes backwards: a frame with an older timestamp is taken
//!   as it is for its events, but moves no timer, and is counted (`time_went_back`). Timers that
//!   have come due fire before the frame that moved the time is looked at, in the order of their
//!   deadlines. A frame from the far future moves the time for good: what is open expires, and timers
//!   stand still until the timestamps catch up. Bytes go on being delivered, and limits go on holding.
//! - No input makes the engine panic or fail. What can't be decoded or explained is counted, and
//!   told as an [`Anomaly`](crate::Anomaly) where it belongs to a flow.
//! - Memory is bounded by [`Limits`]. Packets whose bytes are next in their stream allocate nothing.
//! - There is no global state. Two engines given the same calls deliver the same events.

use crate::decode::{DecodeErrorKind, Decoded, Packet, Payload, RawFrame, decode};
use crate::flow::{
    AnomalyLog, Class, Cx, Due, Emit, Flow, FlowTable, History, Ident, Letter, Proto, Tally, Timers,
};
use crate::tcp::{self, HoldPool, Opening, Tcp, Verdict};
use crate::udp::Udp;
use crate::{
    Counters, DecodeError, EndReason, FiveTuple, FlowEvent, FlowId, FlowKey, FlowSink, Limits,
    OverlapPolicies, Side, Timestamp,
};

/// How an engine behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineConfig {
    /// The limits.
    pub limits: Limits,
    /// The secret of the flow table's hash. Fixed by default, so that runs are repeatable; choose a
    /// random one for live traffic, so that nobody can fill one corner of the table.
    pub hash_key: [u64; 2],
    /// Which copy of bytes counts where two differ, by who receives them.
    pub overlap: OverlapPolicies,
    /// Whether a TCP flow is picked up when its handshake was not seen. If not, its segments are
    /// counted (`midstream_refused`) and ignored.
    pub midstream: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            hash_key: [0x6c66_6f77_6365_6c6c, 0x7061_636b_6574_7320],
            overlap: OverlapPolicies::default(),
            midstream: true,
        }
    }
}

/// Follows flows and reassembles their streams.
#[derive(Debug)]
pub struct FlowEngine {
    config: EngineConfig,
    table: FlowTable,
    timers: Timers,
    pool: HoldPool,
    counters: Counters,
    /// Number of the last frame given.
    packet: u64,
    max_flows: usize,
    max_jump: u64,
}

impl FlowEngine {
    /// Makes an engine without flows.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        // Slots are numbered in 32 bits, and two numbers have a meaning of their own.
        let max_flows = config.limits.max_flows.clamp(1, u64::from(u32::MAX) - 2);
        Self {
            table: FlowTable::new(),
            timers: Timers::new(&config.limits),
            pool: HoldPool::new(&config.limits),
            counters: Counters::default(),
            packet: 0,
            max_flows: usize::try_from(max_flows).unwrap_or(usize::MAX),
            // Sequence numbers that are further apart can't be told from their opposite.
            max_jump: config.limits.max_jump.min(1 << 30),
            config,
        }
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

    /// Returns how many bytes are held behind holes, bookkeeping included.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.pool.total()
    }

    /// Takes the next frame.
    pub fn handle_frame(&mut self, frame: &RawFrame<'_>, sink: &mut dyn FlowSink) {
        self.counters.frames += 1;
        self.counters.bytes += u64::from(frame.len);
        self.counters.frames_truncated += u64::from(frame.truncated());
        self.packet = frame.number;
        if frame.ts < self.pool.now {
            self.counters.time_went_back += 1;
        } else {
            self.advance(frame.ts, sink);
        }
        match decode(frame) {
            Ok(Decoded::Packet(packet)) => self.handle_packet(&packet, frame.ts, sink),
            Ok(Decoded::Fragment) => self.counters.fragments += 1,
            Ok(Decoded::UnsupportedLink(_)) => self.counters.unsupported_link += 1,
            Ok(Decoded::UnsupportedEtherType(_)) => self.counters.unsupported_ethertype += 1,
            Ok(Decoded::UnsupportedProtocol(_)) => self.counters.unsupported_protocol += 1,
            Err(error) => self.count_error(&error),
        }
    }

    /// Takes the news that it is `now`, though no frame has come: live, a tick when all is quiet.
    pub fn handle_time(&mut self, now: Timestamp, sink: &mut dyn FlowSink) {
        if now > self.pool.now {
            self.advance(now, sink);
        }
    }

    /// Takes the end of the input: closes all flows, in the order in which they opened.
    ///
    /// The engine can be used again afterwards; its counters and its time go on.
    pub fn finish(&mut self, sink: &mut dyn FlowSink) {
        let now = self.pool.now;
        for index in self.table.in_order() {
            self.close(index, EndReason::Shutdown, now, sink);
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

    /// Moves time and fires the timers that are due.
    #[inline]
    fn advance(&mut self, now: Timestamp, sink: &mut dyn FlowSink) {
        while let Some((deadline, due)) = self.timers.pop_due(now) {
            self.pool.now = self.pool.now.max(deadline);
            match due {
                Due::Idle(index, class) => {
                    *match class {
                        Class::Closed => &mut self.counters.flows_expired_closed,
                        Class::Attempt => &mut self.counters.flows_expired_attempt,
                        Class::Tcp | Class::TcpOneSided => &mut self.counters.flows_expired_tcp,
                        Class::UdpOneSided => &mut self.counters.flows_expired_udp_one_sided,
                        Class::Udp => &mut self.counters.flows_expired_udp,
                    } += 1;
                    self.close(index, EndReason::Idle, deadline, sink);
                }
                Due::Hole(index) => self.expire_holes(index, deadline, sink),
            }
        }
        self.pool.now = now;
    }

    fn expire_holes(&mut self, index: u32, now: Timestamp, sink: &mut dyn FlowSink) {
        let Some(flow) = self.table.get_mut(index) else { return };
        let ended = flow.ended();
        let emit = Emit { counters: &mut self.counters, sink, ts: now, packet: self.packet };
        let mut cx = Cx { pool: &mut self.pool, emit, max_jump: self.max_jump };
        tcp::expire_holes(flow, now, &mut cx);
        if flow.ended() && !ended {
            self.timers.touch(index, Class::Closed, self.pool.now);
        } else if let Some(deadline) = flow.hole_deadline(&self.pool) {
            self.timers.watch_hole(index, deadline);
        }
    }

    #[cold]
    fn count_error(&mut self, error: &DecodeError) {
        *match error.kind {
            DecodeErrorKind::TooShort { .. } => &mut self.counters.decode_too_short,
            DecodeErrorKind::Truncated { .. } => &mut self.counters.decode_truncated,
            DecodeErrorKind::Version { .. } => &mut self.counters.decode_bad_version,
            DecodeErrorKind::LengthTooSmall { .. } | DecodeErrorKind::LengthTooLarge { .. } => {
                &mut self.counters.decode_bad_length
            }
            DecodeErrorKind::TooMany { .. } => &mut self.counters.decode_too_deep,
        } += 1;
    }

    fn handle_packet(&mut self, packet: &Packet<'_>, ts: Timestamp, sink: &mut dyn FlowSink) {
        let tuple = packet.tuple();
        #[expect(clippy::cast_possible_truncation, reason = "half of a good hash is a good hash")]
        let tag = FlowKey::new(&tuple).hash(self.config.hash_key) as u32;
        match packet.payload {
            Payload::Tcp(_) => self.counters.tcp_segments += 1,
            Payload::Udp(_) => self.counters.udp_datagrams += 1,
        }
        let found = match self.table.find(tag, &tuple) {
            Some((index, side)) => {
                if self.deliver(index, side, packet, ts, sink) == Verdict::Handled {
                    return;
                }
                self.counters.flows_reused += 1;
                // A new connection in its place means that both ends gave the old one up.
                self.close(index, EndReason::Reset, ts, sink);
                self.open(tag, tuple, packet, ts, sink)
            }
            None => self.open(tag, tuple, packet, ts, sink),
        };
        if let Some((index, side)) = found {
            self.deliver(index, side, packet, ts, sink);
        }
    }

    /// Hands a packet to its flow.
    #[inline]
    fn deliver(
        &mut self,
        index: u32,
        side: Side,
        packet: &Packet<'_>,
        ts: Timestamp,
        sink: &mut dyn FlowSink,
    ) -> Verdict {
        let Some(flow) = self.table.get_mut(index) else { return Verdict::Handled };
        let emit = Emit { counters: &mut self.counters, sink, ts, packet: self.packet };
        let mut cx = Cx { pool: &mut self.pool, emit, max_jump: self.max_jump };
        let tally = &mut flow.tally[side.index()];
        tally.pkts += 1;
        tally.ip_bytes += packet.ip_len;
        let verdict = match &packet.payload {
            Payload::Tcp(segment) => tcp::handle_segment(flow, side, segment, &mut cx),
            Payload::Udp(datagram) => {
                if let Proto::Udp(udp) = &mut flow.proto {
                    flow.history.note(side, Letter::Data);
                    udp.handle(&flow.ident, side, datagram, &mut cx);
                }
                Verdict::Handled
            }
        };
        if verdict == Verdict::Reuse {
            // The packet belongs to the flow to come.
            let tally = &mut flow.tally[side.index()];
            tally.pkts -= 1;
            tally.ip_bytes -= packet.ip_len;
            return verdict;
        }
        flow.last_ts = flow.last_ts.max(ts);
        self.timers.touch(index, flow.class(), self.pool.now);
        if let Some(deadline) = flow.hole_deadline(&self.pool) {
            self.timers.watch_hole(index, deadline);
        }
        verdict
    }

    /// Opens a flow for a packet that has none; returns it, and the side that sent the packet.
    fn open(
        &mut self,
        tag: u32,
        tuple: FiveTuple,
        packet: &Packet<'_>,
        ts: Timestamp,
        sink: &mut dyn FlowSink,
    ) -> Option<(u32, Side)> {
        let (opening, proto) = match &packet.payload {
            Payload::Udp(_) => (Opening::default(), Proto::Udp(Udp::default())),
            Payload::Tcp(segment) => {
                let Some(opening) = Opening::of(segment) else {
                    self.counters.bad_flags += 1;
                    return None;
                };
                if opening.midstream && !self.config.midstream {
                    self.counters.midstream_refused += 1;
                    return None;
                }
                let mut policies = self.config.overlap.of_streams(&tuple);
                if opening.flipped {
                    policies.reverse();
                }
                (opening, Proto::Tcp(Tcp::new(policies)))
            }
        };
        if self.table.len() >= self.max_flows {
            self.evict(ts, sink);
        }
        let Opening { flipped, midstream } = opening;
        let (tuple, side) =
            if flipped { (tuple.flipped(), Side::Resp) } else { (tuple, Side::Orig) };
        self.counters.flows_opened += 1;
        self.counters.flows_midstream += u64::from(midstream);
        self.counters.flows_flipped += u64::from(flipped);
        let (first_packet, vlan) = (self.packet, packet.vlan);
        let index = self.table.insert(tag, |id| Flow {
            ident: Ident { id, tuple, first_ts: ts, first_packet, vlan, midstream, flipped },
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
            let packet = self.packet;
            let mut emit = Emit { counters: &mut self.counters, sink, ts, packet };
            emit.tell(&flow.ident, FlowEvent::Opened);
        }
        Some((index, side))
    }

    /// Makes room for a flow.
    #[cold]
    fn evict(&mut self, ts: Timestamp, sink: &mut dyn FlowSink) {
        let Some((index, class)) = self.timers.victim() else { return };
        *match class {
            Class::Closed => &mut self.counters.flows_evicted_closed,
            Class::Attempt | Class::TcpOneSided | Class::UdpOneSided => {
                &mut self.counters.flows_evicted_one_sided
            }
            Class::Tcp | Class::Udp => &mut self.counters.flows_evicted_established,
        } += 1;
        self.close(index, EndReason::Evicted, ts, sink);
    }

    /// Takes a flow out of the table.
    fn close(&mut self, index: u32, reason: EndReason, ts: Timestamp, sink: &mut dyn FlowSink) {
        self.timers.remove(index);
        let Some(mut flow) = self.table.remove(index) else { return };
        let emit = Emit { counters: &mut self.counters, sink, ts, packet: self.packet };
        let mut cx = Cx { pool: &mut self.pool, emit, max_jump: self.max_jump };
        flow.close(reason, &mut cx);
    }
}

#[cfg(test)]
mod tests;
