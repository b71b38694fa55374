//! The flow table: a slab of flows and an index over their keys.
//!
//! The index is a hash table with open addressing whose entries are 8 bytes: 32 bits of the key's
//! hash and the slot of the flow. The key itself is in the flow. A lookup costs one hash and, as a
//! rule, one cache line of the index. The caller bounds the number of flows.

use super::Flow;
use crate::{FiveTuple, FlowId, Side, Timestamp};

/// Packets that are looked ahead for at a time.
pub(crate) const AHEAD: usize = 16;

/// The part of a key's hash that the index uses.
#[expect(clippy::cast_possible_truncation, reason = "half of a good hash is a good hash")]
pub(crate) const fn tag(hash: u64) -> u32 {
    hash as u32
}

/// An entry of the index that leads to no flow.
const EMPTY: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u32,
    index: u32,
}

#[derive(Debug)]
struct Slot {
    tag: u32,
    flow: Option<Flow>,
}

/// All flows of an engine.
#[derive(Debug)]
pub(crate) struct FlowTable {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Length a power of two, at most three quarters full.
    entries: Vec<Entry>,
    len: usize,
    /// That of the latest flow.
    generation: u32,
}

impl FlowTable {
    pub(crate) fn new() -> Self {
        let entries = vec![Entry { tag: 0, index: EMPTY }; 64];
        Self { slots: Vec::new(), free: Vec::new(), entries, len: 0, generation: 0 }
    }

    /// Makes a table of flows that carry others: their generations are odd, all others even.
    pub(crate) fn of_carriers() -> Self {
        Self { generation: 1, ..Self::new() }
    }

    /// Returns the number of flows.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Returns the flow in a slot, to look at.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&Flow> {
        self.slots.get(index as usize)?.flow.as_ref()
    }

    /// Returns the flow in a slot.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Flow> {
        self.slots.get_mut(index as usize)?.flow.as_mut()
    }

    /// Returns when a packet of the flow in a slot was last seen.
    #[inline]
    pub(crate) fn since(&self, index: u32) -> Timestamp {
        self.get(index).map_or(Timestamp(0), |flow| flow.silence.since)
    }

    /// Finds the flow that a packet with these endpoints belongs to, and who sent the packet.
    #[inline]
    pub(crate) fn find(&self, tag: u32, scope: u64, packet: &FiveTuple) -> Option<(u32, Side)> {
        let mask = self.entries.len() - 1;
        let mut at = tag as usize & mask;
        loop {
            let entry = self.entries.get(at)?;
            if entry.index == EMPTY {
                return None;
            }
            if entry.tag == tag
                && let Some(flow) = self.slots.get(entry.index as usize)?.flow.as_ref()
                && flow.ident.scope == scope
                && let Some(side) = flow.ident.tuple.side_of(packet)
            {
                return Some((entry.index, side));
            }
            at = (at + 1) & mask;
        }
    }

    /// Reads what handling packets with these hashes is going to read, all at the same time: with many
    /// flows it is not in the processor's caches, and to wait for it packet by packet is most of the
    /// work. What is returned has no meaning.
    pub(crate) fn look_ahead(&self, hashes: impl Iterator<Item = u64>) -> u64 {
        let mask = self.entries.len() - 1;
        let mut found = [EMPTY; AHEAD];
        for (found, hash) in found.iter_mut().zip(hashes) {
            let tag = tag(hash);
            let home = tag as usize & mask;
            for step in 0..4 {
                let Some(entry) = self.entries.get((home + step) & mask) else { break };
                if entry.tag == tag || entry.index == EMPTY {
                    *found = entry.index;
                    break;
                }
            }
        }
        let flows = found.iter().filter_map(|&index| self.slots.get(index as usize)?.flow.as_ref());
        flows.fold(0, |sum, flow| sum ^ flow.glance())
    }

    /// Adds the flow that `open` makes for the id it is given; returns its slot.
    pub(crate) fn insert(&mut self, tag: u32, open: impl FnOnce(FlowId) -> Flow) -> u32 {
        if (self.len + 1) * 4 > self.entries.len() * 3 {
            self.grow();
        }
        self.generation = self.generation.wrapping_add(2);
        let generation = self.generation;
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                // The cap on flows keeps the number of slots far below 2^32.
                let index = u32::try_from(self.slots.len()).unwrap_or(EMPTY);
                self.slots.push(Slot { tag, flow: None });
                index
            }
        };
        if let Some(slot) = self.slots.get_mut(index as usize) {
            *slot = Slot { tag, flow: Some(open(FlowId { index, generation })) };
        }
        place(&mut self.entries, Entry { tag, index });
        self.len += 1;
        index
    }

    /// Takes a flow out.
    pub(crate) fn remove(&mut self, index: u32) -> Option<Flow> {
        let slot = self.slots.get_mut(index as usize)?;
        let flow = slot.flow.take()?;
        let tag = slot.tag;
        self.free.push(index);
        self.len -= 1;
        self.unlink(tag, index);
        Some(flow)
    }

    /// Returns all flows, as first packet and slot, in the order in which they opened.
    pub(crate) fn in_order(&self) -> Vec<(u64, u32)> {
        let mut order: Vec<_> = self.slots.iter().filter_map(|slot| slot.flow.as_ref()).collect();
        // Generations count up; their distance to the latest one survives their wrap.
        let age = |flow: &&Flow| self.generation.wrapping_sub(flow.ident.id.generation);
        order.sort_unstable_by_key(|flow| std::cmp::Reverse(age(flow)));
        order.iter().map(|flow| (flow.ident.first_packet, flow.ident.id.index)).collect()
    }

    fn grow(&mut self) {
        let size = self.entries.len() * 2;
        let old = std::mem::replace(&mut self.entries, vec![Entry { tag: 0, index: EMPTY }; size]);
        for entry in old.into_iter().filter(|entry| entry.index != EMPTY) {
            place(&mut self.entries, entry);
        }
    }

    /// Removes an entry and closes the run behind it, so that no tombstone is needed.
    fn unlink(&mut self, tag: u32, index: u32) {
        let mask = self.entries.len() - 1;
        let mut hole = tag as usize & mask;
        while let Some(entry) = self.entries.get(hole)
            && entry.index != index
        {
            if entry.index == EMPTY {
                return;
            }
            hole = (hole + 1) & mask;
        }
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let entry = self.entries[at];
            if entry.index == EMPTY {
                break;
            }
            // An entry may move into the hole unless that would put it before its home.
            let home = entry.tag as usize & mask;
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.entries[hole] = entry;
                hole = at;
            }
        }
        self.entries[hole].index = EMPTY;
    }
}

