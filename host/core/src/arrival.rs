//! What travels from the dispatcher to a shard.

use std::sync::Arc;

use crate::decode::Packet;
use crate::{Timestamp, Tunnel};

/// A decoded packet on its way to its shard.
#[derive(Debug, Clone)]
pub struct Arrival<'a> {
    /// The number of its frame.
    pub number: u64,
    /// The time of its frame.
    pub ts: Timestamp,
    /// The latest time of any frame so far.
    pub now: Timestamp,
    /// The hash of its flow's key.
    pub hash: u64,
    /// What tells its flow from others with the same 5-tuple: a hash of what
    /// [`KeyOptions`](crate::KeyOptions) adds to the key, 0 if nothing.
    pub scope: u64,
    /// The packet.
    pub packet: Packet<'a>,
    /// The tunnel that it came through.
    pub tunnel: Option<Arc<Tunnel>>,
}

impl Arrival<'_> {
    /// Returns the bytes that the packet borrows from its frame: its transport's header and payload.
    #[must_use]
    #[inline]
    pub const fn bytes(&self) -> &[u8] {
        self.packet.transport
    }

    /// Takes the packet out of its frame, so that it can be kept: without its bytes. To be used again,
    /// it needs the same number of them, see [`Self::attach`].
    #[must_use]
    #[inline]
    pub fn detach(self) -> Arrival<'static> {
        let Self { number, ts, now, hash, scope, packet, tunnel } = self;
        Arrival { number, ts, now, hash, scope, packet: packet.detach(), tunnel }
    }

    /// Gives a detached packet its bytes back.
    #[must_use]
    #[inline]
    pub fn attach<'b>(&self, bytes: &'b [u8]) -> Arrival<'b> {
        let Self { number, ts, now, hash, scope, packet, tunnel } = self;
        Arrival {
            number: *number,
            ts: *ts,
            now: *now,
            hash: *hash,
            scope: *scope,
            packet: packet.attach(bytes),
            tunnel: tunnel.clone(),
        }
    }
}
