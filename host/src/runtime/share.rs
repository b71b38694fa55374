//! What one parser may take of the workers' time when traffic is live.
//!
//! Offline, a parser that is slow makes the run slow, and that is all. Live, it makes the kernel drop
//! packets of everybody. So a parser that is over its share gets no new flows until it has recovered;
//! flows that it has go on.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use super::clock;

/// A parser may be ahead of its share by what it is granted in this time, in ns.
const BURST: u64 = 1_000_000_000;

/// The share of one version of a parser, for all workers together.
#[derive(Debug, Default)]
pub(crate) struct Share {
    /// CPU time granted in a second, in ns; 0 if nothing is said about it.
    granted: u64,
    /// When all that was spent will have been granted, on the clock of the ticks.
    paid: AtomicU64,
}

impl Share {
    /// `per_worker` is in ms a second. There is no share without workers that are in a hurry.
    pub(crate) fn new(per_worker: u32, live_workers: Option<NonZeroU32>) -> Self {
        let workers = live_workers.map_or(0, NonZeroU32::get);
        let granted =
            u64::from(per_worker).saturating_mul(workers.into()).saturating_mul(1_000_000);
        Self { granted, paid: AtomicU64::new(0) }
    }

    /// So much CPU time was spent, in ns.
    pub(crate) fn charge(&self, spent: u64) {
        self.charge_at(spent, clock::now);
    }

    /// It has taken more than its share.
    pub(crate) fn exceeded(&self) -> bool {
        self.granted > 0 && self.exceeded_at(clock::now())
    }

    fn charge_at(&self, spent: u64, now: impl Fn() -> u64) {
        if spent == 0 || self.granted == 0 {
            return;
        }
        let time = u128::from(spent) * 1_000_000_000 / u128::from(self.granted);
        let time = u64::try_from(time).unwrap_or(u64::MAX);
        let pay = |paid: u64| Some(paid.max(now()).saturating_add(time));
        // The closure always has an answer.
        let _ = self.paid.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
    }

    fn exceeded_at(&self, now: u64) -> bool {
        self.paid.load(Ordering::Relaxed) > now.saturating_add(BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_share_is_exceeded_until_what_was_spent_has_been_granted() {
        let share = Share::new(100, NonZeroU32::new(2));
        // 200 ms a second, and a second ahead.
        share.charge_at(200 * MS, || 0);
        assert!(!share.exceeded_at(0));
        share.charge_at(100 * MS, || 0);
        assert!(share.exceeded_at(0));
        assert!(share.exceeded_at(499 * MS));
        assert!(!share.exceeded_at(500 * MS));
        // What was not used is not kept.
        share.charge_at(201 * MS, || 10_000 * MS);
        assert!(share.exceeded_at(10_000 * MS));
    }

    #[test]
    fn without_workers_in_a_hurry_there_is_no_share() {
        let share = Share::new(100, None);
        share.charge_at(u64::MAX, || 0);
        assert!(!share.exceeded());
        let share = Share::new(1, NonZeroU32::new(1));
        share.charge_at(u64::MAX, || u64::MAX);
        assert!(!share.exceeded_at(u64::MAX), "no overflow");
    }
}
