//! Headers that only exist in captures: they tell about a frame, and of which link type it is.

use super::link::Next;
use super::{Cursor, DecodeError, DecodeErrorKind, Layer, LinkType};

/// The attribute of a logged packet that is the packet itself.
const PAYLOAD: u16 = 9;

/// Takes what the Linux packet filter logs of a packet, up to the packet.
///
/// Attributes are in the byte order of the machine that logged. Their types are small, so that the
/// zero tells the order.
pub(super) fn nflog(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let &[family, version, _, _] = cur.peek::<4>(Layer::Nflog)?;
    if version != 0 {
        return Err(cur.error(Layer::Nflog, DecodeErrorKind::Version { found: version }));
    }
    cur.take(Layer::Nflog, 4)?;
    loop {
        let &[a, b, c, d] = cur.peek::<4>(Layer::Nflog)?;
        let (len, kind) = if d == 0 {
            (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
        } else {
            (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
        };
        let len = usize::from(len);
        if len < 4 {
            let kind = DecodeErrorKind::LengthTooSmall { claimed: len, least: 4 };
            return Err(cur.error(Layer::Nflog, kind));
        }
        if kind == PAYLOAD {
            cur.take(Layer::Nflog, 4)?;
            cur.limit(len - 4);
            return Ok(match family {
                2 => Next::V4,
                10 => Next::V6,
                other => Next::Unsupported(u16::from(other)),
            });
        }
        cur.take(Layer::Nflog, len.next_multiple_of(4))?;
    }
}

/// Takes Apple's PKTAP header: its length, what follows (1 is a packet), and the link type of that.
pub(super) fn pktap(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *cur.peek::<12>(Layer::Pktap)?;
    let follows = u32::from_le_bytes([e, f, g, h]);
    skip(cur, u32::from_le_bytes([a, b, c, d]), 12)?;
    Ok(if follows == 1 {
        Next::Link(LinkType(u32::from_le_bytes([i, j, k, l])))
    } else {
        Next::Unsupported(0)
    })
}

/// Takes a per-packet information header: version, flags, its length, and the link type.
pub(super) fn ppi(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let &[version, _, c, d, e, f, g, h] = cur.peek::<8>(Layer::Pktap)?;
    if version != 0 {
        return Err(cur.error(Layer::Pktap, DecodeErrorKind::Version { found: version }));
    }
    skip(cur, u32::from(u16::from_le_bytes([c, d])), 8)?;
    Ok(Next::Link(LinkType(u32::from_le_bytes([e, f, g, h]))))
}

/// Takes a header that says its own length.
fn skip(cur: &mut Cursor<'_>, len: u32, least: usize) -> Result<(), DecodeError> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if len < least {
        let kind = DecodeErrorKind::LengthTooSmall { claimed: len, least };
        return Err(cur.error(Layer::Pktap, kind));
    }
    cur.take(Layer::Pktap, len).map(|_| ())
}
