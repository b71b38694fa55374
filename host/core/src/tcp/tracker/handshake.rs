//! SYNs: of this connection, of another one, or of none.

use super::{ASSUMED_WINDOW, Conn, Scale, Start};
use crate::Side;
use crate::decode::{Segment, TcpFlags};
use crate::event::AnomalyKind;
use crate::flow::Letter;

/// What a SYN turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syn {
    /// Of this connection.
    Taken,
    /// Of no connection.
    Ignored,
    /// Of a new connection.
    New,
}

impl Conn<'_, '_> {
    /// Takes a SYN, of a connection that is not closed.
    pub(super) fn syn(&mut self, side: Side, seg: &Segment<'_>) -> Syn {
        let first = seg.seq.plus(1);
        let with_ack = seg.flags.has(TcpFlags::ACK);
        let active = self.tcp.active;
        let window = self.window_of(side.other()).unwrap_or(ASSUMED_WINDOW);
        let highest = self.suspected_end(side.other()).cast_signed();
        let peer = self.side(side.other());
        let acked =
            (with_ack && peer.start == Start::Handshake).then(|| seg.ack.offset(peer.first, 0));
        // RFC 9293 §3.10.7.3: a SYN-ACK must acknowledge the SYN. RFC 7413 lets it acknowledge data
        // that came with the SYN, too.
        let acceptable = acked.is_none_or(|acked| (0..=highest).contains(&acked));
        let refused = acked == Some(0) && highest > 0 && !active;
        let doubted = self.tcp.doubt.is_some();
        let answerable = self.tally[side.other().index()].pkts != 0;
        let state = self.side(side);
        if doubted && !with_ack && !state.stream.is_untouched() && !answerable {
            // Whoever opens a connection where bytes were sent before knows of a RST that the old
            // one has ended.
            return Syn::New;
        }
        if state.start != Start::Unknown && state.first == first {
            if state.scale == Scale::Unknown {
                self.take_syn(side, seg, refused);
            } else {
                self.cx.emit.counters.syn_retransmits += 1;
            }
            return Syn::Taken;
        }
        let replaceable = state.start != Start::Handshake || state.scale == Scale::Unknown;
        if replaceable && state.stream.is_untouched() {
            if !acceptable {
                return Syn::Ignored;
            }
            self.take_syn(side, seg, refused);
            return Syn::Taken;
        }
        if with_ack {
            let answers = self.tcp.foreign_syn == Some((side.other(), seg.ack));
            return if answers { Syn::New } else { Syn::Ignored };
        }
        if !active {
            // A new attempt; RFC 9293 §3.10.7.4 would have the old one reset.
            return Syn::New;
        }
        // RFC 5961 §4: a SYN is answered with an acknowledgment, not obeyed. If it is real, the receiver
        // knows nothing of the old connection any more, and what it answers is a SYN-ACK: that opens
        // the new one. Where the receiver is not seen, its place must tell: one outside of the window
        // can't be of this connection.
        if answerable {
            self.tcp.foreign_syn = Some((side, first));
            return Syn::Ignored;
        }
        let state = self.side(side);
        let at = first.offset(state.first, state.stream.next());
        let low = state.stream.acked().min(state.stream.next()).cast_signed();
        let high = state.stream.highest().max(state.stream.acked() + window).cast_signed();
        if (low..=high).contains(&at) { Syn::Ignored } else { Syn::New }
    }

    /// Learns from a SYN where the side's stream starts, and what it says of windows.
    ///
    /// `refused` says that it acknowledges a SYN, but not the bytes that came with it.
    fn take_syn(&mut self, side: Side, seg: &Segment<'_>, refused: bool) {
        let state = self.side(side);
        (state.first, state.start) = (seg.seq.plus(1), Start::Handshake);
        state.scale = seg.window_scale.map_or(Scale::Unused, Scale::Shift);
        let peer = self.side(side.other());
        if seg.flags.has(TcpFlags::ACK) && peer.start == Start::Unknown {
            (peer.first, peer.start) = (seg.ack, Start::Handshake);
        }
        if refused {
            self.anomaly(side, AnomalyKind::SynDataRefused);
        }
    }

    /// Returns whether a SYN has another sequence number than the side started with.
    pub(super) fn is_other_syn(&mut self, side: Side, seg: &Segment<'_>) -> bool {
        let state = self.side(side);
        state.start != Start::Unknown && state.first != seg.seq.plus(1)
    }

    /// Takes note of a SYN; `other` as told by [`Self::is_other_syn`] before it was taken.
    pub(super) fn note_syn(&mut self, side: Side, seg: &Segment<'_>, other: bool) {
        let ack = seg.flags.has(TcpFlags::ACK);
        let letter = if ack { Letter::SynAck } else { Letter::Syn };
        if other && self.history.has(side, letter) {
            self.history.note_again(side, letter);
        } else {
            self.history.note(side, letter);
        }
        if seg.window == 0 {
            self.note_zero_window(side);
        }
    }
}
