//! Running a script, cut in every way.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value as Json;

use super::json;
use super::script::{FlowScript, Step};
use crate::info::{Level, Side, Transport};
use crate::record::{ParserDef, Timestamp};
use crate::shared::HostCalls;
use crate::task::{Input, Progress, Task};

/// How the bytes between two changes of side are cut into deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Not at all.
    Whole,
    /// As the script's lines are.
    Lines,
    /// Before this byte of the flow, counted over both sides from 0.
    At(usize),
    /// Everywhere.
    Bytes,
}

/// What a parser told the host.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Outcome {
    /// Name and `data` of each record.
    pub records: Vec<(String, Json)>,
    /// `confirm`, `decline "…"`, `fail "…"`, in order.
    pub verdicts: Vec<String>,
}

/// A host that remembers.
struct Recorder {
    def: &'static ParserDef,
    outcome: RefCell<Outcome>,
    /// By side: bytes still to be left out; `None` when the side is not wanted any more.
    skip: RefCell<[Option<u64>; 2]>,
}

impl HostCalls for Rc<Recorder> {
    fn emit(&self, kind: u32, body: &[u8]) {
        let schema = self.def.records[kind as usize];
        let record = (schema.name.to_owned(), json::record(schema, body));
        self.outcome.borrow_mut().records.push(record);
    }

    fn confirm(&self) {
        let verdicts = &mut self.outcome.borrow_mut().verdicts;
        if !verdicts.iter().any(|verdict| verdict == "confirm") {
            verdicts.push("confirm".into());
        }
    }

    fn decline(&self, reason: &str) {
        self.outcome.borrow_mut().verdicts.push(format!("decline {reason:?}"));
    }

    fn fail(&self, reason: &str) {
        self.outcome.borrow_mut().verdicts.push(format!("fail {reason:?}"));
    }

    fn skip(&self, side: Side, bytes: u64) {
        if let Some(left) = &mut self.skip.borrow_mut()[side.index()] {
            *left = left.saturating_add(bytes);
        }
    }

    fn done(&self, side: Side) {
        self.skip.borrow_mut()[side.index()] = None;
    }

    fn log(&self, _level: Level, _message: &str) {}
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
}

impl FlowScript {
    /// Runs `def` over the script, cut as told.
    #[must_use]
    pub fn run(&self, def: &'static ParserDef, cut: Cut) -> Outcome {
        let recorder = Rc::new(Recorder {
            def,
            outcome: RefCell::default(),
            skip: RefCell::new([Some(0), Some(0)]),
        });
        let mut task = Task::new(def, self.info, Box::new(Rc::clone(&recorder)));
        for step in self.cut(cut) {
            let input = match &step {
                Step::Data { side, bytes } => {
                    let datagram = self.info.transport == Transport::Udp && bytes.is_empty();
                    match recorder.pass(*side, bytes.len() as u64) {
                        Some(dropped) => {
                            let bytes = &bytes[usize::try_from(dropped).unwrap_or(0)..];
                            Input::Data { side: *side, at: Timestamp(1), bytes }
                        }
                        None if datagram => {
                            Input::Data { side: *side, at: Timestamp(1), bytes: &[] }
                        }
                        None => continue,
                    }
                }
                Step::Gap { side, length, reason } => match recorder.pass(*side, *length) {
                    Some(dropped) => {
                        Input::Gap { side: *side, length: length - dropped, reason: *reason }
                    }
                    None => continue,
                },
                Step::End { side, reason } => {
                    if recorder.skip.borrow()[side.index()].is_none() {
                        continue;
                    }
                    Input::End { side: *side, at: Timestamp(1), reason: *reason }
                }
            };
            if task.deliver(input) == Progress::Ready {
                break;
            }
        }
        drop(task);
        recorder.outcome.take()
    }

    /// Demands the script's records and verdicts of every way to cut it.
    ///
    /// # Panics
    /// With the way of cutting and both outcomes, at the first that differs.
    pub fn check(&self, def: &'static ParserDef) {
        let expected = self.run(def, Cut::Whole);
        self.demand(&expected);
        if self.info.transport == Transport::Udp {
            return; // a datagram is not cut
        }
        let ways = [Cut::Lines, Cut::Bytes];
        for cut in ways.into_iter().chain((1..self.length()).map(Cut::At)) {
            let outcome = self.run(def, cut);
            assert_eq!(outcome, expected, "cut {cut:?} changes the outcome");
        }
    }

    /// Compares with what the script demands.
    fn demand(&self, outcome: &Outcome) {
        let shown: Vec<String> =
            outcome.records.iter().map(|(name, data)| format!("= {name} {data}")).collect();
        let shown = shown.join("\n");
        assert_eq!(outcome.records.len(), self.records.len(), "number of records in\n{shown}");
        for (index, (got, wanted)) in outcome.records.iter().zip(&self.records).enumerate() {
            let number = index + 1;
            assert_eq!(got.0, wanted.0, "name of record {number} in\n{shown}");
            let fields = wanted.1.as_object().into_iter().flatten();
            for (field, value) in fields {
                let got = got.1.get(field).unwrap_or(&Json::Null);
                assert_eq!(got, value, "`{field}` of record {number} in\n{shown}");
            }
        }
        let mut wanted = self.verdicts.clone();
        let mut got = outcome.verdicts.clone();
        if !wanted.iter().any(|verdict| verdict == "confirm") {
            got.retain(|verdict| verdict != "confirm");
        }
        wanted.sort();
        got.sort();
        assert_eq!(got, wanted, "what the parser told the host");
    }

    fn length(&self) -> usize {
        let lengths = self.steps.iter().map(|step| match step {
            Step::Data { bytes, .. } => bytes.len(),
            Step::Gap { .. } | Step::End { .. } => 0,
        });
        lengths.sum()
    }

    /// The steps with their data joined and cut again. Datagrams stay as they are.
    #[must_use]
    pub fn cut(&self, cut: Cut) -> Vec<Step> {
        if cut == Cut::Lines || self.info.transport == Transport::Udp {
            return self.steps.clone();
        }
        let mut steps: Vec<Step> = Vec::new();
        let mut position = 0;
        for step in &self.steps {
            let Step::Data { side, bytes } = step else {
                steps.push(step.clone());
                continue;
            };
            for byte in bytes {
                let separate = match cut {
                    Cut::Whole | Cut::Lines => false,
                    Cut::At(at) => at == position,
                    Cut::Bytes => true,
                };
                position += 1;
                match steps.last_mut() {
                    Some(Step::Data { side: last, bytes }) if last == side && !separate => {
                        bytes.push(*byte);
                    }
                    _ => steps.push(Step::Data { side: *side, bytes: vec![*byte] }),
                }
            }
        }
        steps
    }
}
