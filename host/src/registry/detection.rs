//! Which parsers may know a flow: by how its sides begin, and by its ports.

use std::collections::HashMap;

use flowcell_contract::{DATAGRAMS, WINDOW};
use flowcell_core::{FiveTuple, Side, Transport};

use super::loader::Loaded;
use crate::runtime::{self, Patterns, Progressed};

/// What all parsers of a generation say of how their flows begin.
#[derive(Debug, Default)]
pub(super) struct Detector {
    /// By transport (TCP, UDP) and side (client, server).
    patterns: [[Patterns; 2]; 2],
    /// Indices of the parsers for a server port, in order.
    ports: HashMap<(Transport, u16), Vec<usize>>,
}

/// A parser that may know a flow, by index, and which endpoint is the server then.
pub(super) type Hit = (usize, Side);

impl Detector {
    pub(super) fn new(parsers: &[Loaded]) -> Self {
        let mut patterns: [[Vec<(&str, usize)>; 2]; 2] = Default::default();
        let mut ports: HashMap<(Transport, u16), Vec<usize>> = HashMap::new();
        for (index, loaded) in parsers.iter().enumerate() {
            let description = loaded.parser.description();
            for pattern in &description.patterns {
                let transport = usize::from(pattern.transport == runtime::Transport::Udp);
                let side = usize::from(pattern.side == runtime::Side::Server);
                patterns[transport][side].push((&pattern.regex, index));
            }
            let tcp = description.tcp_ports.iter().map(|port| (Transport::Tcp, *port));
            let udp = description.udp_ports.iter().map(|port| (Transport::Udp, *port));
            for key in tcp.chain(udp) {
                let holders = ports.entry(key).or_default();
                if !holders.contains(&index) {
                    holders.push(index);
                }
            }
        }
        let patterns = patterns.map(|sides| sides.map(|patterns| Patterns::new(&patterns)));
        Self { patterns, ports }
    }

    /// The parsers that are usually found at the flow's ports: first those of the responder's. Where who
    /// is client is a guess, the first packet may have come from the server.
    pub(super) fn by_port(&self, tuple: &FiveTuple, guess: bool) -> Vec<Hit> {
        let sides = [(tuple.resp.port, Side::Resp), (tuple.orig.port, Side::Orig)];
        let sides = &sides[..if guess { 2 } else { 1 }];
        let holders = |(port, server): &(u16, Side)| {
            let server = *server;
            let known = self.ports.get(&(tuple.transport, *port)).into_iter().flatten();
            known.map(move |index| (*index, server)).collect::<Vec<_>>()
        };
        sides.iter().flat_map(holders).collect()
    }

    /// Begins to look at a flow. None for what no pattern can be of.
    pub(super) fn scan(&self, transport: Transport, guess: bool) -> Option<Scan> {
        let sets = match transport {
            Transport::Tcp => &self.patterns[0],
            Transport::Udp => &self.patterns[1],
            _ => return None,
        };
        let servers = [Side::Resp, Side::Orig];
        let mut lanes = Vec::new();
        for server in &servers[..if guess { 2 } else { 1 }] {
            for side in Side::BOTH {
                let role = usize::from(side == *server);
                let progressed = sets[role].start();
                lanes.push(Lane { side, server: *server, role, progressed });
            }
        }
        let datagrams = transport == Transport::Udp;
        Some(Scan { datagrams, lanes, left: [if datagrams { DATAGRAMS } else { WINDOW }; 2] })
    }
}

/// How far the bytes of a flow have come in all patterns.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    datagrams: bool,
    lanes: Vec<Lane>,
    /// Bytes or datagrams that are still looked at, by [`Side::index`].
    left: [usize; 2],
}

/// The bytes of a side in one of its possible roles.
#[derive(Debug, Clone)]
struct Lane {
    side: Side,
    server: Side,
    /// 0: it is the client.
    role: usize,
    progressed: Progressed,
}

impl Scan {
    /// Looks at bytes of a side up to the first that completes a match. Returns how many those are, and
    /// whose patterns match there.
    pub(super) fn bytes(
        &mut self,
        detector: &Detector,
        side: Side,
        bytes: &[u8],
    ) -> (usize, Vec<Hit>) {
        let sets = &detector.patterns[usize::from(self.datagrams)];
        let mut hits = Vec::new();
        for (index, byte) in bytes.iter().enumerate() {
            if self.is_over(detector, side) {
                break;
            }
            for lane in self.lanes.iter_mut().filter(|lane| lane.side == side) {
                let server = lane.server;
                let hit = &mut |owner| hits.push((owner, server));
                sets[lane.role].step(&mut lane.progressed, *byte, hit);
            }
            if !self.datagrams {
                self.left[side.index()] = self.left[side.index()].saturating_sub(1);
            }
            if !hits.is_empty() {
                return (index + 1, hits);
            }
        }
        (bytes.len(), hits)
    }

    /// What comes next of a side is a datagram of its own.
    pub(super) fn datagram(&mut self, detector: &Detector, side: Side) {
        self.left[side.index()] = self.left[side.index()].saturating_sub(1);
        let sets = &detector.patterns[1];
        for lane in self.lanes.iter_mut().filter(|lane| lane.side == side) {
            lane.progressed = sets[lane.role].start();
        }
    }

    /// Nothing more of a side is looked at: it has ended, or bytes are missing.
    pub(super) fn end(&mut self, side: Side) {
        self.left[side.index()] = 0;
    }

    /// Each datagram begins anew.
    pub(super) const fn is_of_datagrams(&self) -> bool {
        self.datagrams
    }

    /// Nothing more of the side can match: of the datagram at hand, where it is of datagrams.
    pub(super) fn is_over(&self, detector: &Detector, side: Side) -> bool {
        let sets = &detector.patterns[usize::from(self.datagrams)];
        let mut lanes = self.lanes.iter().filter(|lane| lane.side == side);
        (self.left[side.index()] == 0 && !self.datagrams)
            || lanes.all(|lane| sets[lane.role].is_over(&lane.progressed))
    }

    /// Nothing that comes of the side is looked at.
    pub(super) fn is_ended(&self, detector: &Detector, side: Side) -> bool {
        self.left[side.index()] == 0 || !self.datagrams && self.is_over(detector, side)
    }
}
