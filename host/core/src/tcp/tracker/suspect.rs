//! Segments with a wrong checksum from a sender whose checksums are right otherwise.
//!
//! Their receiver drops them: whoever wants to hide something sends them before the real ones, which
//! come with a right checksum. But a capture that was edited after it was taken has them too, with
//! nothing else in their place, and what was sent is in them. The peer tells the two apart: what it
//! acknowledges it has received. So such segments wait. When the peer acknowledges one, or the flow
//! ends, its bytes are taken as far as none with a right checksum have come; where some have, it was
//! worth nothing.

use super::{Conn, state};
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

/// A segment that waits.
#[derive(Debug)]
struct Suspect {
    seq: SeqNo,
    offset: u64,
    bytes: Box<[u8]>,
    /// Length on the wire.
    len: u64,
    fin: bool,
    ip_len: u64,
}

impl Suspect {
    const fn cost(&self) -> u64 {
        self.bytes.len() as u64 + OVERHEAD
    }
}

impl Conn<'_, '_> {
    /// Takes a segment whose checksum is wrong.
    pub(super) fn suspect(&mut self, side: Side, seg: &Segment<'_>, ip_len: u64) {
        let flags = seg.flags;
        if flags.has(TcpFlags::ACK) {
            let peer = self.side(side.other());
            let acked = seg.ack.offset(peer.first, peer.stream.highest());
            if let Ok(acked) = u64::try_from(acked) {
                self.settle_suspects(side.other(), acked);
            }
        }
        let fin = flags.has(TcpFlags::FIN);
        let state = self.side(side);
        let (next, acked) = (state.stream.next(), state.stream.acked());
        let offset = u64::try_from(seg.seq.offset(state.first, next));
        let useless = flags.any(TcpFlags::SYN.with(TcpFlags::RST))
            || (seg.wire_len == 0 && !fin)
            || state.stream.stopped() != Stop::No
            || self.tally[side.index()].end.is_some();
        let Some(offset) = offset.ok().filter(|offset| !useless && offset + seg.wire_len >= next)
        else {
            return self.drop_suspect(side);
        };
        let (seq, len) = (seg.seq, seg.wire_len);
        let suspect = Suspect { seq, offset, bytes: seg.payload.into(), len, fin, ip_len };
        let all = &mut self.tcp.suspects.get_or_insert_default().0;
        let waiting = &mut all[side.index()];
        if waiting.len() >= MAX_SUSPECTS || !self.cx.pool.lend(suspect.cost()) {
            self.cx.emit.counters.suspects_dropped += 1;
            return self.drop_suspect(side);
        }
        waiting.push(suspect);
        if acked >= offset + len && len != 0 {
            self.settle_suspects(side, acked);
        }
        self.settle();
    }

    /// Decides about the segments of a side that its peer has acknowledged up to `acked`.
    #[cold]
    pub(super) fn settle_suspects(&mut self, side: Side, acked: u64) {
        let Some(all) = &mut self.tcp.suspects else { return };
        let waiting = &mut all.0[side.index()];
        let (settled, left) =
            std::mem::take(waiting).into_iter().partition(|s| s.offset + s.len <= acked);
        *waiting = left;
        if all.0.iter().all(Vec::is_empty) {
            self.tcp.suspects = None;
        }
        let mut settled: Vec<Suspect> = settled;
        settled.sort_by_key(|suspect| suspect.offset);
        for suspect in settled {
            self.cx.pool.give_back(suspect.cost());
            self.settle_suspect(side, &suspect, acked);
        }
    }

    fn settle_suspect(&mut self, side: Side, suspect: &Suspect, acked: u64) {
        let stream = &self.side(side).stream;
        let end = suspect.offset + suspect.len;
        if stream.next() >= end && !suspect.fin {
            return self.drop_suspect(side);
        }
        self.cx.emit.counters.checksum_unverified += 1;
        let tally = &mut self.tally[side.index()];
        tally.pkts += 1;
        tally.ip_bytes += suspect.ip_len;
        let fin = suspect.fin && acked > end;
        let flags = if fin { TcpFlags::FIN } else { TcpFlags::default() };
        let (payload, wire_len) = (&*suspect.bytes, suspect.len);
        let seg = Segment { seq: suspect.seq, flags, payload, wire_len, ..Segment::default() };
        self.history.note_once(side, Letter::Data);
        if self.data(side, &seg) && fin {
            state::advance(&mut self.tcp.states, side, flags, wire_len == 0);
        }
    }

    #[cold]
    fn drop_suspect(&mut self, side: Side) {
        self.cx.emit.counters.checksum_bad += 1;
        self.history.note(side, Letter::Checksum);
    }
}

#[cfg(test)]
mod tests;
