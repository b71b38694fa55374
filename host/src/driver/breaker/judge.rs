//! Adds up what the lanes have counted, judges after each round, and tells what follows.

use std::sync::Arc;

use flowcell_core::Timestamp;
use serde::Serialize;

use super::gate::{LastFault, Tallied, Tally, Verdicts};
use super::{Breaker, BreakerLimits, Change, Count, Stance};
use crate::documented::documented;
use crate::driver::Messages;
use crate::json;
use crate::output::{Lines, ParserEvent, Place, Records, Subject};
use crate::registry::{Generation, Handle, Loaded, Rollback};

/// Judges all parsers. It belongs to the thread that reads, and sees the lanes' counts in the order of
/// their jobs.
#[derive(Debug)]
pub struct Judge {
    limits: BreakerLimits,
    parsers: Handle,
    records: Records,
    messages: Messages,
    rollback: Option<Rollback>,
    /// What there is of the parsers of one generation, in its order, and which that is.
    watched: Vec<Watched>,
    generation: Option<u64>,
    /// What was counted in this round so far.
    round: Vec<Tallied>,
    trials: u64,
    opened: u64,
    digits: usize,
    verdicts: Arc<Verdicts>,
}

/// A parser of the current generation.
#[derive(Debug)]
struct Watched {
    loaded: Loaded,
    breaker: Breaker,
    /// Its last fault.
    last: Option<LastFault>,
    /// Flows that were started, and when the first was.
    started: u64,
    since: Option<Timestamp>,
}

/// When a round has ended.
#[derive(Debug, Clone, Copy)]
pub(in crate::driver) struct RoundEnd {
    pub(in crate::driver) now: Timestamp,
    /// Digits that times have behind the second, unless they are as before.
    pub(in crate::driver) digits: Option<usize>,
}

documented! {
    /// The data of a `parser` record about a breaker.
    #[derive(Default, Serialize)]
    pub(in crate::driver) struct BreakerRecord<'a> {
        /// What happened: see below.
        event: &'static str,
        /// The parser's file; `bundled NAME` if it is in the program.
        file: &'a str,
        /// SHA-256 of the file, in hexadecimal. Absent if it was refused.
        sha256: String,
        /// `breaker_open`: flows started within the breaker's window. `breaker_closed`: flows that have tried it.
        #[serde(skip_serializing_if = "Option::is_none")]
        started: Option<u64>,
        /// `breaker_open`: faults within the window.
        #[serde(skip_serializing_if = "Option::is_none")]
        faults: Option<u64>,
        /// `breaker_open`: class of the last fault.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<&'a str>,
        /// `breaker_open`: message of the last fault.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
        /// `breaker_open`: when a few flows will try it, in packet time.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry: Option<String>,
        /// `breaker_open`: how long that is from now, in ms.
        #[serde(skip_serializing_if = "Option::is_none")]
        back_off_ms: Option<u64>,
    }
}

impl Judge {
    /// Judges `parsers`; what there is to tell goes to `records` and `messages`. A new version that
    /// fails early is taken back with `rollback`, if there is a way back.
    #[must_use]
    pub fn new(
        limits: BreakerLimits,
        parsers: Handle,
        records: Records,
        messages: Messages,
        rollback: Option<Rollback>,
    ) -> Self {
        Self {
            limits,
            parsers,
            records,
            messages,
            rollback,
            watched: Vec::new(),
            generation: None,
            round: Vec::new(),
            trials: 0,
            opened: 0,
            digits: 6,
            verdicts: Arc::default(),
        }
    }

    /// The records that were made.
    #[must_use]
    pub const fn made(&self) -> &Records {
        &self.records
    }

    /// How often a breaker has opened.
    #[must_use]
    pub const fn opened(&self) -> u64 {
        self.opened
    }

    /// Adds what was counted in a part of a round.
    pub(in crate::driver) fn add(&mut self, tally: Tally) {
        self.round.extend(tally.0);
    }

