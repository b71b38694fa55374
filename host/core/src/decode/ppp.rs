//! PPP, with what it is framed in, and Cisco HDLC.

use super::link::{Next, ether_type};
use super::{Cursor, DecodeError, DecodeErrorKind, Layer};

/// HDLC's "all stations" address and "unnumbered information", RFC 1662 §3.1.
const ADDRESS_AND_CONTROL: [u8; 2] = [0xff, 0x03];

/// Takes a PPP header, RFC 1661 §2: the protocol, in one byte (§6.5) or two. The address and
/// control bytes of HDLC-like framing may be in front of it or not (RFC 1662 §3.2).
pub(super) fn ppp(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    // No protocol starts with this byte, so that a capture that cut the next one is not misread.
    if cur.get(0) == Some(&[ADDRESS_AND_CONTROL[0]])
        && *cur.peek::<2>(Layer::Ppp)? == ADDRESS_AND_CONTROL
    {
        cur.take(Layer::Ppp, 2)?;
    }
    let first = cur.peek::<1>(Layer::Ppp)?[0];
    // The last bit of a protocol is set and that of its first byte is not, so they can't be confused.
    let protocol = if first & 1 == 1 {
        cur.take(Layer::Ppp, 1)?;
        u16::from(first)
    } else {
        u16::from_be_bytes(*cur.array::<2>(Layer::Ppp)?)
    };
    Ok(match protocol {
        0x0021 => Next::V4,
        0x0057 => Next::V6,
        0x0281 | 0x0283 => Next::Mpls,
        other => Next::Unsupported(other),
    })
}

/// Takes what is in front of PPP on a serial line, which may turn out to be Cisco's.
pub(super) fn hdlc(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    match cur.peek::<1>(Layer::Ppp)?[0] {
        0x0f | 0x8f => cisco(cur),
        _ => Ok(Next::Ppp),
    }
}

/// Takes a header of Cisco HDLC: an address (0x0f unicast, 0x8f broadcast), a zero, an ether type.
pub(super) fn cisco(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let &[_, _, high, low] = cur.array::<4>(Layer::Ppp)?;
    Ok(Next::EtherType(u16::from_be_bytes([high, low])))
}

/// Takes the byte that says which way the frame went.
pub(super) fn with_direction(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    cur.take(Layer::Ppp, 1)?;
    Ok(Next::Ppp)
}

/// Takes a PPPoE header, RFC 2516 §4.
pub(super) fn pppoe(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let &[version_and_type, code, _, _, high, low] = cur.peek::<6>(Layer::Pppoe)?;
    if version_and_type != 0x11 {
        let kind = DecodeErrorKind::Version { found: version_and_type >> 4 };
        return Err(cur.error(Layer::Pppoe, kind));
    }
    if code != 0 {
        // Discovery, wherever it strayed from.
        return Ok(Next::Unsupported(ether_type::PPPOE_DISCOVERY));
    }
    cur.take(Layer::Pppoe, 6)?;
    cur.limit(usize::from(u16::from_be_bytes([high, low])));
    Ok(Next::Ppp)
}
