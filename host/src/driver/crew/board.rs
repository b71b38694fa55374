//! What there is to do, and what was done, for all threads of a crew.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::driver::breaker::{RoundEnd, Tally, Verdicts};
use crate::driver::lane::{Job, Lane};
use crate::output::Lines;

/// What there is to do, and what was done.
#[derive(Debug)]
pub(super) struct Board<R> {
    pub(super) lanes: Vec<Desk<R>>,
    /// Lanes that have something to do and that nobody works on.
    pub(super) ready: VecDeque<usize>,
    /// Jobs that are not written yet, the oldest first.
    pub(super) jobs: VecDeque<Made>,
    /// The number of the oldest job.
    pub(super) oldest: u64,
    /// Helpers are to go home.
    pub(super) over: bool,
    /// A thread has panicked, which no input should make it do.
    pub(super) broken: bool,
}

/// A lane and its jobs.
#[derive(Debug)]
pub(super) struct Desk<R> {
    /// Not there while somebody works on it.
    pub(super) lane: Option<Lane<R>>,
    pub(super) jobs: VecDeque<Order>,
}

/// A job for a lane.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) number: u64,
    pub(super) job: Job,
    pub(super) verdicts: Arc<Verdicts>,
}

/// What was made of a job.
#[derive(Debug)]
pub(super) struct Made {
    /// Lanes that are not done with it.
    pub(super) left: usize,
    /// What the caller has added, and what each lane has made.
    pub(super) lines: Vec<Lines>,
    pub(super) tallies: Vec<Tally>,
    /// Breakers are judged behind it.
    pub(super) round_end: Option<RoundEnd>,
}

impl<R> Board<R> {
    /// Nothing is to be done.
    pub(super) fn new(lanes: Vec<Lane<R>>) -> Self {
        let desk = |lane| Desk { lane: Some(lane), jobs: VecDeque::new() };
        Self {
            lanes: lanes.into_iter().map(desk).collect(),
            ready: VecDeque::new(),
            jobs: VecDeque::new(),
            oldest: 0,
            over: false,
            broken: false,
        }
    }

    /// Takes a lane back, with what it has made of a job.
    pub(super) fn put_back(
        &mut self,
        index: usize,
        lane: Lane<R>,
        number: u64,
        what: (Lines, Tally),
    ) {
        if let Some(desk) = self.lanes.get_mut(index) {
            desk.lane = Some(lane);
            if !desk.jobs.is_empty() {
                self.ready.push_back(index);
            }
        }
        let at = usize::try_from(number - self.oldest).ok();
        if let Some(made) = at.and_then(|at| self.jobs.get_mut(at)) {
            made.left -= 1;
            let places = (made.lines.get_mut(index + 1), made.tallies.get_mut(index + 1));
            if let (Some(lines), Some(tally)) = places {
                (*lines, *tally) = what;
            }
        }
    }

    /// Adds a job for all lanes that it concerns.
    pub(super) fn add(
        &mut self,
        job: &Job,
        verdicts: &Arc<Verdicts>,
        (lines, tally): (Lines, Tally),
    ) {
        let number = self.oldest + self.jobs.len() as u64;
        let round_end = job.round_end();
        let mut made = Made { left: 0, lines: vec![lines], tallies: vec![tally], round_end };
        for (index, desk) in self.lanes.iter_mut().enumerate() {
            made.lines.push(Lines::default());
            made.tallies.push(Tally::default());
            if job.concerns(index) {
                made.left += 1;
                let (job, verdicts) = (job.clone(), Arc::clone(verdicts));
                desk.jobs.push_back(Order { number, job, verdicts });
                if desk.lane.is_some() && desk.jobs.len() == 1 {
                    self.ready.push_back(index);
                }
            }
        }
        self.jobs.push_back(made);
    }

    /// Takes out what was made of the oldest job, if that is done.
    pub(super) fn take_done(&mut self) -> Option<Made> {
        let made = self.jobs.pop_front_if(|made| made.left == 0)?;
        self.oldest += 1;
        Some(made)
    }
}