    /// Judges when all of a round was added; returns the records that this led to, and what holds from
    /// now on.
    pub(in crate::driver) fn judge(&mut self, end: RoundEnd) -> (Lines, Arc<Verdicts>) {
        let parsers = self.parsers.current();
        let changed = self.generation != Some(parsers.number());
        if changed {
            self.generation = Some(parsers.number());
            self.watched = follow(std::mem::take(&mut self.watched), &parsers, self.limits);
        }
        drop(parsers);
        self.digits = end.digits.unwrap_or(self.digits);
        let round = std::mem::take(&mut self.round);
        let mut changes = Vec::new();
        for (index, watched) in self.watched.iter_mut().enumerate() {
            let was_good = watched.last.is_none();
            let change = watched.judge(end.now, &round, self.trials);
            if let Some(LastFault { fault, .. }) = watched.last.as_ref().filter(|_| was_good) {
                let label = watched.loaded.parser.label();
                self.messages.tell(&format!("{label} has faulted for the first time: {fault}"));
            }
            if let Some(change) = change {
                self.trials += u64::from(change == Change::HalfOpened);
                changes.push((index, change));
            }
        }
        if changed || !changes.is_empty() {
            let shut = self
                .watched
                .iter()
                .map(|watched| (Arc::clone(&watched.loaded.parser), watched.breaker.stance()));
            let shut = shut.filter(|(_, stance)| *stance != Stance::Free);
            self.verdicts = Arc::new(Verdicts::new(shut.collect()));
        }
        for (index, change) in changes {
            self.tell(index, change, end.now);
        }
        (self.records.take(), Arc::clone(&self.verdicts))
    }

    fn tell(&mut self, index: usize, change: Change, now: Timestamp) {
        let Some(watched) = self.watched.get(index) else { return };
        let Loaded { parser, origin, .. } = &watched.loaded;
        let label = parser.label();
        let base = BreakerRecord {
            file: origin,
            sha256: watched.loaded.sha256(),
            ..BreakerRecord::default()
        };
        let record = match change {
            Change::Opened { started, faults, retry, back_off } => {
                self.opened += 1;
                let retry = json::timestamp(retry, self.digits);
                let fault = watched.last.as_ref().map(|last| &last.fault);
                let cause = fault.map(|fault| format!(", the last {fault}")).unwrap_or_default();
                self.messages.tell(&format!(
                    "{label} gets no new flows: {faults} faults, {started} flows started{cause}; \
                     to be tried again at {retry}"
                ));
                if let Some(rollback) = &self.rollback
                    && watched.is_fresh(self.limits, now)
                {
                    rollback.ask(parser);
                }
                BreakerRecord {
                    event: ParserEvent::BreakerOpen.name(),
                    started: Some(started),
                    faults: Some(faults),
                    class: fault.map(|fault| fault.class.name()),
                    message: fault.map(|fault| fault.message.as_str()),
                    retry: Some(retry),
                    back_off_ms: u64::try_from(back_off.as_millis()).ok(),
                    ..base
                }
            }
            Change::HalfOpened => {
                self.messages.tell(&format!("{label} is tried again on a few flows"));
                BreakerRecord { event: ParserEvent::BreakerHalfOpen.name(), ..base }
            }
            Change::Closed { tried } => {
                self.messages.tell(&format!("{label} gets new flows again: {tried} went well"));
                BreakerRecord {
                    event: ParserEvent::BreakerClosed.name(),
                    started: Some(tried),
                    ..base
                }
            }
        };
        let (ts, digits) = (now.0, self.digits);
        let parser = Some(label);
        let subject = Subject { ts, digits, flow: None, parser, packet: None, escaped: &[] };
        self.records.own(Place::default(), "parser", &subject, &record);
    }
}

/// Keeps what is known of the parsers that are still there; of the others nothing is kept.
fn follow(mut before: Vec<Watched>, parsers: &Generation, limits: BreakerLimits) -> Vec<Watched> {
    let parsers = parsers.parsers().iter();
    parsers
        .map(|loaded| {
            let same = |watched: &Watched| Arc::ptr_eq(&watched.loaded.parser, &loaded.parser);
            match before.iter().position(same) {
                Some(index) => before.swap_remove(index),
                None => Watched {
                    loaded: loaded.clone(),
                    breaker: Breaker::new(limits),
                    last: None,
                    started: 0,
                    since: None,
                },
            }
        })
        .collect()
}

impl Watched {
    fn judge(&mut self, now: Timestamp, round: &[Tallied], next_trial: u64) -> Option<Change> {
        let mine = round.iter().filter(|tallied| Arc::ptr_eq(&tallied.parser, &self.loaded.parser));
        let mut counts: Vec<Count> = Vec::new();
        for Tallied { count, last, .. } in mine {
            counts.push(*count);
            self.started = self.started.saturating_add(count.started);
            if let Some(last) = last {
                let earlier = self.last.as_ref().is_some_and(|known| known.order >= last.order);
                if !earlier {
                    self.last = Some(last.clone());
                }
            }
        }
        if self.started > 0 {
            self.since.get_or_insert(now);
        }
        self.breaker.judge(now.0, &counts, next_trial)
    }

    /// Whether it was new when it failed.
    fn is_fresh(&self, limits: BreakerLimits, now: Timestamp) -> bool {
        let age = now.0.saturating_sub(self.since.unwrap_or(now).0);
        self.started <= limits.fresh_flows || age < super::nanos(limits.fresh_time)
    }
}

#[cfg(test)]
mod tests;
