//! The timers of one class of flows.

use std::collections::BTreeSet;

use super::Class;
use crate::Timestamp;

/// The end of a list, and no flow.
const NONE: u32 = u32::MAX;

/// Buckets in which the time up to the timeout is cut.
const BUCKETS: u64 = 62;

/// Buckets of a ring: those up to the timeout, one that time is in, and one that is partly over.
const RING: u64 = BUCKETS + 2;

/// The same number, to count places with.
const SLOTS: usize = 64;
const _: () = assert!(SLOTS as u64 == RING);

/// The links of one slot.
#[derive(Debug, Clone, Copy)]
struct Link {
    prev: u32,
    next: u32,
    /// The time of the last packet as the queue knows it; never later than it really was.
    since: Timestamp,
    /// The deadline for which the slot is among the holes; the end of time if it is not.
    hole: Timestamp,
    /// The bucket of the ring; `NEAR` if it is in the ordered set.
    bucket: u8,
}

/// Stands for a bucket where a slot is in the ordered set.
const NEAR: u8 = u8::MAX;

/// The links of all slots, which all queues share: a flow is in one of them at a time.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Link>);

impl Links {
    fn at(&mut self, index: u32) -> &mut Link {
        let index = index as usize;
        if index >= self.0.len() {
            let since = Timestamp(0);
            let link = Link { prev: NONE, next: NONE, since, hole: Timestamp::MAX, bucket: NEAR };
            self.0.resize(index + 1, link);
        }
        &mut self.0[index]
    }

    pub(super) fn hole(&self, index: u32) -> Option<Timestamp> {
        let hole = self.0.get(index as usize)?.hole;
        (hole != Timestamp::MAX).then_some(hole)
    }

    pub(super) fn set_hole(&mut self, index: u32, deadline: Timestamp) {
        self.at(index).hole = deadline;
    }

    pub(super) fn take_hole(&mut self, index: u32) -> Option<Timestamp> {
        let hole = self.hole(index)?;
        self.set_hole(index, Timestamp::MAX);
        Some(hole)
    }
}

/// Flows ordered by when they were last seen: those next to expire exactly, the others roughly.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) class: Class,
    /// In nanoseconds.
    timeout: u64,
    /// The timeout under pressure; not above `timeout`.
    emergency: u64,
    /// What a bucket spans, in nanoseconds.
    span: u64,
    /// The number of the bucket up to which all flows are in `near`.
    at: u64,
    /// The first flow of each bucket; bucket `n` is at `n % RING`.
    heads: Box<[u32; SLOTS]>,
    /// Which buckets have flows, bit by bit.
    used: u64,
    near: BTreeSet<(Timestamp, u32)>,
}

