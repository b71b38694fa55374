//! Who works on the lanes: the thread that reads the frames, and helpers beside it.
//!
//! Any of them takes the next lane that has something to do, so none waits while there is work; and
//! there are no more threads than were asked for. A lane is worked on by one thread at a time, and does
//! its jobs in order. What they make is written, by the thread that reads, in the order of the jobs.

mod board;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use self::board::{Board, Made, Order};
use super::breaker::{Judge, Tally, Verdicts};
use super::lane::{Job, Lane, Recorder};
use crate::output::{Lines, Writer};

/// Jobs that may be under way while the next is prepared: enough that helpers are never without work,
/// few enough that memory stays bounded.
const DEPTH: usize = 4;

/// Rounds from one that breakers are judged by to the one in which that holds, unless the packets are
/// live. It is the same for any number of threads, and as many as jobs may be under way, so that the
/// thread that reads hardly ever has to wait for it.
const LAG: usize = DEPTH;

/// Works on lanes and writes what comes of it, in order.
#[derive(Debug)]
pub(super) struct Crew<R> {
    shared: Arc<Shared<R>>,
    helpers: Vec<JoinHandle<()>>,
    writer: Writer,
    /// Bytes made of each of the jobs written last, the oldest first.
    made: VecDeque<usize>,
    /// That of the last job that is done by now whatever the threads do.
    recent: usize,
    judge: Option<Judge>,
    /// What holds in the rounds to come, as far as it is known.
    coming: VecDeque<Arc<Verdicts>>,
    /// What holds in this round.
    verdicts: Arc<Verdicts>,
    /// The last job given has ended a round.
    round_over: bool,
    /// What holds is what is known last.
    live: bool,
}

/// What the threads of a crew share.
#[derive(Debug)]
struct Shared<R> {
    board: Mutex<Board<R>>,
    /// There is something to do, or nothing any more.
    work: Condvar,
    /// A job is done, or a thread is gone.
    done: Condvar,
}

/// From which end of the list of lanes a thread takes work: two threads then seldom work on the same
/// lanes in turn, and each finds them in its own caches.
#[derive(Debug, Clone, Copy)]
enum From {
    Front,
    Back,
}

impl<R> Shared<R> {
    fn board(&self) -> MutexGuard<'_, Board<R>> {
        // Nobody panics while holding it; and if so, the board is as good as it was.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Recorder> Shared<R> {
    /// Does one lane's part of one job, if there is any to do; gives the board up meanwhile.
    fn help<'b>(
        &'b self,
        mut board: MutexGuard<'b, Board<R>>,
        from: From,
    ) -> (MutexGuard<'b, Board<R>>, bool) {
        let index = match from {
            From::Front => board.ready.pop_front(),
            From::Back => board.ready.pop_back(),
        };
        let desk = index.and_then(|index| Some((index, board.lanes.get_mut(index)?)));
        let Some((index, desk)) = desk else { return (board, false) };
        let (Some(mut lane), Some(order)) = (desk.lane.take(), desk.jobs.pop_front()) else {
            return (board, false);
        };
        let Order { number, job, verdicts } = order;
        drop(board);
        let alarm = Alarm(self);
        let made = lane.work(index, &job, &verdicts);
        drop((job, verdicts));
        std::mem::forget(alarm);
        let mut board = self.board();
        board.put_back(index, lane, number, made);
        if board.jobs.front().is_some_and(|made| made.left == 0) {
            self.done.notify_one();
        }
        (board, true)
    }
}

/// Tells the others when a thread panics at work, so that nobody waits for it.
struct Alarm<'a, R>(&'a Shared<R>);

impl<R> Drop for Alarm<'_, R> {
    fn drop(&mut self) {
        self.0.board().broken = true;
        self.0.done.notify_all();
    }
}

