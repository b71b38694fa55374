//! Contenders that run in turns, so that whatever else the machine does meets all of them.

use std::time::Duration;

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

/// Something that is measured, and the least that it took.
pub(crate) struct Contender<'a> {
    pub(crate) name: String,
    run: Box<dyn FnMut() -> Result<()> + 'a>,
    best: Duration,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: impl Into<String>, run: impl FnMut() -> Result<()> + 'a) -> Self {
        Self { name: name.into(), run: Box::new(run), best: Duration::MAX }
    }

    /// The least CPU time of one round, in nanoseconds for each of `parts` equal parts of it.
    pub(crate) fn nanoseconds(&self, parts: f64) -> f64 {
        self.best.as_secs_f64() * 1e9 / parts
    }
}

/// Runs each of `contenders` once in every round.
///
/// What counts is the time that this thread had the processor: others may want it as well. All that is
/// measured like this works on one thread.
pub(crate) fn take_turns(contenders: &mut [Contender<'_>], rounds: u32) -> Result<()> {
    for _ in 0..rounds {
        for contender in &mut *contenders {
            let start = cpu_time();
            (contender.run)()?;
            contender.best = contender.best.min(cpu_time().saturating_sub(start));
        }
    }
    Ok(())
}

/// The CPU time of this thread.
fn cpu_time() -> Duration {
    // The clock starts with the thread and is never negative.
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}
