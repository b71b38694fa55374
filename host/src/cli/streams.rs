//! `flowcell streams`.

use anyhow::{Result, bail};
use flowcell_core::{EngineConfig, FlowEngine};

use super::args::StreamsArgs;
use super::exit::Exit;
use super::inputs::Inputs;
use super::session;
use super::summary::Summary;
use crate::capture::Source as _;
use crate::driver::{Messages, Recorder, StreamDigests, drive};

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
    let mut source = inputs.source()?;
    let mut engine = FlowEngine::new(EngineConfig::default());
    let mut sink = StreamDigests::new(session::writer(&args.output, &inputs.files)?);
    let interrupt = session::interrupt()?;
    let outcome = drive(&mut source, &mut engine, &mut sink, &interrupt, |_| {});
    let bad_input = session::tell_problems(&outcome, &messages);
    let writer = sink.writer();
    if !args.output.quiet {
        let summary = Summary::new(writer.written(), engine.counters(), source.stats(), None);
        session::tell_summary(&summary.table());
    }
    Ok(session::exit(writer.failed(), &outcome, bad_input, false, &messages))
}