impl<R: Recorder + 'static> Crew<R> {
    /// Makes a crew of `workers` threads, the caller's included.
    pub(super) fn new(
        lanes: Vec<Lane<R>>,
        workers: usize,
        writer: Writer,
        judge: Option<Judge>,
        live: bool,
    ) -> io::Result<Self> {
        let helpers = workers.clamp(1, lanes.len().max(1)) - 1;
        let (work, done) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { board: Mutex::new(Board::new(lanes)), work, done });
        let mut crew = Self {
            shared,
            helpers: Vec::new(),
            writer,
            made: VecDeque::new(),
            recent: 0,
            judge,
            coming: (0..LAG).map(|_| Arc::default()).collect(),
            verdicts: Arc::default(),
            round_over: true,
            live,
        };
        for number in 0..helpers {
            let shared = Arc::clone(&crew.shared);
            let builder = thread::Builder::new().name(format!("helper {number}"));
            crew.helpers.push(builder.spawn(move || run_helper(&shared))?);
        }
        Ok(crew)
    }

    /// Has a job done. `own` is what the caller adds to it.
    pub(super) fn submit(&mut self, job: &Job, own: (Lines, Tally)) {
        self.begin_round();
        self.round_over = job.round_end().is_some();
        self.shared.board().add(job, &self.verdicts, own);
        self.shared.work.notify_all();
        let left = self.settle(if self.helpers.is_empty() { 0 } else { DEPTH });
        while self.made.len() + left > DEPTH + 1 {
            self.made.pop_front();
        }
        let first = self.made.front().filter(|_| self.made.len() + left > DEPTH);
        self.recent = first.copied().unwrap_or(0);
    }

    /// Returns what holds in the round of the latest job.
    pub(super) const fn verdicts(&self) -> &Arc<Verdicts> {
        &self.verdicts
    }

    /// If a round has just ended, gets what holds in the next one, and waits for it if need be.
    fn begin_round(&mut self) {
        if !self.round_over || self.judge.is_none() {
            return;
        }
        if self.live {
            self.verdicts =
                self.coming.drain(..).next_back().unwrap_or_else(|| self.verdicts.clone());
            return;
        }
        while self.coming.is_empty() {
            let left = self.shared.board().jobs.len();
            if left == 0 || self.shared.board().broken {
                return;
            }
            self.settle(left - 1);
        }
        if let Some(verdicts) = self.coming.pop_front() {
            self.verdicts = verdicts;
        }
    }

    /// Writes what was made of a job. Behind a round come what its breakers tell.
    fn write(&mut self, made: Made) {
        self.made.push_back(made.lines.iter().map(Lines::bytes).sum());
        self.writer.write(&made.lines);
        let Some(judge) = &mut self.judge else { return };
        made.tallies.into_iter().for_each(|tally| judge.add(tally));
        if let Some(end) = made.round_end {
            let (lines, verdicts) = judge.judge(end);
            self.writer.write(&[lines]);
            self.coming.push_back(verdicts);
        }
    }

    /// Works and writes until at most so many jobs are left. Returns how many are.
    fn settle(&mut self, most: usize) -> usize {
        let shared = Arc::clone(&self.shared);
        let mut board = shared.board();
        loop {
            if let Some(made) = board.take_done() {
                drop(board);
                self.write(made);
                board = shared.board();
                continue;
            }
            if board.jobs.len() <= most || board.broken {
                return board.jobs.len();
            }
            let (given_back, worked) = shared.help(board, From::Back);
            board = given_back;
            if !worked && board.jobs.front().is_some_and(|made| made.left > 0) && !board.broken {
                board = shared.done.wait(board).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Hands everything made so far to the output.
    pub(super) fn flush(&mut self) {
        self.settle(0);
        self.writer.flush();
    }

    /// Returns whether nothing more can be written, or a thread is gone.
    pub(super) fn failed(&self) -> bool {
        self.writer.failed().is_some() || self.shared.board().broken
    }

    /// Returns how many bytes were made of a recent job. Which one it is does not depend on the number
    /// of threads or how they get on: what is delivered together follows from it.
    pub(super) const fn recent_output(&self) -> usize {
        self.recent
    }

    /// Waits for all that is under way; returns the lanes, the writer and the judge. A helper's panic
    /// goes on here.
    pub(super) fn dismiss(mut self) -> (Vec<Lane<R>>, Writer, Option<Judge>) {
        self.flush();
        self.shared.board().over = true;
        self.shared.work.notify_all();
        for helper in self.helpers {
            helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
        let desks = std::mem::take(&mut self.shared.board().lanes);
        let lanes = desks.into_iter().filter_map(|desk| desk.lane).collect();
        (lanes, self.writer, self.judge)
    }
}

/// What a helper does until all is over.
fn run_helper<R: Recorder>(shared: &Shared<R>) {
    let mut board = shared.board();
    while !board.over {
        let (given_back, worked) = shared.help(board, From::Front);
        board = given_back;
        if !worked && !board.over {
            board = shared.work.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
