//! When a breaker opens, and for how long, in one table.

use std::time::Duration;

use crate::runtime::CellLimitInfo;
use crate::runtime::limits::{ANY, Value, bounds, limit_table};

/// The longest time that makes sense: an hour, in ms.
const HOUR: u64 = 3_600_000;

limit_table! {
    /// When a parser gets no new flows. All times are packet time.
    struct BreakerLimits;
    /// How far back faults and flows are counted, in whole seconds.
    window: Duration = 60_000, "ms", 1_000..=HOUR => "older faults and flows do not count";
    /// Faults within the window below which the breaker never opens.
    faults: u64 = 20, "faults", 1..=ANY
        => "with `percent`: the breaker opens, new flows have the outcome `breaker_open`";
    /// Faults within the window, as a share of the flows started in it, below which the breaker
    /// never opens.
    percent: u64 = 25, "% of flows", 0..=100
        => "with `faults`: the breaker opens, new flows have the outcome `breaker_open`";
    /// How long it is open at first. Each time that the parser fails again, it is twice as long.
    back_off: Duration = 1_000, "ms", 1..=HOUR => "the breaker is half-open: some flows try the parser";
    /// How long it is open at most.
    longest_back_off: Duration = 60_000, "ms", 1..=HOUR => "the time is no longer doubled";
    /// Flows of each lane that try the parser while the breaker is half-open.
    trial_flows: u64 = 1, "flows a lane", 1..=ANY => "further flows have the outcome `breaker_open`";
    /// Flows that a new version must do well with: if its breaker opens before, the version before it
    /// comes back.
    fresh_flows: u64 = 200, "flows", 0..=ANY => "with `fresh_time`: no way back to the version before";
    /// For how long from its first flow on it is new in any case.
    fresh_time: Duration = 60_000, "ms", 0..=HOUR
        => "with `fresh_flows`: no way back to the version before";
    fixed:
}

impl BreakerLimits {
    /// Returns whether so many faults of so many flows are more than a parser may have.
    pub(super) fn is_too_much(&self, started: u64, faults: u64) -> bool {
        faults >= self.faults && faults.saturating_mul(100) >= started.saturating_mul(self.percent)
    }
}
