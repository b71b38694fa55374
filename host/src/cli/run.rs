//! `flowcell run`.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use anyhow::{Context, Result, bail};
use flowcell_core::Counters;
use serde::Serialize;

use super::args::{CellMode, RunArgs};
use super::compiler::compiler;
use super::exit::Exit;
use super::inputs::Inputs;
use super::limits::RunLimits;
use super::session;
use super::summary::Summary;
use crate::capture::{LiveSource, Source};
use crate::driver::repro::{ReproDir, ReproLimits};
use crate::driver::{Judge, Messages, Plan, Share, Worker, WorkerStats, drive, wall_clock};
use crate::output::{Place, Records, Subject, Types};
use crate::registry::{Compiler, Folder, Handle, Loaded, Mapping, Report, Rule, Watcher, bundled};
use crate::runtime::{Engine, ParserLimits};

pub(super) fn run(args: RunArgs) -> Result<Exit> {
    let messages = Messages::to_stderr();
    let inputs = Inputs::new(args.input, &messages)?;
    if inputs.files.is_empty() && args.interface.is_none() {
        bail!("nothing to read; name capture files with -r, or an interface with -i");
    }
    let mut limits = RunLimits::read(args.engine.limits.as_deref())?;
    let live = args.interface.is_some();
    if live && !args.deterministic {
        limits.cells.live_workers = NonZeroU32::new(args.engine.workers.into());
    }
    let mut source: Box<dyn Source> = match &args.interface {
        Some(interface) => Box::new(LiveSource::open(interface, inputs.filter.as_deref())?),
        None => Box::new(inputs.source()?),
    };
    if args.stats_json.as_deref() == Some(Path::new("-")) {
        bail!("--stats-json wants a file; records go to standard output");
    }
    let repro = args.repro_dir.as_deref();
    let open = |folder| open_repro(folder, args.parsers.as_deref(), limits.repro, &messages);
    let repro = repro.map(open).transpose()?;
    let bundled_only = args.parsers.is_none();
    let loading = Loading {
        engine: engine(args.deterministic)?,
        compiler: compiler(&args.cache, &limits.compiler, &messages)?,
        limits: limits.cells.clone(),
        watch: live,
        keep_files: repro.is_some(),
    };
    let Parsers { handle, reports, refused, watcher } = load(args.parsers, loading, &messages)?;
    let names = handle.current();
    let names = names.parsers().iter().map(|loaded| loaded.parser.description().name.as_str());
    limits.tell_unknown_parsers(names, &messages);
    check_map(&args.map, &handle, live, &messages)?;
    let known = known_types(&handle);
    if let Some(glob) = args.output.types.iter().find(|glob| !session::matches_any(glob, &known)) {
        let hint = session::hint(glob, &known);
        let known = known.join(", ");
        let problem = format!("--types {glob} matches no type of record{hint}; there are: {known}");
        if !live {
            bail!(problem);
        }
        messages.tell(&problem); // a parser that has it may still be loaded
    }
    if !args.output.quiet && !bundled_only {
        tell_parsers(&handle, &messages);
    }
    let mut config = args.engine.config(limits.engine);
    if live {
        // Offline, runs must repeat exactly. Live, nobody may know which flows collide.
        let random = RandomState::new();
        config.hash_key = [random.hash_one(0), random.hash_one(1)];
    }
    let piped = inputs.files.iter().any(|file| file.as_os_str() == "-");
    let most = usize::try_from(limits.room.cells).unwrap_or(usize::MAX);
    let mut plan = Plan::new(config, args.engine.workers.into(), most);
    (plan.watched, plan.live) = (live || piped, live);
    let interrupt = session::interrupt()?;
    let writer = session::writer(&args.output, &inputs.files)?;
    let types = Types::new(&args.output.types);
    // Tunnels are seldom parsed.
    let for_carriers = limits.room.share(64);
    let for_lane = limits.room.share(plan.lanes as u64);
    let park_always = args.cell_mode.contains(&CellMode::Park);
    let make = |share| {
        let records = Records::new(types.clone());
        let mut worker = Worker::new(handle.clone(), records, messages.clone());
        let room = match share {
            Share::Lane => for_lane,
            Share::Carriers => for_carriers,
        };
        worker.set_room(room, park_always);
        worker.set_mapping(Mapping::new(args.map.clone()));
        worker.set_together(share == Share::Lane && !args.cell_mode.contains(&CellMode::Alone));
        if let Some(repro) = &repro {
            worker.set_repro(repro.desk(plan.lanes + 1));
        }
        worker.show_secrets(args.show_secrets);
        worker.set_trial_flows(limits.breaker.trial_flows);
        worker
    };
    let rollback = watcher.as_ref().map(Watcher::rollback);
    let records = Records::new(types.clone());
    let judge = Judge::new(limits.breaker, handle.clone(), records, messages.clone(), rollback);
    let between = |records: &mut Records, packet: u64| {
        if live {
            let reports = reports.try_iter();
            reports.for_each(|report| write_report(records, Place::before(packet), &report));
        }
    };
    let outcome = drive(&mut *source, &plan, make, Some(judge), writer, &interrupt, between)
        .context("threads can not be started")?;
    let bad_input = session::tell_problems(&outcome.problems, &messages) || (refused && !live);
    let mut stats = WorkerStats::default();
    outcome.sinks.iter().for_each(|worker| stats.merge(worker.stats()));
    stats.breakers_opened = outcome.judge.as_ref().map_or(0, Judge::opened);
    let judged = outcome.judge.iter().map(Judge::made);
    let written = session::written(outcome.sinks.iter().map(Worker::made).chain(judged));
    let mut summary = Summary::new(&written, &outcome.counters, source.stats(), Some(&stats));
    summary.repro = repro.as_ref().map(ReproDir::stats);
    if let Some(path) = &args.stats_json {
        let json = serde_json::to_vec(&summary)?;
        let name = path.display();
        fs::write(path, json)
            .with_context(|| format!("{name}: the counters can not be written"))?;
    }
    tell_if_nothing_was_followed(&outcome.counters, &messages);
    if !args.output.quiet {
        session::tell_summary(&summary.table());
        let written = summary.repro.is_some_and(|stats| stats.written > 0);
        if let Some(folder) = args.repro_dir.filter(|_| written) {
            messages.tell(&format!(
                "{}: bundles of faults; `flowcell parser replay FILE` shows one again",
                folder.display()
            ));
        }
    }
    let faults = args.strict && !stats.faults.is_empty();
    Ok(session::exit(&outcome, bad_input, faults, &messages))
}

