//! Where we differ from the others, each with its reason.

use flowcell_tests::corpus::Told;
use flowcell_tests::services::Difference;

const NO_HANDSHAKE: &str =
    "a connection of which only encrypted records were captured is not taken for TLS";
pub(crate) const AT_CROSS_PURPOSES: &str =
    "the client speaks TLS to a server that speaks SMTP: the flow is of SMTP";

/// Why a flow is of TLS for one of us only.
pub(crate) fn other_service(difference: &Difference<'_>) -> Option<&'static str> {
    let all =
        |what: fn(&Told) -> bool| !difference.flows.is_empty() && difference.flows.iter().all(what);
    if difference.ours || !difference.tshark {
        None
    } else if all(is_midstream) {
        Some(NO_HANDSHAKE)
    } else {
        all(speaks_smtp).then_some(AT_CROSS_PURPOSES)
    }
}

/// Whether the flow was captured without its start, and its parser found no handshake.
fn is_midstream(flow: &Told) -> bool {
    let declined = ["no handshake was seen", "not the beginning of a handshake"];
    flow.is("midstream") && declined.iter().any(|reason| has_outcome(flow, "declined", reason))
}

/// Whether a `flow` record tells that the server speaks SMTP and the client TLS.
pub(crate) fn speaks_smtp(flow: &Told) -> bool {
    has_outcome(flow, "failed", "the client starts with TLS")
}

fn has_outcome(flow: &Told, outcome: &str, reason: &str) -> bool {
    let parsers = flow.data["parsers"].as_array();
    parsers
        .into_iter()
        .flatten()
        .any(|parser| parser["outcome"] == outcome && parser["reason"] == reason)
}
