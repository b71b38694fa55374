//! `flowcell streams`.

use anyhow::{Context, Result, bail};

use super::args::StreamsArgs;
use super::exit::Exit;
use super::inputs::Inputs;
use super::limits::RunLimits;
use super::session;
use super::summary::Summary;
use crate::capture::Source as _;
use crate::driver::{Messages, Plan, StreamDigests, drive};
use crate::output::{Records, Types};

pub(super) fn run(args: StreamsArgs) -> Result<Exit> {
    let messages = Messages::to_stderr();
    let inputs = Inputs::new(args.input, &messages)?;
    if inputs.files.is_empty() {
        bail!("nothing to read; name capture files with -r");
    }
    let matches = |glob: &String| session::matches_any(glob, &["stream".to_owned()]);
    if !args.output.types.iter().all(matches) {
        bail!("all records of this command are of the type `stream`: --types leaves none");
    }
    let limits = RunLimits::read(args.engine.limits.as_deref())?.engine;
    let mut source = inputs.source()?;
    let plan = Plan::new(args.engine.config(limits), args.engine.workers.into(), usize::MAX);
    let writer = session::writer(&args.output, &inputs.files)?;
    let types = Types::new(&args.output.types);
    let make = |_| StreamDigests::new(Records::new(types.clone()));
    let interrupt = session::interrupt()?;
    let outcome = drive(&mut source, &plan, make, None, writer, &interrupt, |_, _| {})
        .context("threads can not be started")?;
    let bad_input = session::tell_problems(&outcome.problems, &messages);
    if !args.output.quiet {
        let written = session::written(outcome.sinks.iter().map(StreamDigests::made));
        let summary = Summary::new(&written, &outcome.counters, source.stats(), None);
        session::tell_summary(&summary.table());
    }
    Ok(session::exit(&outcome, bad_input, false, &messages))
}
