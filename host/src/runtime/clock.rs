//! Time for charging calls, so cheap to read that every call can be charged.
//!
//! The engine's ticker publishes the time once a millisecond. The difference of two readings is how
//! much was published in between: mostly nothing for a call of microseconds, and a millisecond for one
//! call in so many that the sum over calls is right. A guest has no clock and can not hide between
//! two ticks.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since the first tick of the process.
static NOW: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// CPU time of this thread when a call on it was last charged.
    static CHARGED: Cell<u64> = const { Cell::new(0) };
}

/// Publishes the time. Any number of tickers may do so.
pub(super) fn tick() {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    NOW.fetch_max(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// The time as of the last tick, in nanoseconds. There is no system call in it.
pub(super) fn now() -> u64 {
    NOW.load(Ordering::Relaxed)
}

/// How much of `passed`, a difference of two readings of [`now`], this thread can have worked: time in
/// which the system had set it aside is nobody's fault.
pub(super) fn worked(passed: u64) -> u64 {
    if passed == 0 {
        return 0;
    }
    let spent = thread_time();
    passed.min(spent.saturating_sub(CHARGED.replace(spent)))
}

/// CPU time of this thread in nanoseconds.
fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}
