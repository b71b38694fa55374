//! Timers on packet time.
//!
//! Two kinds. Silence: each class of flows has one timeout, so a list per class ordered by last
//! packet is ordered by deadline too, and a packet moves its flow to the end of its list. Holes:
//! few flows have one at a time, so their deadlines are in an ordered set. Both cost the same for
//! ten flows as for a million, and a jump in time of any length costs only the timers that are due.
//!
//! Timers fire in the order of their deadlines, whenever time moves; each fires with its deadline as
//! the time, so when the engine gets to look makes no difference.

use std::collections::BTreeSet;

use crate::{Limits, Timestamp};

/// The end of a list, and no flow.
const NONE: u32 = u32::MAX;

/// The state of a flow as far as timeouts and eviction care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Ended, kept for stragglers.
    Closed,
    /// TCP that got no further than a SYN.
    Attempt,
    /// TCP of which one direction was seen.
    TcpOneSided,
    /// UDP of which one direction was seen.
    UdpOneSided,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Class {
    const ALL: [Self; 6] =
        [Self::Closed, Self::Attempt, Self::TcpOneSided, Self::UdpOneSided, Self::Tcp, Self::Udp];

    /// Classes from the least to the most worth keeping when the table is full.
    const EVICTION: [&'static [Self]; 3] = [
        &[Self::Closed],
        &[Self::Attempt, Self::TcpOneSided, Self::UdpOneSided],
        &[Self::Tcp, Self::Udp],
    ];

    fn timeout_ms(self, limits: &Limits) -> u64 {
        match self {
            Self::Closed => limits.tcp_linger_ms,
            Self::Attempt => limits.tcp_attempt_timeout_ms,
            Self::TcpOneSided | Self::Tcp => limits.tcp_timeout_ms,
            Self::UdpOneSided => limits.udp_one_sided_timeout_ms,
            Self::Udp => limits.udp_timeout_ms,
        }
    }
}

/// A timer that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The flow in this slot was silent for too long.
    Idle(u32, Class),
    /// A hole of the flow in this slot may be too old.
    Hole(u32),
}

/// The links of one slot.
#[derive(Debug, Clone, Copy)]
struct Link {
    prev: u32,
    next: u32,
    /// The time of the last packet.
    touched: Timestamp,
    /// The time for which the slot is in `holes`.
    hole: Option<Timestamp>,
    /// The list that the slot is in.
    class: Option<Class>,
}

#[derive(Debug, Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
    /// In nanoseconds.
    timeout: u64,
}

/// The timers of all flows.
#[derive(Debug)]
pub(crate) struct Timers {
    links: Vec<Link>,
    lists: [List; Class::ALL.len()],
    holes: BTreeSet<(Timestamp, u32)>,
    /// No timer is due before this.
    next_due: Timestamp,
}

impl Timers {
    pub(crate) fn new(limits: &Limits) -> Self {
        let lists = Class::ALL.map(|class| List {
            head: NONE,
            tail: NONE,
            timeout: class.timeout_ms(limits).saturating_mul(1_000_000),
        });
        Self { links: Vec::new(), lists, holes: BTreeSet::new(), next_due: Timestamp::MAX }
    }

    /// Restarts the timer of a slot: a packet was seen at `now`.
    #[inline]
    pub(crate) fn touch(&mut self, index: u32, class: Class, now: Timestamp) {
        let at = index as usize;
        if at >= self.links.len() {
            let link = Link { prev: NONE, next: NONE, touched: now, hole: None, class: None };
            self.links.resize(at + 1, link);
        }
        let link = &mut self.links[at];
        link.touched = now;
        if link.class == Some(class) && link.next == NONE {
            return; // already the last of its list, and no timer comes earlier by this
        }
        if link.class.is_some() {
            self.unlink(index);
        }
        let list = &mut self.lists[class as usize];
        let tail = std::mem::replace(&mut list.tail, index);
        self.next_due = self.next_due.min(now.saturating_add(list.timeout));
        match self.links.get_mut(tail as usize) {
            Some(link) => link.next = index,
            None => list.head = index,
        }
        let link = &mut self.links[at];
        (link.prev, link.next, link.class) = (tail, NONE, Some(class));
    }

    /// Forgets a slot.
    pub(crate) fn remove(&mut self, index: u32) {
        self.unlink(index);
        if let Some(link) = self.links.get_mut(index as usize)
            && let Some(deadline) = link.hole.take()
        {
            self.holes.remove(&(deadline, index));
        }
    }

    /// Sees to it that a [`Due::Hole`] comes at `deadline`, or before it.
    #[inline]
    pub(crate) fn watch_hole(&mut self, index: u32, deadline: Timestamp) {
        let Some(link) = self.links.get_mut(index as usize) else { return };
        if let Some(earlier) = link.hole {
            // An early timer does no harm: whoever handles it looks at the holes and sets it again.
            if earlier <= deadline {
                return;
            }
            self.holes.remove(&(earlier, index));
        }
        link.hole = Some(deadline);
        self.holes.insert((deadline, index));
        self.next_due = self.next_due.min(deadline);
    }