impl Queue {
    pub(super) fn new(class: Class, [timeout, emergency]: [u64; 2]) -> Self {
        Self {
            class,
            timeout,
            emergency: emergency.min(timeout),
            span: (timeout / BUCKETS).max(1),
            at: 0,
            heads: Box::new([NONE; SLOTS]),
            used: 0,
            near: BTreeSet::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used == 0 && self.near.is_empty()
    }

    /// Returns when a flow expires that was last seen at `since`.
    #[inline]
    pub(super) const fn deadline(&self, since: Timestamp, emergency: bool) -> Timestamp {
        since.saturating_add(if emergency { self.emergency } else { self.timeout })
    }

    /// Adds a flow that was last seen at `since`.
    pub(super) fn insert(&mut self, index: u32, since: Timestamp, links: &mut Links) {
        if self.is_empty() {
            self.at = (since.0 / self.span).saturating_sub(1);
        }
        self.put(index, since, links);
    }

    fn put(&mut self, index: u32, since: Timestamp, links: &mut Links) {
        let number = since.0 / self.span;
        let link = links.at(index);
        link.since = since;
        if number <= self.at {
            link.bucket = NEAR;
            self.near.insert((since, index));
            return;
        }
        // Time may have jumped beyond the ring: the last bucket then holds what is put right later.
        let bucket = place(number.min(self.at.saturating_add(RING - 1)));
        let Some(head) = self.heads.get_mut(bucket as usize) else { return };
        (link.prev, link.next) = (NONE, *head);
        link.bucket = u8::try_from(bucket).unwrap_or(NEAR);
        let next = std::mem::replace(head, index);
        if next != NONE {
            links.at(next).prev = index;
        }
        self.used |= 1 << bucket;
    }

    /// Takes a flow out.
    pub(super) fn remove(&mut self, index: u32, links: &mut Links) {
        let Link { prev, next, since, bucket, .. } = *links.at(index);
        if bucket == NEAR {
            self.near.remove(&(since, index));
            return;
        }
        if next != NONE {
            links.at(next).prev = prev;
        }
        if prev != NONE {
            links.at(prev).next = next;
            return;
        }
        if let Some(head) = self.heads.get_mut(usize::from(bucket)) {
            *head = next;
        }
        if next == NONE {
            self.used &= !(1 << bucket);
        }
    }

    /// Returns a deadline before which no flow expires, and the flow that does then, if it is known:
    /// always if the deadline is not after `now`.
    pub(super) fn next(
        &mut self,
        now: Timestamp,
        emergency: bool,
        since: &impl Fn(u32) -> Timestamp,
        links: &mut Links,
    ) -> Option<(Timestamp, u32)> {
        loop {
            let Some(&(at, index)) = self.near.first() else {
                let start = Timestamp(self.next_bucket()?.saturating_mul(self.span));
                let deadline = self.deadline(start, emergency);
                if deadline > now {
                    return Some((deadline, NONE));
                }
                self.expand(since, links);
                continue;
            };
            let deadline = self.deadline(at, emergency);
            if deadline > now || !self.put_right(at, index, since, links) {
                return Some((deadline, index));
            }
        }
    }

    /// Returns the flow that was silent for longest, and since when.
    pub(super) fn oldest(
        &mut self,
        since: &impl Fn(u32) -> Timestamp,
        links: &mut Links,
    ) -> Option<(Timestamp, u32)> {
        loop {
            let Some(&(at, index)) = self.near.first() else {
                self.next_bucket()?;
                self.expand(since, links);
                continue;
            };
            if !self.put_right(at, index, since, links) {
                return Some((at, index));
            }
        }
    }

    /// Moves the first flow of `near` to where it belongs; returns whether that is another place.
    fn put_right(
        &mut self,
        at: Timestamp,
        index: u32,
        since: &impl Fn(u32) -> Timestamp,
        links: &mut Links,
    ) -> bool {
        let seen = since(index);
        let moves = seen > at;
        if moves {
            self.near.remove(&(at, index));
            self.insert(index, seen, links);
        }
        moves
    }

    /// Returns the number of the first bucket that has a flow.
    fn next_bucket(&self) -> Option<u64> {
        if self.used == 0 {
            return None;
        }
        let first = self.at.saturating_add(1);
        let ahead = self.used.rotate_right(place(first));
        Some(first.saturating_add(u64::from(ahead.trailing_zeros())))
    }

    /// Moves the flows of the first bucket to `near`, and those that were seen since to later ones.
    fn expand(&mut self, since: &impl Fn(u32) -> Timestamp, links: &mut Links) {
        let Some(number) = self.next_bucket() else { return };
        self.at = number;
        let bucket = place(number);
        let Some(head) = self.heads.get_mut(bucket as usize) else { return };
        let head = std::mem::replace(head, NONE);
        self.used &= !(1 << bucket);
        if self.sort(head, since, links) > number.saturating_add(RING - 1) {
            self.catch_up(since, links);
        }
    }

    /// Moves the flows of a list to where they belong; returns the number of the first of their buckets.
    fn sort(&mut self, head: u32, since: &impl Fn(u32) -> Timestamp, links: &mut Links) -> u64 {
        let (mut index, mut first) = (head, u64::MAX);
        while index != NONE {
            let next = links.at(index).next;
            let seen = since(index);
            first = first.min(seen.0 / self.span);
            self.put(index, seen, links);
            index = next;
        }
        first
    }

    /// Follows a jump in time to the first flow there is. A jump of years is millions of rings long,
    /// and some flow or other may be beyond the ring in each of its buckets.
    #[cold]
    fn catch_up(&mut self, since: &impl Fn(u32) -> Timestamp, links: &mut Links) {
        let heads = std::mem::replace(&mut *self.heads, [NONE; SLOTS]);
        self.used = 0;
        let mut first = u64::MAX;
        for mut index in heads {
            while index != NONE {
                first = first.min(since(index).0 / self.span);
                index = links.at(index).next;
            }
        }
        self.at = self.at.max(first);
        for head in heads {
            self.sort(head, since, links);
        }
    }
}

/// Returns the place of a bucket in the ring.
const fn place(number: u64) -> u32 {
    (number % RING) as u32
}
