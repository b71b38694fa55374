//! What a lane has of the breakers: it heeds verdicts, and counts for the next ones.

use std::sync::Arc;

use super::{Count, Stance, seconds};
use crate::runtime::{Fault, FaultClass, Parser};

/// Which parsers do not get all new flows. The same in all lanes for the whole of a round.
#[derive(Debug, Default)]
pub struct Verdicts(Vec<(Arc<Parser>, Stance)>);

/// What the parsers of a lane did since it was last asked.
#[derive(Debug, Default)]
pub struct Tally(pub(super) Vec<Tallied>);

/// What one parser did at some time.
#[derive(Debug)]
pub(super) struct Tallied {
    pub(super) parser: Arc<Parser>,
    pub(super) count: Count,
    pub(super) last: Option<LastFault>,
}

/// A fault that speaks for the others.
#[derive(Debug, Clone)]
pub(super) struct LastFault {
    /// Its packet, and how many the lane had before: the larger is the later.
    pub(super) order: (u64, u64),
    pub(super) fault: Fault,
}

/// Whether a flow gets its parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Pass {
    Free,
    /// It does, in the trial of this number.
    Trial(u64),
    /// It does not.
    Shut,
}

/// When something happened, as the flow says.
#[derive(Debug, Clone, Copy)]
pub(in crate::driver) struct When {
    /// ns of packet time.
    pub(in crate::driver) ts: u64,
    pub(in crate::driver) packet: u64,
}

/// A lane's part of all breakers.
#[derive(Debug)]
pub struct Gate {
    verdicts: Arc<Verdicts>,
    /// Flows that may be in one trial.
    trial_flows: u64,
    /// Trials that are under way, and the flows in each.
    trials: Vec<(u64, u64)>,
    faults: u64,
    tally: Tally,
}

/// Entries of a tally that are looked at for one that fits: parsers are few, and time goes on.
const RECENT: usize = 8;

impl Verdicts {
    pub(super) fn new(verdicts: Vec<(Arc<Parser>, Stance)>) -> Self {
        Self(verdicts)
    }

    fn of(&self, parser: &Arc<Parser>) -> Stance {
        let found = self.0.iter().find(|(other, _)| Arc::ptr_eq(other, parser));
        found.map_or(Stance::Free, |(_, stance)| *stance)
    }
}

impl Gate {
    /// Lets so many flows into each trial.
    #[must_use]
    pub fn new(trial_flows: u64) -> Self {
        let (verdicts, tally) = (Arc::default(), Tally::default());
        Self { verdicts, trial_flows, trials: Vec::new(), faults: 0, tally }
    }

    /// Goes by these verdicts from now on.
    pub(in crate::driver) fn heed(&mut self, verdicts: &Arc<Verdicts>) {
        if !Arc::ptr_eq(&self.verdicts, verdicts) {
            self.verdicts = Arc::clone(verdicts);
            let goes_on =
                |trial: u64| verdicts.0.iter().any(|(_, stance)| *stance == Stance::Trial(trial));
            self.trials.retain(|(trial, _)| goes_on(*trial));
        }
    }

    /// A flow is to be started; tells whether it gets the parser.
    pub(in crate::driver) fn admit(&mut self, parser: &Arc<Parser>, when: When) -> Pass {
        let pass = match self.verdicts.of(parser) {
            Stance::Free => Pass::Free,
            Stance::Shut => Pass::Shut,
            Stance::Trial(trial) => self.admit_to(trial),
        };
        if pass != Pass::Shut {
            self.entry(parser, pass, when).count.started += 1;
        }
        pass
    }

    fn admit_to(&mut self, trial: u64) -> Pass {
        let flows = match self.trials.iter_mut().find(|(other, _)| *other == trial) {
            Some((_, flows)) => flows,
            None => &mut self.trials.push_mut((trial, 0)).1,
        };
        if *flows >= self.trial_flows {
            return Pass::Shut;
        }
        *flows += 1;
        Pass::Trial(trial)
    }

    /// A flow that was let through has ended its parser with a fault.
    pub(in crate::driver) fn fault(
        &mut self,
        parser: &Arc<Parser>,
        pass: Pass,
        when: When,
        fault: &Fault,
    ) {
        if fault.class == FaultClass::Capacity {
            return; // the host's, not the parser's
        }
        self.faults += 1;
        let order = (when.packet, self.faults);
        let tallied = self.entry(parser, pass, when);
        tallied.count.faults += 1;
        tallied.last = Some(LastFault { order, fault: fault.clone() });
    }

    fn entry(&mut self, parser: &Arc<Parser>, pass: Pass, when: When) -> &mut Tallied {
        let second = seconds(when.ts);
        let trial = if let Pass::Trial(trial) = pass { Some(trial) } else { None };
        let entries = &mut self.tally.0;
        let fits = |entry: &Tallied| {
            let (count, same) = (&entry.count, Arc::ptr_eq(&entry.parser, parser));
            same && count.second == second && count.trial == trial
        };
        let first = entries.len().saturating_sub(RECENT);
        let recent = entries.get(first..).unwrap_or_default();
        match recent.iter().position(fits) {
            Some(index) => &mut entries[first + index],
            None => entries.push_mut(Tallied {
                parser: Arc::clone(parser),
                count: Count { second, trial, started: 0, faults: 0 },
                last: None,
            }),
        }
    }

    /// Takes out what was counted.
    pub(in crate::driver) fn take(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}
