//! Differential test: the DNS messages in real captures against what others read from them.

mod entries;
mod rules;
mod tshark;
mod zeek;

use flowcell_tests::corpus::Corpus;
use flowcell_tests::services;

/// The type of the records that are compared.
const TRANSACTION: &str = "dns.transaction";

/// What tshark calls it: mDNS is a protocol of its own there.
const TSHARK: [&str; 2] = ["dns", "mdns"];

#[test]
fn flows_of_dns_are_those_of_others() {
    let Some(corpus) = Corpus::find() else { return };
    services::compare(&corpus, "dns", &TSHARK, |_| rules::other_service).check(&[]);
}
