//! What the segments of a connection mean.
//!
//! The tracker is an observer: it has to guess what the endpoints make of a segment without knowing
//! what reached them. It believes what both endpoints would accept, ignores and counts what the
//! receiver would drop, and is lenient where it has seen one side only or came too late for the
//! handshake.
//!
//! ```text
//!   sequence space of one side, as the tracker sees it
//!
//!     SYN   first byte            acked        next      highest            window's end
//!   ───┼────┼─────────────────────┼────────────┼─────────┼──────────────────┼───
//!   ISN   ISN+1 = offset 0        ├──────────── a RST or FIN is believed ───┤
//! ```

use super::{HoldPool, SeqNo, Stop, Stream};
use crate::decode::{Segment, TcpFlags};
use crate::event::AnomalyKind;
use crate::flow::{AnomalyLog, Cx, Flow, Ident, Proto, SideOut, Tally};
use crate::{EndReason, FlowEvent, Side, Timestamp};

/// The window assumed where a SYN is judged and the real one is not known: 64 KiB scaled by 4 bits.
const ASSUMED_WINDOW: u64 = 1 << 20;

/// How the place of offset 0 in sequence space is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It is not.
    Unknown,
    /// It is the first sequence number seen: a guess.
    Guessed,
    /// From a SYN, or from what the handshake acknowledged.
    Handshake,
}

/// The window scale of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// Its SYN was not seen.
    Unknown,
    /// Its SYN had no such option.
    Unused,
    /// The shift it announced.
    Shift(u8),
}

/// What the tracker knows of one side.
#[derive(Debug)]
struct TcpSide {
    stream: Stream,
    /// The sequence number of offset 0, unless `start` is unknown.
    first: SeqNo,
    start: Start,
    /// The scale of the windows that this side advertises.
    scale: Scale,
    /// How much this side is ready to receive, in bytes, as last advertised and not yet scaled.
    window: u16,
}

/// The state of a TCP flow.
#[derive(Debug)]
pub(crate) struct Tcp {
    sides: [TcpSide; 2],
    /// Whether anything but SYNs was seen.
    active: bool,
}

/// What is to become of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was dealt with.
    Handled,
    /// It starts a new connection with the same addresses and ports.
    Reuse,
}

/// How a segment that belongs to no flow opens one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Opening {
    /// The sender is the responder.
    pub(crate) flipped: bool,
    /// The handshake is over.
    pub(crate) midstream: bool,
}

impl Opening {
    /// Returns how `segment` opens a flow, or nothing if it makes no sense.
    pub(crate) fn of(segment: &Segment<'_>) -> Option<Self> {
        let flags = segment.flags;
        if contradictory(flags) {
            return None;
        }
        let syn = flags.has(TcpFlags::SYN);
        Some(Self { flipped: syn && flags.has(TcpFlags::ACK), midstream: !syn })
    }
}

/// Returns whether flags are set of which one excludes the other.
fn contradictory(flags: TcpFlags) -> bool {
    flags.has(TcpFlags::SYN) && flags.any(TcpFlags::FIN.with(TcpFlags::RST))
}

impl Tcp {
    pub(crate) fn new() -> Self {
        let side = || TcpSide {
            stream: Stream::default(),
            first: SeqNo(0),
            start: Start::Unknown,
            scale: Scale::Unknown,
            window: 0,
        };
        Self { sides: [side(), side()], active: false }
    }

    /// Returns whether anything but SYNs was seen.
    pub(crate) const fn is_active(&self) -> bool {
        self.active
    }

    pub(crate) const fn stream(&self, side: Side) -> &Stream {
        &self.sides[side.index()].stream
    }

