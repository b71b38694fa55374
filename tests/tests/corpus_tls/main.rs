//! Differential test: the handshakes of TLS in real captures against what others read from them.

mod tshark;
mod zeek;

/// The type of the records that are compared.
const HANDSHAKE: &str = "tls.handshake";
