//! The Internet checksum, RFC 1071, over headers and whole transports.

use core::net::IpAddr;

use super::{Packet, Payload};

/// What a checksum says of its packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// It is right, or the sender did not send one where it need not.
    Good,
    /// It is wrong in a way that tells that a network card had yet to fill it in, or has put
    /// several packets together.
    Offloaded,
    /// It is wrong.
    Bad,
    /// It can't be checked: bytes are missing, or the transport has none that is known.
    Unknown,
}

/// Packets longer than this on the wire, in bytes, have not been on an ordinary wire as they are.
const ORDINARY: u64 = 1500;

/// Adds the 16-bit words of `bytes` in ones' complement, in network byte order.
///
/// Words are added in the other order, eight bytes at a time, and swapped in the end: RFC 1071 §2(B).
/// There is no carry to look after in 64 bits before 16 GiB.
#[inline]
pub(super) fn sum(bytes: &[u8]) -> u16 {
    let halves = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        (word & 0xffff_ffff) + (word >> 32)
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    fold(chunks.iter().map(|chunk| halves(*chunk)).sum::<u64>() + halves(last)).swap_bytes()
}

/// Adds the carries until 16 bits are left.
#[inline]
const fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let [.., high, low] = ((sum & 0xffff) + (sum >> 16)).to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// Checks a whole IPv4 header. A zero is what a sender leaves for its network card to fill in.
#[inline]
pub(super) fn header_ok(header: &[u8]) -> bool {
    matches!(header.get(10..12), Some([0, 0])) || sum(header) == 0xffff
}

/// Adds the pseudo header: RFC 9293 §3.1, RFC 8200 §8.1.
fn pseudo_header(src: IpAddr, dst: IpAddr, protocol: u8, len: u64) -> u16 {
    let address = |address| match address {
        IpAddr::V4(v4) => sum(&v4.octets()),
        IpAddr::V6(v6) => sum(&v6.octets()),
    };
    let parts = [u64::from(address(src)), u64::from(address(dst)), u64::from(protocol), len];
    fold(parts.iter().sum())
}

impl Packet<'_> {
    /// Checks the checksum of the transport. That reads all of the packet.
    ///
    /// An IPv6 datagram without a checksum is bad, unless it is a tunnel's (RFC 6935 §5).
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        let (protocol, at, covered) = match &self.payload {
            Payload::Tcp(_) => (6, 16, self.wire_len),
            Payload::Udp(datagram) => (17, 6, datagram.wire_len + 8),
            Payload::Icmp(icmp) => (if icmp.v6 { 58 } else { 1 }, 2, self.wire_len),
            Payload::Other(_) => return Checksum::Unknown,
        };
        let bytes = usize::try_from(covered).ok().and_then(|len| self.transport.get(..len));
        let Some(bytes) = bytes else { return Checksum::Unknown };
        let field = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<2>());
        let Some(field) = field.copied().map(u16::from_be_bytes) else { return Checksum::Unknown };
        if field == 0 && protocol == 17 && (self.src.is_ipv4() || self.inner.is_some()) {
            return Checksum::Good;
        }
        let pseudo = match protocol {
            1 => 0,
            _ => pseudo_header(self.src, self.dst, protocol, covered),
        };
        if fold(u64::from(sum(bytes)) + u64::from(pseudo)) == 0xffff {
            return Checksum::Good;
        }
        let left_to_the_card = match protocol {
            6 => field == 0 || field == pseudo,
            1 => false,
            _ => field == pseudo,
        };
        if left_to_the_card || self.ip_len > ORDINARY { Checksum::Offloaded } else { Checksum::Bad }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Rng;

    fn naive(bytes: &[u8]) -> u16 {
        bytes.chunks(2).fold(0u16, |sum, pair| {
            let word = u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
            let (sum, carry) = sum.overflowing_add(word);
            sum + u16::from(carry)
        })
    }

    #[test]
    fn sum_is_that_of_the_naive_loop() {
        let mut rng = Rng::new(7);
        let random: Vec<u8> = (0..70_000).map(|_| rng.next() as u8).collect();
        for len in (0..100).chain([1459, 1460, 65_535, 70_000]) {
            for bytes in [&random[..len], &vec![0xff; len][..], &vec![0; len][..]] {
                assert_eq!(sum(bytes), naive(bytes), "{len}");
            }
        }
    }

    #[test]
    fn fold_takes_every_carry() {
        for (from, to) in [
            (0, 0),
            (0xffff, 0xffff),
            (0x1_0000, 1),
            (0x1_ffff, 1),
            (0xffff_ffff, 0xffff),
            (0xffff_ffff_ffff, 0xffff),
            (u64::MAX, 0xffff),
            (0xffff_0001_ffff_ffff, 1),
        ] {
            assert_eq!(fold(from), to, "{from:x}");
        }
    }

    #[test]
    fn header_sum_zero_is_not_looked_at() {
        assert!(header_ok(&[9; 10].into_iter().chain([0; 10]).collect::<Vec<_>>()));
        assert!(!header_ok(&[9; 20]));
        // The example of RFC 1071 §3, with its sum filled in.
        assert_eq!(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0xddf2);
    }
}