/// The folder for bundles. They have parsers beside them, which are not meant to be loaded in a run.
fn open_repro(
    folder: &Path,
    parsers: Option<&Path>,
    limits: ReproLimits,
    messages: &Messages,
) -> Result<ReproDir> {
    let place = |path: &Path| fs::canonicalize(path).ok();
    if let Some(parsers) = parsers.and_then(place)
        && place(folder) == Some(parsers)
    {
        bail!("{}: is the folder of parsers; --repro-dir wants another one", folder.display());
    }
    Ok(ReproDir::open(folder, limits, messages.clone())?)
}

/// Flows can only be given to parsers that there are.
fn check_map(rules: &[Rule], handle: &Handle, live: bool, messages: &Messages) -> Result<()> {
    let generation = handle.current();
    let names = generation.parsers().iter().map(|loaded| loaded.parser.description().name.as_str());
    let names: Vec<&str> = names.collect();
    if let Some(rule) = rules.iter().find(|rule| !names.contains(&rule.parser())) {
        let (wanted, known) = (rule.parser(), names.join(", "));
        let problem = format!("--map: there is no parser `{wanted}`; there are: {known}");
        if !live {
            bail!(problem);
        }
        messages.tell(&problem); // it may still be loaded
    }
    Ok(())
}

/// The types that records of this run can have.
fn known_types(handle: &Handle) -> Vec<String> {
    let own = ["anomaly", "fault", "flow", "parser"].map(String::from);
    let mut types = Vec::from(own);
    for loaded in handle.current().parsers() {
        let description = loaded.parser.description();
        let names = description.records.iter().map(|record| &record.name);
        types.extend(names.map(|name| format!("{}.{name}", description.name)));
    }
    types.sort();
    types
}

/// A parser and its ports.
fn shown(loaded: &Loaded) -> String {
    let description = loaded.parser.description();
    let tcp = description.tcp_ports.iter().map(|port| format!(" tcp/{port}"));
    let udp = description.udp_ports.iter().map(|port| format!(" udp/{port}"));
    let ports: String = tcp.chain(udp).collect();
    format!("{}{ports}", loaded.parser.label())
}

/// Says what a folder has brought: it replaces the bundled parsers.
fn tell_parsers(handle: &Handle, messages: &Messages) {
    let parsers: Vec<String> = handle.current().parsers().iter().map(shown).collect();
    let parsers = if parsers.is_empty() { "none".to_owned() } else { parsers.join(", ") };
    messages.tell(&format!("parsers: {parsers}; the bundled ones are not used"));
}

/// A capture that nothing can be made of must not look like one in which nothing happened.
fn tell_if_nothing_was_followed(counters: &Counters, messages: &Messages) {
    if counters.frames == 0 || counters.flows_opened > 0 {
        return;
    }
    let reasons = counters.iter().filter(|(name, _)| {
        name.starts_with("unsupported")
            || name.starts_with("decode")
            || ["fragments", "checksum_bad"].contains(name)
    });
    if let Some((name, count)) =
        reasons.filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count)
    {
        let frames = counters.frames;
        messages.tell(&format!(
            "no flow was found in {frames} frames; {count} were left out as `{name}` \
             (README, \"What it can read\")"
        ));
    }
}

