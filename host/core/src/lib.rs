//! The flow engine of Flowcell: frames in, flows and their byte streams out.
//!
//! A [`FlowEngine`] is given captured frames one by one. It decodes them, finds the flow each
//! belongs to, puts TCP streams back together and tells a [`FlowSink`] what happened: a flow
//! opened, bytes arrived in order, bytes are missing for good, a side ended, a flow closed.
//!
//! The crate does no I/O. It opens no file, starts no thread and reads no clock: time is what the
//! timestamps of the frames say, so a capture replayed in a second expires the same flows as it
//! did live. Two engines given the same calls produce the same events.
//!
//! ```
//! use flowcell_core::{Demand, EngineConfig, FlowEngine, FlowEvent, FlowSink, FlowView};
//!
//! /// Counts the bytes of all streams.
//! #[derive(Default)]
//! struct Count(usize);
//!
//! impl FlowSink for Count {
//!     fn event(&mut self, _flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
//!         if let FlowEvent::Data { bytes, .. } = event {
//!             self.0 += bytes.len();
//!         }
//!         Demand::More
//!     }
//! }
//!
//! let mut engine = FlowEngine::new(&EngineConfig::default());
//! let mut sink = Count::default();
//! // for each frame of the capture: engine.handle_frame(&frame, &mut sink);
//! engine.finish(&mut sink);
//! assert_eq!(sink.0, 0);
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "tests cast numbers that they made up themselves"
    )
)]

pub mod decode;
mod defrag;

mod arrival;
mod config;
mod counters;
mod dispatch;
mod engine;
mod event;
mod flow;
#[doc(hidden)]
pub mod fuzzing;
mod key;
mod limits;
mod shard;
mod tcp;
#[cfg(test)]
mod testing;
mod time;
mod tunnel;
mod udp;

pub use arrival::{Arrival, Detached};
pub use config::{Checksums, EngineConfig, KeyOptions};
pub use counters::Counters;
pub use decode::{DecodeError, DecodeErrorKind, Layer, LinkType, RawFrame};
pub use defrag::FragmentAnomaly;
pub use dispatch::{Dispatcher, FragmentRejected, Outlets};
pub use engine::FlowEngine;
pub use event::{
    Anomaly, AnomalyDetail, AnomalyKind, AnomalySet, CaughtUp, Demand, EndReason, Excerpt,
    FlowEvent, FlowSink, FlowView, GapReason,
};
pub use flow::{ConnState, FlowSummary, HistoryText, SideSummary};
pub use key::{Endpoint, FiveTuple, FlowId, FlowKey, Side, Transport};
pub use limits::{LimitInfo, Limits};
pub use shard::Shard;
pub use tcp::{AddrRange, OverlapPolicies, OverlapPoliciesError, OverlapPolicy, SeqNo};
pub use time::Timestamp;
pub use tunnel::{Origin, Tunnel};
