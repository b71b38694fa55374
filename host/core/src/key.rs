//! Who talks to whom: endpoints, 5-tuples, flow keys and flow ids.

use core::fmt;
use core::net::IpAddr;

use siphasher::sip::SipHasher13;

/// What the flow's packets carry right above IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP, RFC 9293.
    Tcp,
    /// UDP, RFC 768.
    Udp,
    /// ICMP, RFC 792.
    Icmp,
    /// ICMP for IPv6, RFC 4443.
    Icmpv6,
    /// Any other, by its IP protocol number.
    Other(u8),
}

impl Transport {
    /// Returns the IP protocol number.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Icmp => 1,
            Self::Icmpv6 => 58,
            Self::Other(number) => number,
        }
    }

    /// Returns the name, if there is a usual one; that of both versions of ICMP is the same.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.number() {
            1 | 58 => "icmp",
            2 => "igmp",
            4 => "ipip",
            6 => "tcp",
            17 => "udp",
            33 => "dccp",
            41 => "ipv6",
            47 => "gre",
            50 => "esp",
            51 => "ah",
            88 => "eigrp",
            89 => "ospf",
            103 => "pim",
            112 => "vrrp",
            115 => "l2tp",
            132 => "sctp",
            136 => "udplite",
            _ => return None,
        })
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.number()),
        }
    }
}

/// Which endpoint of a flow sent something.
///
/// This is an observation, not a role: the originator is whoever sent the first packet, unless
/// that was a SYN-ACK, in which case it is the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The originator.
    Orig,
    /// The responder.
    Resp,
}

impl Side {
    /// Both sides, originator first: the order in which events of both are delivered.
    pub const BOTH: [Self; 2] = [Self::Orig, Self::Resp];

    /// Returns the opposite side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Orig => Self::Resp,
            Self::Resp => Self::Orig,
        }
    }

    /// Returns 0 for the originator and 1 for the responder.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Orig => 0,
            Self::Resp => 1,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Orig => "orig",
            Self::Resp => "resp",
        })
    }
}

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The IP address.
    pub addr: IpAddr,
    /// The TCP or UDP port, or what [`Packet::tuple`](crate::decode::Packet::tuple) has in its place.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addr {
            IpAddr::V4(addr) => write!(f, "{addr}:{}", self.port),
            IpAddr::V6(addr) => write!(f, "[{addr}]:{}", self.port),
        }
    }
}

/// The two endpoints and the protocol of a flow, with direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiveTuple {
    /// The originator.
    pub orig: Endpoint,
    /// The responder.
    pub resp: Endpoint,
    /// The transport protocol.
    pub transport: Transport,
}

impl FiveTuple {
    /// Returns the same flow seen from the other end.
    #[must_use]
    pub const fn flipped(self) -> Self {
        Self { orig: self.resp, resp: self.orig, transport: self.transport }
    }

    /// Returns which side sent a packet with this direction, or nothing if it is of another flow.
    #[inline]
    pub(crate) fn side_of(&self, packet: &Self) -> Option<Side> {
        if self.transport != packet.transport {
            None
        } else if self.orig == packet.orig && self.resp == packet.resp {
            Some(Side::Orig)
        } else if self.orig == packet.resp && self.resp == packet.orig {
            Some(Side::Resp)
        } else {
            None
        }
    }
}

impl fmt::Display for FiveTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.transport, self.orig, self.resp)
    }
}

/// A [`FiveTuple`] without direction: equal for both directions of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    low: Endpoint,
    high: Endpoint,
    transport: Transport,
}

impl FlowKey {
    /// Returns the key of a flow, whichever end its tuple starts from.
    #[must_use]
    #[inline]
    pub fn new(tuple: &FiveTuple) -> Self {
        let (low, high) = if tuple.orig <= tuple.resp {
            (tuple.orig, tuple.resp)
        } else {
            (tuple.resp, tuple.orig)
        };
        Self { low, high, transport: tuple.transport }
    }

