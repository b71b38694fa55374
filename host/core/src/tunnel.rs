//! Where a flow comes from that was found inside of another one.

use crate::decode::TunnelKind;
use crate::{FiveTuple, Timestamp};

/// What names a flow in a capture: what it is, and when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The endpoints.
    pub tuple: FiveTuple,
    /// When the first packet was seen.
    pub first_ts: Timestamp,
    /// The number of the frame that carried the first packet.
    pub first_packet: u64,
}

/// The tunnel that a flow came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// What it is.
    pub kind: TunnelKind,
    /// Its id, if it has one: VNI, GRE key, TEID or ERSPAN session.
    pub id: Option<u32>,
    /// How many tunnels the flow is in, at least 1.
    pub depth: u8,
    /// The flow that carries it.
    pub parent: Origin,
}
