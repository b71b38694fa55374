//! An immutable set of parsers.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use flowcell_core::Side;

use super::detection::Detector;
use super::loader::{Loaded, ParserFile};
use crate::runtime::{Expected, Parser, Transport};

/// The parsers that new flows are matched against.
#[derive(Debug, Default)]
pub struct Generation {
    number: u64,
    parsers: Vec<Loaded>,
    pub(super) detector: Detector,
}

/// A parser for a flow, and which of the flow's endpoints it takes for the server.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The parser.
    pub parser: Arc<Parser>,
    /// The server.
    pub server: Side,
    /// The parser's file, if such are kept.
    pub file: Option<Arc<ParserFile>>,
}

impl Generation {
    /// `number` grows with each reload; 0 is what the run started with.
    #[must_use]
    pub fn new(number: u64, parsers: Vec<Loaded>) -> Self {
        let detector = Detector::new(&parsers);
        Self { number, parsers, detector }
    }

    /// How many reloads came before.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The parsers, in order of file name.
    #[must_use]
    pub fn parsers(&self) -> &[Loaded] {
        &self.parsers
    }

    /// The parser that calls itself `name`.
    #[must_use]
    pub fn named(&self, name: &str, server: Side) -> Option<Candidate> {
        self.candidate(self.position(name)?, server)
    }

    /// The index of the parser that calls itself `name`.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.parsers.iter().position(|loaded| loaded.parser.description().name == name)
    }

    /// Whether a flow may be expected at its port: not where other parsers' flows are usually found.
    #[must_use]
    pub fn may_expect(&self, expected: &Expected) -> bool {
        let port = expected.server.port();
        self.parsers.iter().all(|loaded| {
            let description = loaded.parser.description();
            let ports = match expected.transport {
                Transport::Tcp => &description.tcp_ports,
                Transport::Udp => &description.udp_ports,
            };
            description.name == expected.parser || !ports.contains(&port)
        })
    }

    pub(super) fn candidate(&self, index: usize, server: Side) -> Option<Candidate> {
        let Loaded { parser, file, .. } = self.parsers.get(index)?;
        Some(Candidate { parser: Arc::clone(parser), server, file: file.clone() })
    }
}

/// The current generation, shared between workers and the reloader.
#[derive(Debug, Clone)]
pub struct Handle(Arc<ArcSwap<Generation>>);

impl Handle {
    /// Starts with `generation`.
    #[must_use]
    pub fn new(generation: Generation) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(generation)))
    }

    /// The current generation. Takes no lock.
    #[must_use]
    pub fn current(&self) -> Guard<Arc<Generation>> {
        self.0.load()
    }

    /// Makes `next` the current one: flows that open from now on use it.
    pub fn swap(&self, next: Generation) {
        self.0.store(Arc::new(next));
    }
}
