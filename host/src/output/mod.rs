//! Records as JSON Lines: one record a line, in capture order.

mod envelope;
mod ids;
mod writer;

pub use envelope::{Candidacy, FlowLabel, FlowRecord, Subject};
pub use writer::Writer;
