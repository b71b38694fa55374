//! From frames to packets, each ready for its shard.
//!
//! This is the part that sees every frame, in the order of the capture: whatever concerns more than
//! one flow is done here, so that what shards do can't depend on how many of them there are. It decodes,
//! puts fragments together, and follows tunnels:
//!
//! ```text
//!  frame ─► decode ─┬─► packet ──────────────────────────────► its shard
//!             ▲     ├─► packet with another one inside ─► the carriers, a shard of our own
//!             │     │      └─ what is inside ─┐            │ names the parent
//!             ├─────┼─────────────────────────┘ ◄──────────┘
//!             │     └─► fragment ─► Defragmenter ─┐
//!             └───────── the whole datagram ◄─────┘
//! ```

use std::hash::Hasher;
use std::net::IpAddr;
use std::sync::Arc;

use siphasher::sip::SipHasher13;

use crate::decode::{
    Datagram, DecodeErrorKind, Decoded, Fragment, Inner, Packet, Payload, RawFrame, VlanTags,
    decode, decode_reassembled, is_tunnel_port, is_tunnel_protocol,
};
use crate::defrag::{Defragmenter, FragmentAnomaly, Outcome};
use crate::{
    Arrival, Checksums, Counters, DecodeError, EngineConfig, FlowKey, FlowSink, KeyOptions, Shard,
    Timestamp, Tunnel,
};

/// Takes what comes out of frames.
pub trait Outlets {
    /// Takes a packet to its shard. Its bytes are valid during the call only.
    fn packet(&mut self, arrival: Arrival<'_>);

    /// Takes note of fragments that were rejected. At most a few in a second of packet time are told
    /// of; all are counted.
    fn fragment_rejected(&mut self, _rejected: &FragmentRejected) {}

    /// Returns who hears of flows that carry others in them.
    fn carriers(&mut self) -> &mut dyn FlowSink;
}

/// A fragment that was rejected, and with it perhaps all of its datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FragmentRejected {
    /// Why.
    pub anomaly: FragmentAnomaly,
    /// The sending address.
    pub src: IpAddr,
    /// The receiving address.
    pub dst: IpAddr,
    /// The identification of the datagram.
    pub id: u32,
    /// When the fragment came.
    pub ts: Timestamp,
    /// The number of its frame.
    pub packet: u64,
}

/// How many rejected fragments are told of in a second of packet time.
const REJECTIONS_PER_SECOND: u32 = 20;

/// How often a packet can turn out to be a fragment of something that has fragments in it.
const NESTED_DATAGRAMS: u8 = 4;

/// Decodes frames.
#[derive(Debug)]
pub struct Dispatcher {
    hash_key: [u64; 2],
    key: KeyOptions,
    checksums: Checksums,
    max_depth: u8,
    counters: Counters,
    now: Timestamp,
    defrag: Defragmenter,
    carriers: Shard,
    /// The latest tunnel: the next packet is likely to come through the same.
    tunnel: Option<Arc<Tunnel>>,
    /// The second of the latest rejected fragment, and how many there were in it.
    rejections: (u64, u32),
}

/// Where in a frame we are.
#[derive(Clone)]
struct Place {
    number: u64,
    ts: Timestamp,
    interface: u32,
    tunnel: Option<Arc<Tunnel>>,
    /// Datagrams that were put together on the way here.
    datagrams: u8,
}

/// Returns whether a packet may be of a flow that carries others.
#[inline]
fn may_carry(packet: &Packet<'_>) -> bool {
    match packet.payload {
        Payload::Tcp(_) | Payload::Icmp(_) => false,
        Payload::Udp(Datagram { src_port, dst_port, .. }) => is_tunnel_port(src_port, dst_port),
        Payload::Other(other) => is_tunnel_protocol(other.protocol),
    }
}

