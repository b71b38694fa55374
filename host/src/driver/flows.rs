//! What a worker keeps of each flow.

use std::collections::VecDeque;

use flowcell_core::{EndReason, FlowId, Side, Timestamp};

use super::aside::Aside;
use super::breaker::Pass;
use super::expectations::Key;
use super::flow_task::FlowTask;
use super::pursuit::Pursuit;
use super::slots::Slots;
use crate::output::FlowLabel;

/// A flow of which something was seen. If there is neither a parser nor a search, nobody knows it.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The parser that has it.
    pub(super) tracked: Option<Box<Tracked>>,
    /// The parser is being found, or might still give way to another one.
    pub(super) pursuit: Option<Box<Pursuit>>,
    /// The parsers that had it, in order.
    pub(super) past: Vec<FlowTask>,
    /// The flow that it belongs to: its uid.
    pub(super) parent: Option<Box<str>>,
    /// Where its parsers expect flows.
    pub(super) expects: VecDeque<Key>,
    /// How its sides have ended, by [`Side::index`].
    pub(super) ends: [Option<EndReason>; 2],
}

/// A flow with a task, and its label once a record has needed it.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) task: FlowTask,
    pub(super) label: Option<FlowLabel>,
    /// Bytes that are not delivered yet.
    pub(super) aside: Option<Box<Aside>>,
    /// If the engine waits for an answer: bytes that came after nothing more of their side was wanted.
    pub(super) owed: Option<u64>,
    /// When something was delivered last.
    pub(super) used: Timestamp,
    /// Whether the breaker lets it through, once that is known.
    pub(super) pass: Option<Pass>,
}

impl Tracked {
    pub(super) fn new(task: FlowTask, used: Timestamp) -> Self {
        Self { task, label: None, aside: None, owed: None, used, pass: None }
    }
}

impl Followed {
    /// The parser that has the flow has it for good.
    pub(super) fn is_settled(&self) -> bool {
        self.pursuit.is_none()
    }

    /// The sides that have ended, and how.
    pub(super) fn ends(&self) -> impl Iterator<Item = (Side, EndReason)> + use<> {
        let ends = self.ends;
        Side::BOTH.into_iter().filter_map(move |side| Some((side, ends[side.index()]?)))
    }

    /// All that had the flow, in order.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &FlowTask> {
        self.past.iter().chain(self.tracked.as_deref().map(|tracked| &tracked.task))
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

    pub(super) fn insert(&mut self, id: FlowId, followed: Followed) {
        self.0.insert(id, followed);
    }

    pub(super) fn remove(&mut self, id: FlowId) -> Option<Followed> {
        self.0.remove(id)
    }
}
