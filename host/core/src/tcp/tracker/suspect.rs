//! Bytes that their receiver may have dropped.
//!
//! Whoever wants to hide something sends bytes that an observer takes and the receiver does not, before the
//! real ones: with a wrong checksum, or on a SYN. But both come from honest senders too: captures are
//! edited, or made before the network card has filled in checksums, and some receivers take bytes on a
//! SYN. The peer tells the two apart: what it acknowledges it has received. So such bytes wait. When the
//! peer acknowledges them, or the flow ends, they are taken as far as no others have come in their place;
//! where others have, they were worth nothing.

use super::{Conn, Start, state};
use crate::decode::{Segment, TcpFlags};
use crate::flow::Letter;
use crate::tcp::Stop;
use crate::{SeqNo, Side};

/// Segments of one side that may wait at a time.
pub(crate) const MAX_SUSPECTS: usize = 64;

/// What a waiting segment costs besides its bytes.
const OVERHEAD: u64 = 64;

/// The segments of each side that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Suspects([Vec<Suspect>; 2]);

/// Why it is not certain that bytes were received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The checksum is wrong. Holds the length of the packet on the wire, for nothing was counted yet.
    Checksum(u64),
    /// They came with a SYN, RFC 7413 §4.2.
    Syn,
}

/// A segment that waits.
#[derive(Debug)]
struct Suspect {
    seq: SeqNo,
    offset: u64,
    bytes: Box<[u8]>,
    /// Length on the wire.
    len: u64,
    fin: bool,
    why: Why,
}

impl Suspect {
    const fn cost(&self) -> u64 {
        self.bytes.len() as u64 + OVERHEAD
    }
}

impl Conn<'_, '_> {
    /// Takes a segment that its receiver may have dropped.
    #[cold]
    pub(super) fn suspect(&mut self, side: Side, seg: &Segment<'_>, why: Why) {
        let flags = seg.flags;
        if flags.has(TcpFlags::ACK) && matches!(why, Why::Checksum(_)) {
            let peer = self.side(side.other());
            let acked = seg.ack.offset(peer.first, peer.stream.highest());
            if let Ok(acked) = u64::try_from(acked) {
                self.settle_suspects(side.other(), acked);
            }
        }
        let fin = flags.has(TcpFlags::FIN);
        // RFC 9293 §3.4: the SYN takes one number before the first byte.
        let seq = if flags.has(TcpFlags::SYN) { seg.seq.plus(1) } else { seg.seq };
        let state = self.side(side);
        let (next, acked) = (state.stream.next(), state.stream.acked());
        let offset = u64::try_from(seq.offset(state.first, next));
        let useless = (flags.any(TcpFlags::SYN.with(TcpFlags::RST)) && why != Why::Syn)
            || (seg.wire_len == 0 && !fin)
            || state.start == Start::Unknown
            || state.stream.stopped() != Stop::No
            || self.tally[side.index()].end.is_some();
        let offset = offset.ok().filter(|offset| !useless && offset + seg.wire_len >= next);
        let Some(offset) = offset else { return self.drop_suspect(side, why) };
        let len = seg.wire_len;
        let suspect = Suspect { seq, offset, bytes: seg.payload.into(), len, fin, why };
        let all = &mut self.tcp.suspects.get_or_insert_default().0;
        let waiting = &mut all[side.index()];
        if waiting.len() >= MAX_SUSPECTS || !self.cx.pool.lend(suspect.cost()) {
            self.cx.emit.counters.suspects_dropped += 1;
            return self.drop_suspect(side, why);
        }
        waiting.push(suspect);
        self.settle_suspects(side, acked);
        self.settle();
    }

    /// Returns the offset behind the last byte of a side, those that wait included.
    pub(super) fn suspected_end(&mut self, side: Side) -> u64 {
        let waiting = self.tcp.suspects.as_ref().map(|all| &all.0[side.index()]);
        let end = waiting.into_iter().flatten().map(|suspect| suspect.offset + suspect.len).max();
        self.side(side).stream.highest().max(end.unwrap_or(0))
    }

    /// Decides about the segments of a side that its peer has acknowledged up to `acked`.
    pub(super) fn settle_suspects(&mut self, side: Side, acked: u64) {
        let Some(all) = &mut self.tcp.suspects else { return };
        let waiting = &mut all.0[side.index()];
        let is_settled = |s: &Suspect| s.offset + s.len + u64::from(s.fin) <= acked;
        let (mut settled, left): (Vec<Suspect>, _) =
            std::mem::take(waiting).into_iter().partition(is_settled);
        *waiting = left;
        if all.0.iter().all(Vec::is_empty) {
            self.tcp.suspects = None;
        }
        settled.sort_by_key(|suspect| suspect.offset);
        for suspect in settled {
            self.cx.pool.give_back(suspect.cost());
            self.settle_suspect(side, &suspect);
        }
    }

    fn settle_suspect(&mut self, side: Side, suspect: &Suspect) {
        let Suspect { seq, offset, ref bytes, len: wire_len, fin, why } = *suspect;
        let ended = self.tally[side.index()].end.is_some();
        if ended || (self.side(side).stream.next() >= offset + wire_len && !fin) {
            return self.drop_suspect(side, why);
        }
        if let Why::Checksum(ip_len) = why {
            self.cx.emit.counters.checksum_unverified += 1;
            let tally = &mut self.tally[side.index()];
            tally.pkts += 1;
            tally.ip_bytes += ip_len;
            self.history.note_once(side, Letter::Data);
        }
        let flags = if fin { TcpFlags::FIN } else { TcpFlags::default() };
        let seg = Segment { seq, flags, payload: bytes, wire_len, ..Segment::default() };
        if self.data(side, &seg) && fin {
            state::advance(&mut self.tcp.states, side, flags, wire_len == 0);
        }
    }

    fn drop_suspect(&mut self, side: Side, why: Why) {
        match why {
            Why::Checksum(_) => {
                self.cx.emit.counters.checksum_bad += 1;
                self.history.note(side, Letter::Checksum);
            }
            Why::Syn => self.cx.emit.counters.syn_data_refused += 1,
        }
    }
}

#[cfg(test)]
mod tests;
