//! The circuit breaker of one version of one parser.
//!
//! It is closed while the parser does well, and open, so that no new flow gets the parser, once too
//! many of its flows have ended in a fault. After a while it is half-open: a few flows try the parser,
//! and how they fare decides. Time is packet time, and comes with the counts of each round; here is no
//! clock. What a fault does to its own flow is no business of this room.

mod gate;
mod judge;
mod limits;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub use gate::{Gate, Tally, Verdicts};
pub(super) use gate::{Pass, When};
pub use judge::Judge;
pub(super) use judge::{BreakerRecord, RoundEnd};
pub use limits::BreakerLimits;

/// What a parser did at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    /// Packet time in seconds.
    second: u64,
    /// The trial that the flows were started in, if they were.
    trial: Option<u64>,
    started: u64,
    faults: u64,
}

/// Whether new flows get the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stance {
    /// All of them.
    Free,
    /// None.
    Shut,
    /// A few, in the trial of this number.
    Trial(u64),
}

/// The state has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// No new flow gets the parser until `retry`, after so many faults of so many flows.
    Opened { started: u64, faults: u64, retry: u64, back_off: Duration },
    /// A few flows try it.
    HalfOpened,
    /// All flows get it again, after so many have tried it.
    Closed { tried: u64 },
}

/// Rounds after which time that stands still is taken to pass.
const LONG: u32 = 64;

/// How much of it then passes in a round, in ns.
const STILL: u64 = 10_000_000;

/// Decides whether new flows get a parser. Times are ns of packet time.
#[derive(Debug)]
struct Breaker {
    limits: BreakerLimits,
    state: State,
    /// Time as it passes here.
    now: u64,
    /// The latest time of any round.
    latest: u64,
    /// Rounds since that has changed.
    still: u32,
    /// How long it was open last.
    back_off: Duration,
    /// When it closed last.
    closed: Option<u64>,
}

#[derive(Debug)]
enum State {
    /// Flows started and faults, by second.
    Closed(BTreeMap<u64, (u64, u64)>),
    Open {
        until: u64,
    },
    HalfOpen {
        trial: u64,
        /// When the first flow of the trial was seen.
        since: Option<u64>,
        started: u64,
    },
}

impl Breaker {
    fn new(limits: BreakerLimits) -> Self {
        let state = State::Closed(BTreeMap::new());
        Self { limits, state, now: 0, latest: 0, still: 0, back_off: Duration::ZERO, closed: None }
    }

    fn stance(&self) -> Stance {
        match self.state {
            State::Closed(_) => Stance::Free,
            State::Open { .. } => Stance::Shut,
            State::HalfOpen { trial, .. } => Stance::Trial(trial),
        }
    }

    /// Takes what happened in a round that ended at `now`. If a trial begins, `next_trial` is its
    /// number.
    fn judge(&mut self, now: u64, counts: &[Count], next_trial: u64) -> Option<Change> {
        let before = self.now;
        // One packet from far in the future makes the time of all later rounds stand still: a breaker that
        // is open must not stay so.
        self.still = if now > self.latest { 0 } else { self.still.saturating_add(1) };
        let passed = match now.checked_sub(self.latest) {
            Some(passed) if passed > 0 => passed,
            _ if self.still > LONG => STILL,
            _ => 0,
        };
        self.now = before.saturating_add(passed);
        self.latest = self.latest.max(now);
        match &mut self.state {
            State::Closed(window) => {
                // Time that goes back, or comes from a packet with a wrong time, stays within the round.
                let (first, last) = (seconds(before), seconds(self.now));
                for count in counts {
                    let at = window.entry(count.second.clamp(first, last)).or_default();
                    at.0 = at.0.saturating_add(count.started);
                    at.1 = at.1.saturating_add(count.faults);
                }
                let length = u64::try_from(self.limits.window.as_millis().div_ceil(1000));
                let length = length.unwrap_or(u64::MAX);
                *window = window.split_off(&(last.saturating_add(1).saturating_sub(length)));
                let sum = window.values().fold((0_u64, 0_u64), |sum, at| {
                    (sum.0.saturating_add(at.0), sum.1.saturating_add(at.1))
                });
                self.limits.is_too_much(sum.0, sum.1).then(|| {
                    let again = self.closed.is_some_and(|closed| {
                        self.now.saturating_sub(closed) < nanos(self.limits.window)
                    });
                    self.open(sum, again)
                })
            }
            State::Open { until } => (self.now >= *until).then(|| {
                self.state = State::HalfOpen { trial: next_trial, since: None, started: 0 };
                Change::HalfOpened
            }),
            State::HalfOpen { trial, since, started } => {
                let mine = counts.iter().filter(|count| count.trial == Some(*trial));
                let (new, faults) = mine.fold((0, 0), |sum: (u64, u64), count| {
                    (sum.0.saturating_add(count.started), sum.1.saturating_add(count.faults))
                });
                *started = started.saturating_add(new);
                let tried = *started;
                if faults > 0 {
                    return Some(self.open((tried, faults), true));
                }
                if since.is_none() && tried > 0 {
                    *since = Some(self.now);
                }
                // The longer it was open, the longer it has to do well.
                let proven = since
                    .is_some_and(|since| self.now.saturating_sub(since) >= nanos(self.back_off));
                proven.then(|| {
                    self.closed = Some(self.now);
                    self.state = State::Closed(BTreeMap::new());
                    Change::Closed { tried }
                })
            }
        }
    }

    /// `again`: it did not do well for long.
    fn open(&mut self, (started, faults): (u64, u64), again: bool) -> Change {
        let BreakerLimits { back_off, longest_back_off, .. } = self.limits;
        let doubled = self.back_off.saturating_mul(2).min(longest_back_off);
        self.back_off = if again { doubled.max(back_off) } else { back_off };
        let retry = self.now.saturating_add(nanos(self.back_off));
        self.state = State::Open { until: retry };
        Change::Opened { started, faults, retry, back_off: self.back_off }
    }
}

/// Whole seconds of a time in ns.
fn seconds(time: u64) -> u64 {
    time / 1_000_000_000
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
