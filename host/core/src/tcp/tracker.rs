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

mod aside;
mod close;
mod handshake;
mod suspect;

pub(crate) use suspect::MAX_SUSPECTS;
use suspect::{Suspects, Why};

use super::{HoldPool, OverlapPolicy, SeqNo, SideState, Stop, Stream, state};
use crate::decode::{Segment, TcpFlags};
use crate::event::{Anomaly, AnomalyKind};
use crate::flow::{AnomalyLog, Cx, Flow, History, Ident, Letter, Proto, SideOut, Tally};
use crate::{EndReason, FlowEvent, Side, Timestamp};
use aside::is_plain;
use close::Doubt;
use handshake::Syn;

/// The window assumed where the real one is not known: 64 KiB scaled by 4 bits.
const ASSUMED_WINDOW: u64 = 1 << 20;

/// The urgent pointer is valid, RFC 9293 §3.1.
const URG: TcpFlags = TcpFlags(0x20);

/// The bits that open and close connections.
const CONTROL: TcpFlags = TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST);

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
    /// The sequence number of the last RST.
    last_rst: SeqNo,
    /// The scale of the windows that this side advertises.
    scale: Scale,
    /// How much this side is ready to receive, in bytes, as last advertised and not yet scaled.
    window: u16,
    /// The largest value that `window` had.
    max_window: u16,
}

/// The state of a TCP flow.
#[derive(Debug)]
pub(crate) struct Tcp {
    sides: [TcpSide; 2],
    /// How far each side got, as Zeek sees it.
    states: [SideState; 2],
    /// A RST that is neither obeyed nor ignored yet.
    doubt: Option<Doubt>,
    /// Who sent a SYN of another connection, and what an answer to it acknowledges.
    foreign_syn: Option<(Side, SeqNo)>,
    /// Segments with a wrong checksum that may be taken yet.
    suspects: Option<Box<Suspects>>,
    /// Whether anything but SYNs was seen.
    active: bool,
    /// The side of which the sink has put bytes aside. Until it has dealt with them, nothing may happen
    /// that depends on which sides it wants: see [`Conn::may_wait`].
    aside: Option<Side>,
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
    /// Makes the state of a flow whose streams, the originator's first, have these policies.
    pub(crate) fn new(policies: [OverlapPolicy; 2]) -> Self {
        let side = |policy| TcpSide {
            stream: Stream::new(policy),
            first: SeqNo(0),
            start: Start::Unknown,
            last_rst: SeqNo(0),
            scale: Scale::Unknown,
            window: 0,
            max_window: 0,
        };
        let states = [SideState::Inactive; 2];
        Self {
            sides: policies.map(side),
            states,
            doubt: None,
            foreign_syn: None,
            suspects: None,
            active: false,
            aside: None,
        }
    }

    /// Returns whether anything but SYNs was seen.
    pub(crate) const fn is_active(&self) -> bool {
        self.active
    }

    pub(crate) const fn stream(&self, side: Side) -> &Stream {
        &self.sides[side.index()].stream
    }

    /// Reads a word of each part that handling a segment reads. What is returned has no meaning.
    #[inline]
    pub(crate) fn glance(&self) -> u64 {
        let [orig, resp] = &self.sides;
        let windows = u64::from(orig.window ^ resp.window) ^ u64::from(self.active);
        orig.stream.next() ^ resp.stream.next() ^ windows ^ u64::from(self.suspects.is_some())
    }

