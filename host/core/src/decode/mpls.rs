//! MPLS: a stack of labels, and nothing that says what is behind it.

use super::link::{Next, ether_type};
use super::{Cursor, DecodeError, DecodeErrorKind, Layer};
use crate::limits::MPLS_LABELS;

/// Takes labels up to the one with the bottom-of-stack bit, RFC 3032 §2.1, and guesses what follows.
pub(super) fn labels(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    for _ in 0..MPLS_LABELS {
        let label = cur.array::<4>(Layer::Mpls)?;
        if label[2] & 1 == 1 {
            return payload(cur);
        }
    }
    Err(cur.error(Layer::Mpls, DecodeErrorKind::TooMany { limit: MPLS_LABELS }))
}

/// Guesses by the first nibble, as routers do (RFC 4928 §3): 4 and 6 are IP. Anything else may be
/// Ethernet, with a control word in front (RFC 4448 §4.6), whose first nibble is 0, or without.
fn payload(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let first = cur.peek::<1>(Layer::Mpls)?[0];
    match first >> 4 {
        4 => return Ok(Next::V4),
        6 => return Ok(Next::V6),
        _ => {}
    }
    if looks_like_ethernet(cur, 0) {
        return Ok(Next::Ethernet);
    }
    if first >> 4 == 0 && looks_like_ethernet(cur, 4) {
        cur.take(Layer::Mpls, 4)?;
        return Ok(Next::Ethernet);
    }
    Ok(Next::Unsupported(ether_type::MPLS))
}

/// Returns whether an Ethernet header at `at` would have an ether type that is worth following, or
/// the length of what is there.
fn looks_like_ethernet(cur: &Cursor<'_>, at: usize) -> bool {
    use ether_type::*;
    let Some(&[high, low]) = cur.get::<2>(at + 12) else { return false };
    match u16::from_be_bytes([high, low]) {
        IPV4 | ARP | IPV6 | VLAN | OUTER_VLAN | OLD_VLAN | OLD_OUTER_VLAN | MPLS
        | MPLS_UPSTREAM | PPPOE_DISCOVERY | PPPOE_SESSION => true,
        // LLC, with SNAP or for spanning tree.
        length @ 3..0x600 => {
            at + 14 + usize::from(length) <= cur.wire
                && matches!(cur.get::<3>(at + 14), Some([0xaa, 0xaa, 3] | [0x42, 0x42, 3]))
        }
        _ => false,
    }
}
