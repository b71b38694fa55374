//! What can be said of a fragment without knowing the others.

use super::{Fragment, FragmentAnomaly};

/// The largest IPv4 packet, and the largest payload of an IPv6 packet, in bytes.
const MAX_LENGTH: u64 = 65_535;

/// The headers of an IPv6 fragment that don't count as payload of the whole: its own and the fragment's.
const IPV6_HEADERS: u64 = 48;

impl<'a> Fragment<'a> {
    /// Returns whether this is in fact the whole packet, RFC 6946.
    pub(super) const fn is_atomic(&self) -> bool {
        self.offset == 0 && !self.more
    }

    /// Returns the bytes, unless the capture cut them.
    pub(super) fn uncut(&self) -> Option<&'a [u8]> {
        self.bytes.get(..usize::try_from(self.wire_len).ok()?)
    }

    /// Returns the length that the header of the whole packet would have to tell, at least.
    fn reach(&self) -> u64 {
        let headers = if self.src.is_ipv6() { IPV6_HEADERS } else { 0 };
        let len = self.ip_len.saturating_sub(headers).max(self.wire_len);
        u64::from(self.offset).saturating_add(len)
    }

    /// Returns what is wrong with the fragment itself.
    pub(super) fn defect(&self) -> Option<FragmentAnomaly> {
        let odd = self.more && !self.wire_len.is_multiple_of(8);
        let empty = self.wire_len == 0 && !self.is_atomic();
        if self.length_exceeds_frame || odd || empty {
            Some(FragmentAnomaly::BadLength)
        } else if self.reach() > MAX_LENGTH {
            Some(FragmentAnomaly::TooLarge)
        } else {
            None
        }
    }

    /// Returns whether this is a first part that ends within the transport header, so that a filter
    /// which looks at packets one by one can't see what it would filter by (RFC 1858 §3, RFC 7112).
    pub(super) fn is_tiny(&self) -> bool {
        // Any other header fits into the 8 bytes that a part but the last has at least.
        let header = match self.protocol {
            6 => 20,        // TCP
            33 | 132 => 12, // DCCP, SCTP
            _ => 0,
        };
        self.offset == 0 && self.wire_len < header
    }
}
