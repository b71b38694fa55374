//! Differential test: the handshakes of TLS in real captures against what others read from them.

mod rules;
mod tshark;
mod zeek;

use flowcell_tests::corpus::Corpus;
use flowcell_tests::services;

/// The type of the records that are compared.
const HANDSHAKE: &str = "tls.handshake";

#[test]
fn flows_of_tls_are_those_of_others() {
    let Some(corpus) = Corpus::find() else { return };
    services::compare(&corpus, "tls", &["tls"], |_| rules::other_service).check(&[]);
}
