//! The façade: frames and time in, events out, on one thread.
//!
//! The contract:
//!
//! - Methods are of three kinds: **getters**; **`handle_*`** and [`FlowEngine::finish`], which take
//!   a frame, a point in time or the end of the input, and deliver the events this causes before
//!   they return; and **control**, [`FlowEngine::done`].
//! - Time is what the frames say. It never goes backwards: a frame with an older timestamp is taken
//!   as it is for its events, but moves no timer, and is counted (`time_went_back`). Timers that
//!   have come due fire before the frame that moved the time is looked at, in the order of their
//!   deadlines; where a jump in time makes many come due, some fire with later frames, each still with
//!   its deadline as its time. A frame from the far future moves the time for good: what is open
//!   expires, and timers stand still until the timestamps catch up. Bytes go on being delivered, and
//!   limits go on holding.
//! - No input makes the engine panic or fail. What can't be decoded or explained is counted, and
//!   told as an [`Anomaly`](crate::Anomaly) where it belongs to a flow.
//! - Memory is bounded by [`Limits`](crate::Limits). Packets whose bytes are next in their stream
//!   allocate nothing.
//! - There is no global state. Two engines given the same calls deliver the same events.
//!
//! Who wants to use several threads puts the same parts together differently: one [`Dispatcher`], any
//! number of [`Shard`]s.

use crate::{
    Arrival, Counters, Dispatcher, EngineConfig, FlowId, FlowSink, Outlets, RawFrame, Shard, Side,
    Timestamp,
};

/// Follows flows and reassembles their streams.
#[derive(Debug)]
pub struct FlowEngine {
    dispatcher: Dispatcher,
    shard: Shard,
}

/// Takes packets straight to the one shard.
struct Straight<'a> {
    shard: &'a mut Shard,
    sink: &'a mut dyn FlowSink,
}

impl Outlets for Straight<'_> {
    fn packet(&mut self, arrival: Arrival<'_>) {
        self.shard.handle(&arrival, self.sink);
    }

    fn carriers(&mut self) -> &mut dyn FlowSink {
        self.sink
    }
}

impl FlowEngine {
    /// Makes an engine without flows.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        Self { dispatcher: Dispatcher::new(config), shard: Shard::new(config) }
    }

    /// Returns what was counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut counters = self.dispatcher.counters();
        counters.merge(self.shard.counters());
        counters
    }

    /// Returns the number of flows in the table, lingering ones included.
    #[must_use]
    pub fn flows(&self) -> usize {
        self.dispatcher.carrier_flows() + self.shard.flows()
    }

    /// Returns how many bytes are held of fragments and behind holes of streams, bookkeeping included.
    #[must_use]
    pub const fn held_bytes(&self) -> u64 {
        self.dispatcher.held_bytes() + self.shard.held_bytes()
    }

    /// Takes the next frame.
    pub fn handle_frame(&mut self, frame: &RawFrame<'_>, sink: &mut dyn FlowSink) {
        let mut outlets = Straight { shard: &mut self.shard, sink };
        self.dispatcher.handle_frame(frame, &mut outlets);
        let now = self.dispatcher.now();
        self.dispatcher.carriers().advance(now, frame.number, TIMERS_PER_FRAME, sink);
        self.shard.advance(now, frame.number, TIMERS_PER_FRAME, sink);
    }

    /// Takes the news that it is `now`, though no frame has come: live, a tick when all is quiet.
    pub fn handle_time(&mut self, now: Timestamp, sink: &mut dyn FlowSink) {
        self.dispatcher.handle_time(now);
        self.dispatcher.carriers().advance(now, 0, usize::MAX, sink);
        self.shard.advance(now, 0, usize::MAX, sink);
    }

    /// Takes the end of the input: closes all flows, in the order in which they opened.
    ///
    /// The engine can be used again afterwards; its counters and its time go on.
    pub fn finish(&mut self, sink: &mut dyn FlowSink) {
        self.dispatcher.carriers().finish_until(u64::MAX, sink);
        self.shard.finish_until(u64::MAX, sink);
    }

    /// Has the sink deal with all that it has put aside.
    pub fn catch_up(&mut self, sink: &mut dyn FlowSink) {
        self.shard.catch_up(sink);
    }

    /// Stops delivering and holding one side of a flow, apart from its end.
    ///
    /// An id of a flow that has closed is ignored.
    pub fn done(&mut self, flow: FlowId, side: Side) {
        let carriers = self.dispatcher.carriers();
        let shard = if flow.is_carrier() { carriers } else { &mut self.shard };
        shard.done(flow, side);
    }
}

/// Timers that fire at most after a frame, beside those that fired before it.
const TIMERS_PER_FRAME: usize = 64;

#[cfg(test)]
mod tests;
