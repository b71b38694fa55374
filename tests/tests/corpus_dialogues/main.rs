//! Differential tests: FTP, SIP, POP3, IMAP, Redis and MQTT in real captures against what Zeek and
//! tshark read there.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod ftp;
mod ftp_files;
mod ftp_zeek;
mod imap;
mod mails;
mod mqtt;
mod mqtt_zeek;
mod pop3;
mod redis;
mod services;
mod sip;
mod sip_zeek;
mod words;

use std::sync::OnceLock;

use flowcell_tests::corpus::Corpus;
use flowcell_tests::talk::{self, Sight};

/// All captures, seen once for all tests; nothing where there is no corpus.
fn sights() -> Option<(&'static Corpus, &'static [Sight])> {
    static SIGHTS: OnceLock<Option<(Corpus, Vec<Sight>)>> = OnceLock::new();
    let seen = SIGHTS.get_or_init(|| {
        let corpus = Corpus::find()?;
        let sights = talk::sights(&corpus);
        Some((corpus, sights))
    });
    seen.as_ref().map(|(corpus, sights)| (corpus, sights.as_slice()))
}