/// Puts an entry into the first free place from its home on.
fn place(entries: &mut [Entry], entry: Entry) {
    let mask = entries.len() - 1;
    let mut at = entry.tag as usize & mask;
    while entries[at].index != EMPTY {
        at = (at + 1) & mask;
    }
    entries[at] = entry;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Rng, udp_flow};

    #[test]
    fn find_after_random_inserts_and_removes() {
        let mut rng = Rng::new(7);
        let mut table = FlowTable::new();
        let mut model = std::collections::BTreeMap::new();
        for _ in 0..20_000 {
            // Few tags, so that runs collide and wrap.
            let port = rng.below(300) as u16;
            let tag = (u32::from(port) % 61).wrapping_sub(30);
            let found = table.find(tag, 0, &udp_flow(port, 0).ident.tuple).map(|(index, _)| index);
            assert_eq!(found, model.get(&port).copied());
            match found {
                Some(index) => {
                    assert_eq!(table.remove(index).map(|f| f.ident.tuple.orig.port), Some(port));
                    model.remove(&port);
                }
                None => {
                    let index = table.insert(tag, |id| udp_flow(port, id.generation));
                    assert!(model.insert(port, index).is_none());
                }
            }
            assert_eq!(table.len(), model.len());
        }
    }

    #[test]
    fn slots_are_reused_with_another_generation() {
        let mut table = FlowTable::new();
        let mut ids = Vec::new();
        for port in 0..3 {
            let index = table.insert(9, |id| {
                ids.push(id);
                udp_flow(port, id.generation)
            });
            table.remove(index);
        }
        assert!(ids.iter().all(|id| id.index() == 0));
        assert!(ids[0].generation() != ids[1].generation());
    }
}
