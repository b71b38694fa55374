//! An immutable set of parsers.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use flowcell_core::{FiveTuple, Side, Transport};

use super::loader::{Loaded, ParserFile};
use crate::runtime::Parser;

/// The parsers that new flows are matched against.
#[derive(Debug, Default)]
pub struct Generation {
    number: u64,
    parsers: Vec<Loaded>,
    /// Index of the parser for a server port. Where two want the same, the first in order has it.
    ports: HashMap<(Transport, u16), usize>,
    clashes: Vec<String>,
}

/// A parser for a flow, and which of the flow's endpoints it takes for the server.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The parser.
    pub parser: Arc<Parser>,
    /// The endpoint whose port matched.
    pub server: Side,
    /// The parser's file, if such are kept.
    pub file: Option<Arc<ParserFile>>,
}

impl Generation {
    /// `number` grows with each reload; 0 is what the run started with.
    #[must_use]
    pub fn new(number: u64, parsers: Vec<Loaded>) -> Self {
        let mut ports: HashMap<(Transport, u16), usize> = HashMap::new();
        let mut clashes = Vec::new();
        for (index, loaded) in parsers.iter().enumerate() {
            let description = loaded.parser.description();
            let tcp = description.tcp_ports.iter().map(|port| (Transport::Tcp, *port));
            let udp = description.udp_ports.iter().map(|port| (Transport::Udp, *port));
            for key in tcp.chain(udp) {
                let holder = *ports.entry(key).or_insert(index);
                if let Some(holder) = parsers.get(holder).filter(|_| holder != index) {
                    let (transport, port) = key;
                    let (holder, label) = (holder.parser.label(), loaded.parser.label());
                    clashes.push(format!(
                        "{}: {label} wants {transport} port {port}, which {holder} has already",
                        loaded.origin
                    ));
                }
            }
        }
        Self { number, parsers, ports, clashes }
    }

    /// Ports that a parser wants and another one has, in words.
    #[must_use]
    pub fn clashes(&self) -> &[String] {
        &self.clashes
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

    /// The parser for a new flow, by port: the responder's first, then the originator's, for a flow
    /// whose start was not seen and whose first packet may have come from the server.
    #[must_use]
    pub fn select(&self, tuple: &FiveTuple, midstream: bool) -> Option<Candidate> {
        let candidate = |port, server| {
            let index = *self.ports.get(&(tuple.transport, port))?;
            let Loaded { parser, file, .. } = self.parsers.get(index)?;
            Some(Candidate { parser: Arc::clone(parser), server, file: file.clone() })
        };
        candidate(tuple.resp.port, Side::Resp).or_else(|| {
            let guess = midstream || tuple.transport == Transport::Udp;
            if guess { candidate(tuple.orig.port, Side::Orig) } else { None }
        })
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
