//! How an engine behaves.

use crate::{Limits, OverlapPolicies};

/// How an engine behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineConfig {
    /// The limits.
    pub limits: Limits,
    /// The secret of the flow table's hash. Fixed by default, so that runs are repeatable; choose a
    /// random one for live traffic, so that nobody can fill one corner of the table.
    pub hash_key: [u64; 2],
    /// Which copy of bytes counts where two differ, by who receives them.
    pub overlap: OverlapPolicies,
    /// Whether a TCP flow is picked up when its handshake was not seen. If not, its segments are
    /// counted (`midstream_refused`) and ignored.
    pub midstream: bool,
    /// What belongs to a flow's key besides addresses, ports and protocol.
    pub key: KeyOptions,
    /// Whether checksums are looked at.
    pub checksums: Checksums,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            hash_key: [0x6c66_6f77_6365_6c6c, 0x7061_636b_6574_7320],
            overlap: OverlapPolicies::default(),
            midstream: true,
            key: KeyOptions::default(),
            checksums: Checksums::Auto,
        }
    }
}

/// What tells flows with the same addresses, ports and protocol apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyOptions {
    /// Their VLAN ids. For networks that use the same addresses in several VLANs.
    pub vlan: bool,
    /// Kind and id of the tunnel that they come through.
    pub tunnel: bool,
    /// The interface that they were captured on.
    pub interface: bool,
}

/// What is done about wrong checksums of the IPv4 header, TCP, UDP and ICMP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Checksums {
    /// They are not looked at.
    Off,
    /// Packets with a wrong one are counted (`checksum_bad`) and ignored, as their receiver does.
    On,
    /// Segments with a wrong one are taken if the same side of the flow has never sent a right one, or
    /// if their receiver acknowledges what only they have brought; other packets are all taken. Captures
    /// made on the sending host have wrong checksums throughout, since the network card fills them in,
    /// and captures that were edited have some.
    #[default]
    Auto,
}