    /// Returns the SipHash-1-3 of the key under a 128-bit secret.
    ///
    /// Without the secret nobody can choose addresses and ports that collide.
    #[must_use]
    #[inline]
    pub fn hash(&self, secret: [u64; 2]) -> u64 {
        let hasher = SipHasher13::new_with_keys(secret[0], secret[1]);
        let [lp, hp] = [self.low.port.to_be_bytes(), self.high.port.to_be_bytes()];
        let protocol = self.transport.number();
        match (self.low.addr, self.high.addr) {
            (IpAddr::V4(low), IpAddr::V4(high)) => {
                let mut bytes = [0; 13];
                bytes[0..4].copy_from_slice(&low.octets());
                bytes[4..8].copy_from_slice(&high.octets());
                bytes[8..10].copy_from_slice(&lp);
                bytes[10..12].copy_from_slice(&hp);
                bytes[12] = protocol;
                hasher.hash(&bytes)
            }
            (low, high) => {
                let mut bytes = [0; 37];
                bytes[0..16].copy_from_slice(&octets(low));
                bytes[16..32].copy_from_slice(&octets(high));
                bytes[32..34].copy_from_slice(&lp);
                bytes[34..36].copy_from_slice(&hp);
                bytes[36] = protocol;
                hasher.hash(&bytes)
            }
        }
    }
}

/// Returns an address in 16 bytes. One packet never mixes families, so mapping loses nothing.
fn octets(addr: IpAddr) -> [u8; 16] {
    match addr {
        IpAddr::V4(addr) => addr.to_ipv6_mapped().octets(),
        IpAddr::V6(addr) => addr.octets(),
    }
}

/// Names one flow of one engine.
///
/// Indices are dense and reused, so a caller can keep its own state of a flow in a `Vec`;
/// generations tell two flows with the same index apart. Flows that carry others, see
/// [`Self::is_carrier`], have indices of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl FlowId {
    /// Returns the slot of the flow: smaller than the largest number of flows open at one time.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// Returns whether the flow carries others in it: it is of [`Dispatcher::carriers`].
    ///
    /// [`Dispatcher::carriers`]: crate::Dispatcher::carriers
    #[must_use]
    pub const fn is_carrier(self) -> bool {
        self.generation & 1 == 1
    }

    /// Returns the number that differs between flows that use the same slot.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple() -> FiveTuple {
        let orig = Endpoint { addr: IpAddr::from([10, 0, 0, 9]), port: 4000 };
        let resp = Endpoint { addr: IpAddr::from([10, 0, 0, 1]), port: 25 };
        FiveTuple { orig, resp, transport: Transport::Tcp }
    }

    #[test]
    fn key_is_the_same_for_both_directions() {
        let (there, back) = (FlowKey::new(&tuple()), FlowKey::new(&tuple().flipped()));
        assert_eq!(there, back);
        assert_eq!(there.hash([1, 2]), back.hash([1, 2]));
        assert_ne!(there.hash([1, 2]), there.hash([1, 3]));
    }

    #[test]
    fn key_differs_by_protocol_and_port() {
        let key = FlowKey::new(&tuple());
        let udp = FlowKey::new(&FiveTuple { transport: Transport::Udp, ..tuple() });
        assert_ne!(key, udp);
        assert_ne!(key.hash([1, 2]), udp.hash([1, 2]));
        let mut other = tuple();
        other.orig.port += 1;
        assert_ne!(key.hash([1, 2]), FlowKey::new(&other).hash([1, 2]));
    }

    #[test]
    fn side_of_a_packet() {
        assert_eq!(tuple().side_of(&tuple()), Some(Side::Orig));
        assert_eq!(tuple().side_of(&tuple().flipped()), Some(Side::Resp));
        let udp = FiveTuple { transport: Transport::Udp, ..tuple() };
        assert_eq!(tuple().side_of(&udp), None);
    }

    #[test]
    fn transports_are_named_or_numbered() {
        let names =
            [(Transport::Icmp, "icmp"), (Transport::Icmpv6, "icmp"), (Transport::Udp, "udp")];
        let others = [(47, "gre"), (132, "sctp"), (89, "ospf"), (61, "61")];
        for (number, name) in others {
            assert_eq!(Transport::Other(number).to_string(), name);
        }
        for (transport, name) in names {
            assert_eq!(transport.to_string(), name);
            assert_eq!(Transport::Other(transport.number()).to_string(), name);
        }
    }

    #[test]
    fn display_reads_well() {
        assert_eq!(tuple().to_string(), "tcp 10.0.0.9:4000 -> 10.0.0.1:25");
    }
}
