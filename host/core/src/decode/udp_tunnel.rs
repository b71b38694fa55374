//! Tunnels in UDP. All of these answer nothing where the payload does not look like the tunnel's.

use super::link::Next;
use super::{Cursor, DecodeError, DecodeErrorKind, Inner, Layer, TunnelKind};

/// Takes a VXLAN header, RFC 7348 §5: a flag that says that there is a network id, and the id. Group
/// policies (draft-smith-vxlan-group-policy) have another flag, and a group in reserved bytes.
pub(super) fn vxlan(mut cur: Cursor<'_>) -> Option<Inner<'_>> {
    let &[flags, rest @ ..] = cur.get::<8>(0)?;
    cur.skip(8)?;
    let id = match (flags, rest) {
        (0x08, [0, 0, 0, a, b, c, 0]) | (0x88, [_, _, _, a, b, c, 0]) => [0, a, b, c],
        _ => return None,
    };
    Some(Inner::new(TunnelKind::Vxlan, Some(u32::from_be_bytes(id)), Next::Ethernet, cur))
}

/// Takes a VXLAN-GPE header, draft-ietf-nvo3-vxlan-gpe §3: the flags are version, network id present,
/// protocol present, broadcast, management.
pub(super) fn vxlan_gpe(mut cur: Cursor<'_>) -> Option<Inner<'_>> {
    let &[flags, 0, 0, protocol, a, b, c, 0] = cur.get::<8>(0)? else { return None };
    cur.skip(8)?;
    // Management messages are not packets.
    let (instance, protocol_present) = (flags & 0x08 != 0, flags & 0x04 != 0);
    if flags & 0xf1 != 0 || !instance {
        return None;
    }
    let next = match (protocol_present, protocol) {
        (false, 0) | (true, 3) => Next::Ethernet,
        (true, 1) => Next::V4,
        (true, 2) => Next::V6,
        (true, 5) => Next::Mpls,
        _ => return None,
    };
    let id = u32::from_be_bytes([0, a, b, c]);
    Some(Inner::new(TunnelKind::Vxlan, Some(id), next, cur))
}

/// Takes a Geneve header, RFC 8926 §3.4, with its options.
pub(super) fn geneve(mut cur: Cursor<'_>) -> Option<Inner<'_>> {
    let &[version_and_len, flags, high, low, a, b, c, 0] = cur.get::<8>(0)? else { return None };
    let len = 8 + usize::from(version_and_len & 0x3f) * 4;
    // The control flag (0x80) marks what is not a packet; 0x40 says that an option is critical.
    if version_and_len >> 6 != 0 || flags & !0x40 != 0 || len > cur.wire {
        return None;
    }
    if let Err(error) = cur.take(Layer::Geneve, len) {
        return Some(Inner::faulty(TunnelKind::Geneve, error));
    }
    let (id, protocol) = (u32::from_be_bytes([0, a, b, c]), u16::from_be_bytes([high, low]));
    Some(Inner::new(TunnelKind::Geneve, Some(id), Next::EtherType(protocol), cur))
}

/// Takes a GTP-U header of a G-PDU, 3GPP TS 29.281 §5.1, with its extension headers.
pub(super) fn gtpu(mut cur: Cursor<'_>) -> Option<Inner<'_>> {
    let &[flags, 0xff, high, low, a, b, c, d] = cur.get::<8>(0)? else { return None };
    let len = usize::from(u16::from_be_bytes([high, low]));
    // Version 1, not GTP', and a spare bit that is 0.
    if flags & 0xf8 != 0x30 || len + 8 > cur.wire {
        return None;
    }
    cur.skip(8)?;
    cur.limit(len);
    match gtpu_options(flags, &mut cur) {
        Err(error) => Some(Inner::faulty(TunnelKind::Gtpu, error)),
        Ok(()) => {
            // Which protocol a tunnel carries was agreed on when it was set up.
            let ip = cur.bytes.first().is_none_or(|first| matches!(first >> 4, 4 | 6));
            let id = Some(u32::from_be_bytes([a, b, c, d]));
            ip.then(|| Inner::new(TunnelKind::Gtpu, id, Next::Ip, cur))
        }
    }
}

/// Takes what the flags say there is: if any of them is set, a sequence number, an N-PDU number and
/// the type of the first extension header. Of these, each tells its length in 4 bytes and ends with
/// the type of the next one; 0 is none.
fn gtpu_options(flags: u8, cur: &mut Cursor<'_>) -> Result<(), DecodeError> {
    if flags & 0x07 == 0 {
        return Ok(());
    }
    let &[_, _, _, mut next] = cur.array::<4>(Layer::Gtpu)?;
    let extensions = flags & 0x04 != 0;
    while extensions && next != 0 {
        let len = usize::from(cur.peek::<1>(Layer::Gtpu)?[0]) * 4;
        if len == 0 {
            let kind = DecodeErrorKind::LengthTooSmall { claimed: 0, least: 4 };
            return Err(cur.error(Layer::Gtpu, kind));
        }
        next = cur.take(Layer::Gtpu, len)?.last().copied().unwrap_or_default();
    }
    Ok(())
}

/// Takes the headers of Teredo, RFC 4380 §5.1.1, if an IPv6 packet is behind them that fits.
pub(super) fn teredo(mut cur: Cursor<'_>) -> Option<Inner<'_>> {
    if let Some(&[0, 1, client, authentication]) = cur.get::<4>(0) {
        // Two values of these lengths, a nonce of 8 bytes, and a byte of confirmation.
        let len = 4 + usize::from(client) + usize::from(authentication) + 8 + 1;
        cur.skip(len)?;
    }
    if let Some([0, 0]) = cur.get::<2>(0) {
        cur.skip(8)?;
    }
    let &[version, _, _, _, high, low] = cur.get::<6>(0)?;
    let len = 40 + usize::from(u16::from_be_bytes([high, low]));
    if version >> 4 != 6 || len > cur.wire {
        return None;
    }
    Some(Inner::new(TunnelKind::Teredo, None, Next::V6, cur))
}
