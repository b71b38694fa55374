//! Where we differ from the others, each with its reason.

use flowcell_tests::corpus::Ends;
use flowcell_tests::tally::Outcome;

/// The port by which tshark knows SSH.
const PORT: u16 = 22;

/// What only we have.
pub(crate) fn ours_alone(outcome: Outcome, ends: &Ends) -> Outcome {
    let other_port = ends.iter().all(|end| end.port() != PORT);
    if other_port { outcome.or("tshark knows SSH by its port") } else { outcome }
}
