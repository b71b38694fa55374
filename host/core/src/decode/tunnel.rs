//! Packets inside of packets.

use super::link::{self, Next};
use super::{Cursor, DecodeError, Decoded, VlanTags, gre, udp_tunnel};
use crate::event::named;

named! {
    /// How a packet is put inside of another one.
    TunnelKind {
        /// GRE, RFC 2784, and its enhanced form of PPTP, RFC 2637.
        Gre = "gre",
        /// IP in IP, of any two versions: RFC 2003, RFC 2473 and RFC 4213.
        IpInIp = "ip_in_ip",
        /// Cisco's ERSPAN: a mirrored frame, in GRE.
        Erspan = "erspan",
        /// VXLAN, RFC 7348.
        Vxlan = "vxlan",
        /// Geneve, RFC 8926.
        Geneve = "geneve",
        /// Teredo, RFC 4380.
        Teredo = "teredo",
        /// GTP-U, 3GPP TS 29.281.
        Gtpu = "gtpu",
    }
}

/// A packet inside of another one.
#[derive(Debug, Clone, Copy)]
pub struct Inner<'a> {
    /// How it was put there.
    pub kind: TunnelKind,
    /// Which tunnel between the two addresses: a GRE key or the call of PPTP, an ERSPAN session, the
    /// network of VXLAN or Geneve, a GTP-U endpoint.
    pub id: Option<u32>,
    rest: Result<(Next, Cursor<'a>), DecodeError>,
}

impl<'a> Inner<'a> {
    pub(super) fn new(kind: TunnelKind, id: Option<u32>, next: Next, cur: Cursor<'a>) -> Self {
        Self { kind, id, rest: Ok((next, cur)) }
    }

    /// Makes a tunnel that is one for sure, but whose header can't be read.
    pub(super) fn faulty(kind: TunnelKind, error: DecodeError) -> Self {
        Self { kind, id: None, rest: Err(error) }
    }

    /// Decodes it, as far as the next tunnel. Its VLAN tags are those inside of this one.
    ///
    /// A caller who follows tunnels must stop at some depth: there is room for a thousand of them in
    /// a packet.
    ///
    /// # Errors
    ///
    /// As [`decode`](super::decode); also if the header of the tunnel can't be read.
    pub fn decode(&self) -> Result<Decoded<'a>, DecodeError> {
        let (next, cur) = self.rest?;
        link::follow(VlanTags::default(), next, cur)
    }
}

/// Finds what is inside of a packet with this IP protocol.
pub(super) fn of_ip(protocol: u8, cur: Cursor<'_>) -> Option<Inner<'_>> {
    match protocol {
        4 => Some(Inner::new(TunnelKind::IpInIp, None, Next::V4, cur)),
        41 => Some(Inner::new(TunnelKind::IpInIp, None, Next::V6, cur)),
        47 => gre::open(cur).unwrap_or_else(|error| Some(Inner::faulty(TunnelKind::Gre, error))),
        _ => None,
    }
}

/// Looks for a tunnel in the payload of a datagram; nothing if it is none.
type Open = for<'a> fn(Cursor<'a>) -> Option<Inner<'a>>;

/// The UDP ports of tunnels, in order. A port alone is no proof: what does not look like the tunnel's
/// header is an ordinary datagram.
const PORTS: &[(u16, Open)] = &[
    (2152, udp_tunnel::gtpu),
    (3544, udp_tunnel::teredo),
    (4789, udp_tunnel::vxlan),
    // VXLAN with a field that tells the protocol: draft-ietf-nvo3-vxlan-gpe.
    (4790, udp_tunnel::vxlan_gpe),
    (6081, udp_tunnel::geneve),
    // What Linux used for VXLAN before there was a number, and still does if not told otherwise.
    (8472, udp_tunnel::vxlan),
];

/// Returns whether one of the ports is that of a tunnel.
#[inline]
pub(crate) fn is_tunnel_port(src: u16, dst: u16) -> bool {
    const FIRST: u16 = PORTS[0].0;
    const LAST: u16 = PORTS[PORTS.len() - 1].0;
    // Most ports are outside of the range, so that most datagrams take two comparisons.
    let candidate = |port| (FIRST..=LAST).contains(&port);
    (candidate(src) || candidate(dst)) && PORTS.iter().any(|(port, _)| *port == src || *port == dst)
}

/// Returns whether this IP protocol is one of packets in packets.
pub(crate) const fn is_tunnel_protocol(protocol: u8) -> bool {
    matches!(protocol, 4 | 41 | 47)
}

/// Finds what is inside of a datagram between these ports.
#[inline]
pub(super) fn of_udp(src: u16, dst: u16, data: Cursor<'_>) -> Option<Inner<'_>> {
    if is_tunnel_port(src, dst) { search(src, dst, data) } else { None }
}

#[inline(never)]
fn search(src: u16, dst: u16, data: Cursor<'_>) -> Option<Inner<'_>> {
    PORTS.iter().filter(|(port, _)| *port == src || *port == dst).find_map(|(_, open)| open(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_in_order() {
        assert!(PORTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn kinds_have_names() {
        let names: Vec<_> = TunnelKind::ALL.iter().map(|kind| kind.to_string()).collect();
        assert_eq!(names, ["gre", "ip_in_ip", "erspan", "vxlan", "geneve", "teredo", "gtpu"]);
    }
}
