//! Flows that a parser has said are to come.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use flowcell_core::{FiveTuple, FlowView, Side, Timestamp, Transport};
use serde::Serialize;

use crate::documented::documented;
use crate::runtime::{self, Expected};

/// How long a flow is expected, in ms of packet time.
pub(super) const PATIENCE_MS: u64 = 300_000;

/// Flows that one flow's parser can expect at a time.
pub(super) const OF_A_FLOW: usize = 32;

documented! {
    /// What was counted about them.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
    pub struct ExpectationStats {
        /// Flows that were expected.
        pub expected: u64,
        /// Those that came.
        pub met: u64,
        /// Those of which nothing was noted, because they were between other hosts, or at a usual port of
        /// another parser.
        pub refused: u64,
        /// Those that made room for others.
        pub forgotten: u64,
        /// Those that did not come in time.
        pub expired: u64,
    }
}

impl ExpectationStats {
    pub(super) fn merge(&mut self, other: &Self) {
        let Self { expected, met, refused, forgotten, expired } = other;
        self.expected += expected;
        self.met += met;
        self.refused += refused;
        self.forgotten += forgotten;
        self.expired += expired;
    }
}

/// Where a flow is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    transport: Transport,
    server: SocketAddr,
    client: IpAddr,
    /// In how many tunnels they are: ids may be different for each direction.
    depth: u8,
}

/// Who gets a flow.
#[derive(Debug)]
pub(super) struct Expectation {
    pub(super) parser: String,
    pub(super) context: Box<[u8]>,
    /// The flow whose parser has said so.
    pub(super) parent: Box<str>,
    since: Timestamp,
    /// Tells it from others of the same flow.
    serial: u64,
}

impl Expectation {
    fn is_too_old(&self, now: Timestamp) -> bool {
        now.0.saturating_sub(self.since.0) > PATIENCE_MS.saturating_mul(1_000_000)
    }
}

/// The flows that are expected.
#[derive(Debug)]
pub(super) struct Expectations {
    /// How many there may be.
    limit: usize,
    known: HashMap<Key, Expectation>,
    /// In the order in which they were said; some may be gone or said anew.
    order: VecDeque<(Key, u64)>,
    serial: u64,
}

impl Expectations {
    pub(super) fn new(limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { limit, known: HashMap::new(), order: VecDeque::new(), serial: 0 }
    }

    /// Takes note of what the parser of `flow` has said. `of_flow`: where that flow expects others.
    pub(super) fn add(
        &mut self,
        flow: &FlowView<'_>,
        uid: &str,
        expected: Vec<Expected>,
        of_flow: &mut VecDeque<Key>,
        stats: &mut ExpectationStats,
    ) {
        for Expected { parser, transport, server, context } in expected {
            let transport = match transport {
                runtime::Transport::Tcp => Transport::Tcp,
                runtime::Transport::Udp => Transport::Udp,
            };
            let FiveTuple { orig, resp, .. } = flow.tuple;
            let client = match server.ip() {
                ip if ip == resp.addr => orig.addr,
                ip if ip == orig.addr => resp.addr,
                _ => {
                    stats.refused += 1;
                    continue;
                }
            };
            let key = Key { transport, server, client, depth: depth(flow) };
            self.serial += 1;
            let (serial, since, parent) = (self.serial, flow.ts, uid.into());
            let expectation =
                Expectation { parser, context: context.into(), parent, since, serial };
            stats.expected += 1;
            self.known.insert(key, expectation);
            self.order.push_back((key, serial));
            of_flow.retain(|known| *known != key && self.is_of(known, uid));
            of_flow.push_back(key);
            if of_flow.len() > OF_A_FLOW
                && let Some(oldest) = of_flow.pop_front()
            {
                self.known.remove(&oldest);
                stats.forgotten += 1;
            }
        }
        self.tidy(flow.ts, stats);
    }

    fn is_of(&self, key: &Key, uid: &str) -> bool {
        self.known.get(key).is_some_and(|known| *known.parent == *uid)
    }

    /// Drops what is too old, or too much.
    fn tidy(&mut self, now: Timestamp, stats: &mut ExpectationStats) {
        let Self { limit, known, order, .. } = self;
        while let Some((key, serial)) = order.front().copied() {
            if let Some(first) = known.get(&key).filter(|known| known.serial == serial) {
                let expired = first.is_too_old(now);
                if !expired && known.len() <= *limit {
                    break;
                }
                known.remove(&key);
                *(if expired { &mut stats.expired } else { &mut stats.forgotten }) += 1;
            }
            order.pop_front();
        }
        if order.len() > known.len().saturating_mul(2).saturating_add(64) {
            order.retain(|(key, serial)| known.get(key).is_some_and(|it| it.serial == *serial));
        }
    }

    /// Who gets a flow that begins now, and which endpoint is its server, if it was expected. `guess`: who is
    /// client is not known.
    pub(super) fn take(
        &mut self,
        flow: &FlowView<'_>,
        guess: bool,
        stats: &mut ExpectationStats,
    ) -> Option<(Expectation, Side)> {
        if self.known.is_empty() {
            return None;
        }
        let FiveTuple { orig, resp, transport } = *flow.tuple;
        let roles = [(resp, orig, Side::Resp), (orig, resp, Side::Orig)];
        let roles = roles.into_iter().take(if guess { 2 } else { 1 });
        for (server, client, side) in roles {
            let server = SocketAddr::new(server.addr, server.port);
            let key = Key { transport, server, client: client.addr, depth: depth(flow) };
            match self.known.remove(&key) {
                Some(known) if known.is_too_old(flow.ts) => stats.expired += 1,
                Some(known) => {
                    stats.met += 1;
                    return Some((known, side));
                }
                None => {}
            }
        }
        None
    }
}

fn depth(flow: &FlowView<'_>) -> u8 {
    flow.tunnel.map_or(0, |tunnel| tunnel.depth)
}
