//! From a source of frames to records.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use flowcell_core::{
    Arrival, Counters, Dispatcher, EngineConfig, FlowSink, FragmentRejected, Outlets, Shard,
    Timestamp,
};

use super::batch::{self, Batch};
use super::breaker::Judge;
use super::crew::Crew;
use super::lane::{self, Job, LANES, Lane, Recorder, TIMERS_PER_ROUND};
use crate::capture::{CaptureError, Next, Source};
use crate::output::{Records, Writer};

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

/// How a run is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How flows are followed. Limits are those of the whole run.
    pub config: EngineConfig,
    /// Threads, that which reads the frames included. At most [`LANES`] are of use.
    pub workers: usize,
    /// How many shares of the flows there are: [`LANES`], less if limits leave each less than one.
    pub lanes: usize,
    /// Somebody is waiting for records: they are not held back to be written in large portions.
    pub watched: bool,
    /// The packets are of this moment: breakers are judged as soon as it goes, not at frames whose
    /// numbers are always the same.
    pub live: bool,
}

impl Plan {
    /// Plans a run; `most` is the least of the limits that lanes have to share.
    #[must_use]
    pub fn new(config: EngineConfig, workers: usize, most: usize) -> Self {
        let flows = usize::try_from(config.limits.max_flows).unwrap_or(usize::MAX);
        Self {
            config,
            workers,
            lanes: LANES.min(most).min(flows).max(1),
            watched: false,
            live: false,
        }
    }
}

/// Which flows a sink is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Those of a lane.
    Lane,
    /// Those that carry others.
    Carriers,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome<R> {
    /// Errors of the input, in order.
    pub problems: Vec<CaptureError>,
    /// It was asked to end before its input did.
    pub interrupted: bool,
    /// What the engine counted.
    pub counters: Counters,
    /// The sinks of all lanes, and that of flows that carry others.
    pub sinks: Vec<R>,
    /// What has judged the parsers.
    pub judge: Option<Judge>,
    /// The writer; everything is flushed.
    pub writer: Writer,
}

/// Reads `source` to its end, or until it is interrupted or the output is closed; then ends all flows.
///
/// `make` makes a sink for a lane; `judge` judges the parsers, if there are any. `between` is called between frames, often, for what has to be done
/// on this thread; it can add records.
///
/// # Errors
///
/// Threads can't be started.
pub fn drive<R: Recorder + 'static>(
    source: &mut dyn Source,
    plan: &Plan,
    mut make: impl FnMut(Share) -> R,
    judge: Option<Judge>,
    writer: Writer,
    interrupt: &Interrupt,
    mut between: impl FnMut(&mut Records, u64),
) -> io::Result<Outcome<R>> {
    let share =
        EngineConfig { limits: plan.config.limits.share(plan.lanes as u64), ..plan.config.clone() };
    let lanes =
        (0..plan.lanes).map(|_| Lane { shard: Shard::new(&share), sink: make(Share::Lane) });
    let lanes = lanes.collect();
    let mut front = Front {
        dispatcher: Dispatcher::new(&plan.config),
        outside: Outside {
            batch: Batch::new(plan.lanes),
            carriers: make(Share::Carriers),
            digits: 6,
        },
        crew: Crew::new(lanes, plan.workers, writer, judge, plan.live)?,
        lanes: plan.lanes,
        live: plan.live,
        round: 0,
        under_way: VecDeque::new(),
    };
    let mut problems = Vec::new();
    let mut interrupted = false;
    let mut flushed = Instant::now();
    loop {
        match source.next() {
            Ok(Next::Frame(frame)) => {
                front.outside.digits = frame.precision.digits();
                front.handle(&frame.raw);
                if source.may_wait() {
                    front.submit();
                    front.crew.flush();
                } else if front.is_due() {
                    front.submit();
                } else {
                    continue;
                }
            }
            Ok(Next::Idle) => {
                // A little behind the clock: a frame that is on its way bears an older time.
                front.tick(Timestamp(wall_clock().0.saturating_sub(IDLE_MARGIN_NS)));
            }
            Ok(Next::Filtered) => {}
            Ok(Next::End) => break,
            Err(problem) => problems.push(problem),
        }
        between(front.outside.carriers.records(), front.outside.batch.end.0);
        if plan.watched && flushed.elapsed().as_millis() >= FLUSH_INTERVAL_MS {
            front.submit();
            front.crew.flush();
            flushed = Instant::now();
        }
        if front.crew.failed() {
            break;
        }
        interrupted = interrupt.is_raised();
        if interrupted {
            break;
        }
    }
    between(front.outside.carriers.records(), front.outside.batch.end.0);
    let finished = front.finish();
    Ok(Outcome { problems, interrupted, ..finished })
}

/// How old a frame may be that was captured but not read when the source was found idle, in ns.
const IDLE_MARGIN_NS: u64 = 100_000_000;

/// Longest time that a record waits before it is written while somebody is waiting for it, in ms.
const FLUSH_INTERVAL_MS: u128 = 200;

/// Frames before the last whose flows are ended a few at a time.
const RECENT: u64 = 4 << 20;

/// Steps in which the flows that began before those are ended.
const STEPS: u64 = 4096;

