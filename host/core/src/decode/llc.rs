//! LLC and SNAP: how IEEE 802 networks other than Ethernet tell what they carry.

use super::link::Next;
use super::{Cursor, DecodeError, Layer};

/// Takes an LLC header, IEEE 802.2, and the SNAP header behind it, if there is one.
pub(super) fn llc(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let [dsap, ssap, control] = *cur.peek::<3>(Layer::Llc)?;
    Ok(match (dsap, ssap, control) {
        // RFC 1042: an organization, and a type that is its own affair unless the organization is
        // 0, or that of the bridge tunnel of IEEE 802.1H.
        (0xaa, 0xaa, 0x03) => {
            let &[_, _, _, a, b, c, high, low] = cur.array::<8>(Layer::Llc)?;
            let protocol = u16::from_be_bytes([high, low]);
            match [a, b, c] {
                [0, 0, 0] | [0, 0, 0xf8] => Next::EtherType(protocol),
                _ => Next::Unsupported(protocol),
            }
        }
        (0x06, 0x06, 0x03) => {
            cur.take(Layer::Llc, 3)?;
            Next::V4
        }
        _ => Next::Unsupported(u16::from_be_bytes([dsap, ssap])),
    })
}
