//! FINs and RSTs: which of them are believed, and what comes after them.
//!
//! Anybody who can guess a number within the window can send a RST. RFC 5961 §3.2 therefore has a
//! receiver obey only the one number that it expects next, and answer any other in its window with
//! an acknowledgment. Older systems obey them all, and what the receiver expects can't be seen
//! exactly from outside. So a RST at a place where the receiver may well be is obeyed at once. Any
//! other within the window is doubted: the flow goes on, and if nothing contradicts the RST until
//! the flow closes, the flow closes as reset. No honest byte is lost in either case.

use super::{Conn, Start, Verdict, state};
use crate::decode::{Segment, TcpFlags};
use crate::event::AnomalyKind;
use crate::flow::Letter;
use crate::{EndReason, Side};

/// A RST of which it is not known whether its receiver obeys it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doubt {
    /// Who sent it, or seems to.
    by: Side,
    /// Whether it comes true once all bytes before `end` are here.
    ahead: bool,
    /// The stream offset behind which its sender can't have sent anything if it is true.
    end: u64,
}

/// What to think of a RST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Its receiver obeys it.
    Exact,
    /// Its receiver may obey it.
    Doubtful,
    /// Its receiver ignores it.
    Outside,
}

impl Conn<'_, '_> {
    /// Takes note of a FIN. One that is sent again marks the same end.
    pub(super) fn note_fin(&mut self, side: Side, seg: &Segment<'_>) {
        let state = self.side(side);
        let end = seg.seq.offset(state.first, state.stream.next());
        let end = end.saturating_add_unsigned(seg.wire_len);
        let other = state.stream.fin().is_some_and(|fin| fin.cast_signed() != end);
        if other && self.history.has(side, Letter::Fin) {
            self.history.note_again(side, Letter::Fin);
        } else {
            self.history.note(side, Letter::Fin);
        }
    }

    /// Takes note of a RST.
    fn note_reset(&mut self, side: Side, seg: &Segment<'_>) {
        let last = core::mem::replace(&mut self.side(side).last_rst, seg.seq);
        if seg.flags.has(TcpFlags::FIN) {
            self.history.note(side, Letter::FinRst);
            self.anomaly(side, AnomalyKind::FinWithReset);
        } else if last != seg.seq && self.history.has(side, Letter::Rst) {
            self.history.note_again(side, Letter::Rst);
        } else {
            self.history.note(side, Letter::Rst);
        }
    }

    /// Returns whether a FIN whose segment starts at `at` is within the window, as far as it is known.
    pub(super) fn fin_fits(&mut self, side: Side, at: i64) -> bool {
        let (_, high) = self.believed(side);
        at <= high
    }

    /// Takes a FIN at stream offset `end`, in a segment whose payload has been dealt with; returns
    /// whether it is believed. `fits` says whether it was in the window.
    pub(super) fn fin(&mut self, side: Side, end: i64, fits: bool) -> bool {
        let stream = &self.side(side).stream;
        let (fin, highest) = (stream.fin(), stream.highest());
        match u64::try_from(end) {
            Ok(end) if fin == Some(end) => true, // seen before
            Ok(end) if fits && fin.is_none() && end >= highest => {
                let (stream, pool, _) = self.parts(side);
                stream.set_fin(end, pool);
                true
            }
            _ => {
                self.cx.emit.counters.fin_ignored += 1;
                let kind = if fits { AnomalyKind::FinIgnored } else { AnomalyKind::FinOutOfWindow };
                self.anomaly(side, kind);
                false
            }
        }
    }

    /// Takes a RST.
    pub(super) fn reset(&mut self, side: Side, seg: &Segment<'_>) {
        // RFC 9293 §3.10.7.4 has it carry text at most; that is not data of the stream.
        self.cx.emit.counters.reset_bytes += seg.wire_len;
        self.note_reset(side, seg);
        match self.judge_reset(side, seg) {
            Trust::Exact => self.obey_reset(side),
            Trust::Doubtful => {
                self.cx.emit.counters.reset_challenged += 1;
                self.anomaly(side, AnomalyKind::ResetChallenged);
                let state = self.side(side);
                let highest = state.stream.highest();
                let at = seg.seq.offset(state.first, state.stream.next());
                let at = if state.start == Start::Unknown { 0 } else { at };
                let end = u64::try_from(at).unwrap_or(0);
                let doubt = Doubt { by: side, ahead: end > highest, end: end.max(highest) };
                self.tcp.doubt.get_or_insert(doubt);
            }
            Trust::Outside => {
                self.cx.emit.counters.reset_ignored += 1;
                self.anomaly(side, AnomalyKind::ResetOutOfWindow);
            }
        }
    }

    /// Ends the connection because of a RST that `side` sent.
    fn obey_reset(&mut self, side: Side) {
        self.tcp.doubt = None;
        state::advance(&mut self.tcp.states, side, TcpFlags::RST, true);
        for side in Side::BOTH {
            self.end(side, EndReason::Reset);
        }
    }

    /// Looks again at a RST that was doubted, now that more was seen.
    #[cold]
    pub(super) fn review(&mut self, doubt: Doubt) {
        let stream = &self.side(doubt.by).stream;
        if stream.highest().max(stream.acked().saturating_sub(1)) > doubt.end {
            self.tcp.doubt = None;
            self.cx.emit.counters.reset_ignored += 1;
            self.anomaly(doubt.by, AnomalyKind::ResetIgnored);
        } else if doubt.ahead && stream.next() == doubt.end && stream.fin().is_none() {
            // It had overtaken the bytes before it.
            self.obey_reset(doubt.by);
        }
    }

