//! Where we differ from the others, each with its reason.

use flowcell_tests::corpus::Ends;
use flowcell_tests::services::Difference;
use flowcell_tests::tally::Outcome;

/// The port by which tshark knows SSH.
const PORT: u16 = 22;

const OTHER_PORT: &str = "tshark knows SSH by its port";
const NO_HANDSHAKE: &str =
    "a connection of which only encrypted packets were captured is not taken for SSH";

/// Why a flow is of SSH for one of us only.
pub(crate) fn other_service(difference: &Difference<'_>) -> Option<&'static str> {
    if difference.ours {
        is_on_other_port(&difference.ends).then_some(OTHER_PORT)
    } else {
        let midstream = difference.flows.iter().all(|flow| flow.is("midstream"));
        (midstream && !difference.flows.is_empty()).then_some(NO_HANDSHAKE)
    }
}

/// What only we have.
pub(crate) fn ours_alone(outcome: Outcome, ends: &Ends) -> Outcome {
    if is_on_other_port(ends) { outcome.or(OTHER_PORT) } else { outcome }
}

fn is_on_other_port(ends: &Ends) -> bool {
    ends.iter().all(|end| end.port() != PORT)
}
