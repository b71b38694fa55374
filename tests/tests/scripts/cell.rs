//! The scripts in a cell, step by step.

use std::sync::Arc;

use flowcell::json;
use flowcell::registry::load;
use flowcell::runtime::{
    Cell, CellLimits, Chunk, End, EndReason, Engine, Expected, Flow, Gap, GapReason, Input, Output,
    Parser, Progress, Side, Switch, Transport, Verdict, endpoint, flow_state,
};
use flowcell_sdk as sdk;
use flowcell_sdk::FlowInfo;
use flowcell_sdk::testing::{Cut, FlowScript, Outcome, Step};
use flowcell_tests::command::read;
use flowcell_tests::guests;
use serde_json::Value;

use super::{CUTS, all, native};

#[test]
fn a_cell_gives_the_records_of_the_native_parser() {
    let engine = Engine::new().expect("wasmtime");
    for tested in all() {
        let module = read(&guests::parser(&tested.name));
        let loaded = load(&engine, tested.name.clone(), &module, CellLimits::default());
        let parser = loaded.expect("it loads").parser;
        for (path, script) in &tested.scripts {
            for cut in CUTS {
                let mut expected = native(&tested, script, cut, |ns| json::timestamp(ns, 9).into());
                expected.verdicts.sort();
                let mut outcome = run(&parser, script, cut);
                // In which order verdicts and expectations were told is not known of a cell.
                outcome.verdicts.sort();
                assert_eq!(outcome, expected, "{}, cut {cut:?}", path.display());
            }
        }
    }
}

/// What of a side is still wanted.
#[derive(Default)]
struct Wanted {
    offset: u64,
    skip: u64,
    done: bool,
}

impl Wanted {
    /// Counts `length` bytes; returns how many of them at the start are skipped, unless all are.
    fn pass(&mut self, length: u64) -> Option<u64> {
        let skipped = length.min(self.skip);
        self.skip -= skipped;
        self.offset += length;
        (skipped < length && !self.done).then_some(skipped)
    }
}

/// Gives a cell what the script says, as the native test does: at times 0 and 1.
pub(super) fn run(parser: &Arc<Parser>, script: &FlowScript, cut: Cut) -> Outcome {
    let mut outcome = Outcome::default();
    let mut wanted = [Wanted::default(), Wanted::default()];
    let mut cell = Cell::open(parser, flow(&script.info)).expect("it opens");
    let mut steps = pieces(script.cut(cut));
    while let Some(step) = steps.next() {
        let (side, index) = match &step {
            Step::Data { side, .. } | Step::Gap { side, .. } | Step::End { side, .. } => match side
            {
                sdk::Side::Client => (Side::Client, 0),
                sdk::Side::Server => (Side::Server, 1),
            },
        };
        let state = &mut wanted[index];
        let offset = state.offset;
        let input = match &step {
            Step::Data { bytes, .. } => {
                let is_empty = bytes.is_empty() && !state.done; // a datagram may be
                let skipped = state.pass(bytes.len() as u64).or(is_empty.then_some(0));
                let Some(skipped) = skipped else { continue };
                let bytes = &bytes[usize::try_from(skipped).expect("a length")..];
                Input::Data(Chunk { side, offset: offset + skipped, at: 1, segments: None, bytes })
            }
            Step::Gap { length, reason, .. } => {
                let Some(skipped) = state.pass(*length) else { continue };
                let (offset, length) = (offset + skipped, length - skipped);
                Input::Gap(Gap { side, offset, length, reason: gap_reason(*reason) })
            }
            Step::End { .. } if state.done => continue,
            Step::End { reason, .. } => {
                Input::End(End { side, at: 1, reason: end_reason(*reason) })
            }
        };
        let progress = cell.poll(input).expect("no fault");
        let Output { records, confirmed, verdict, skip, done, expected, .. } =
            std::mem::take(cell.output());
        for record in records {
            let name = parser.description().records[record.kind].name.clone();
            let data: Value = serde_json::from_slice(&record.json).expect("JSON");
            outcome.records.push((name, data));
        }
        if confirmed && !outcome.verdicts.contains(&"confirm".to_owned()) {
            outcome.verdicts.push("confirm".into());
        }
        for (state, (skip, done)) in wanted.iter_mut().zip(skip.into_iter().zip(done)) {
            state.skip += skip;
            state.done |= done;
        }
        for Expected { parser, transport, server, context } in expected {
            let context = context.escape_ascii();
            let text = format!("expect {parser} {transport:?} {server} \"{context}\"");
            // As wit-bindgen shows it.
            outcome.verdicts.push(text.replace("Transport::", "").to_lowercase());
        }
        match verdict {
            Some(Verdict::Switched(Switch { protocol, mut handed })) => {
                for step in steps.by_ref() {
                    if let Step::Data { side, bytes } = step {
                        let index = usize::from(side == sdk::Side::Server);
                        handed[index].extend_from_slice(&bytes);
                    }
                }
                let [client, server] = handed.map(|bytes| bytes.escape_ascii().to_string());
                let parts = format!("client \"{client}\" server \"{server}\"");
                outcome.verdicts.push(format!("switch_to \"{protocol}\" {parts}"));
            }
            Some(Verdict::Declined(reason)) => outcome.verdicts.push(format!("decline {reason:?}")),
            Some(Verdict::Failed(reason)) => outcome.verdicts.push(format!("fail {reason:?}")),
            None if progress != Progress::Ready => continue,
            None => {}
        }
        break;
    }
    outcome
}

/// The steps with data in pieces that the contract allows.
fn pieces(steps: Vec<Step>) -> impl Iterator<Item = Step> {
    steps.into_iter().flat_map(|step| match step {
        Step::Data { ref bytes, .. } if bytes.is_empty() => vec![step],
        Step::Data { side, bytes } => {
            let piece = |bytes: &[u8]| Step::Data { side, bytes: bytes.to_vec() };
            bytes.chunks(65_536).map(piece).collect()
        }
        other => vec![other],
    })
}

fn flow(info: &FlowInfo) -> Flow<'_> {
    Flow {
        client: endpoint(info.client),
        server: endpoint(info.server),
        transport: match info.transport {
            sdk::Transport::Tcp => Transport::Tcp,
            sdk::Transport::Udp => Transport::Udp,
        },
        at: 0,
        state: flow_state(info.midstream, info.confirmed, info.secrets.are_shown()),
        originator: match info.originator {
            sdk::Side::Client => Side::Client,
            sdk::Side::Server => Side::Server,
        },
        context: info.context.as_deref(),
    }
}

fn gap_reason(reason: sdk::GapReason) -> GapReason {
    match reason {
        sdk::GapReason::Lost => GapReason::Lost,
        sdk::GapReason::Memory => GapReason::Memory,
        sdk::GapReason::Depth => GapReason::Depth,
        sdk::GapReason::Snaplen => GapReason::Snaplen,
    }
}

fn end_reason(reason: sdk::EndReason) -> EndReason {
    match reason {
        sdk::EndReason::Fin => EndReason::Fin,
        sdk::EndReason::Reset => EndReason::Reset,
        sdk::EndReason::Idle => EndReason::Idle,
        sdk::EndReason::Evicted => EndReason::Evicted,
        sdk::EndReason::Shutdown => EndReason::Shutdown,
    }
}
