//! Which datagrams there are: found by key, given up by age.
//!
//! # What is counted
//!
//! Trees only, no hash table: they give back what they don't need and never move as a whole, so what
//! an entry takes has an upper bound at any time, and nobody can choose keys that make them slow. The
//! overheads below are those bounds, which is checked where this is compiled. Three nodes, the roots
//! of the trees in [`Store`], come on top.

use core::net::IpAddr;
use std::collections::BTreeMap;

use super::Fragment;
use super::partial::{PIECES_ROOT, Partial, Prints, tree_share};
use crate::{Counters, Limits, Timestamp};

/// What an incomplete datagram costs besides its fragments.
pub(super) const HELD_OVERHEAD: u64 = 1024;

/// What a datagram costs that is only remembered, besides its fingerprints.
pub(super) const PAST_OVERHEAD: u64 = 512;

const INDEX_SHARE: u64 = tree_share(size_of::<Key>() + size_of::<u64>());
const HELD_SHARE: u64 = tree_share(size_of::<u64>() + size_of::<Entry<Partial>>());
const PAST_SHARE: u64 = tree_share(size_of::<u64>() + size_of::<Entry<Past>>());
const _: () = assert!(HELD_OVERHEAD >= INDEX_SHARE + HELD_SHARE + PIECES_ROOT);
const _: () = assert!(PAST_OVERHEAD >= INDEX_SHARE + PAST_SHARE + 24);

/// What the fragments of one datagram have in common. What differs most comes first, as the order of
/// fields is that of comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    id: u32,
    scope: u64,
    src: IpAddr,
    dst: IpAddr,
    /// 0 for IPv6, where only the first fragment's counts (RFC 8200 §4.5).
    protocol: u8,
}

impl Key {
    pub(super) const fn new(fragment: &Fragment<'_>, scope: u64) -> Self {
        let Fragment { src, dst, id, .. } = *fragment;
        let protocol = if src.is_ipv4() { fragment.protocol } else { 0 };
        Self { id, scope, src, dst, protocol }
    }
}

/// What is remembered of a datagram that is not waited for any more.
#[derive(Debug)]
pub(super) enum Past {
    /// It came out whole.
    Whole(Prints),
    /// It never will.
    GivenUp,
}

#[derive(Debug)]
struct Entry<T> {
    key: Key,
    deadline: Timestamp,
    cost: u64,
    state: T,
}

/// The limit that something runs into.
#[derive(Debug, Clone, Copy)]
enum Cap {
    Total,
    Datagrams,
}

/// All datagrams. Numbered as they open, which is the order of their deadlines, too.
#[derive(Debug)]
pub(super) struct Store {
    index: BTreeMap<Key, u64>,
    held: BTreeMap<u64, Entry<Partial>>,
    past: BTreeMap<u64, Entry<Past>>,
    opened: u64,
    /// Sum of the entries' costs.
    cost: u64,
    /// The greatest time seen.
    now: Timestamp,
    /// No deadline is before this.
    next_due: Timestamp,
    /// In nanoseconds.
    timeout: u64,
    max_cost: u64,
    max_datagrams: usize,
}

