//! Who talks to whom.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::bits::{low8, low16, low32};
use crate::rng::Rng;

/// An endpoint of a flow by its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The endpoint that opens the flow.
    Client,
    /// The one that it talks to.
    Server,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// The protocol above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP, protocol number 6.
    Tcp,
    /// UDP, protocol number 17.
    Udp,
}

/// What a flow carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// SMTP to port 25.
    Mail,
    /// HTTP/1.1 to port 80.
    Web,
    /// DNS to port 53, over UDP or TCP.
    Dns,
    /// The control connection of FTP, to port 21.
    Ftp,
    /// IMAP to port 143.
    Imap,
    /// MQTT to port 1883.
    Mqtt,
    /// POP3 to port 110.
    Pop3,
    /// Redis to port 6379.
    Redis,
    /// SIP to port 5060, over UDP.
    Sip,
    /// SMB to port 445.
    Smb,
    /// SSH to port 22.
    Ssh,
    /// TLS to port 443.
    Tls,
}

impl Application {
    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::Mail => 25,
            Self::Web => 80,
            Self::Dns => 53,
            Self::Ftp => 21,
            Self::Imap => 143,
            Self::Mqtt => 1883,
            Self::Pop3 => 110,
            Self::Redis => 6379,
            Self::Sip => 5060,
            Self::Smb => 445,
            Self::Ssh => 22,
            Self::Tls => 443,
        }
    }
}

/// The endpoints of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    /// The side that opens the flow.
    pub client: SocketAddr,
    /// The other one.
    pub server: SocketAddr,
}

/// Bits of a client's address that differ from flow to flow, and bits of its port.
const HOST_BITS: u32 = 24;
const PORT_BITS: u32 = 15;

impl Tuple {
    /// Flows of one `net` differ in address or port for the first 2^39 of them. Clients are spread
    /// over `10.0.0.0/8` for net 0, `11.0.0.0/8` for net 1 and so on, or `2001:db8:net::/48`.
    pub(crate) fn of(flow: u64, net: u8, v6: bool, port: u16) -> Self {
        let scattered = flow.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            & ((1 << (HOST_BITS + PORT_BITS)) - 1);
        let host = low32(scattered & ((1 << HOST_BITS) - 1));
        let client_port = (1 << PORT_BITS) | low16(scattered >> HOST_BITS);
        let server = 1 + Rng::of(0, flow).below(16);
        let (client, server) = if v6 {
            let (high, low) = (low16(u64::from(host >> 16)), low16(u64::from(host)));
            let net = u16::from(net);
            (
                IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, high, low)),
                IpAddr::V6(Ipv6Addr::new(
                    0x2001,
                    0xdb8,
                    0xffff,
                    port,
                    0,
                    0,
                    0,
                    low16(server.into()),
                )),
            )
        } else {
            let [_, a, b, c] = host.to_be_bytes();
            (
                IpAddr::V4(Ipv4Addr::new(10_u8.wrapping_add(net), a, b, c)),
                IpAddr::V4(Ipv4Addr::new(198, 18, low8(port.into()), low8(server.into()))),
            )
        };
        Self { client: (client, client_port).into(), server: (server, port).into() }
    }

    pub(crate) const fn from(&self, side: Side) -> (SocketAddr, SocketAddr) {
        match side {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Tuple;

    #[test]
    fn flows_differ_in_their_endpoints() {
        let clients: HashSet<_> =
            (0..200_000).map(|flow| Tuple::of(flow, 0, false, 53).client).collect();
        assert_eq!(clients.len(), 200_000);
    }
}
