//! GRE and what is made of it: PPTP and ERSPAN.

use super::link::Next;
use super::{Cursor, DecodeError, Inner, Layer, TunnelKind};

/// Bits of the first field: checksum, routing (RFC 1701), key and sequence number present.
const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// An acknowledgment number is present: RFC 2637 §4.1.
const ACKNOWLEDGMENT: u16 = 0x0080;

/// Ether types of ERSPAN: versions I and II, and version III.
const ERSPAN: u16 = 0x88be;
const ERSPAN_III: u16 = 0x22eb;

/// Takes a GRE header; nothing if what is behind it is not to be had.
pub(super) fn open(mut cur: Cursor<'_>) -> Result<Option<Inner<'_>>, DecodeError> {
    let &[a, b, c, d] = cur.peek::<4>(Layer::Gre)?;
    let (flags, protocol) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    match flags & 0x0007 {
        1 => pptp(flags, cur),
        // Where a source route would end is only known to those that follow it.
        0 if flags & ROUTING == 0 => {
            let checksum = if flags & CHECKSUM == 0 { 0 } else { 4 };
            let key = if flags & KEY == 0 { 0 } else { 4 };
            let sequence = if flags & SEQUENCE == 0 { 0 } else { 4 };
            let header = cur.take(Layer::Gre, 4 + checksum + key + sequence)?;
            let id = header.get(4 + checksum..).and_then(|rest| rest.first_chunk::<4>());
            let id = id.filter(|_| key != 0).map(|id| u32::from_be_bytes(*id));
            let unnumbered = sequence == 0;
            Ok(Some(match protocol {
                // Version I has no header of its own; the others use sequence numbers.
                ERSPAN if unnumbered => Inner::new(TunnelKind::Erspan, id, Next::Ethernet, cur),
                ERSPAN | ERSPAN_III => erspan(cur, protocol)
                    .unwrap_or_else(|error| Inner::faulty(TunnelKind::Erspan, error)),
                _ => Inner::new(TunnelKind::Gre, id, Next::EtherType(protocol), cur),
            }))
        }
        _ => Ok(None),
    }
}

/// Takes the enhanced header of PPTP, RFC 2637 §4.1; nothing if it only acknowledges.
fn pptp(flags: u16, mut cur: Cursor<'_>) -> Result<Option<Inner<'_>>, DecodeError> {
    let &[_, _, _, _, len_high, len_low, call_high, call_low] = cur.peek::<8>(Layer::Gre)?;
    if flags & KEY == 0 || flags & SEQUENCE == 0 {
        return Ok(None);
    }
    cur.take(Layer::Gre, if flags & ACKNOWLEDGMENT == 0 { 12 } else { 16 })?;
    cur.limit(usize::from(u16::from_be_bytes([len_high, len_low])));
    let call = u32::from(u16::from_be_bytes([call_high, call_low]));
    Ok(Some(Inner::new(TunnelKind::Gre, Some(call), Next::Ppp, cur)))
}

/// Takes the header of ERSPAN II or III: version, VLAN, priority and flags, session, and more that
/// does not matter here.
fn erspan(mut cur: Cursor<'_>, protocol: u16) -> Result<Inner<'_>, DecodeError> {
    let &[_, _, high, low] = cur.peek::<4>(Layer::Erspan)?;
    let session = u32::from(u16::from_be_bytes([high, low]) & 0x03ff);
    let next = if protocol == ERSPAN {
        cur.take(Layer::Erspan, 8)?;
        Next::Ethernet
    } else {
        let &[.., high, low] = cur.array::<12>(Layer::Erspan)?;
        // The last bit: 8 bytes more follow.
        if low & 1 != 0 {
            cur.take(Layer::Erspan, 8)?;
        }
        // Frame type: 0 is Ethernet, 2 is IP.
        match (high >> 2) & 0x1f {
            0 => Next::Ethernet,
            2 => Next::Ip,
            other => Next::Unsupported(u16::from(other)),
        }
    };
    Ok(Inner::new(TunnelKind::Erspan, Some(session), next, cur))
}
