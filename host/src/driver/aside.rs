//! Bytes that wait to be delivered together.
//!
//! A call into a parser costs as much as a dozen lines do inside of it, so the bytes that a side sends
//! in many packets are delivered at once where nothing that happens in between depends on the parser:
//! the flow engine says where that is so ([`FlowView::may_wait`]).

use std::collections::VecDeque;
use std::mem;

use flowcell_core::{FiveTuple, FlowId, FlowView, Side, Timestamp, Tunnel};

use super::pursuit::Seen;
use crate::output::Place;
use crate::runtime::Segment;

/// Bytes that are delivered at most at once, unless one packet has more. Of small segments they are
/// enough for a call to cost nothing, and they fit into the first page of a small guest's memory.
const BYTES: usize = 16 << 10;

/// Packets whose bytes are delivered at most at once.
const PACKETS: usize = 256;

/// Buffers that are kept for the next flows.
const SPARE: usize = 64;

/// The packet that some bytes have come in, as records about it need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    pub(super) ts: Timestamp,
    pub(super) number: u64,
    pub(super) place: Place,
    /// Digits that times have behind the second.
    pub(super) digits: usize,
}

impl Packet {
    /// That which an event is about.
    pub(super) fn of(flow: &FlowView<'_>, digits: usize) -> Self {
        Self { ts: flow.ts, number: flow.packet, place: Place::of(flow), digits }
    }
}

/// What one flow has to wait for: bytes of one side, contiguous.
#[derive(Debug)]
pub(super) struct Aside {
    id: FlowId,
    tuple: FiveTuple,
    first_ts: Timestamp,
    first_packet: u64,
    midstream: bool,
    tunnel: Option<Tunnel>,
    pub(super) side: Side,
    /// Stream offset of the first byte.
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    /// What each packet has brought.
    pub(super) segments: Vec<Segment>,
    /// These packets.
    pub(super) packets: Vec<Packet>,
}

impl Aside {
    /// There is room for so many bytes of one more packet.
    pub(super) fn fits(&self, bytes: usize) -> bool {
        self.bytes.len() + bytes <= BYTES && self.packets.len() < PACKETS
    }

    pub(super) fn push(&mut self, packet: Packet, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.segments.push(Segment { length, at: packet.ts.0 });
        self.packets.push(packet);
    }

    /// The flow as it was at the first of the packets. What a parser does not see is left out.
    pub(super) fn view(&self) -> FlowView<'_> {
        let first = self.packets.first();
        FlowView {
            id: self.id,
            tuple: &self.tuple,
            first_ts: self.first_ts,
            first_packet: self.first_packet,
            midstream: self.midstream,
            vlan: &[],
            tunnel: self.tunnel.as_ref(),
            ts: first.map_or(self.first_ts, |first| first.ts),
            packet: first.map_or(self.first_packet, |first| first.number),
            timer: false,
            may_wait: false,
        }
    }

    /// How many bytes have come in packets behind this one.
    pub(super) fn behind(&self, packet: u32) -> u64 {
        let behind = self.segments.iter().skip((packet as usize).saturating_add(1));
        behind.map(|segment| u64::from(segment.length)).sum()
    }

    /// What has come in packets behind this one.
    pub(super) fn seen_behind(&self, packet: u32) -> impl Iterator<Item = (Packet, Seen<'_>)> {
        let mut at = 0_usize;
        let pieces = self.segments.iter().zip(&self.packets).map(move |(segment, packet)| {
            let start = at;
            at = at.saturating_add(segment.length as usize);
            let bytes = self.bytes.get(start..at).unwrap_or_default();
            let offset = self.offset.saturating_add(start as u64);
            (*packet, Seen::Data { offset, bytes })
        });
        pieces.skip((packet as usize).saturating_add(1))
    }
}

/// Which flows have bytes aside, and buffers for more.
#[derive(Debug, Default)]
pub(super) struct Asides {
    /// The flow that waits longest is the first. Some may have been dealt with since.
    pub(super) flows: VecDeque<FlowId>,
    #[expect(clippy::vec_box, reason = "they move between here and their flows")]
    spare: Vec<Box<Aside>>,
}

impl Asides {
    /// Something to put bytes of `side` into, the first of which is at `offset`.
    pub(super) fn take(&mut self, flow: &FlowView<'_>, side: Side, offset: u64) -> Box<Aside> {
        let mut used = self.spare.pop();
        let (bytes, segments, packets) = used.as_mut().map_or_else(Default::default, |used| {
            let Aside { bytes, segments, packets, .. } = &mut **used;
            (mem::take(bytes), mem::take(segments), mem::take(packets))
        });
        let fresh = Aside {
            id: flow.id,
            tuple: *flow.tuple,
            first_ts: flow.first_ts,
            first_packet: flow.first_packet,
            midstream: flow.midstream,
            tunnel: flow.tunnel.cloned(),
            side,
            offset,
            bytes,
            segments,
            packets,
        };
        match used {
            Some(mut used) => {
                *used = fresh;
                used
            }
            None => Box::new(fresh),
        }
    }

    /// Keeps the buffers.
    pub(super) fn give_back(&mut self, mut aside: Box<Aside>) {
        if self.spare.len() < SPARE {
            aside.bytes.clear();
            aside.segments.clear();
            aside.packets.clear();
            self.spare.push(aside);
        }
    }
}
