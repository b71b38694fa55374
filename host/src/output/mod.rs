//! Records as JSON Lines: one record a line, in capture order.

mod envelope;
mod ids;
mod records;
mod writer;

pub use envelope::{
    Candidacy, CandidacyOutcome, ENVELOPE, FlowLabel, FlowRecord, ParserEvent, Subject,
    TunnelRecord,
};
pub use records::{Enclosure, Lines, Place, Records, Types};
pub use writer::Writer;

/// Returns the uid of the flow that is known by its origin.
#[must_use]
pub fn uid(origin: &flowcell_core::Origin) -> String {
    ids::uid(&origin.tuple, origin.first_ts.0, origin.first_packet)
}
