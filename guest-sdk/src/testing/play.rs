//! One run of a script, against a host that remembers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::Value as Json;

use super::json;
use super::script::{FlowScript, Step};
use crate::info::{Expectation, FlowInfo, Level, Side, Transport};
use crate::record::{ParserDef, Timestamp};
use crate::shared::HostCalls;
use crate::task::{Input, Progress, Segment, Task};

/// What a parser told the host.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Outcome {
    /// Name and `data` of each record.
    pub records: Vec<(String, Json)>,
    /// `confirm`, `decline "…"`, `fail "…"`, in order.
    pub verdicts: Vec<String>,
    /// Which step each of all that was told was about, if steps are numbered.
    pub(super) steps: Vec<usize>,
}

/// A step is delivered with the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    Yes,
    No,
}

/// A host that remembers.
struct Recorder {
    def: &'static ParserDef,
    outcome: RefCell<Outcome>,
    /// By side: bytes still to be left out; `None` when the side is not wanted any more.
    skip: RefCell<[Option<u64>; 2]>,
    /// The steps of the delivery, and which of them the parser speaks of.
    steps: RefCell<Vec<usize>>,
    segment: Cell<usize>,
    numbered: bool,
    /// To whom the flow was handed, and what of each side.
    switched: RefCell<Option<(String, [Vec<u8>; 2])>>,
}

impl Recorder {
    /// What `skip` and `done` leave of `length` bytes: how many to drop first, or `None` for all.
    fn pass(&self, side: Side, length: u64) -> Option<u64> {
        let skip = &mut self.skip.borrow_mut()[side.index()];
        let left = skip.as_mut()?;
        let dropped = length.min(*left);
        *left -= dropped;
        (dropped < length).then_some(dropped)
    }

    fn note(&self) -> std::cell::RefMut<'_, Outcome> {
        let mut outcome = self.outcome.borrow_mut();
        if self.numbered {
            outcome.steps.push(self.steps.borrow()[self.segment.get()]);
        }
        outcome
    }
}

impl HostCalls for Rc<Recorder> {
    fn emit(&self, kind: u32, body: &[u8]) {
        let schema = self.def.records[kind as usize];
        let record = (schema.name.to_owned(), json::record(schema, body));
        self.note().records.push(record);
        self.confirm();
    }

    fn confirm(&self) {
        let verdicts = &mut self.outcome.borrow_mut().verdicts;
        if !verdicts.iter().any(|verdict| verdict == "confirm") {
            verdicts.push("confirm".into());
        }
    }

    fn decline(&self, reason: &str) {
        let mut outcome = self.note();
        let confirmed = outcome.verdicts.iter().any(|verdict| verdict == "confirm");
        // As the host takes it.
        let verdict = if confirmed { "fail" } else { "decline" };
        outcome.verdicts.push(format!("{verdict} {reason:?}"));
    }

    fn fail(&self, reason: &str) {
        self.note().verdicts.push(format!("fail {reason:?}"));
    }

    fn skip(&self, side: Side, bytes: u64) {
        if let Some(left) = &mut self.skip.borrow_mut()[side.index()] {
            *left = left.saturating_add(bytes);
        }
    }

    fn done(&self, side: Side) {
        drop(self.note());
        self.skip.borrow_mut()[side.index()] = None;
    }

    fn switch_to(&self, protocol: &str, client: &[u8], server: &[u8]) {
        drop(self.note());
        let handed = [client, server].map(<[u8]>::to_vec);
        *self.switched.borrow_mut() = Some((protocol.to_owned(), handed));
    }

    fn expect(&self, expectation: &Expectation<'_>) {
        let Expectation { parser, transport, server, context } = expectation;
        let context = context.escape_ascii();
        let verdict = format!("expect {parser} {transport:?} {server} \"{context}\"");
        self.note().verdicts.push(verdict.to_lowercase());
        self.confirm();
    }

    fn log(&self, _level: Level, _message: &str) {
        drop(self.note());
    }

    fn segment(&self, index: u32) {
        let index = index as usize;
        assert!(index > self.segment.get() && index < self.steps.borrow().len());
        self.segment.set(index);
    }
}

/// Packets that are to be delivered.
struct Group {
    side: Side,
    segments: Vec<Segment>,
    bytes: Vec<u8>,
    steps: Vec<usize>,
}

pub(super) struct Play {
    recorder: Rc<Recorder>,
    info: FlowInfo,
    task: Task,
    group: Option<Group>,
    /// A task that rests does not live to see the next datagram.
    afresh: bool,
    /// The task is gone, until there is something for another one.
    resting: bool,
}

impl Play {
    /// Starts `def` on a flow. `numbered` steps have their number as their time.
    pub(super) fn new(script: &FlowScript, def: &'static ParserDef, numbered: bool) -> Self {
        let recorder = Rc::new(Recorder {
            def,
            outcome: RefCell::default(),
            skip: RefCell::new([Some(0), Some(0)]),
            steps: RefCell::default(),
            segment: Cell::new(0),
            numbered,
            switched: RefCell::default(),
        });
        let info = script.info.clone();
        let task = Task::new(def, info.clone(), Box::new(Rc::clone(&recorder)));
        Self { recorder, info, task, group: None, afresh: false, resting: false }
    }

