//! The numbers of link types.

use core::fmt;

/// A LINKTYPE number, as in the header of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

/// Declares the link types that are decoded, with their names.
macro_rules! link_types {
    ($($(#[$doc:meta])+ $name:ident = $number:literal, $text:literal;)+) => {
        impl LinkType {
            $($(#[$doc])+ pub const $name: Self = Self($number);)+

            /// The types that are decoded.
            pub const SUPPORTED: &'static [Self] = &[$(Self::$name,)+];

            /// Returns the usual name, if the type is supported.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                Some(match self {
                    $(Self::$name => $text,)+
                    _ => return None,
                })
            }
        }
    };
}

link_types! {
    /// BSD loopback, the address family in the byte order of the capturing machine.
    NULL = 0, "NULL";
    /// Ethernet.
    ETHERNET = 1, "ETHERNET";
    /// PPP, with or without HDLC's address and control bytes.
    PPP = 9, "PPP";
    /// Raw IP, as some systems number it.
    RAW_BSD = 12, "RAW";
    /// Raw IP, as OpenBSD numbers it.
    RAW_OPENBSD = 14, "RAW";
    /// PPP in HDLC-like framing, or Cisco HDLC.
    PPP_HDLC = 50, "PPP_HDLC";
    /// PPP over Ethernet, without the Ethernet.
    PPP_ETHER = 51, "PPP_ETHER";
    /// Raw IP, version 4 or 6 by its first nibble.
    RAW = 101, "RAW";
    /// Cisco HDLC.
    C_HDLC = 104, "C_HDLC";
    /// IEEE 802.11.
    IEEE802_11 = 105, "IEEE802_11";
    /// OpenBSD loopback, the address family in network byte order.
    LOOP = 108, "LOOP";
    /// Linux cooked capture.
    LINUX_SLL = 113, "LINUX_SLL";
    /// IEEE 802.11 behind a radiotap header.
    IEEE802_11_RADIOTAP = 127, "IEEE802_11_RADIOTAP";
    /// Per-packet information, and behind it a frame of the link type that it names.
    PPI = 192, "PPI";
    /// PPP behind a byte that tells the direction.
    PPP_WITH_DIR = 204, "PPP_WITH_DIR";
    /// Raw IPv4.
    IPV4 = 228, "IPV4";
    /// Raw IPv6.
    IPV6 = 229, "IPV6";
    /// Packets logged by the Linux packet filter.
    NFLOG = 239, "NFLOG";
    /// Apple's header that names the process, and behind it a frame of the link type that it names.
    PKTAP = 258, "PKTAP";
    /// Linux cooked capture, version 2.
    LINUX_SLL2 = 276, "LINUX_SLL2";
}

impl LinkType {
    /// Returns whether frames of this type are decoded.
    #[must_use]
    pub const fn is_supported(self) -> bool {
        self.name().is_some()
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "unknown ({})", self.0),
        }
    }
}