    /// Returns when the first hole of either side is too old.
    #[inline]
    pub(crate) fn hole_deadline(&self, pool: &HoldPool) -> Option<Timestamp> {
        let [orig, resp] = &self.sides;
        match (orig.stream.deadline(pool), resp.stream.deadline(pool)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Gives up the holes that are too old at `now`.
    pub(crate) fn expire_holes(
        &mut self,
        now: Timestamp,
        ident: &Ident,
        tally: &mut [Tally; 2],
        log: &mut AnomalyLog,
        cx: &mut Cx<'_>,
    ) {
        let mut conn = Conn { ident, tally, log, tcp: self, cx };
        for side in Side::BOTH {
            let (stream, pool, mut out) = conn.parts(side);
            stream.expire(now, pool, &mut out);
        }
        conn.settle();
    }

    /// Stops delivering a side.
    pub(crate) fn done(&mut self, side: Side, pool: &mut HoldPool) {
        let stream = &mut self.sides[side.index()].stream;
        if stream.stopped() == Stop::No {
            stream.stop(Stop::Done, pool);
        }
    }

    /// Gives up all holes of a side and delivers what is held; returns how the side ended.
    pub(crate) fn flush(
        &mut self,
        side: Side,
        reason: EndReason,
        ident: &Ident,
        log: &mut AnomalyLog,
        cx: &mut Cx<'_>,
    ) -> EndReason {
        let mut out = SideOut { ident, side, emit: &mut cx.emit, log };
        self.sides[side.index()].stream.flush(reason, cx.pool, &mut out)
    }
}

/// Takes a segment that `side` of `flow` sent.
#[inline]
pub(crate) fn handle_segment(
    flow: &mut Flow,
    side: Side,
    segment: &Segment<'_>,
    cx: &mut Cx<'_>,
) -> Verdict {
    let Flow { ident, tally, anomalies, proto: Proto::Tcp(tcp), .. } = flow else {
        return Verdict::Handled;
    };
    Conn { ident, tally, log: anomalies, tcp, cx }.segment(side, segment)
}

/// A connection with all that is needed to act on it.
struct Conn<'a, 'e> {
    ident: &'a Ident,
    tally: &'a mut [Tally; 2],
    log: &'a mut AnomalyLog,
    tcp: &'a mut Tcp,
    cx: &'a mut Cx<'e>,
}

impl<'e> Conn<'_, 'e> {
    fn side(&mut self, side: Side) -> &mut TcpSide {
        &mut self.tcp.sides[side.index()]
    }

    /// Returns a side's stream and what its methods need.
    fn parts(&mut self, side: Side) -> (&mut Stream, &mut HoldPool, SideOut<'_, 'e>) {
        let out = SideOut { ident: self.ident, side, emit: &mut self.cx.emit, log: self.log };
        (&mut self.tcp.sides[side.index()].stream, self.cx.pool, out)
    }

    fn anomaly(&mut self, side: Side, kind: AnomalyKind) {
        self.cx.emit.anomaly(self.ident, self.log, side, kind);
    }

    fn segment(&mut self, side: Side, seg: &Segment<'_>) -> Verdict {
        if contradictory(seg.flags) {
            self.cx.emit.counters.bad_flags += 1;
            self.anomaly(side, AnomalyKind::BadFlags);
            return Verdict::Handled;
        }
        if self.tally[0].end.is_some() && self.tally[1].end.is_some() {
            return self.after_close(side, seg);
        }
        if seg.flags.has(TcpFlags::RST) {
            self.reset(side, seg);
            return Verdict::Handled;
        }
        if seg.flags.has(TcpFlags::SYN) {
            match self.syn(side, seg) {
                Syn::Taken => {}
                Syn::Ignored => {
                    self.cx.emit.counters.syn_ignored += 1;
                    self.anomaly(side, AnomalyKind::SynIgnored);
                    return Verdict::Handled;
                }
                Syn::New => return Verdict::Reuse,
            }
        } else {
            self.tcp.active = true;
        }
        let state = self.side(side);
        state.window = seg.window;
        if state.start == Start::Unknown {
            (state.first, state.start) = (seg.seq, Start::Guessed);
        }
        // The acknowledgment first: what it says about the peer's bytes caused what follows.
        if seg.flags.has(TcpFlags::ACK) {
            self.ack(side, seg);
        }
        if seg.wire_len != 0 || seg.flags.has(TcpFlags::FIN) {
            self.data(side, seg);
        } else {
            self.count_empty_keep_alive(side, seg);
        }
        self.settle();
        Verdict::Handled
    }

    /// Takes a SYN, of a connection that is not closed.
    fn syn(&mut self, side: Side, seg: &Segment<'_>) -> Syn {
        let first = seg.seq.plus(1);
        let with_ack = seg.flags.has(TcpFlags::ACK);
        let active = self.tcp.active;
        let window = self.window_of(side.other()).unwrap_or(ASSUMED_WINDOW);
        let peer = self.side(side.other());
        let acceptable = if with_ack && peer.start == Start::Handshake {
            // RFC 9293 §3.10.7.3: a SYN-ACK must acknowledge the SYN. RFC 7413 lets it acknowledge
            // data that came with the SYN, too.
            let acked = seg.ack.offset(peer.first, 0);
            (0..=peer.stream.highest().cast_signed()).contains(&acked)
        } else {
            true
        };
        let state = self.side(side);
        if state.start != Start::Unknown && state.first == first {
            if state.scale == Scale::Unknown {
                self.take_syn(side, seg);
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
            self.take_syn(side, seg);
            return Syn::Taken;
        }
        if with_ack {
            return Syn::Ignored;
        }
        if !active {
            // A new attempt; RFC 9293 §3.10.7.4 would have the old one reset.
            return Syn::New;
        }
        // RFC 5961 §4: within the window a SYN is answered, not obeyed. Outside, it can't be of this
        // connection; if it is real, the old connection is dead.
        let at = first.offset(state.first, state.stream.next());
        let low = state.stream.acked().min(state.stream.next()).cast_signed();
        let high = state.stream.highest().max(state.stream.acked() + window).cast_signed();
        if (low..=high).contains(&at) { Syn::Ignored } else { Syn::New }
    }

    /// Learns from a SYN where the side's stream starts, and what it says of windows.
    fn take_syn(&mut self, side: Side, seg: &Segment<'_>) {
        let state = self.side(side);
        (state.first, state.start) = (seg.seq.plus(1), Start::Handshake);
        state.scale = seg.window_scale.map_or(Scale::Unused, Scale::Shift);
        let peer = self.side(side.other());
        if seg.flags.has(TcpFlags::ACK) && peer.start == Start::Unknown {
            (peer.first, peer.start) = (seg.ack, Start::Handshake);
        }
    }

    /// Takes the acknowledgment of a segment that `side` sent.
    fn ack(&mut self, side: Side, seg: &Segment<'_>) {
        let max_jump = self.cx.max_jump;
        let [orig, resp] = &self.tcp.sides;
        let (own, peer) = match side {
            Side::Orig => (orig, resp),
            Side::Resp => (resp, orig),
        };
        if peer.start == Start::Unknown {
            // The third segment of a handshake of which the SYN-ACK was not captured: what it
            // acknowledges is where the peer's stream starts, so that losses there are noticed.
            let third = own.start == Start::Handshake
                && own.stream.is_untouched()
                && seg.seq == own.first
                && !seg.flags.has(TcpFlags::SYN);
            if third {
                let peer = self.side(side.other());
                (peer.first, peer.start) = (seg.ack, Start::Handshake);
            }
            return;
        }
        let highest = peer.stream.highest();
        let Ok(acked) = u64::try_from(seg.ack.offset(peer.first, highest)) else { return };
        if acked > peer.stream.acked() && acked <= highest.saturating_add(max_jump) {
            let (stream, pool, _) = self.parts(side.other());
            stream.acknowledge(acked, pool);
        }
    }

    /// Counts a keep-alive that carries no byte: one number before the next, RFC 9293 §3.8.4.
    #[inline]
    fn count_empty_keep_alive(&mut self, side: Side, seg: &Segment<'_>) {
        let state = self.side(side);
        let next = state.stream.next();
        let behind = seg.seq.offset(state.first, next).wrapping_add(1) == next.cast_signed();
        if behind && !seg.flags.has(TcpFlags::SYN) {
            self.cx.emit.counters.keep_alives += 1;
        }
    }

    /// Takes the payload and the FIN of a segment.
    fn data(&mut self, side: Side, seg: &Segment<'_>) {
        let max_jump = self.cx.max_jump;
        let fin = seg.flags.has(TcpFlags::FIN);
        let syn = seg.flags.has(TcpFlags::SYN);
        let state = self.side(side);
        let next = state.stream.next();
        // RFC 9293 §3.4: the SYN takes one number before the first byte. Bytes on a SYN (RFC 7413)
        // are taken as they come, although the peer may refuse them; they are sent again then.
        let seq = if syn { seg.seq.plus(1) } else { seg.seq };
        let mut at = seq.offset(state.first, next);
        if at == 1 && state.start == Start::Guessed && state.stream.is_untouched() && !fin {
            // The start was guessed from a keep-alive, which is one number behind.
            state.first = seq;
            at = 0;
        }
        let len = seg.wire_len;
        let end = at.saturating_add_unsigned(len);
        if at > next.saturating_add(max_jump).cast_signed()
            || end < next.cast_signed().saturating_sub_unsigned(max_jump)
        {
            self.cx.emit.counters.out_of_window += 1;
            return self.anomaly(side, AnomalyKind::OutOfWindow);
        }
        if len == 1 && !fin && !syn && at.wrapping_add(1) == next.cast_signed() {
            self.cx.emit.counters.keep_alives += 1;
            return;
        }
        let believed = fin && self.fin_fits(side, at);
        self.insert(side, at, seg);
        if fin {
            self.fin(side, end, believed);
        }
    }

    /// Hands the payload of a segment at stream offset `at` to the stream, as far as it is part of it.
    #[inline]
    fn insert(&mut self, side: Side, at: i64, seg: &Segment<'_>) {
        let (mut bytes, mut len) = (seg.payload, seg.wire_len);
        let guessed = self.side(side).start == Start::Guessed;
        let limit = self.side(side).stream.fin();
        let offset = u64::try_from(at).unwrap_or_else(|_| {
            // The start of a midstream side is a guess, and what comes before it can't be placed.
            let before = at.unsigned_abs().min(len);
            if guessed {
                self.cx.emit.counters.before_start_bytes += before;
            }
            bytes = usize::try_from(before).ok().and_then(|n| bytes.get(n..)).unwrap_or_default();
            len -= before;
            0
        });
        if let Some(fin) = limit
            && offset.saturating_add(len) > fin
        {
            let keep = fin.saturating_sub(offset).min(len);
            self.cx.emit.counters.after_fin_bytes += len - keep;
            self.anomaly(side, AnomalyKind::DataAfterFin);
            bytes = usize::try_from(keep).ok().and_then(|n| bytes.get(..n)).unwrap_or(bytes);
            len = keep;
        }
        if len != 0 {
            let (stream, pool, mut out) = self.parts(side);
            stream.insert(offset, bytes, len, pool, &mut out);
        }
    }

    /// Returns whether a segment that starts at `at` is within the window, as far as it is known.
    fn fin_fits(&mut self, side: Side, at: i64) -> bool {
        let (_, high) = self.believed(side);
        at <= high
    }

    /// Takes a FIN at stream offset `end`. The segment's payload has been dealt with.
    fn fin(&mut self, side: Side, end: i64, believed: bool) {
        let stream = &self.side(side).stream;
        let end = match u64::try_from(end) {
            Ok(end) if stream.fin() == Some(end) => return, // seen before
            Ok(end) if believed && stream.fin().is_none() && end >= stream.highest() => end,
            _ => {
                self.cx.emit.counters.fin_ignored += 1;
                return self.anomaly(side, AnomalyKind::FinIgnored);
            }
        };
        let (stream, pool, _) = self.parts(side);
        stream.set_fin(end, pool);
    }

    /// Takes a RST.
    fn reset(&mut self, side: Side, seg: &Segment<'_>) {
        // RFC 9293 §3.10.7.4 has it carry text at most; that is not data of the stream.
        self.cx.emit.counters.reset_bytes += seg.wire_len;
        if !self.reset_fits(side, seg) {
            self.cx.emit.counters.reset_ignored += 1;
            return self.anomaly(side, AnomalyKind::ResetIgnored);
        }
        for side in Side::BOTH {
            self.end(side, EndReason::Reset);
        }
    }

    /// Returns whether a RST is within what its receiver accepts: the window, RFC 9293 §3.5.2. Stacks
    /// that obey RFC 5961 §3.2 want the very next number; which kind the receiver is can't be seen.
    fn reset_fits(&mut self, side: Side, seg: &Segment<'_>) -> bool {
        let active = self.tcp.active;
        let state = self.side(side);
        let (first, next, start) = (state.first, state.stream.next(), state.start);
        if start == Start::Unknown {
            let peer = self.side(side.other());
            if peer.start != Start::Handshake {
                return true;
            }
            if !seg.flags.has(TcpFlags::ACK) {
                return active;
            }
            // RFC 9293 §3.10.7.3: in SYN-SENT, it must acknowledge the SYN.
            let acked = seg.ack.offset(peer.first, peer.stream.highest());
            return (0..=peer.stream.highest().saturating_add(1).cast_signed()).contains(&acked);
        }
        let at = seg.seq.offset(first, next);
        let (low, high) = self.believed(side);
        (low..=high).contains(&at)
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

    /// Returns how many bytes a side is ready to receive, if its and its peer's SYN were seen.
    fn window_of(&mut self, side: Side) -> Option<u64> {
        let peer = self.side(side.other()).scale;
        let state = self.side(side);
        // RFC 7323 §2.2: scaling is used if both sides offer it.
        let shift = match (state.scale, peer) {
            (Scale::Unknown, _) | (_, Scale::Unknown) => return None,
            (Scale::Shift(shift), Scale::Shift(_)) => shift,
            _ => 0,
        };
        Some(u64::from(state.window) << shift)
    }

    /// Takes a segment of a connection of which both sides have ended.
    fn after_close(&mut self, side: Side, seg: &Segment<'_>) -> Verdict {
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
            self.cx.emit.counters.syn_retransmits += 1;
        } else if seg.wire_len != 0 {
            let end = seg.seq.offset(state.first, state.stream.next());
            let new = end.saturating_add_unsigned(seg.wire_len) > state.stream.next().cast_signed();
            self.cx.emit.counters.after_close_bytes += seg.wire_len;
            // Bytes seen before are retransmissions by a side that missed the end.
            if new {
                self.anomaly(side, AnomalyKind::DataAfterClose);
            }
        }
        Verdict::Handled
    }

    /// Ends the sides that have reached their FIN.
    #[inline]
    fn settle(&mut self) {
        for side in Side::BOTH {
            if self.side(side).stream.at_fin() {
                self.end(side, EndReason::Fin);
            }
        }
    }

    /// Ends a side, unless it has ended before.
    fn end(&mut self, side: Side, reason: EndReason) {
        if self.tally[side.index()].end.is_some() {
            return;
        }
        let (stream, pool, mut out) = self.parts(side);
        let reason = stream.flush(reason, pool, &mut out);
        self.tally[side.index()].end = Some(reason);
        self.cx.emit.tell(self.ident, FlowEvent::End { side, reason });
    }
}

/// What a SYN turned out to be.
enum Syn {
    /// Of this connection.
    Taken,
    /// Of no connection.
    Ignored,
    /// Of a new connection.
    New,
}

#[cfg(test)]
mod tests;
