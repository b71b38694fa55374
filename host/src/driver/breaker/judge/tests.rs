use super::super::{Gate, Pass, When};
use super::*;
use crate::output::Types;
use crate::registry::{Compiler, bundled};
use crate::runtime::{Engine, Fault, FaultClass, Parser, ParserLimits};

/// A second of packet time, in ns.
const SECOND: u64 = 1_000_000_000;

/// A judge, the gates of two lanes, and a parser.
struct Case {
    judge: Judge,
    gates: [Gate; 2],
    handle: Handle,
    parser: Arc<Parser>,
}

/// The bundled parsers, compiled anew.
fn parsers(number: u64) -> Generation {
    let engine = Engine::new().expect("an engine");
    let parsers = bundled(&engine, &Compiler::in_process(), &ParserLimits::default(), false)
        .expect("the bundled parsers");
    Generation::new(number, parsers.parsers().to_vec())
}

fn first(generation: &Generation) -> Arc<Parser> {
    Arc::clone(&generation.parsers().first().expect("a parser").parser)
}

impl Case {
    fn new() -> Self {
        let generation = parsers(0);
        let parser = first(&generation);
        let handle = Handle::new(generation);
        let (records, messages) = (Records::new(Types::new(&[])), Messages::new(|_| {}));
        let limits = BreakerLimits::default();
        let judge = Judge::new(limits, handle.clone(), records, messages, None);
        Self { judge, gates: [Gate::new(2), Gate::new(2)], handle, parser }
    }

    /// Starts flows in a lane that end in faults of this class, in this and the packets that follow.
    fn faults(&mut self, lane: usize, packet: u64, count: u64, class: FaultClass) {
        let gate = &mut self.gates[lane];
        for packet in packet..packet + count {
            let when = When { ts: packet * SECOND, packet };
            let pass = gate.admit(&self.parser, when);
            if pass != Pass::Shut {
                let (message, backtrace) = (format!("packet {packet}"), Vec::new());
                gate.fault(&self.parser, pass, when, &Fault { class, message, backtrace });
            }
        }
    }

    /// Ends a round at a time in seconds; returns the events told.
    fn end(&mut self, now: u64) -> Vec<serde_json::Value> {
        let tallies = self.gates.each_mut().map(Gate::take);
        tallies.into_iter().for_each(|tally| self.judge.add(tally));
        let end = RoundEnd { now: Timestamp(now * SECOND), digits: None };
        let (lines, verdicts) = self.judge.judge(end);
        self.gates.iter_mut().for_each(|gate| gate.heed(&verdicts));
        let mut told = Vec::new();
        Lines::merge(&[lines], |line| told.push(serde_json::from_slice(line).expect("JSON")));
        told
    }

    fn admit(&mut self, lane: usize) -> Pass {
        self.gates[lane].admit(&self.parser, When { ts: 0, packet: 0 })
    }
}

#[test]
fn lanes_are_added_up() {
    let mut case = Case::new();
    case.faults(0, 1, 10, FaultClass::Trap);
    case.faults(1, 5, 9, FaultClass::Deadline);
    assert!(case.end(15).is_empty(), "19 are not enough");
    assert_eq!(case.admit(0), Pass::Free);
    case.faults(0, 16, 1, FaultClass::Trap);
    let told = case.end(17);
    let data = &told[0]["data"];
    assert_eq!((told.len(), &data["event"]), (1, &"breaker_open".into()));
    assert_eq!((&data["faults"], &data["started"]), (&20.into(), &21.into()));
    assert_eq!((&data["class"], &data["message"]), (&"trap".into(), &"packet 16".into()));
    assert_eq!((case.judge.opened(), case.admit(0), case.admit(1)), (1, Pass::Shut, Pass::Shut));
}

#[test]
fn the_last_fault_is_that_of_the_last_packet() {
    let mut case = Case::new();
    case.faults(0, 11, 10, FaultClass::Trap);
    case.faults(1, 1, 10, FaultClass::Deadline);
    assert_eq!(case.end(30)[0]["data"]["message"], "packet 20");
}

#[test]
fn capacity_never_counts() {
    let mut case = Case::new();
    case.faults(0, 1, 1000, FaultClass::Capacity);
    assert!(case.end(1001).is_empty());
    case.faults(0, 1002, 20, FaultClass::Trap);
    assert_eq!(case.end(1022).len(), 1, "while this does");
}

#[test]
fn a_trial_has_so_many_flows_of_each_lane() {
    let mut case = Case::new();
    case.faults(0, 1, 20, FaultClass::Trap);
    case.end(21);
    assert_eq!(case.end(22)[0]["data"]["event"], "breaker_half_open");
    for lane in [0, 1] {
        let passes = [0; 3].map(|_| case.admit(lane));
        assert_eq!(passes, [Pass::Trial(0), Pass::Trial(0), Pass::Shut]);
    }
    assert!(case.end(23).is_empty());
    assert_eq!(case.admit(0), Pass::Shut, "the next round is the same trial");
    let closed = &case.end(24)[0]["data"];
    assert_eq!((&closed["event"], &closed["started"]), (&"breaker_closed".into(), &4.into()));
    assert_eq!(case.admit(0), Pass::Free);
}

#[test]
fn another_version_starts_afresh_and_of_the_old_one_nothing_is_kept() {
    let mut case = Case::new();
    case.faults(0, 1, 20, FaultClass::Trap);
    case.end(21);
    assert_eq!(case.admit(0), Pass::Shut);
    let next = parsers(1);
    let parser = std::mem::replace(&mut case.parser, first(&next));
    case.handle.swap(next);
    let old = Arc::downgrade(&parser);
    drop(parser);
    assert_eq!(case.admit(0), Pass::Free);
    case.end(21);
    assert_eq!(old.strong_count(), 0);
    // Faults of flows that still have it are nobody's.
    let stale = first(&parsers(2));
    let new = std::mem::replace(&mut case.parser, stale);
    case.faults(0, 30, 100, FaultClass::Trap);
    assert!(case.end(130).is_empty());
    case.parser = new;
    assert_eq!(case.admit(0), Pass::Free);
}
