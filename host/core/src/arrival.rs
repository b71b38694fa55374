//! What travels from the dispatcher to a shard.

use std::net::IpAddr;
use std::sync::Arc;

use crate::decode::{Packet, Payload, VlanTags};
use crate::{Timestamp, Transport, Tunnel};

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
    /// The hash of its two hosts, whoever of them sends: the same for all flows between them. 0 once it
    /// was kept.
    pub hosts: u64,
    /// What tells its flow from others with the same 5-tuple: a hash of how many tunnels it is in and of
    /// what [`KeyOptions`](crate::KeyOptions) adds to the key, 0 if nothing.
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

    /// Takes the packet out of its frame, so that it can be kept.
    #[must_use]
    #[inline]
    pub fn detach(self) -> Detached {
        let Self { number, ts, now, hash, hosts: _, scope, packet, tunnel } = self;
        let short = |len: u64| u32::try_from(len).unwrap_or(u32::MAX);
        Detached {
            number,
            ts,
            now,
            hash,
            scope,
            tunnel,
            vlan: packet.vlan,
            src: packet.src,
            dst: packet.dst,
            ip_len: short(packet.ip_len),
            wire_len: short(packet.wire_len),
            transport: packet.tuple().transport,
            header_checksum_ok: packet.header_checksum_ok,
            length_exceeds_frame: packet.length_exceeds_frame,
        }
    }
}

/// An [`Arrival`] without its bytes, small enough to be passed on: what can be had from the bytes is
/// left out.
#[derive(Debug, Clone)]
pub struct Detached {
    number: u64,
    ts: Timestamp,
    now: Timestamp,
    hash: u64,
    scope: u64,
    tunnel: Option<Arc<Tunnel>>,
    vlan: VlanTags,
    src: IpAddr,
    dst: IpAddr,
    ip_len: u32,
    wire_len: u32,
    transport: Transport,
    header_checksum_ok: bool,
    length_exceeds_frame: bool,
}

impl Detached {
    /// Returns the hash of its flow's key.
    #[must_use]
    #[inline]
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// Gives the packet the bytes back that [`Arrival::bytes`] has told.
    #[must_use]
    #[inline]
    pub fn attach<'b>(&self, bytes: &'b [u8]) -> Arrival<'b> {
        let Self { vlan, src, dst, header_checksum_ok, length_exceeds_frame, .. } = *self;
        let Self { number, ts, now, hash, scope, .. } = *self;
        let (ip_len, wire_len) = (u64::from(self.ip_len), u64::from(self.wire_len));
        let payload = Payload::of(self.transport, bytes, wire_len);
        let packet = Packet {
            vlan,
            src,
            dst,
            ip_len,
            transport: bytes,
            wire_len,
            header_checksum_ok,
            length_exceeds_frame,
            payload,
            inner: None,
        };
        let tunnel = self.tunnel.clone();
        Arrival { number, ts, now, hash, hosts: 0, scope, packet, tunnel }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two cache lines, with what goes along; it crosses from one processor to another.
    #[test]
    fn detached_packet_is_small() {
        assert!(size_of::<Detached>() <= 120, "{}", size_of::<Detached>());
    }
}
