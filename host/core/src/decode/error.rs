//! What can be wrong with a frame.

use core::fmt;

/// The layer whose header could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// The link layer's own header: Ethernet, Linux cooked capture, BSD loopback, and deeper than the
    /// limit, whatever comes next.
    Link,
    /// A VLAN tag, IEEE 802.1Q.
    Vlan,
    /// LLC (IEEE 802.2), and SNAP behind it.
    Llc,
    /// An MPLS label, RFC 3032.
    Mpls,
    /// PPP over Ethernet, RFC 2516.
    Pppoe,
    /// PPP (RFC 1661), also in HDLC-like framing (RFC 1662), and Cisco HDLC.
    Ppp,
    /// What a radiotap capture has in front of IEEE 802.11.
    Radiotap,
    /// IEEE 802.11.
    Wifi,
    /// What the Linux packet filter logs of a packet.
    Nflog,
    /// What Apple's PKTAP and the per-packet information header (PPI) have in front of a frame.
    Pktap,
    /// IPv4, RFC 791.
    Ipv4,
    /// IPv6, RFC 8200.
    Ipv6,
    /// An extension header of IPv6, or an authentication header (RFC 4302) of either version.
    IpExtension,
    /// TCP, RFC 9293.
    Tcp,
    /// UDP, RFC 768.
    Udp,
    /// ICMP, RFC 792 and RFC 4443.
    Icmp,
    /// GRE, RFC 2784 and RFC 2637.
    Gre,
    /// Cisco's ERSPAN.
    Erspan,
    /// Geneve, RFC 8926.
    Geneve,
    /// GTP-U, 3GPP TS 29.281.
    Gtpu,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "link header",
            Self::Vlan => "vlan tag",
            Self::Llc => "llc header",
            Self::Mpls => "mpls label",
            Self::Pppoe => "pppoe header",
            Self::Ppp => "ppp header",
            Self::Radiotap => "radiotap header",
            Self::Wifi => "802.11 header",
            Self::Nflog => "nflog header",
            Self::Pktap => "pktap header",
            Self::Ipv4 => "ipv4 header",
            Self::Ipv6 => "ipv6 header",
            Self::IpExtension => "ip extension header",
            Self::Tcp => "tcp header",
            Self::Udp => "udp header",
            Self::Icmp => "icmp header",
            Self::Gre => "gre header",
            Self::Erspan => "erspan header",
            Self::Geneve => "geneve header",
            Self::Gtpu => "gtp-u header",
        })
    }
}

/// What was wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The header does not fit into what was on the wire.
    #[error("needs {needed} bytes, but only {present} were on the wire")]
    TooShort {
        /// Bytes of the header.
        needed: usize,
        /// Bytes that there were.
        present: usize,
    },
    /// The capture cut the header.
    #[error("needs {needed} bytes, but only {captured} were captured")]
    Truncated {
        /// Bytes of the header.
        needed: usize,
        /// Bytes that the capture kept of them.
        captured: usize,
    },
    /// The version field says something else than the layer below did.
    #[error("wrong version {found}")]
    Version {
        /// The version found.
        found: u8,
    },
    /// A length field is smaller than the header it is in.
    #[error("says it is {claimed} bytes long, less than the {least} it takes")]
    LengthTooSmall {
        /// The value of the field, in bytes.
        claimed: usize,
        /// The least it can be.
        least: usize,
    },
    /// A length field is larger than what was on the wire.
    #[error("says it is {claimed} bytes long, but only {present} were on the wire")]
    LengthTooLarge {
        /// The value of the field, in bytes.
        claimed: usize,
        /// Bytes that there were.
        present: usize,
    },
    /// More headers of this kind than the decoder follows.
    #[error("more than {limit} in a row")]
    TooMany {
        /// How many are followed.
        limit: usize,
    },
}

/// A frame that could not be decoded: a fact about the traffic, never a failure of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{layer} at byte {offset}: {kind}")]
pub struct DecodeError {
    /// Which header.
    pub layer: Layer,
    /// Where it starts, in bytes from the start of the frame, or of what was put together from
    /// fragments; at most what there is of it.
    pub offset: usize,
    /// What was wrong.
    pub kind: DecodeErrorKind,
}