    /// Returns what to think of a RST.
    fn judge_reset(&mut self, side: Side, seg: &Segment<'_>) -> Trust {
        let active = self.tcp.active;
        let state = self.side(side);
        if state.start == Start::Unknown {
            let silent = self.tally[side.other().index()].pkts == 0;
            let peer = self.side(side.other());
            if silent {
                return Trust::Exact; // there is nothing that it could end wrongly
            }
            if peer.start != Start::Handshake {
                return Trust::Doubtful;
            }
            if !seg.flags.has(TcpFlags::ACK) {
                return if active { Trust::Doubtful } else { Trust::Outside };
            }
            // RFC 9293 §3.10.7.3: in SYN-SENT, it must acknowledge the SYN.
            let (next, highest) = (peer.stream.next(), peer.stream.highest());
            let acked = seg.ack.offset(peer.first, highest);
            let exact = [next, highest, highest.saturating_add(1)];
            return match u64::try_from(acked) {
                Ok(acked) if acked > highest.saturating_add(1) => Trust::Outside,
                Ok(acked) if !active || exact.contains(&acked) => Trust::Exact,
                Ok(_) => Trust::Doubtful,
                Err(_) => Trust::Outside,
            };
        }
        let at = seg.seq.offset(state.first, state.stream.next());
        let stream = &state.stream;
        let behind_fin = stream.fin().map(|fin| fin.saturating_add(1));
        let expected = [Some(stream.next()), Some(stream.highest()), Some(stream.acked())];
        let mut expected = expected.into_iter().chain([behind_fin]).flatten();
        if expected.any(|expected| expected.cast_signed() == at) {
            return Trust::Exact;
        }
        let (low, high) = self.believed(side);
        // Where the peer has acknowledged more than its window, a lot was lost on the way here, and
        // the RST may be where the peer is.
        let lossy = self.log.kinds.contains(AnomalyKind::AckOfUnsent);
        let high = if lossy { high.saturating_add_unsigned(self.cx.max_jump) } else { high };
        if (low..=high).contains(&at) { Trust::Doubtful } else { Trust::Outside }
    }

    /// Returns the offsets, both inclusive, between which control bits of a side are believed.
    fn believed(&mut self, side: Side) -> (i64, i64) {
        let max_jump = self.cx.max_jump;
        let strict = !self.ident.midstream && self.tally.iter().all(|tally| tally.pkts != 0);
        let window = if strict { self.window_of(side.other()) } else { None };
        let stream = &self.side(side).stream;
        let (next, highest, acked) = (stream.next(), stream.highest(), stream.acked());
        // One more than the highest: a FIN, of which the sender thinks as sent, takes a number.
        let high = match window {
            Some(window) => (highest + 1).max(acked + window),
            None => highest.saturating_add(max_jump),
        };
        let low = acked.min(next).cast_signed();
        let low = if strict { low } else { low.saturating_sub_unsigned(max_jump) };
        (low, high.cast_signed())
    }

    /// Takes a segment of a connection of which both sides have ended.
    pub(super) fn after_close(&mut self, side: Side, seg: &Segment<'_>) -> Verdict {
        let syn = seg.flags.has(TcpFlags::SYN);
        let state = self.side(side);
        if syn {
            // The same number again is a straggler, unless the connection was refused: some systems
            // try again at once and don't choose another.
            let other = state.start == Start::Unknown || state.first != seg.seq.plus(1);
            let refused = !self.tcp.active && !seg.flags.has(TcpFlags::ACK);
            if other || refused {
                return Verdict::Reuse;
            }
            self.note_syn(side, seg, other);
            self.cx.emit.counters.syn_retransmits += 1;
            return Verdict::Handled;
        }
        let reset = seg.flags.has(TcpFlags::RST);
        if reset {
            self.note_reset(side, seg);
        } else {
            self.note_plain(side, seg);
        }
        if seg.wire_len != 0 {
            let state = self.side(side);
            let end = seg.seq.offset(state.first, state.stream.next());
            let new = end.saturating_add_unsigned(seg.wire_len) > state.stream.next().cast_signed();
            self.cx.emit.counters.after_close_bytes += seg.wire_len;
            // Bytes seen before are retransmissions by a side that missed the end.
            if new {
                self.anomaly(side, AnomalyKind::DataAfterClose);
            } else if !reset {
                self.history.note(side, Letter::Retransmit);
            }
        }
        state::advance(&mut self.tcp.states, side, seg.flags, seg.wire_len == 0);
        Verdict::Handled
    }

    /// Gives up all holes of a side and delivers what is held; returns how the side ended.
    pub(super) fn flush(&mut self, side: Side, reason: EndReason) -> EndReason {
        let mut reason = reason;
        if let Some(doubt) = self.tcp.doubt
            && matches!(reason, EndReason::Idle | EndReason::Evicted | EndReason::Shutdown)
        {
            // Nothing has contradicted the RST.
            state::advance(&mut self.tcp.states, doubt.by, TcpFlags::RST, true);
            reason = EndReason::Reset;
        }
        self.settle_suspects(side, u64::MAX);
        let (stream, pool, mut out) = self.parts(side);
        stream.flush(reason, pool, &mut out)
    }
}
