//! Differential test: the handshakes of SSH in real captures against what others read from them.

mod rules;
mod tshark;
mod zeek;

use flowcell_tests::corpus::Corpus;
use flowcell_tests::services;

/// The type of the records that are compared.
const HANDSHAKE: &str = "ssh.handshake";

#[test]
fn flows_of_ssh_are_those_of_others() {
    let Some(corpus) = Corpus::find() else { return };
    services::compare(&corpus, "ssh", &["ssh"], |_| rules::other_service).check(&[]);
}
