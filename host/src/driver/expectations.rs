//! Flows that a parser has said are to come.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use flowcell_core::{FiveTuple, FlowView, Side, Timestamp, Transport};
use serde::Serialize;

use crate::runtime::{self, Expected};

/// How long a flow is expected, in ns of packet time.
const PATIENCE: u64 = 300_000_000_000;

/// Flows that one flow's parser can expect at a time.
const OF_A_FLOW: usize = 32;

/// Flows that are expected at a time, in all.
const IN_ALL: usize = 20_000;

/// What was counted about them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ExpectationStats {
    /// Flows that were expected.
    pub expected: u64,
    /// Those that came.
    pub met: u64,
    /// Those of which nothing was noted, because they were between other hosts.
    pub refused: u64,
    /// Those that made room for others.
    pub forgotten: u64,
}

impl ExpectationStats {
    pub(super) fn merge(&mut self, other: &Self) {
        let Self { expected, met, refused, forgotten } = other;
        self.expected += expected;
        self.met += met;
        self.refused += refused;
        self.forgotten += forgotten;
    }
}

/// Where a flow is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    transport: Transport,
    server: SocketAddr,
    client: IpAddr,
    /// The tunnel: its kind and id.
    tunnel: Option<(&'static str, Option<u32>)>,
}

/// Who gets a flow.
#[derive(Debug)]
pub(super) struct Expectation {
    pub(super) parser: String,
    pub(super) context: Box<[u8]>,
    /// The flow whose parser has said so.
    pub(super) parent: Box<str>,
    since: Timestamp,
}

/// The flows that are expected.
#[derive(Debug, Default)]
pub(super) struct Expectations {
    known: HashMap<Key, Expectation>,
    /// In the order in which they were said; some may be gone or said anew.
    order: VecDeque<(Key, Timestamp)>,
}

impl Expectations {
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
            let key = Key { transport, server, client, tunnel: tunnel(flow) };
            let expectation =
                Expectation { parser, context: context.into(), parent: uid.into(), since: flow.ts };
            stats.expected += 1;
            self.known.insert(key, expectation);
            self.order.push_back((key, flow.ts));
            if !of_flow.contains(&key) {
                of_flow.push_back(key);
            }
            if of_flow.len() > OF_A_FLOW {
                let oldest = of_flow.pop_front();
                self.forget(oldest.filter(|key| self.is_of(key, uid)), stats);
            }
        }
        self.tidy(flow.ts, stats);
    }

    fn is_of(&self, key: &Key, uid: &str) -> bool {
        self.known.get(key).is_some_and(|known| *known.parent == *uid)
    }

    fn forget(&mut self, key: Option<Key>, stats: &mut ExpectationStats) {
        if key.is_some_and(|key| self.known.remove(&key).is_some()) {
            stats.forgotten += 1;
        }
    }

    /// Drops what is too old, or too much.
    fn tidy(&mut self, now: Timestamp, stats: &mut ExpectationStats) {
        while let Some((key, since)) = self.order.front().copied() {
            let is_old = now.0.saturating_sub(since.0) > PATIENCE;
            if !is_old && self.order.len() <= IN_ALL {
                return;
            }
            self.order.pop_front();
            if self.known.get(&key).is_some_and(|known| known.since == since) {
                self.forget(Some(key), stats);
            }
        }
    }

    /// Who gets a flow that begins now, and which endpoint is its server, if it was expected.
    pub(super) fn take(
        &mut self,
        flow: &FlowView<'_>,
        stats: &mut ExpectationStats,
    ) -> Option<(Expectation, Side)> {
        if self.known.is_empty() {
            return None;
        }
        let FiveTuple { orig, resp, transport } = *flow.tuple;
        [(resp, orig, Side::Resp), (orig, resp, Side::Orig)].into_iter().find_map(
            |(server, client, side)| {
                let server = SocketAddr::new(server.addr, server.port);
                let key = Key { transport, server, client: client.addr, tunnel: tunnel(flow) };
                let known = self.known.remove(&key)?;
                if flow.ts.0.saturating_sub(known.since.0) > PATIENCE {
                    return None;
                }
                stats.met += 1;
                Some((known, side))
            },
        )
    }
}

fn tunnel(flow: &FlowView<'_>) -> Option<(&'static str, Option<u32>)> {
    flow.tunnel.map(|tunnel| (tunnel.kind.name(), tunnel.id))
}