    /// Returns how far each side got, the originator's first.
    pub(crate) const fn states(&self) -> [SideState; 2] {
        self.states
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

    /// Stops delivering a side.
    pub(crate) fn done(&mut self, side: Side, pool: &mut HoldPool) {
        let stream = &mut self.sides[side.index()].stream;
        if stream.stopped() == Stop::No {
            stream.stop(Stop::Done, pool);
        }
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
    match Conn::of(flow, cx) {
        Some(mut conn) => conn.segment(side, segment),
        None => Verdict::Handled,
    }
}

/// Takes a segment whose checksum is wrong.
#[cold]
pub(crate) fn handle_suspect(
    flow: &mut Flow,
    side: Side,
    segment: &Segment<'_>,
    ip_len: u64,
    cx: &mut Cx<'_>,
) {
    if let Some(mut conn) = Conn::of(flow, cx) {
        conn.catch_up();
        conn.suspect(side, segment, Why::Checksum(ip_len));
    }
}

/// Gives up the holes of a flow that are too old at `now`.
pub(crate) fn expire_holes(flow: &mut Flow, now: Timestamp, cx: &mut Cx<'_>) {
    let Some(mut conn) = Conn::of(flow, cx) else { return };
    conn.catch_up();
    for side in Side::BOTH {
        if conn.tcp.stream(side).deadline(conn.cx.pool).is_some_and(|due| due <= now) {
            let acked = conn.tcp.stream(side).acked();
            conn.settle_suspects(side, acked);
        }
        let (stream, pool, mut out) = conn.parts(side);
        stream.expire(now, pool, &mut out);
    }
    conn.settle();
}

/// Gives up all holes of a side and delivers what is held, because the flow ends for `reason`;
/// returns how the side ended. There is nothing to do for flows that are not TCP.
pub(crate) fn flush(flow: &mut Flow, side: Side, reason: EndReason, cx: &mut Cx<'_>) -> EndReason {
    match Conn::of(flow, cx) {
        Some(mut conn) => conn.flush(side, reason),
        None => reason,
    }
}

/// A connection with all that is needed to act on it.
struct Conn<'a, 'e> {
    ident: &'a Ident,
    tally: &'a mut [Tally; 2],
    log: &'a mut AnomalyLog,
    history: &'a mut History,
    tcp: &'a mut Tcp,
    cx: &'a mut Cx<'e>,
}

impl<'a, 'e> Conn<'a, 'e> {
    #[inline]
    fn of(flow: &'a mut Flow, cx: &'a mut Cx<'e>) -> Option<Self> {
        let Flow { ident, tally, anomalies: log, history, proto, .. } = flow;
        match proto {
            Proto::Tcp(tcp) => Some(Self { ident, tally, log, history, tcp, cx }),
            Proto::Udp(_) => None,
        }
    }
}

impl<'e> Conn<'_, 'e> {
    fn side(&mut self, side: Side) -> &mut TcpSide {
        &mut self.tcp.sides[side.index()]
    }

    /// Returns a side's stream and what its methods need.
    fn parts(&mut self, side: Side) -> (&mut Stream, &mut HoldPool, SideOut<'_, 'e>) {
        let Self { ident, log, history, .. } = self;
        let out = SideOut {
            ident,
            side,
            emit: &mut self.cx.emit,
            log,
            history,
            may_wait: false,
            put_aside: false,
        };
        (&mut self.tcp.sides[side.index()].stream, self.cx.pool, out)
    }

    #[cold]
    fn anomaly(&mut self, side: Side, kind: AnomalyKind) {
        self.cx.emit.anomaly(self.ident, self.log, Anomaly { kind, side, detail: None });
    }

    fn segment(&mut self, side: Side, seg: &Segment<'_>) -> Verdict {
        if !is_plain(seg) {
            self.catch_up();
        }
        if contradictory(seg.flags) {
            self.history.note(side, Letter::MultiFlag);
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
            let other = self.is_other_syn(side, seg);
            let syn = self.syn(side, seg);
            if syn == Syn::New {
                return Verdict::Reuse;
            }
            self.note_syn(side, seg, other);
            if syn == Syn::Ignored {
                self.cx.emit.counters.syn_ignored += 1;
                self.anomaly(side, AnomalyKind::SynIgnored);
                return Verdict::Handled;
            }
        } else {
            self.tcp.active = true;
            self.note_plain(side, seg);
        }
        let state = self.side(side);
        state.window = seg.window;
        state.max_window = state.max_window.max(seg.window);
        if state.start == Start::Unknown {
            (state.first, state.start) = (seg.seq, Start::Guessed);
        }
        // The acknowledgment first: what it says about the peer's bytes caused what follows.
        if seg.flags.has(TcpFlags::ACK) {
            self.ack(side, seg);
        }
        let mut flags = seg.flags;
        if seg.wire_len != 0 || flags.has(TcpFlags::FIN) {
            // Who gets bytes with a SYN may refuse them.
            let taken = if flags.has(TcpFlags::SYN) {
                self.suspect(side, seg, Why::Syn);
                false
            } else {
                self.data(side, seg)
            };
            if !taken {
                flags = flags.without(TcpFlags::FIN);
            }
        } else {
            self.count_empty_keep_alive(side, seg);
        }
        state::advance(&mut self.tcp.states, side, flags, seg.wire_len == 0);
        self.settle();
        Verdict::Handled
    }

    /// Takes note of a segment that is neither a SYN nor a RST.
    #[inline]
    fn note_plain(&mut self, side: Side, seg: &Segment<'_>) {
        if is_plain(seg) && seg.window != 0 {
            let letter = if seg.wire_len != 0 { Letter::Data } else { Letter::Ack };
            self.history.note_once(side, letter);
        } else {
            self.note_unusual(side, seg);
        }
    }

    #[cold]
    fn note_unusual(&mut self, side: Side, seg: &Segment<'_>) {
        let flags = seg.flags;
        if flags.has(TcpFlags::FIN) {
            self.note_fin(side, seg);
        } else if seg.wire_len != 0 {
            self.history.note_once(side, Letter::Data);
        } else if flags.has(TcpFlags::ACK) {
            self.history.note_once(side, Letter::Ack);
        }
        if seg.window == 0 {
            self.note_zero_window(side);
        }
        // These change nothing. Urgent bytes stay in the stream, as they do at a receiver with
        // SO_OOBINLINE; and what lacks an ACK is taken although RFC 9293 §3.10.7.4 has it dropped,
        // since simple senders get away with it.
        if flags.has(URG) {
            self.cx.emit.counters.urgent_segments += 1;
            self.anomaly(side, AnomalyKind::UrgentData);
        }
        if !flags.has(TcpFlags::ACK) {
            self.cx.emit.counters.no_ack += 1;
            self.anomaly(side, AnomalyKind::NoAck);
        }
    }

    /// Takes note of a window of zero, unless the peer has nothing more to send.
    fn note_zero_window(&mut self, side: Side) {
        let peer = self.tcp.states[side.other().index()];
        let own = self.tcp.states[side.index()];
        if peer != SideState::Closed && !own.is_reset() {
            self.history.note(side, Letter::ZeroWindow);
        }
    }

    /// Takes the acknowledgment of a segment that `side` sent.
    fn ack(&mut self, side: Side, seg: &Segment<'_>) {
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
        if acked <= peer.stream.acked() {
            return;
        }
        if acked > highest + 1 && !self.may_have_sent(side.other(), acked) {
            // A peer of which nothing is captured may have sent anything.
            if self.tally[side.other().index()].pkts != 0 {
                self.cx.emit.counters.ack_of_unsent += 1;
                self.anomaly(side, AnomalyKind::AckOfUnsent);
            }
            return;
        }
        let (stream, pool, _) = self.parts(side.other());
        stream.acknowledge(acked, pool);
        if self.tcp.suspects.is_some() {
            self.settle_suspects(side.other(), acked);
        }
    }

    /// Returns whether a side may have sent all bytes before `offset` although they were not seen.
    ///
    /// It can't be further ahead of what was seen than the largest window that its peer has
    /// advertised; where the scale of that is not known, than 1 MiB. What was lost without a trace
    /// may be more, but an acknowledgment of that can wait until bytes behind the loss are seen.
    #[cold]
    fn may_have_sent(&mut self, side: Side, offset: u64) -> bool {
        let window = match self.shift_of(side.other()) {
            Some(shift) => u64::from(self.side(side.other()).max_window) << shift,
            None => ASSUMED_WINDOW,
        };
        let stream = &self.side(side).stream;
        // The FIN takes a number; nothing comes behind it.
        let most = stream.fin().unwrap_or_else(|| stream.highest().saturating_add(window));
        offset <= most.saturating_add(1)
    }

    /// Returns the scale of the windows that a side advertises, if its and its peer's SYN were seen.
    fn shift_of(&mut self, side: Side) -> Option<u8> {
        let peer = self.side(side.other()).scale;
        // RFC 7323 §2.2: scaling is used if both sides offer it.
        match (self.side(side).scale, peer) {
            (Scale::Unknown, _) | (_, Scale::Unknown) => None,
            (Scale::Shift(shift), Scale::Shift(_)) => Some(shift),
            _ => Some(0),
        }
    }

    /// Returns how many bytes a side is ready to receive, if its and its peer's SYN were seen.
    fn window_of(&mut self, side: Side) -> Option<u64> {
        let shift = self.shift_of(side)?;
        Some(u64::from(self.side(side).window) << shift)
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

    /// Takes the payload and the FIN of a segment; returns false if it has a FIN that is not
    /// believed.
    fn data(&mut self, side: Side, seg: &Segment<'_>) -> bool {
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
            self.anomaly(side, AnomalyKind::OutOfWindow);
            return false;
        }
        let new_fin = fin && !state.stream.ends();
        if len != 0 && !new_fin && end <= state.stream.highest().cast_signed() {
            self.history.note(side, Letter::Retransmit);
        }
        if len == 1 && !fin && !syn && at.wrapping_add(1) == next.cast_signed() {
            self.cx.emit.counters.keep_alives += 1;
            return true;
        }
        // Before the payload moves the stream: it may reach beyond the window itself.
        let fits = !fin || self.fin_fits(side, at);
        self.insert(side, at, seg);
        !fin || self.fin(side, end, fits)
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
            self.deliver(side, offset, bytes, seg, len);
        }
    }

    /// Ends the sides that have reached their FIN.
    #[inline]
    fn settle(&mut self) {
        if let Some(doubt) = self.tcp.doubt {
            self.review(doubt);
        }
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
        self.catch_up(); // a FIN that has waited for an acknowledgment may end the other side
        self.settle_suspects(side, u64::MAX);
        let (stream, pool, mut out) = self.parts(side);
        let reason = stream.flush(reason, pool, &mut out);
        self.tally[side.index()].end = Some(reason);
        self.cx.emit.tell(self.ident, FlowEvent::End { side, reason });
    }
}

#[cfg(test)]
mod tests;
