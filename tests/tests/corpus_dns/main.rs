//! Differential test: the DNS messages in real captures against what others read from them.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod entries;
mod rules;
mod tshark;
mod zeek;

/// The type of the records that are compared.
const TRANSACTION: &str = "dns.transaction";

/// What tshark calls it: mDNS is a protocol of its own there.
const TSHARK: [&str; 2] = ["dns", "mdns"];