    /// Returns the next timer that is due at `now`, and its deadline. A hole's timer is taken out.
    #[inline]
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        if now < self.next_due { None } else { self.pop_due_slow(now) }
    }

    fn pop_due_slow(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let hole = self.holes.first().map(|&(deadline, index)| (deadline, Due::Hole(index)));
        let idle = Class::ALL.iter().filter_map(|&class| {
            let list = &self.lists[class as usize];
            let link = self.links.get(list.head as usize)?;
            Some((link.touched.saturating_add(list.timeout), Due::Idle(list.head, class)))
        });
        let Some((deadline, due)) = hole.into_iter().chain(idle).min_by_key(|(at, _)| *at) else {
            self.next_due = Timestamp::MAX;
            return None;
        };
        self.next_due = deadline;
        // A deadline at the end of time is one that did not fit.
        if deadline > now || deadline == Timestamp::MAX {
            return None;
        }
        if let Due::Hole(index) = due {
            self.holes.remove(&(deadline, index));
            if let Some(link) = self.links.get_mut(index as usize) {
                link.hole = None;
            }
        }
        Some((deadline, due))
    }

    /// Returns the flow to sacrifice when the table is full.
    pub(crate) fn victim(&self) -> Option<(u32, Class)> {
        Class::EVICTION.iter().find_map(|group| {
            let heads = group.iter().filter_map(|&class| {
                let head = self.lists[class as usize].head;
                Some((self.links.get(head as usize)?.touched, head, class))
            });
            heads.min_by_key(|(touched, ..)| *touched).map(|(_, head, class)| (head, class))
        })
    }

    fn unlink(&mut self, index: u32) {
        let Some(link) = self.links.get_mut(index as usize) else { return };
        let Some(class) = link.class.take() else { return };
        let (prev, next) = (link.prev, link.next);
        (link.prev, link.next) = (NONE, NONE);
        let list = &mut self.lists[class as usize];
        match self.links.get_mut(prev as usize) {
            Some(link) => link.next = next,
            None => list.head = next,
        }
        match self.links.get_mut(next as usize) {
            Some(link) => link.prev = prev,
            None => list.tail = prev,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timers() -> Timers {
        Timers::new(&Limits::default())
    }

    const S: u64 = 1_000_000_000;

    #[test]
    fn silent_flows_are_due_in_the_order_of_their_deadlines() {
        let mut timers = timers();
        timers.touch(0, Class::Tcp, Timestamp(0));
        timers.touch(1, Class::UdpOneSided, Timestamp(S));
        timers.touch(2, Class::Udp, Timestamp(2 * S));
        let late = Timestamp(1000 * S);
        assert_eq!(timers.pop_due(Timestamp(31 * S - 1)), None);
        for (at, due) in [
            (31, Due::Idle(1, Class::UdpOneSided)),
            (62, Due::Idle(2, Class::Udp)),
            (600, Due::Idle(0, Class::Tcp)),
        ] {
            let popped = timers.pop_due(late);
            assert_eq!(popped, Some((Timestamp(at * S), due)));
            if let Due::Idle(index, _) = due {
                timers.remove(index);
            }
        }
        assert_eq!(timers.pop_due(Timestamp::MAX), None);
    }

    #[test]
    fn touched_flow_moves_behind_the_others() {
        let mut timers = timers();
        for index in 0..3 {
            timers.touch(index, Class::Udp, Timestamp(u64::from(index)));
        }
        timers.touch(0, Class::Udp, Timestamp(10));
        let due = timers.pop_due(Timestamp(60 * S + 5));
        assert_eq!(due, Some((Timestamp(60 * S + 1), Due::Idle(1, Class::Udp))));
    }

    #[test]
    fn class_change_moves_the_flow_to_another_list() {
        let mut timers = timers();
        timers.touch(5, Class::Attempt, Timestamp(0));
        timers.touch(5, Class::Tcp, Timestamp(1));
        assert_eq!(timers.pop_due(Timestamp(60 * S)), None);
        timers.touch(5, Class::Closed, Timestamp(2));
        let due = timers.pop_due(Timestamp(60 * S));
        assert_eq!(due, Some((Timestamp(5 * S + 2), Due::Idle(5, Class::Closed))));
    }

    #[test]
    fn earlier_hole_replaces_a_later_one() {
        let mut timers = timers();
        timers.touch(1, Class::Tcp, Timestamp(0));
        timers.watch_hole(1, Timestamp(20));
        timers.watch_hole(1, Timestamp(10));
        timers.watch_hole(1, Timestamp(30));
        assert_eq!(timers.pop_due(Timestamp(50)), Some((Timestamp(10), Due::Hole(1))));
        assert_eq!(timers.pop_due(Timestamp(50)), None);
    }

    #[test]
    fn victim_is_closed_then_one_sided_then_longest_idle() {
        let mut timers = timers();
        assert_eq!(timers.victim(), None);
        timers.touch(0, Class::Udp, Timestamp(0));
        timers.touch(1, Class::Tcp, Timestamp(1));
        timers.touch(2, Class::TcpOneSided, Timestamp(2));
        timers.touch(3, Class::Attempt, Timestamp(3));
        timers.touch(4, Class::Closed, Timestamp(4));
        for (index, class) in [
            (4, Class::Closed),
            (2, Class::TcpOneSided),
            (3, Class::Attempt),
            (0, Class::Udp),
            (1, Class::Tcp),
        ] {
            assert_eq!(timers.victim(), Some((index, class)));
            timers.remove(index);
        }
    }
}
