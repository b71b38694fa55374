//! Timers on packet time.
//!
//! Two kinds. Silence: each class of flows has one timeout. A packet only notes its time in its flow;
//! the timer finds out when it comes due that the flow was not silent, and is set again. So a packet
//! touches nothing but its flow, and what a timer costs does not depend on the number of flows. Holes:
//! few flows have one at a time, so their deadlines are in an ordered set.
//!
//! ```text
//!  a class:   near (ordered, exact)        ring of buckets (lists, coarse)
//!             ├─ due ─┼─ soon ─────────┤ ├──────┼──────┼──────┼─ … ─┼──────┤
//!                     now              at                              timeout from now
//! ```
//!
//! Timers fire in the order of their deadlines, never early, whenever time moves and as far as the
//! caller's budget goes; each fires with its deadline as the time.

mod queue;

use std::collections::BTreeSet;

use queue::{Links, Queue};

use crate::{Limits, Timestamp};

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
    /// ICMP.
    Icmp,
    /// Any other protocol over IP.
    Other,
}

impl Class {
    const ALL: [Self; 8] = [
        Self::Closed,
        Self::Attempt,
        Self::TcpOneSided,
        Self::UdpOneSided,
        Self::Tcp,
        Self::Udp,
        Self::Icmp,
        Self::Other,
    ];

    /// Classes from the least to the most worth keeping when the table is full.
    const EVICTION: [&'static [Self]; 3] = [
        &[Self::Closed],
        &[Self::Attempt, Self::TcpOneSided, Self::UdpOneSided, Self::Icmp, Self::Other],
        &[Self::Tcp, Self::Udp],
    ];

    /// Returns the timeout, and the one under pressure.
    fn timeouts_ms(self, limits: &Limits) -> [u64; 2] {
        match self {
            Self::Closed => [limits.tcp_linger_ms, limits.emergency_tcp_linger_ms],
            Self::Attempt => {
                [limits.tcp_attempt_timeout_ms, limits.emergency_tcp_attempt_timeout_ms]
            }
            Self::TcpOneSided | Self::Tcp => {
                [limits.tcp_timeout_ms, limits.emergency_tcp_timeout_ms]
            }
            Self::UdpOneSided => {
                [limits.udp_one_sided_timeout_ms, limits.emergency_udp_one_sided_timeout_ms]
            }
            Self::Udp => [limits.udp_timeout_ms, limits.emergency_udp_timeout_ms],
            Self::Icmp => [limits.icmp_timeout_ms, limits.emergency_icmp_timeout_ms],
            Self::Other => [limits.other_timeout_ms, limits.emergency_other_timeout_ms],
        }
    }
}

/// What a flow keeps for its timer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silence {
    /// The time of the last packet.
    pub(crate) since: Timestamp,
    /// The class that its timer is set for.
    class: Option<Class>,
}

impl Silence {
    /// A flow of which no packet was seen.
    pub(crate) const fn new() -> Self {
        Self { since: Timestamp(0), class: None }
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

/// The timers of all flows.
#[derive(Debug)]
pub(crate) struct Timers {
    queues: [Queue; Class::ALL.len()],
    links: Links,
    holes: BTreeSet<(Timestamp, u32)>,
    /// No timer is due before this.
    next_due: Timestamp,
    /// The table is nearly full: shorter timeouts apply.
    emergency: bool,
}

impl Timers {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            queues: Class::ALL.map(|class| {
                let timeouts = class.timeouts_ms(limits).map(|ms| ms.saturating_mul(1_000_000));
                Queue::new(class, timeouts)
            }),
            links: Links::default(),
            holes: BTreeSet::new(),
            next_due: Timestamp::MAX,
            emergency: false,
        }
    }

    /// Returns whether the timeouts for emergencies apply.
    pub(crate) const fn emergency(&self) -> bool {
        self.emergency
    }

    /// Switches between the usual timeouts and those for emergencies.
    pub(crate) fn set_emergency(&mut self, emergency: bool) {
        self.emergency = emergency;
        self.next_due = Timestamp(0); // whatever it was, it is to be found out again
    }

