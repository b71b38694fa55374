//! Where we differ from the others, each with its reason.

use flowcell_tests::talk::{Event, Record};
use flowcell_tests::tally::Outcome;
use serde_json::Value;

use crate::entries;

const STRANGE: &str =
    "a flow of nothing but datagrams that can not be DNS is not taken for it, on its port either";
const NO_HEADER: &str = "what is shorter than a header is no message";
const OVERTAKEN: &str =
    "the query lies behind a hole, so that its reply came first: the record is the reply's";

/// Why only tshark has a message.
pub(crate) fn only_theirs(outcome: Outcome, event: &Event, ours: &[Record], torn: bool) -> Outcome {
    let overtaken = |told: &Record| {
        told.number("query_len").is_none()
            && told.number("trans_id") == event.text("id").and_then(entries::number)
    };
    let counts = event.data["counts"].as_array();
    if counts.is_some_and(|counts| counts.iter().any(Value::is_null)) {
        outcome.or(NO_HEADER)
    } else if ours.is_empty() && event.l4 == "udp" {
        outcome.or(STRANGE)
    } else if torn && event.data["qr"] == 0 && ours.iter().any(overtaken) {
        outcome.or(OVERTAKEN)
    } else {
        outcome
    }
}
