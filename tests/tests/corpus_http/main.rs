//! Differential test: the requests and responses in real captures against what others read from them.

mod reference;
mod rules;
mod tshark;
mod zeek;

use flowcell_tests::corpus::{Capture, Corpus};
use flowcell_tests::services;

/// The type of the records that are compared.
const TRANSACTION: &str = "http.transaction";

#[test]
fn flows_of_http_are_those_of_others() {
    let Some(corpus) = Corpus::find() else { return };
    let explain = |capture: &Capture| rules::other_services(&corpus, capture);
    services::compare(&corpus, "http", &["http"], explain).check(rules::KNOWN);
}