impl Store {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            index: BTreeMap::new(),
            held: BTreeMap::new(),
            past: BTreeMap::new(),
            opened: 0,
            cost: 0,
            now: Timestamp::default(),
            next_due: Timestamp::MAX,
            timeout: limits.frag_timeout_ms.saturating_mul(1_000_000),
            max_cost: limits.frag_total,
            max_datagrams: usize::try_from(limits.frag_datagrams).unwrap_or(usize::MAX),
        }
    }

    pub(super) const fn cost(&self) -> u64 {
        self.cost
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Finds a datagram, held or remembered.
    pub(super) fn find(&self, key: &Key) -> Option<u64> {
        self.index.get(key).copied()
    }

    /// Returns what is remembered of a datagram.
    pub(super) fn past(&self, seq: u64) -> Option<&Past> {
        self.past.get(&seq).map(|entry| &entry.state)
    }

    /// Returns a datagram that is held.
    pub(super) fn partial(&mut self, seq: u64) -> Option<&mut Partial> {
        self.held.get_mut(&seq).map(|entry| &mut entry.state)
    }

    /// Opens a datagram with `cost` bytes to come, if they can be had at all.
    pub(super) fn open(&mut self, key: Key, cost: u64, counters: &mut Counters) -> Option<u64> {
        let cost = cost.saturating_add(HELD_OVERHEAD);
        if cost > self.max_cost {
            counters.frag_total_hit += 1;
            return None;
        }
        if self.index.len() >= self.max_datagrams {
            self.evict(Cap::Datagrams, counters);
        }
        self.make_room(cost, counters);
        let seq = self.opened;
        self.opened = self.opened.wrapping_add(1);
        let deadline = self.now.saturating_add(self.timeout);
        self.next_due = self.next_due.min(deadline);
        self.index.insert(key, seq);
        self.held.insert(seq, Entry { key, deadline, cost, state: Partial::default() });
        self.cost = self.cost.saturating_add(cost);
        Some(seq)
    }

    /// Finds room for `cost` more bytes of a datagram. It is gone if it was the oldest itself.
    pub(super) fn grow(&mut self, seq: u64, cost: u64, counters: &mut Counters) {
        self.make_room(cost, counters);
        if let Some(entry) = self.held.get_mut(&seq) {
            entry.cost = entry.cost.saturating_add(cost);
            self.cost = self.cost.saturating_add(cost);
        }
    }

    /// Frees what is held of a datagram and remembers it until its deadline.
    pub(super) fn retire(&mut self, seq: u64, past: Past) {
        let Some(entry) = self.held.remove(&seq) else { return };
        let prints = match &past {
            Past::Whole(prints) => prints.cost(),
            Past::GivenUp => 0,
        };
        let cost = PAST_OVERHEAD.saturating_add(prints);
        self.cost = self.cost.saturating_sub(entry.cost).saturating_add(cost);
        let Entry { key, deadline, .. } = entry;
        self.past.insert(seq, Entry { key, deadline, cost, state: past });
    }

    /// Returns whether a datagram is held; if it was only remembered, then it no longer is.
    pub(super) fn recall(&mut self, seq: u64) -> bool {
        if let Some(entry) = self.past.remove(&seq) {
            self.forget(&entry);
        }
        self.held.contains_key(&seq)
    }

    /// Moves time on and lets go of what is due.
    pub(super) fn expire(&mut self, now: Timestamp, counters: &mut Counters) {
        self.now = self.now.max(now);
        if self.now < self.next_due {
            return;
        }
        while let Some(entry) = pop_due(&mut self.held, self.now) {
            self.forget(&entry);
            counters.frag_timed_out += 1;
        }
        while let Some(entry) = pop_due(&mut self.past, self.now) {
            self.forget(&entry);
        }
        let held = self.held.first_key_value().map(|(_, entry)| entry.deadline);
        let past = self.past.first_key_value().map(|(_, entry)| entry.deadline);
        self.next_due = held.into_iter().chain(past).min().unwrap_or(Timestamp::MAX);
    }

    fn make_room(&mut self, cost: u64, counters: &mut Counters) {
        while self.cost.saturating_add(cost) > self.max_cost && self.evict(Cap::Total, counters) {}
    }

    /// Lets go of the oldest that is only remembered or else the oldest that is held; returns
    /// whether there was one.
    #[cold]
    fn evict(&mut self, cap: Cap, counters: &mut Counters) -> bool {
        if let Some((_, entry)) = self.past.pop_first() {
            counters.frag_forgotten += 1;
            self.forget(&entry);
            return true;
        }
        let Some((_, entry)) = self.held.pop_first() else { return false };
        *match cap {
            Cap::Total => &mut counters.frag_total_hit,
            Cap::Datagrams => &mut counters.frag_datagrams_hit,
        } += 1;
        self.forget(&entry);
        true
    }

    /// Takes back what an entry, now removed, was counted for.
    fn forget<T>(&mut self, entry: &Entry<T>) {
        self.index.remove(&entry.key);
        self.cost = self.cost.saturating_sub(entry.cost);
    }
}

/// Takes out the first entry if it is due.
fn pop_due<T>(entries: &mut BTreeMap<u64, Entry<T>>, now: Timestamp) -> Option<Entry<T>> {
    let first = entries.first_entry()?;
    let deadline = first.get().deadline;
    // A deadline at the end of time is one that did not fit.
    (deadline <= now && deadline != Timestamp::MAX).then(|| first.remove())
}

#[cfg(test)]
impl Store {
    /// Checks what must hold at any time.
    pub(super) fn check(&self) {
        assert_eq!(self.index.len(), self.held.len() + self.past.len());
        assert!(self.index.len() <= self.max_datagrams.max(1));
        for (key, seq) in &self.index {
            let held = self.held.get(seq).map(|entry| &entry.key);
            assert_eq!(held.or(self.past.get(seq).map(|entry| &entry.key)), Some(key));
        }
        let held = self.held.values().map(|entry| {
            assert_eq!(entry.cost, HELD_OVERHEAD + entry.state.cost());
            (entry.cost, entry.deadline)
        });
        let past = self.past.values().map(|entry| (entry.cost, entry.deadline));
        let all: Vec<_> = held.chain(past).collect();
        assert_eq!(all.iter().map(|(cost, _)| cost).sum::<u64>(), self.cost);
        assert!(self.cost <= self.max_cost);
        assert!(all.iter().all(|(_, deadline)| *deadline > self.now && *deadline >= self.next_due));
    }
}