    /// Takes note that a packet of the flow in a slot was seen at `now`.
    #[inline]
    pub(crate) fn touch(
        &mut self,
        index: u32,
        silence: &mut Silence,
        class: Class,
        now: Timestamp,
    ) {
        silence.since = now;
        if silence.class != Some(class) {
            self.set(index, silence, class);
        }
    }

    #[cold]
    fn set(&mut self, index: u32, silence: &mut Silence, class: Class) {
        if let Some(old) = silence.class.replace(class) {
            self.queues[old as usize].remove(index, &mut self.links);
        }
        let queue = &mut self.queues[class as usize];
        queue.insert(index, silence.since, &mut self.links);
        self.next_due = self.next_due.min(queue.deadline(silence.since, self.emergency));
    }

    /// Returns when the flow is to be closed if nothing more is seen of it.
    #[inline]
    pub(crate) fn deadline(&self, silence: &Silence) -> Timestamp {
        match silence.class {
            Some(class) => self.queues[class as usize].deadline(silence.since, self.emergency),
            None => Timestamp::MAX,
        }
    }

    /// Forgets a slot.
    pub(crate) fn remove(&mut self, index: u32, silence: &mut Silence) {
        if let Some(class) = silence.class.take() {
            self.queues[class as usize].remove(index, &mut self.links);
        }
        if let Some(deadline) = self.links.take_hole(index) {
            self.holes.remove(&(deadline, index));
        }
    }

    /// Sees to it that a [`Due::Hole`] comes at `deadline`, or before it.
    #[inline]
    pub(crate) fn watch_hole(&mut self, index: u32, deadline: Timestamp) {
        // An early timer does no harm: whoever handles it looks at the holes and sets it again.
        if let Some(earlier) = self.links.hole(index) {
            if earlier <= deadline {
                return;
            }
            self.holes.remove(&(earlier, index));
        }
        self.links.set_hole(index, deadline);
        self.holes.insert((deadline, index));
        self.next_due = self.next_due.min(deadline);
    }

    /// Returns the next timer that is due at `now`, and its deadline. A hole's timer is taken out; one
    /// of silence stays until its flow is removed. `since` tells when a packet of a slot was last seen.
    #[inline]
    pub(crate) fn pop_due(
        &mut self,
        now: Timestamp,
        since: impl Fn(u32) -> Timestamp,
    ) -> Option<(Timestamp, Due)> {
        if now < self.next_due { None } else { self.pop_due_slow(now, since) }
    }

    fn pop_due_slow(
        &mut self,
        now: Timestamp,
        since: impl Fn(u32) -> Timestamp,
    ) -> Option<(Timestamp, Due)> {
        let hole = self.holes.first().map(|&(deadline, index)| (deadline, Due::Hole(index)));
        let mut next = hole;
        for queue in self.queues.iter_mut().filter(|queue| !queue.is_empty()) {
            let idle = queue.next(now, self.emergency, &since, &mut self.links);
            let idle = idle.map(|(at, index)| (at, Due::Idle(index, queue.class)));
            next = next.into_iter().chain(idle).min_by_key(|(at, _)| *at);
        }
        let Some((deadline, due)) = next else {
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
            self.links.take_hole(index);
        }
        Some((deadline, due))
    }

    /// Returns the flow to sacrifice when the table is full.
    pub(crate) fn victim(&mut self, since: impl Fn(u32) -> Timestamp) -> Option<(u32, Class)> {
        for group in Class::EVICTION {
            let mut oldest: Option<(Timestamp, u32, Class)> = None;
            for &class in group {
                if let Some((touched, index)) =
                    self.queues[class as usize].oldest(&since, &mut self.links)
                    && oldest.is_none_or(|(at, ..)| touched < at)
                {
                    oldest = Some((touched, index, class));
                }
            }
            if let Some((_, index, class)) = oldest {
                return Some((index, class));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
