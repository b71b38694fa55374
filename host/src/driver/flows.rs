//! What a worker keeps of each flow.

use std::collections::VecDeque;

use flowcell_core::{Demand, FlowId, Side, Timestamp};

use super::aside::Aside;
use super::breaker::Pass;
use super::expectations::Key;
use super::flow_task::FlowTask;
use super::parking::Whose;
use super::pursuit::{Pursuit, Seen};
use super::slots::Slots;
use crate::output::FlowLabel;

/// Nobody lives to see the end of such a skip.
const FOR_EVER: u64 = u64::MAX / 2;

/// A flow of which something was seen. If there is neither a parser nor a search, nobody knows it.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The parser that has it.
    pub(super) tracked: Option<Box<Tracked>>,
    /// The parser is being found, or might still give way to another one.
    pub(super) pursuit: Option<Box<Pursuit>>,
    /// Somebody was asked who may parse it: it has said something.
    pub(super) begun: bool,
    /// Sides that have ended in order before anything was said.
    pub(super) ended: [bool; 2],
    /// Sides of which the engine knows that nothing more is wanted, by [`Side::index`].
    pub(super) stopped: [bool; 2],
    /// If the engine waits for an answer: bytes that came after nothing more of their side was wanted.
    pub(super) owed: Option<u64>,
    more: Option<Box<More>>,
}

/// What few flows have.
#[derive(Debug, Default)]
pub(super) struct More {
    /// The parsers that had it, in order.
    pub(super) past: Vec<FlowTask>,
    /// Bytes of each side that no parser gets, because one that has handed the flow over did not want them,
    /// by [`Side::index`].
    pub(super) skip: [u64; 2],
    /// The flow that it belongs to: its uid.
    pub(super) parent: Option<Box<str>>,
    /// Where its parsers expect flows.
    pub(super) expects: VecDeque<Key>,
}

/// A flow with a task, and its label once a record has needed it.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) task: FlowTask,
    pub(super) label: Option<FlowLabel>,
    /// Bytes that are not delivered yet.
    pub(super) aside: Option<Box<Aside>>,
    /// When something was delivered last.
    pub(super) used: Timestamp,
    /// Whether the breaker lets it through, once that is known.
    pub(super) pass: Option<Pass>,
}

impl Tracked {
    pub(super) fn new(task: FlowTask, used: Timestamp) -> Self {
        Self { task, label: None, aside: None, used, pass: None }
    }

    /// It has a cell of this parser, and that is not parked.
    pub(super) fn is_awake(&self, whose: Whose) -> bool {
        let cell = self.task.footprint().filter(|cell| cell.awake);
        cell.is_some() && Whose::of(self.task.parser()) == whose
    }
}

impl Followed {
    /// The parser that has the flow has it for good.
    pub(super) fn is_settled(&self) -> bool {
        self.pursuit.is_none()
    }

    /// What few flows have.
    pub(super) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// The flow that it belongs to.
    pub(super) fn parent(&self) -> Option<&str> {
        self.more.as_ref()?.parent.as_deref()
    }

    /// What of this is for a parser, given what an earlier one has left out.
    pub(super) fn without_skipped<'a>(&mut self, side: Side, seen: Seen<'a>) -> Option<Seen<'a>> {
        match &mut self.more {
            Some(more) => seen.behind(&mut more.skip[side.index()]),
            None => Some(seen),
        }
    }

    /// Something that comes may be left out.
    pub(super) fn skips(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.skip != [0; 2])
    }

    /// All that had the flow, in order.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &FlowTask> {
        let past = self.more.iter().flat_map(|more| &more.past);
        past.chain(self.tracked.as_deref().map(|tracked| &tracked.task))
    }

    /// What is wanted of a side from now on. As long as another parser might get the flow, all is.
    pub(super) fn demand(&self, side: Side) -> Demand {
        let tracked = self.tracked.as_ref().filter(|_| self.is_settled());
        let is_done = tracked.is_some_and(|tracked| tracked.task.is_done(side));
        // It was handed to a protocol that nobody knows.
        let handed_to_nobody = self.tracked.is_none()
            && self.pursuit.is_none()
            && self.tasks().last().is_some_and(FlowTask::has_handed_over);
        let skipped = self.more.as_ref().is_some_and(|more| more.skip[side.index()] > FOR_EVER);
        if is_done || skipped || handed_to_nobody { Demand::Done } else { Demand::More }
    }
}

/// All flows of a worker.
#[derive(Debug, Default)]
pub(super) struct Flows(Slots<Followed>);

impl Flows {
    /// The flow's parser and what belongs to it.
    pub(super) fn get_mut(&mut self, id: FlowId) -> Option<&mut Tracked> {
        self.0.get_mut(id)?.tracked.as_deref_mut()
    }

    pub(super) fn followed(&mut self, id: FlowId) -> Option<&mut Followed> {
        self.0.get_mut(id)
    }

    /// The flow, of which nothing may be known yet.
    pub(super) fn entry(&mut self, id: FlowId) -> &mut Followed {
        self.0.entry(id)
    }

    pub(super) fn remove(&mut self, id: FlowId) -> Option<Followed> {
        self.0.remove(id)
    }
}
