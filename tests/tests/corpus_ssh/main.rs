//! Differential test: the handshakes of SSH in real captures against what others read from them.

mod rules;
mod tshark;
mod zeek;

use flowcell_tests::corpus::Corpus;
use flowcell_tests::services::{self, Names};

/// The type of the records that are compared.
const HANDSHAKE: &str = "ssh.handshake";

#[test]
fn flows_of_ssh_are_those_of_others() {
    let Some(corpus) = Corpus::find() else { return };
    let names = Names { ours: "ssh", tshark: &["ssh"], zeek: "ssh" };
    services::compare(&corpus, names, |_| rules::other_service).check(&[]);
}