impl Dispatcher {
    /// Makes a dispatcher.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        Self {
            hash_key: config.hash_key,
            key: config.key,
            checksums: config.checksums,
            max_depth: u8::try_from(config.limits.tunnel_depth).unwrap_or(u8::MAX),
            counters: Counters::default(),
            now: Timestamp(0),
            defrag: Defragmenter::new(&config.limits, config.hash_key),
            carriers: Shard::of_carriers(config),
            tunnel: None,
            rejections: (0, 0),
        }
    }

    /// Returns what was counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut counters = self.counters.clone();
        counters.merge(self.carriers.counters());
        counters
    }

    /// Returns the latest time of any frame.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns the flows that carry others in them.
    pub const fn carriers(&mut self) -> &mut Shard {
        &mut self.carriers
    }

    /// Returns how many bytes of fragments and of streams of such flows are held.
    #[must_use]
    pub const fn held_bytes(&self) -> u64 {
        self.defrag.held_bytes() + self.carriers.held_bytes()
    }

    /// Returns the number of flows that carry others in them.
    #[must_use]
    pub const fn carrier_flows(&self) -> usize {
        self.carriers.flows()
    }

    /// Takes the news that it is `now`, though no frame has come. Flows that carry others are to be
    /// told apart, see [`Self::carriers`].
    pub fn handle_time(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.defrag.expire(self.now, &mut self.counters);
    }

    /// Takes the next frame and hands on the packets in it, the outermost first.
    #[inline]
    pub fn handle_frame(&mut self, frame: &RawFrame<'_>, outlets: &mut dyn Outlets) {
        self.counters.frames += 1;
        self.counters.bytes += u64::from(frame.len);
        self.counters.frames_truncated += u64::from(frame.truncated());
        if frame.ts < self.now {
            self.counters.time_went_back += 1;
        } else {
            self.now = frame.ts;
        }
        let RawFrame { number, ts, interface, .. } = *frame;
        let place = Place { number, ts, interface, tunnel: None, datagrams: 0 };
        match decode(frame) {
            Ok(Decoded::Packet(packet)) if packet.inner.is_none() && !may_carry(&packet) => {
                self.deliver(packet, place, outlets);
            }
            decoded => self.follow(decoded, place, outlets),
        }
    }

    /// Hands a packet to its shard.
    #[inline]
    fn deliver(&mut self, packet: Packet<'_>, place: Place, outlets: &mut dyn Outlets) {
        let arrival = self.arrival(packet, place);
        outlets.packet(arrival);
    }

    #[inline]
    fn arrival<'a>(&mut self, packet: Packet<'a>, place: Place) -> Arrival<'a> {
        self.counters.lengths_beyond_frame += u64::from(packet.length_exceeds_frame);
        let scope = self.scope(packet.vlan, &place);
        let hash = FlowKey::new(&packet.tuple()).hash(self.hash_key) ^ scope;
        let Place { number, ts, tunnel, .. } = place;
        let hosts = self.hosts(packet.src, packet.dst);
        Arrival { number, ts, now: self.now, hash, hosts, scope, packet, tunnel }
    }

    /// Returns a hash of two hosts, in whichever order. Nobody who does not know the key can say which hosts
    /// have the same.
    #[inline]
    fn hosts(&self, src: IpAddr, dst: IpAddr) -> u64 {
        let [src, dst] = [src, dst].map(|address| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        });
        let mut hasher = SipHasher13::new_with_keys(self.hash_key[0], self.hash_key[1]);
        hasher.write_u128(src.min(dst));
        hasher.write_u128(src.max(dst));
        hasher.finish()
    }

    /// Returns a number for what tells flows apart besides addresses, ports and protocol: the number of
    /// tunnels around them, and what the operator wants. 0 if that is nothing.
    #[inline]
    fn scope(&self, vlan: VlanTags, place: &Place) -> u64 {
        let plain = self.key == KeyOptions::default() && place.tunnel.is_none();
        if plain { 0 } else { self.scope_of(vlan, place) }
    }

    fn scope_of(&self, vlan: VlanTags, place: &Place) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.hash_key[0], self.hash_key[1]);
        if self.key.vlan {
            for id in vlan.ids() {
                hasher.write_u16(*id);
            }
        }
        // What is inside of a tunnel is not of a flow outside of it, whatever its addresses say.
        hasher.write_u8(place.tunnel.as_ref().map_or(0, |tunnel| tunnel.depth));
        if self.key.tunnel
            && let Some(tunnel) = &place.tunnel
        {
            hasher.write_u8(tunnel.kind as u8);
            hasher.write_u64(tunnel.id.map_or(u64::MAX, u64::from));
        }
        if self.key.interface {
            hasher.write_u32(place.interface);
        }
        hasher.finish()
    }

    /// Takes what is not simply a packet on its own.
    #[cold]
    fn follow(
        &mut self,
        decoded: Result<Decoded<'_>, DecodeError>,
        place: Place,
        outlets: &mut dyn Outlets,
    ) {
        match decoded {
            Ok(Decoded::Packet(packet)) => match packet.inner {
                Some(inner) => self.follow_tunnel(packet, &inner, place, outlets),
                None => self.carry_or_deliver(packet, place, outlets),
            },
            Ok(Decoded::Fragment(fragment)) => self.follow_fragment(&fragment, place, outlets),
            Ok(Decoded::UnsupportedLink(_)) => self.counters.unsupported_link += 1,
            Ok(Decoded::UnsupportedEtherType(_)) => self.counters.unsupported_ethertype += 1,
            Err(error) => self.count_error(&error),
        }
    }

    /// Takes a packet that seems to have another one in it.
    fn follow_tunnel(
        &mut self,
        packet: Packet<'_>,
        inner: &Inner<'_>,
        mut place: Place,
        outlets: &mut dyn Outlets,
    ) {
        let depth = place.tunnel.as_ref().map_or(0, |tunnel| tunnel.depth);
        if depth >= self.max_depth {
            self.counters.tunnel_too_deep += 1;
            return self.deliver(packet, place, outlets);
        }
        let decoded = inner.decode();
        if let Err(error) = &decoded {
            // A port does not make a tunnel.
            self.count_error(error);
            return self.carry_or_deliver(packet, place, outlets);
        }
        self.counters.tunnelled += 1;
        let arrival = self.arrival(packet, place.clone());
        let Some(parent) = self.carriers.handle(&arrival, outlets.carriers()) else { return };
        let tunnel = Tunnel { kind: inner.kind, id: inner.id, depth: depth + 1, parent };
        let tunnel = match &self.tunnel {
            Some(latest) if **latest == tunnel => Arc::clone(latest),
            _ => Arc::clone(self.tunnel.insert(Arc::new(tunnel))),
        };
        place.tunnel = Some(tunnel);
        self.follow(decoded, place, outlets);
    }

    /// Takes a packet in which nothing was found to the carriers if it is of a protocol, or of a port, of
    /// tunnels: others of its flow may have something in them, and a flow must not be in two places.
    fn carry_or_deliver(&mut self, packet: Packet<'_>, place: Place, outlets: &mut dyn Outlets) {
        let carries = may_carry(&packet);
        let arrival = self.arrival(packet, place);
        if carries {
            self.carriers.handle(&arrival, outlets.carriers());
        } else {
            outlets.packet(arrival);
        }
    }

    fn follow_fragment(
        &mut self,
        fragment: &Fragment<'_>,
        mut place: Place,
        outlets: &mut dyn Outlets,
    ) {
        self.counters.fragments += 1;
        if self.checksums == Checksums::On && !fragment.header_checksum_ok {
            self.counters.checksum_bad += 1;
            return;
        }
        let scope = self.scope(fragment.vlan, &place);
        match self.defrag.insert(fragment, scope, self.now, &mut self.counters) {
            Outcome::Held | Outcome::Dropped => {}
            Outcome::Rejected(anomaly) => {
                let Place { ts, number: packet, .. } = place;
                let Fragment { src, dst, id, .. } = *fragment;
                self.reject(&FragmentRejected { anomaly, src, dst, id, ts, packet }, outlets);
            }
            Outcome::Whole(whole) => {
                place.datagrams += 1;
                if place.datagrams > NESTED_DATAGRAMS {
                    self.counters.decode_too_deep += 1;
                    return;
                }
                let (src, dst) = (whole.src, whole.dst);
                let decoded = decode_reassembled(
                    whole.vlan,
                    src,
                    dst,
                    whole.protocol,
                    &whole.bytes,
                    whole.ip_len,
                );
                self.follow(decoded, place, outlets);
            }
        }
    }

    fn reject(&mut self, rejected: &FragmentRejected, outlets: &mut dyn Outlets) {
        let second = self.now.0 / 1_000_000_000;
        if second != self.rejections.0 {
            self.rejections = (second, 0);
        }
        if self.rejections.1 < REJECTIONS_PER_SECOND {
            self.rejections.1 += 1;
            outlets.fragment_rejected(rejected);
        }
    }

    #[cold]
    fn count_error(&mut self, error: &DecodeError) {
        *match error.kind {
            DecodeErrorKind::TooShort { .. } => &mut self.counters.decode_too_short,
            DecodeErrorKind::Truncated { .. } => &mut self.counters.decode_truncated,
            DecodeErrorKind::Version { .. } => &mut self.counters.decode_bad_version,
            DecodeErrorKind::LengthTooSmall { .. } | DecodeErrorKind::LengthTooLarge { .. } => {
                &mut self.counters.decode_bad_length
            }
            DecodeErrorKind::TooMany { .. } => &mut self.counters.decode_too_deep,
        } += 1;
    }
}
