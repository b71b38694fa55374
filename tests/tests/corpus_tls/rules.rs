//! Where we differ from the others, each with its reason.

use flowcell_tests::services::Difference;
use flowcell_tests::talk::Record;

const NO_HANDSHAKE: &str =
    "a connection of which only encrypted records were captured is not taken for TLS";

/// Why a flow is of TLS for one of us only.
pub(crate) fn other_service(difference: &Difference<'_>) -> Option<&'static str> {
    let torn = !difference.flows.is_empty() && difference.flows.iter().all(is_torn);
    (!difference.ours && torn).then_some(NO_HANDSHAKE)
}

/// Whether a flow was captured without its start, and its parser found no handshake.
fn is_torn(flow: &Record) -> bool {
    let parsers = flow.data["parsers"].as_array().into_iter().flatten();
    let mut reasons = parsers.filter(|parser| parser["outcome"] == "declined");
    let reasons = reasons.any(|parser| {
        let declined = ["no handshake was seen", "not the beginning of a handshake"];
        declined.iter().any(|reason| parser["reason"] == *reason)
    });
    flow.is("midstream") && reasons
}
