//! IEEE 802.11 data frames, and the radiotap header that captures have in front of them.

use super::link::Next;
use super::{Cursor, DecodeError, DecodeErrorKind, Layer};

/// Flags of radiotap: the frame ends with its check sequence.
const FCS: u8 = 0x10;
/// Flags of radiotap: zeros between header and payload make it begin at a multiple of 4.
const PADDED: u8 = 0x20;

/// Takes a radiotap header and the 802.11 header behind it.
pub(super) fn radiotap(cur: &mut Cursor<'_>) -> Result<Next, DecodeError> {
    let start = cur.peek::<8>(Layer::Radiotap)?;
    if start[0] != 0 {
        let kind = DecodeErrorKind::Version { found: start[0] };
        return Err(cur.error(Layer::Radiotap, kind));
    }
    let len = usize::from(u16::from_le_bytes([start[2], start[3]]));
    if len < 8 {
        let kind = DecodeErrorKind::LengthTooSmall { claimed: len, least: 8 };
        return Err(cur.error(Layer::Radiotap, kind));
    }
    let flags = flags(cur.take(Layer::Radiotap, len)?).unwrap_or_default();
    if flags & FCS != 0 {
        cur.limit(cur.wire.saturating_sub(4));
    }
    wifi(cur, flags & PADDED != 0)
}

/// Finds the flags in a radiotap header: a bit for each field that is present, in words that say
/// whether another one follows; then the fields, each aligned to its own size.
fn flags(header: &[u8]) -> Option<u8> {
    let mut words = header.get(4..)?.chunks_exact(4).map(|word| word.first_chunk::<4>());
    let first = u32::from_le_bytes(*words.next()??);
    let (time, flags, another) = (first & 1 != 0, first & 2 != 0, 1 << 31);
    let mut at = 8;
    let mut word = first;
    while word & another != 0 {
        word = u32::from_le_bytes(*words.next()??);
        at += 4;
    }
    if time {
        at = usize::next_multiple_of(at, 8) + 8;
    }
    if flags { header.get(at).copied() } else { None }
}

/// Takes an 802.11 header, IEEE 802.11 §9.2 and §9.3.2. What is not a whole, readable packet is not
/// followed: management, control, encrypted frames, fragments, several packets in one frame.
pub(super) fn wifi(cur: &mut Cursor<'_>, padded: bool) -> Result<Next, DecodeError> {
    let control = *cur.peek::<2>(Layer::Wifi)?;
    let [kind, flags] = control;
    if kind & 0x03 != 0 {
        return Err(cur.error(Layer::Wifi, DecodeErrorKind::Version { found: kind & 0x03 }));
    }
    let (data, empty) = (kind & 0x0c == 0x08, kind & 0x40 != 0);
    let (more_fragments, protected) = (flags & 0x04 != 0, flags & 0x40 != 0);
    let unsupported = Ok(Next::Unsupported(u16::from_be_bytes(control)));
    if !data || empty || more_fragments || protected {
        return unsupported;
    }
    // To and from the distribution system: a bridge between access points, with a fourth address.
    let addresses = if flags & 0x03 == 0x03 { 30 } else { 24 };
    let quality = kind & 0x80 != 0;
    let len = match (quality, flags & 0x80 != 0) {
        (false, _) => addresses,
        (true, false) => addresses + 2,
        // The order bit says that a high-throughput control field follows.
        (true, true) => addresses + 6,
    };
    let header =
        cur.take(Layer::Wifi, if padded { usize::next_multiple_of(len, 4) } else { len })?;
    let fragment = header.get(22).is_some_and(|byte| byte & 0x0f != 0);
    let aggregate = quality && header.get(addresses).is_some_and(|byte| byte & 0x80 != 0);
    if fragment || aggregate { unsupported } else { Ok(Next::Llc) }
}
