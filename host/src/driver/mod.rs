//! From frames to records: drives the flow engine, one cell for each parsed flow, and the output.
//!
//! One worker today, on the thread that reads the frames; nothing in here is shared between workers
//! but the [`Handle`](crate::registry::Handle) to the parsers.

mod flow_task;
mod messages;
mod pipeline;
mod slots;
mod streams;
mod worker;

pub use messages::Messages;
pub(crate) use pipeline::wall_clock;
pub use pipeline::{Interrupt, Outcome, Recorder, drive};
pub use streams::StreamDigests;
pub use worker::{MAX_CELLS, Worker, WorkerStats};
