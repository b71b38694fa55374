//! The loop from a source of frames to a sink of events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use flowcell_core::{FlowEngine, FlowId, FlowSink, Side, Timestamp};

use crate::capture::{CaptureError, Next, Source};
use crate::output::Writer;

/// A sink that writes records.
pub trait Recorder: FlowSink {
    /// Where it writes.
    fn writer(&mut self) -> &mut Writer;
    /// Sets how many digits times have behind the second, as exact as the capture.
    fn set_digits(&mut self, digits: usize);
    /// A side of a flow that is not wanted any more, one after the other.
    fn next_done(&mut self) -> Option<(FlowId, Side)> {
        None
    }
}

/// Asks a run to end, from a signal handler or another thread.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// The flag itself, for a signal handler to set.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Asks.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Errors of the input, in order.
    pub problems: Vec<CaptureError>,
    /// It was asked to end before its input did.
    pub interrupted: bool,
}

/// Reads `source` to its end, or until it is interrupted or the output is closed; then ends all
/// flows. `between` is called between frames, often, for what has to be done on this thread.
pub fn drive(
    source: &mut dyn Source,
    engine: &mut FlowEngine,
    sink: &mut dyn Recorder,
    interrupt: &Interrupt,
    mut between: impl FnMut(&mut Writer),
) -> Outcome {
    let mut problems = Vec::new();
    let mut interrupted = false;
    loop {
        match source.next() {
            Ok(Next::Frame(frame)) => {
                sink.set_digits(frame.precision.digits());
                engine.handle_frame(&frame.raw, sink);
            }
            Ok(Next::Idle) => {
                // A little behind the clock: a frame that is on its way bears an older time.
                let now = wall_clock().0.saturating_sub(IDLE_MARGIN_NS);
                engine.handle_time(Timestamp(now), sink);
                sink.writer().flush();
            }
            Ok(Next::Filtered) => {}
            Ok(Next::End) => break,
            Err(problem) => problems.push(problem),
        }
        while let Some((flow, side)) = sink.next_done() {
            engine.done(flow, side);
        }
        between(sink.writer());
        if sink.writer().failed().is_some() {
            break;
        }
        interrupted = interrupt.is_raised();
        if interrupted {
            break;
        }
    }
    engine.finish(sink);
    sink.writer().flush();
    Outcome { problems, interrupted }
}

/// How old a frame may be that was captured but not read when the source was found idle, in ns.
const IDLE_MARGIN_NS: u64 = 100_000_000;

/// Live only: what time it is when no packet says so.
pub(crate) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