/// The part of a run that sees all frames.
struct Front<R> {
    dispatcher: Dispatcher,
    outside: Outside<R>,
    crew: Crew<R>,
    lanes: usize,
    live: bool,
    /// Frames so far, in units of [`batch::FRAMES`].
    round: u64,
    /// Batches handed on, the oldest first.
    under_way: VecDeque<Arc<Batch>>,
}

/// What the dispatcher hands things to.
struct Outside<R> {
    batch: Batch,
    carriers: R,
    digits: usize,
}

impl<R: Recorder> Outlets for Outside<R> {
    fn packet(&mut self, arrival: Arrival<'_>) {
        self.batch.push(arrival, self.digits);
    }

    fn fragment_rejected(&mut self, rejected: &FragmentRejected) {
        self.carriers.set_digits(self.digits);
        self.carriers.fragment_rejected(rejected);
    }

    fn carriers(&mut self) -> &mut dyn FlowSink {
        self.carriers.set_digits(self.digits);
        &mut self.carriers
    }
}

impl<R: Recorder + 'static> Front<R> {
    fn handle(&mut self, frame: &flowcell_core::RawFrame<'_>) {
        self.dispatcher.handle_frame(frame, &mut self.outside);
        let batch = &mut self.outside.batch;
        batch.frames += 1;
        batch.end = (frame.number, self.dispatcher.now());
        let round = frame.number / batch::FRAMES;
        batch.ends_round |= round != self.round;
        self.round = round;
        batch.digits = self.outside.digits;
    }

    /// Returns whether the batch is to be handed on.
    fn is_due(&self) -> bool {
        let much = self.crew.recent_output() > batch::MUCH_OUTPUT;
        let frames = if much { batch::FEW_FRAMES } else { batch::FRAMES };
        self.outside.batch.is_full(frames) || self.outside.batch.ends_round
    }

    /// Hands on what has come so far.
    fn submit(&mut self) {
        let end = self.outside.batch.end;
        let mut next = self.empty_batch();
        next.end = end;
        let mut batch = std::mem::replace(&mut self.outside.batch, next);
        batch.judged = batch.ends_round || self.live;
        if batch.ends_round {
            self.advance_carriers(end.1, end.0);
        }
        let said = !self.outside.carriers.records().is_empty();
        if batch.frames > 0 || said {
            let batch = Arc::new(batch);
            self.under_way.push_back(Arc::clone(&batch));
            self.assign(&Job::Batch(batch));
        }
    }

    /// Has the lanes do what was done for the carriers, whose records go along.
    fn assign(&mut self, job: &Job) {
        let own = lane::made(&mut self.outside.carriers);
        self.crew.submit(job, own);
        // What holds in a round holds for carriers in the next one: of this they have seen all frames.
        let gate = self.outside.carriers.gate().filter(|_| job.round_end().is_some());
        if let Some(gate) = gate {
            gate.heed(self.crew.verdicts());
        }
    }

    /// Looks at the timers of the carriers.
    fn advance_carriers(&mut self, now: Timestamp, number: u64) {
        let sink = &mut self.outside.carriers;
        self.dispatcher.carriers().advance(now, number, TIMERS_PER_ROUND, sink);
    }

    /// Returns the memory of a batch that is done with, if there is one.
    fn empty_batch(&mut self) -> Batch {
        match self.under_way.pop_front().map(Arc::try_unwrap) {
            Some(Ok(mut batch)) => {
                batch.clear();
                batch
            }
            Some(Err(busy)) => {
                self.under_way.push_front(busy);
                Batch::new(self.lanes)
            }
            None => Batch::new(self.lanes),
        }
    }

    /// Takes the time when no frame says it.
    fn tick(&mut self, now: Timestamp) {
        self.submit();
        self.dispatcher.handle_time(now);
        self.advance_carriers(now, 0);
        self.assign(&Job::Tick(now, 0));
        self.crew.flush();
    }

    /// Ends all flows, in the order in which they began, a few at a time so that not all of their
    /// records are in memory at once.
    fn finish(mut self) -> Outcome<R> {
        self.submit();
        let (last, now) = self.outside.batch.end;
        // All lanes come to the same end, whatever they saw last: timers that are due by then fire, and
        // the flows that are left end in one order.
        self.advance_carriers(now, last);
        self.assign(&Job::Tick(now, last));
        let mut until = 0;
        while until < u64::MAX && !self.crew.failed() {
            // Of what began long ago little is left, however long the run was.
            let old = last.saturating_sub(until) > RECENT;
            let step = if old { last / STEPS } else { 0 }.max(batch::FRAMES);
            until = if until < last { until + step } else { u64::MAX };
            self.dispatcher.carriers().finish_until(until, &mut self.outside.carriers);
            self.assign(&Job::Finish(until));
        }
        let (lanes, writer, judge) = self.crew.dismiss();
        let mut counters = self.dispatcher.counters();
        let mut sinks = Vec::new();
        for lane in lanes {
            counters.merge(lane.shard.counters());
            sinks.push(lane.sink);
        }
        sinks.push(self.outside.carriers);
        let (problems, interrupted) = (Vec::new(), false);
        Outcome { problems, interrupted, counters, sinks, judge, writer }
    }
}

/// Live only: what time it is when no packet says so.
pub(crate) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
