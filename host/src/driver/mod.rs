//! From frames to records: drives the flow engine, one cell for each parsed flow, and the output.
//!
//! The thread that reads the frames decodes them and packs packets into batches. Flows are cut into a
//! fixed number of lanes, each with a table, cells and records of its own; any number of threads work
//! on the lanes, and what they make is put in order before it is written. So the output is the same
//! for any number of threads. Nothing is shared between lanes but the
//! [`Handle`](crate::registry::Handle) to the parsers.

mod aside;
mod batch;
mod breaker;
mod crew;
mod expectations;
mod flow_task;
mod flows;
mod lane;
mod log_gate;
mod messages;
mod parking;
mod pipeline;
mod pursuit;
pub mod repro;
mod room;
mod scribe;
mod slots;
mod streams;
mod worker;

pub use breaker::{BreakerLimits, Gate, Judge, Tally, Verdicts};
pub use expectations::ExpectationStats;
pub use lane::{LANES, Recorder};
pub use messages::Messages;
pub use parking::ParkingStats;
pub(crate) use pipeline::wall_clock;
pub use pipeline::{Interrupt, Outcome, Plan, Share, drive};
pub use room::Room;
pub(crate) use scribe::FaultRecord;
pub use scribe::{RECORDS, WorkerStats};
pub use streams::StreamDigests;
pub use worker::Worker;
