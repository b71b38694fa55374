//! Differential test: the handshakes of SSH in real captures against what others read from them.

mod rules;
mod tshark;
mod zeek;

/// The type of the records that are compared.
const HANDSHAKE: &str = "ssh.handshake";