    /// Has a new task begin with each datagram that finds the one before it resting.
    pub(super) fn afresh(mut self) -> Self {
        self.afresh = true;
        self
    }

    /// Delivers all steps.
    pub(super) fn run(
        mut self,
        steps: &[Step],
        together: &mut dyn FnMut(&Step) -> Together,
    ) -> Outcome {
        for (index, step) in steps.iter().enumerate() {
            if self.step(index, step, together(step)) == Progress::Ready {
                self.hand_over(index, steps);
                break;
            }
        }
        if let Some(Group { steps: waiting, .. }) = &self.group {
            let last = waiting.last().copied().unwrap_or_default();
            if self.flush() == Progress::Ready {
                self.hand_over(last, &steps[..=last]);
            }
        }
        drop(self.task);
        self.recorder.outcome.take()
    }

    /// If the flow was handed over, tells to whom, and all that this one gets, whether it was here by then
    /// or came later. `last` is the step that led to it, or a later one that was not delivered.
    fn hand_over(&mut self, last: usize, steps: &[Step]) {
        let Some((protocol, mut handed)) = self.recorder.switched.take() else { return };
        // The parser has heard of the steps up to the one that it spoke of last.
        let heard = self.recorder.steps.borrow().get(self.recorder.segment.get()).copied();
        let later = steps.get(heard.unwrap_or(last) + 1..).unwrap_or_default();
        for step in later {
            if let Step::Data { side, bytes } = step {
                handed[side.index()].extend_from_slice(bytes);
            }
        }
        let [client, server] = handed.map(|bytes| bytes.escape_ascii().to_string());
        let verdict = format!("switch_to \"{protocol}\" client \"{client}\" server \"{server}\"");
        self.recorder.outcome.borrow_mut().verdicts.push(verdict);
    }

    fn step(&mut self, index: usize, step: &Step, together: Together) -> Progress {
        let fits = match (&self.group, step) {
            (Some(group), Step::Data { side, .. }) => {
                together == Together::Yes
                    && group.side == *side
                    && self.info.transport == Transport::Tcp
            }
            _ => false,
        };
        if !fits && self.flush() == Progress::Ready {
            return Progress::Ready;
        }
        let at = Timestamp(if self.recorder.numbered { index as u64 } else { 1 });
        match step {
            Step::Data { side, bytes } => {
                let dropped = self.recorder.pass(*side, bytes.len() as u64);
                let bytes = match dropped {
                    Some(dropped) => &bytes[usize::try_from(dropped).unwrap_or(0)..],
                    None if self.info.transport == Transport::Udp && bytes.is_empty() => &[],
                    None => return Progress::Pending,
                };
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let group = self.group.get_or_insert_with(|| Group {
                    side: *side,
                    segments: Vec::new(),
                    bytes: Vec::new(),
                    steps: Vec::new(),
                });
                group.segments.push(Segment { length, at });
                group.bytes.extend_from_slice(bytes);
                group.steps.push(index);
                Progress::Pending
            }
            Step::Gap { side, length, reason } => match self.recorder.pass(*side, *length) {
                Some(dropped) => {
                    let length = length - dropped;
                    self.deliver(&[index], Input::Gap { side: *side, length, reason: *reason })
                }
                None => Progress::Pending,
            },
            Step::End { side, reason } => {
                if self.recorder.skip.borrow()[side.index()].is_none() {
                    return Progress::Pending;
                }
                self.deliver(&[index], Input::End { side: *side, at, reason: *reason })
            }
        }
    }

    /// Delivers the packets that wait.
    fn flush(&mut self) -> Progress {
        let Some(Group { side, segments, bytes, steps }) = self.group.take() else {
            return Progress::Pending;
        };
        let bytes = &bytes;
        let input = match &segments[..] {
            [one] => Input::Data { side, at: one.at, bytes },
            segments => Input::Segments { side, segments, bytes },
        };
        self.deliver(&steps, input)
    }

    fn deliver(&mut self, steps: &[usize], input: Input<'_>) -> Progress {
        *self.recorder.steps.borrow_mut() = steps.to_vec();
        self.recorder.segment.set(0);
        if self.resting {
            if !matches!(input, Input::Data { .. }) {
                return Progress::Resting;
            }
            let outcome = self.recorder.outcome.borrow();
            self.info.confirmed = outcome.verdicts.iter().any(|verdict| verdict == "confirm");
            drop(outcome);
            let host = Box::new(Rc::clone(&self.recorder));
            self.task = Task::new(self.recorder.def, self.info.clone(), host);
        }
        let progress = self.task.deliver(input);
        self.resting = self.afresh && progress == Progress::Resting;
        progress
    }
}
