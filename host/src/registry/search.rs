//! Finding the parser of a flow.
//!
//! ```text
//!  operator's mapping ──► that parser, and nobody else
//!  patterns           ──► those that match first; where several match at the same byte, those that are
//!                         usually found at the flow's ports before others
//!  ports              ──► once the patterns of the sides that have spoken have come to nothing
//! ```
//!
//! Bytes are looked at one after the other, in the order in which they came, so that what comes of it
//! does not depend on how they were cut.

use std::collections::VecDeque;
use std::sync::Arc;

use flowcell_contract::WINDOW;
use flowcell_core::{FiveTuple, Side};

use super::detection::{Hit, Scan};
use super::generation::{Candidate, Generation};
use super::mapping::Mapping;

/// Parsers that may try a flow, at most.
pub const CANDIDATES: usize = 8;

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// This parser may know it.
    Try(Candidate),
    /// That can't be said yet.
    Wait,
    /// Nobody knows it.
    Nobody,
}

/// The search for the parser of one flow.
#[derive(Debug)]
pub struct Search {
    generation: Arc<Generation>,
    scan: Option<Scan>,
    by_port: Vec<Hit>,
    /// Those at the ports have had their turn.
    by_port_tried: bool,
    /// To be tried next.
    queue: VecDeque<Hit>,
    tried: Vec<Hit>,
    /// The sides that have sent bytes, as far as these were not missed, by [`Side::index`].
    spoken: [bool; 2],
}

impl Search {
    /// Begins. `guess`: who is client is not known.
    #[must_use]
    pub fn new(generation: Arc<Generation>, tuple: &FiveTuple, guess: bool) -> Self {
        let by_port = generation.detector.by_port(tuple, guess);
        Self::with(generation, tuple, guess, by_port)
    }

    /// Begins with what another protocol has carried so far: its port says nothing.
    #[must_use]
    pub fn inside(generation: Arc<Generation>, tuple: &FiveTuple) -> Self {
        Self::with(generation, tuple, true, Vec::new())
    }

    fn with(
        generation: Arc<Generation>,
        tuple: &FiveTuple,
        guess: bool,
        by_port: Vec<Hit>,
    ) -> Self {
        let scan = generation.detector.scan(tuple.transport, guess);
        let (queue, tried) = (VecDeque::new(), Vec::new());
        let spoken = [false; 2];
        Self { generation, scan, by_port, by_port_tried: false, queue, tried, spoken }
    }

    /// Who gets the flow by the operator's word.
    #[must_use]
    pub fn mapped(
        generation: &Generation,
        mapping: &Mapping,
        tuple: &FiveTuple,
        guess: bool,
    ) -> Option<Candidate> {
        let (name, server) = mapping.parser(tuple, guess)?;
        let index = generation.position(name)?;
        let at_port = || {
            let mut hits = generation.detector.by_port(tuple, guess).into_iter();
            hits.find_map(|(known, server)| (known == index).then_some(server))
        };
        generation.candidate(index, server.or_else(at_port).unwrap_or(Side::Resp))
    }

    /// There are parsers to be tried before more bytes are looked at.
    #[must_use]
    pub fn has_candidates(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Looks at bytes of a stream up to the first that completes a match; returns how many those are.
    pub fn bytes(&mut self, side: Side, bytes: &[u8]) -> usize {
        self.spoken[side.index()] = true;
        let Some(scan) = &mut self.scan else { return bytes.len() };
        let (looked_at, hits) = scan.bytes(&self.generation.detector, side, bytes);
        self.add(hits);
        looked_at
    }

    /// Looks at how a datagram begins.
    pub fn datagram(&mut self, side: Side, bytes: &[u8]) {
        self.spoken[side.index()] = true;
        let Some(scan) = &mut self.scan else { return };
        if scan.is_ended(&self.generation.detector, side) {
            return;
        }
        scan.datagram(&self.generation.detector, side);
        let mut rest = &bytes[..bytes.len().min(WINDOW)];
        while !rest.is_empty() {
            let looked_at = self.bytes(side, rest);
            rest = rest.get(looked_at..).unwrap_or_default();
        }
    }

    /// Bytes of a side are missing: what follows them is not how it begins.
    pub fn gap(&mut self, side: Side) {
        self.spoken[side.index()] = true;
        if self.scan.as_ref().is_some_and(|scan| !scan.is_of_datagrams()) {
            self.end(side);
        }
    }

    /// Nothing more comes of a side.
    pub fn end(&mut self, side: Side) {
        self.scan.iter_mut().for_each(|scan| scan.end(side));
    }

    /// Nothing more is looked at.
    pub fn give_up_waiting(&mut self) {
        Side::BOTH.into_iter().for_each(|side| self.end(side));
    }

    /// Puts those that were found at one place in order.
    fn add(&mut self, mut hits: Vec<Hit>) {
        let at_port = |hit: &Hit| self.by_port.iter().position(|known| known == hit);
        hits.sort_by_key(|hit| (at_port(hit).unwrap_or(usize::MAX), *hit));
        for hit in hits {
            if !self.tried.contains(&hit) && !self.queue.contains(&hit) {
                self.queue.push_back(hit);
            }
        }
    }

    /// Says what to do, after all that is known was looked at.
    pub fn decide(&mut self) -> Next {
        if self.queue.is_empty() && !self.by_port_tried && self.has_nothing_more() {
            self.by_port_tried = true;
            self.add(self.by_port.clone());
        }
        while let Some(hit) = self.queue.pop_front() {
            if self.tried.len() == CANDIDATES {
                return Next::Nobody;
            }
            self.tried.push(hit);
            let (index, server) = hit;
            if let Some(candidate) = self.generation.candidate(index, server) {
                return Next::Try(candidate);
            }
        }
        let detector = &self.generation.detector;
        let ended = |scan: &Scan| Side::BOTH.into_iter().all(|side| scan.is_ended(detector, side));
        if self.scan.as_ref().is_none_or(ended) { Next::Nobody } else { Next::Wait }
    }

    /// The sides that have spoken match nothing more of what they have said.
    fn has_nothing_more(&self) -> bool {
        let detector = &self.generation.detector;
        self.scan.as_ref().is_none_or(|scan| {
            let is_over = |side: Side| {
                !self.spoken[side.index()] || scan.is_of_datagrams() || scan.is_over(detector, side)
            };
            self.spoken != [false; 2] && Side::BOTH.into_iter().all(is_over)
        })
    }
}
