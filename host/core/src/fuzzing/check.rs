//! What must be true of the events of any engine, whatever it is given.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::{Demand, EndReason, FlowEvent, FlowId, FlowSink, FlowView, Side, Timestamp};

/// What names a flow in a run: no frame has two packets at the same depth.
type Name = (u64, u8);

/// One event of a flow, as far as it must be the same in every run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    what: &'static str,
    side: Option<Side>,
    range: (u64, u64),
    hash: u64,
    ts: Timestamp,
    /// The frame; nothing for timers, which may fire with an earlier or a later one.
    packet: Option<u64>,
}

/// All events, by flow.
pub type Journal = BTreeMap<Name, Vec<Note>>;

/// A flow between its first event and its last.
#[derive(Debug, Default)]
struct Life {
    sides: [SideLife; 2],
    anomalies: Vec<&'static str>,
    streams: bool,
}

#[derive(Debug, Default)]
struct SideLife {
    next: u64,
    delivered: u64,
    missed: u64,
    end: Option<EndReason>,
}

/// A sink that panics when events don't make sense, and keeps a journal of them.
#[derive(Debug, Default)]
pub struct Checker {
    open: BTreeMap<Name, Life>,
    ids: BTreeSet<FlowId>,
    journal: Journal,
    events: u64,
}

impl Checker {
    /// Returns how many flows are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Returns how many events there were.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Checks that no flow was left open, and hands out what happened.
    #[must_use]
    pub fn finish(self) -> Journal {
        assert!(self.open.is_empty(), "never closed: {:?}", self.open.keys());
        self.journal
    }
}

impl FlowSink for Checker {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        self.events += 1;
        let name = (flow.first_packet, flow.tunnel.map_or(0, |tunnel| tunnel.depth));
        if matches!(event, FlowEvent::Opened) {
            let streams = flow.tuple.transport == crate::Transport::Tcp;
            let life = Life { streams, ..Life::default() };
            assert!(self.open.insert(name, life).is_none(), "opened twice: {flow:?}");
            assert!(!self.journal.contains_key(&name), "opened again: {flow:?}");
            assert!(self.ids.insert(flow.id), "two flows with one id: {flow:?}");
        }
        assert!(self.open.contains_key(&name), "not open: {flow:?} {event:?}");
        assert!(self.ids.contains(&flow.id), "another id: {flow:?} {event:?}");
        if let Some(life) = self.open.get_mut(&name) {
            life.check(&event);
        }
        if matches!(event, FlowEvent::Closed { .. }) {
            self.open.remove(&name);
            self.ids.remove(&flow.id);
        }
        self.journal.entry(name).or_default().push(note(flow, &event));
        Demand::More
    }
}

impl Life {
    fn check(&mut self, event: &FlowEvent<'_>) {
        match *event {
            FlowEvent::Opened => {}
            FlowEvent::Data { side, offset, bytes } => {
                assert!(!bytes.is_empty() && self.streams);
                self.sides[side.index()].extend(offset, bytes.len() as u64, true);
            }
            FlowEvent::Datagram { side, offset, bytes } => {
                assert!(!self.streams);
                let side = &mut self.sides[side.index()];
                assert!(side.end.is_none());
                assert_eq!(offset, side.next);
                side.delivered += bytes.len() as u64;
                side.next += bytes.len() as u64;
            }
            FlowEvent::Gap { side, offset, len, .. } => {
                assert_ne!(len, 0);
                self.sides[side.index()].extend(offset, len, false);
            }
            FlowEvent::End { side, reason } => {
                let end = self.sides[side.index()].end.replace(reason);
                assert!(end.is_none(), "{side} ended twice");
            }
            FlowEvent::Anomaly(anomaly) => {
                let name = anomaly.kind.name();
                assert!(!self.anomalies.contains(&name), "{name} told twice");
                self.anomalies.push(name);
            }
            FlowEvent::Closed { summary } => {
                for side in Side::BOTH {
                    let (life, told) = (&self.sides[side.index()], summary.side(side));
                    assert_eq!(life.end, Some(told.end_reason));
                    assert_eq!(life.delivered, told.delivered_bytes);
                    assert_eq!(life.missed, told.missed_bytes);
                    assert!(life.next <= told.bytes, "{life:?} {told:?}");
                }
                let mut kinds: Vec<_> = summary.anomalies.iter().map(|kind| kind.name()).collect();
                kinds.sort_unstable();
                self.anomalies.sort_unstable();
                assert_eq!(kinds, self.anomalies);
                assert!(summary.last_ts >= summary.first_ts);
            }
        }
    }
}

impl SideLife {
    fn extend(&mut self, offset: u64, len: u64, delivered: bool) {
        assert!(self.end.is_none(), "bytes after the end");
        assert_eq!(offset, self.next, "not contiguous");
        self.next += len;
        *if delivered { &mut self.delivered } else { &mut self.missed } += len;
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}

fn note(flow: &FlowView<'_>, event: &FlowEvent<'_>) -> Note {
    let (what, side, range, hash) = match *event {
        FlowEvent::Opened => {
            let tuple = format!("{} {:?} {:?}", flow.tuple, flow.vlan, flow.tunnel);
            ("opened", None, (0, 0), hash(tuple.as_bytes()))
        }
        FlowEvent::Data { side, offset, bytes } => {
            ("data", Some(side), (offset, bytes.len() as u64), hash(bytes))
        }
        FlowEvent::Datagram { side, offset, bytes } => {
            ("datagram", Some(side), (offset, bytes.len() as u64), hash(bytes))
        }
        FlowEvent::Gap { side, offset, len, reason } => {
            (reason.name(), Some(side), (offset, len), 0)
        }
        FlowEvent::End { side, reason } => (reason.name(), Some(side), (0, 0), 0),
        FlowEvent::Anomaly(anomaly) => (anomaly.kind.name(), Some(anomaly.side), (0, 0), 0),
        FlowEvent::Closed { summary } => {
            ("closed", None, (0, 0), hash(format!("{summary:?}").as_bytes()))
        }
    };
    let packet = (!flow.timer).then_some(flow.packet);
    Note { what, side, range, hash, ts: flow.ts, packet }
}
