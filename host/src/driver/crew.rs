//! Who works on the lanes: the thread that reads the frames, or threads beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::lane::{Job, Lane, Recorder};
use crate::output::{Lines, Writer};

/// Jobs under way at a time: enough that nobody waits for a moment's work of another one, few enough
/// that memory stays bounded.
const DEPTH: usize = 4;

/// Works on lanes and writes what comes of it, in order.
#[derive(Debug)]
pub(super) enum Crew<R> {
    /// On the calling thread.
    Alone { lanes: Vec<Lane<R>>, writer: Writer, latest: usize },
    /// On threads of their own.
    Threads(Threads<R>),
}

/// What the threads of a crew are known by.
#[derive(Debug)]
pub(super) struct Threads<R> {
    jobs: Vec<SyncSender<Job>>,
    /// What the calling thread adds to each job, or that the output is to be flushed.
    extra: SyncSender<Extra>,
    workers: Vec<JoinHandle<Vec<Lane<R>>>>,
    writer: JoinHandle<Writer>,
    state: Arc<State>,
}

/// What the writing thread lets others know.
#[derive(Debug, Default)]
struct State {
    /// The output has failed.
    failed: AtomicBool,
    /// Bytes made of the latest job.
    latest: AtomicUsize,
}

/// What goes straight to the thread that writes.
#[derive(Debug)]
enum Extra {
    /// A job is under way: what belongs to it besides what its workers make.
    Job(Lines),
    Flush,
}

impl<R: Recorder + 'static> Crew<R> {
    /// Makes a crew of `workers`; with one, all is done by the caller.
    pub(super) fn new(
        lanes: Vec<Lane<R>>,
        workers: usize,
        writer: Writer,
    ) -> std::io::Result<Self> {
        let workers = workers.clamp(1, lanes.len().max(1));
        if workers == 1 {
            return Ok(Self::Alone { lanes, writer, latest: 0 });
        }
        let mut shares: Vec<Vec<(usize, Lane<R>)>> = (0..workers).map(|_| Vec::new()).collect();
        for (index, lane) in lanes.into_iter().enumerate() {
            shares[index % workers].push((index, lane));
        }
        let (mut jobs, mut handles, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for (number, share) in shares.into_iter().enumerate() {
            let (job_in, job_out) = sync_channel(DEPTH);
            let (made_in, made_out) = sync_channel(DEPTH);
            let name = format!("worker {number}");
            let run = move || work(share, &job_out, &made_in);
            handles.push(thread::Builder::new().name(name).spawn(run)?);
            jobs.push(job_in);
            made.push(made_out);
        }
        let (extra, extra_out) = sync_channel(2 * DEPTH);
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let run = move || write(writer, &extra_out, &made, &shared);
        let writer = thread::Builder::new().name("writer".into()).spawn(run)?;
        Ok(Self::Threads(Threads { jobs, extra, workers: handles, writer, state }))
    }

    /// Has a job done. `lines` is what the caller adds to it.
    pub(super) fn submit(&mut self, job: Job, lines: Lines) {
        match self {
            Self::Alone { lanes, writer, latest } => {
                let mut made = vec![lines];
                let lanes = lanes.iter_mut().enumerate();
                made.extend(lanes.map(|(index, lane)| lane.work(index, &job)));
                *latest = made.iter().map(Lines::bytes).sum();
                writer.write(&made);
            }
            Self::Threads(threads) => {
                let mut gone = threads.extra.send(Extra::Job(lines)).is_err();
                for worker in &threads.jobs {
                    gone |= worker.send(job.clone()).is_err();
                }
                // A thread that is gone has panicked; the run ends, and joining it will tell.
                if gone {
                    threads.state.failed.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    /// Hands everything written so far to the output.
    pub(super) fn flush(&mut self) {
        match self {
            Self::Alone { writer, .. } => writer.flush(),
            Self::Threads(threads) => {
                let _ = threads.extra.send(Extra::Flush);
            }
        }
    }

    /// Returns whether the output has failed: nothing more can be written.
    pub(super) fn failed(&self) -> bool {
        match self {
            Self::Alone { writer, .. } => writer.failed().is_some(),
            Self::Threads(threads) => threads.state.failed.load(Ordering::Relaxed),
        }
    }

    /// Returns how many bytes were made of a recent job.
    pub(super) fn latest_output(&self) -> usize {
        match self {
            Self::Alone { latest, .. } => *latest,
            Self::Threads(threads) => threads.state.latest.load(Ordering::Relaxed),
        }
    }

    /// Waits for all that is under way; returns the lanes, in no order, and the writer.
    pub(super) fn dismiss(self) -> (Vec<Lane<R>>, Writer) {
        match self {
            Self::Alone { lanes, mut writer, .. } => {
                writer.flush();
                (lanes, writer)
            }
            Self::Threads(Threads { jobs, extra, workers, writer, .. }) => {
                drop((jobs, extra));
                let writer = join(writer);
                (workers.into_iter().flat_map(join).collect(), writer)
            }
        }
    }
}

/// Waits for a thread; its panic goes on in this one.
fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What a worker does until there are no more jobs.
fn work<R: Recorder>(
    mut share: Vec<(usize, Lane<R>)>,
    jobs: &Receiver<Job>,
    made: &SyncSender<Vec<Lines>>,
) -> Vec<Lane<R>> {
    for job in jobs {
        let lines = share.iter_mut().map(|(index, lane)| lane.work(*index, &job)).collect();
        if made.send(lines).is_err() {
            break;
        }
    }
    share.into_iter().map(|(_, lane)| lane).collect()
}

/// What the writing thread does until there is nothing more to write.
fn write(
    mut writer: Writer,
    extra: &Receiver<Extra>,
    made: &[Receiver<Vec<Lines>>],
    state: &State,
) -> Writer {
    for extra in extra {
        match extra {
            Extra::Job(lines) => {
                let mut all = vec![lines];
                for worker in made {
                    all.extend(worker.recv().into_iter().flatten());
                }
                let bytes = all.iter().map(Lines::bytes).sum();
                state.latest.store(bytes, Ordering::Relaxed);
                writer.write(&all);
            }
            Extra::Flush => writer.flush(),
        }
        state.failed.store(writer.failed().is_some(), Ordering::Relaxed);
    }
    writer.flush();
    writer
}
