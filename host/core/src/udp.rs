//! UDP flows: nothing to put in order, only to count.

use crate::flow::{Cx, Ident};
use crate::{Demand, FlowEvent, GapReason, Side};

/// The state of a UDP flow.
#[derive(Debug, Default)]
pub(crate) struct Udp {
    sides: [UdpSide; 2],
}

/// What one side has sent.
#[derive(Debug, Default)]
pub(crate) struct UdpSide {
    /// Payload bytes on the wire.
    pub(crate) bytes: u64,
    /// Payload bytes handed to the sink.
    pub(crate) delivered: u64,
    /// Payload bytes that the capture cut.
    pub(crate) missed: u64,
    done: bool,
}

impl Udp {
    pub(crate) const fn side(&self, side: Side) -> &UdpSide {
        &self.sides[side.index()]
    }

    /// Stops delivering a side.
    pub(crate) fn done(&mut self, side: Side) {
        self.sides[side.index()].done = true;
    }

    /// Delivers a datagram.
    pub(crate) fn handle(
        &mut self,
        ident: &Ident,
        side: Side,
        bytes: &[u8],
        wire_len: u64,
        cx: &mut Cx<'_>,
    ) {
        let state = &mut self.sides[side.index()];
        let offset = state.bytes;
        state.bytes += wire_len;
        if state.done {
            return;
        }
        let captured = bytes.len() as u64;
        state.delivered += captured;
        cx.emit.counters.delivered_bytes += captured;
        if cx.emit.ask(ident, FlowEvent::Datagram { side, offset, bytes }) == Demand::Done {
            state.done = true;
            return;
        }
        let cut = wire_len.saturating_sub(captured);
        if cut != 0 {
            state.missed += cut;
            let answer = cx.emit.gap(ident, side, offset + captured, cut, GapReason::Snaplen);
            state.done = answer == Demand::Done;
        }
    }
}
