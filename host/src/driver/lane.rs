//! A share of the flows with all that works on them.

use std::sync::Arc;

use flowcell_core::{FlowSink, FragmentRejected, Shard, Timestamp};

use super::batch::Batch;
use super::breaker::{Gate, RoundEnd, Tally, Verdicts};
use crate::output::{Lines, Records};

/// How many shares the flows are cut into, whatever the number of threads: what comes out must not
/// depend on that, even where limits are hit.
pub const LANES: usize = 16;

/// Timers that fire at most in one lane between batches. A jump in time may make a million come due, and
/// each leads to a record.
pub(super) const TIMERS_PER_ROUND: usize = 256;

/// A sink that makes records.
pub trait Recorder: FlowSink + Send {
    /// The records it has made.
    fn records(&mut self) -> &mut Records;
    /// Sets how many digits times have behind the second, as exact as the capture.
    fn set_digits(&mut self, digits: usize);
    /// Takes note of fragments that belong to no flow.
    fn fragment_rejected(&mut self, _rejected: &FragmentRejected) {}
    /// Its part of the breakers, if it has parsers.
    fn gate(&mut self) -> Option<&mut Gate> {
        None
    }
}

/// A shard and its sink.
#[derive(Debug)]
pub(super) struct Lane<R> {
    pub(super) shard: Shard,
    pub(super) sink: R,
}

/// Something to do for every lane.
#[derive(Debug, Clone)]
pub(super) enum Job {
    /// Handle the packets.
    Batch(Arc<Batch>),
    /// Look at the clock: no frame has come for a while, or the one of this number was the last.
    Tick(Timestamp, u64),
    /// Close the flows that began in this frame or before it: the input has ended.
    Finish(u64),
}

impl Job {
    /// Returns whether breakers are judged behind it, and what time it then is.
    pub(super) fn round_end(&self) -> Option<RoundEnd> {
        match self {
            Self::Batch(batch) if batch.judged => {
                Some(RoundEnd { now: batch.end.1, digits: Some(batch.digits) })
            }
            Self::Tick(now, _) => Some(RoundEnd { now: *now, digits: None }),
            Self::Batch(_) | Self::Finish(_) => None,
        }
    }

    /// Returns whether a lane has anything to do.
    pub(super) fn concerns(&self, lane: usize) -> bool {
        match self {
            Self::Batch(batch) => batch.ends_round || batch.concerns(lane),
            Self::Tick(..) | Self::Finish(_) => true,
        }
    }
}

impl<R: Recorder> Lane<R> {
    /// Does its part of a job. The verdicts are those of the job's round.
    pub(super) fn work(
        &mut self,
        index: usize,
        job: &Job,
        verdicts: &Arc<Verdicts>,
    ) -> (Lines, Tally) {
        let Self { shard, sink } = self;
        if let Some(gate) = sink.gate() {
            gate.heed(verdicts);
        }
        match job {
            Job::Batch(batch) => {
                for portion in batch.portions(index, Shard::AHEAD) {
                    shard.look_ahead(portion.iter().map(|packed| packed.arrival.hash()));
                    for packed in portion {
                        sink.set_digits(packed.digits.into());
                        shard.handle(&batch.arrival(packed), sink);
                    }
                }
                shard.catch_up(sink);
                if batch.ends_round {
                    sink.set_digits(batch.digits);
                    let (number, now) = batch.end;
                    shard.advance(now, number, TIMERS_PER_ROUND, sink);
                }
            }
            Job::Tick(now, number) => {
                shard.advance(*now, *number, TIMERS_PER_ROUND, sink);
            }
            Job::Finish(last) => shard.finish_until(*last, sink),
        }
        made(sink)
    }
}

/// Takes out what a sink has made and counted.
pub(super) fn made(sink: &mut impl Recorder) -> (Lines, Tally) {
    let tally = sink.gate().map(Gate::take).unwrap_or_default();
    (sink.records().take(), tally)
}