/// The parsers of a run.
struct Parsers {
    handle: Handle,
    /// What reloads do, for `parser` records.
    reports: mpsc::Receiver<Report>,
    /// Some file did not become a parser at the start.
    refused: bool,
    watcher: Option<Watcher>,
}

/// How parsers are loaded.
struct Loading {
    engine: Engine,
    compiler: Compiler,
    limits: ParserLimits,
    /// What changes in the folder is loaded as well.
    watch: bool,
    /// Each parser keeps its file.
    keep_files: bool,
}

/// Sets the sandbox up.
pub(super) fn engine(deterministic: bool) -> Result<Engine> {
    let engine = if deterministic { Engine::deterministic() } else { Engine::new() };
    engine.map_err(|error| {
        anyhow::anyhow!("the sandbox can not be set up on this machine: {error:#}")
    })
}

fn load(folder: Option<PathBuf>, loading: Loading, messages: &Messages) -> Result<Parsers> {
    let Loading { engine, compiler, limits, watch, keep_files } = loading;
    let (sender, reports) = mpsc::channel();
    let Some(path) = folder else {
        let handle = Handle::new(bundled(&engine, &compiler, &limits, keep_files)?);
        return Ok(Parsers { handle, reports, refused: false, watcher: None });
    };
    let folder = Folder::new(path.clone(), engine, compiler, limits);
    let mut folder = folder.keep_files(keep_files);
    let (generation, first) = folder.read()?;
    let generation = generation.unwrap_or_default();
    let refused = first.iter().any(|report| matches!(report, Report::Refused { .. }));
    if generation.parsers().is_empty() && !refused && !watch {
        messages.tell(&format!("{}: no .wasm files in it; flows are tracked only", path.display()));
    }
    let tell = {
        let messages = messages.clone();
        let sender = sender.clone();
        move |report: Report| {
            tell_report(&messages, &report);
            // The run may have ended while a file was being compiled.
            let _ = sender.send(report);
        }
    };
    // What is there at the start is told as a whole.
    for report in first {
        match report {
            Report::Loaded(_) => drop(sender.send(report)),
            _ => tell(report),
        }
    }
    let handle = Handle::new(generation);
    let watcher = if watch { Some(Watcher::start(folder, handle.clone(), tell)?) } else { None };
    Ok(Parsers { handle, reports, refused, watcher })
}

pub(super) fn tell_report(messages: &Messages, report: &Report) {
    match report {
        Report::Loaded(new) => {
            messages.tell(&format!("{}: {} is in use for new flows", new.origin, shown(new)));
        }
        Report::Replaced { old, new } => {
            messages.tell(&format!("{}: {} replaces {old}", new.origin, new.parser.label()));
        }
        Report::RolledBack { bad, back } => {
            messages.tell(&format!(
                "{}: {} is rolled back to {}; put another file there to replace that",
                bad.origin,
                bad.parser.label(),
                back.parser.label()
            ));
        }
        Report::Retired(old) => {
            messages.tell(&format!(
                "{}: gone; {} gets no new flows",
                old.origin,
                old.parser.label()
            ));
        }
        Report::Refused { error, kept } => {
            let error = session::chain(error);
            match kept {
                None => messages.tell(&error),
                Some(old) => messages.tell(&format!("{error}; {} stays", old.parser.label())),
            }
        }
    }
}

/// The data of a `parser` record.
#[derive(Serialize)]
struct ParserRecord<'a> {
    event: &'static str,
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// The version that was replaced, or that stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<&'a str>,
    /// Of the version that was rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

fn write_report(records: &mut Records, place: Place, report: &Report) {
    let of = |event, loaded: &Loaded| (event, Some(loaded.sha256()));
    let mut previous_sha256 = None;
    let (parser, (event, sha256), file, previous, reason) = match report {
        Report::Loaded(new) => {
            (Some(new.parser.label()), of("loaded", new), &new.origin, None, None)
        }
        Report::Replaced { old, new } => {
            let previous = Some(old.as_str());
            (Some(new.parser.label()), of("replaced", new), &new.origin, previous, None)
        }
        Report::RolledBack { bad, back } => {
            previous_sha256 = Some(bad.sha256());
            let previous = Some(bad.parser.label());
            (Some(back.parser.label()), of("rolled_back", back), &back.origin, previous, None)
        }
        Report::Retired(old) => {
            (Some(old.parser.label()), of("retired", old), &old.origin, None, None)
        }
        Report::Refused { error, kept } => {
            let previous = kept.as_ref().map(|kept| kept.parser.label());
            let reason = Some(error.problem.to_string());
            (None, ("refused", None), &error.origin, previous, reason)
        }
    };
    let ts = wall_clock().0;
    let subject = Subject { ts, digits: 6, flow: None, parser, packet: None, escaped: &[] };
    let record = ParserRecord { event, file, sha256, previous, previous_sha256, reason };
    records.own(place, "parser", &subject, &record);
}
