//! Bytes that the sink has put aside, to say later whether it wants more of them.
//!
//! Its answer may stop a side, and then that side's holes, conflicts and gaps are nobody's concern. So
//! while it is owed, nothing may happen to the flow but in-order bytes of the same side and
//! acknowledgments of them; before anything else, the sink is asked.

use super::{CONTROL, Conn, Tcp, URG};
use crate::decode::{Segment, TcpFlags};
use crate::flow::Cx;
use crate::{CaughtUp, FlowId, Side};

/// Returns whether a segment is one of those that most of a connection consists of.
#[inline]
pub(super) fn is_plain(seg: &Segment<'_>) -> bool {
    seg.flags.only(CONTROL.with(URG).with(TcpFlags::ACK)) == TcpFlags::ACK
}

impl Tcp {
    /// Has the sink deal with what it has put aside, and heeds its answer.
    #[inline]
    pub(crate) fn catch_up(&mut self, flow: FlowId, cx: &mut Cx<'_>) {
        if let Some(side) = self.aside.take() {
            let CaughtUp { done, unwanted } = cx.emit.sink.catch_up(flow);
            for side in Side::BOTH.into_iter().filter(|side| done[side.index()]) {
                self.done(side, cx.pool);
            }
            self.sides[side.index()].stream.take_back(unwanted);
            let delivered = &mut cx.emit.counters.delivered_bytes;
            *delivered = delivered.saturating_sub(unwanted);
        }
    }
}

impl Conn<'_, '_> {
    #[inline]
    pub(super) fn catch_up(&mut self) {
        self.tcp.catch_up(self.ident.id, self.cx);
    }

    /// Returns whether the sink may put these bytes aside. It may where the only thing that depends on
    /// its answer is whether the next bytes of the kind are delivered: no hole is open whose account
    /// would differ, and nothing else of this segment comes after its bytes.
    #[inline]
    fn may_wait(&self, side: Side, offset: u64, bytes: &[u8], seg: &Segment<'_>) -> bool {
        is_plain(seg)
            && self.tcp.stream(side).goes_straight(offset, bytes, seg.wire_len, self.cx.pool)
            && self.tcp.stream(side.other()).is_straight()
            && self.tcp.doubt.is_none()
            && self.tcp.suspects.is_none()
    }

    /// Hands bytes at a stream offset, `len` of them of which `bytes` were captured, to the stream.
    #[inline]
    pub(super) fn deliver(
        &mut self,
        side: Side,
        offset: u64,
        bytes: &[u8],
        seg: &Segment<'_>,
        len: u64,
    ) {
        let mut may_wait = self.may_wait(side, offset, bytes, seg);
        if self.tcp.aside.is_some_and(|aside| aside != side || !may_wait) {
            self.catch_up();
            may_wait = self.may_wait(side, offset, bytes, seg);
        }
        let (stream, pool, mut out) = self.parts(side);
        out.may_wait = may_wait;
        stream.insert(offset, bytes, len, pool, &mut out);
        if out.put_aside {
            self.tcp.aside = Some(side);
        }
    }
}
