//! `flowcell parser replay`.

use std::io::stdout;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args as ClapArgs;
use flowcell_core::{Endpoint, FiveTuple, Transport};

use crate::cli::args::CacheArgs;
use crate::cli::compiler::compiler;
use crate::cli::exit::Exit;
use crate::cli::limits::RunLimits;
use crate::cli::run::engine;
use crate::driver::repro::{Bundle, Ending, ParserId, Replayed, Truncated, replay};
use crate::driver::{FaultRecord, Messages};
use crate::output::{FlowLabel, Place, Records, Subject, Types, Writer};
use crate::registry::{Compiler, Folder, Loaded, bundled, read_file};
use crate::runtime::{CellLimits, Engine, Fault, Output, Parser, ParserLimits, Side, clipped};

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ReplayArgs {
    /// A bundle that `run --repro-dir` has written.
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,

    /// Use this parser, whatever it is called, instead of the one that lies beside the bundle.
    #[arg(long, value_name = "FILE", conflicts_with = "parsers")]
    parser: Option<PathBuf>,

    /// Use the parser of this folder that is the bundle's, or has its name.
    #[arg(long, value_name = "DIR")]
    parsers: Option<PathBuf>,

    /// The limits of the bundle hold as far as they are not above the default; or not above those of
    /// this file (docs/limits.md).
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,

    #[command(flatten)]
    cache: CacheArgs,
}

pub(super) fn run(args: &ReplayArgs) -> Result<Exit> {
    let messages = Messages::to_stderr();
    let bundle = Bundle::read(&args.bundle)?;
    let allowed = RunLimits::read(args.limits.as_deref())?;
    let limits = limits(&bundle, &allowed.cells, &messages);
    let loader = Loader {
        engine: engine(bundle.header.deterministic)?,
        compiler: compiler(&args.cache, &allowed.compiler, &messages)?,
        limits: ParserLimits::from(limits),
    };
    let loaded = find(args, &bundle, loader, &messages)?;
    let id = &bundle.header.parser;
    let is_the_bundles = loaded.sha256() == id.sha256;
    if !is_the_bundles {
        messages.tell(&format!(
            "{}: {} is another build than {}@{} of the bundle (SHA-256 {})",
            loaded.origin,
            loaded.parser.label(),
            id.name,
            id.version,
            id.sha256
        ));
    }
    if let Some(Truncated { limit, inputs, bytes }) = &bundle.header.truncated {
        messages.tell(&format!(
            "the bundle lacks the last {inputs} deliveries ({bytes} bytes; limit {limit}): the fault \
             may not come"
        ));
    }
    let mut scribe = Scribe::new(&loaded.parser, &bundle, &messages);
    let replayed = replay(&loaded.parser, &bundle, is_the_bundles, |times, output| {
        scribe.write(times, &output);
    });
    if let Ending::Fault(fault) = &replayed.ending {
        scribe.fault(fault);
    }
    scribe.writer.flush();
    Ok(tell_ending(&bundle, &replayed, &messages))
}

/// The limits that were in force when the fault happened. A bundle may come from anybody, and so may
/// the parser beside it: it gets no more than it would get here.
fn limits(bundle: &Bundle, allowed: &ParserLimits, messages: &Messages) -> CellLimits {
    let allowed = allowed.of(&bundle.header.parser.name);
    let mut limits = CellLimits::default();
    let mut unknown = Vec::new();
    for (name, &value) in &bundle.header.limits {
        let row = CellLimits::TABLE.iter().find(|row| row.name == name && !row.fixed);
        let (Some(row), Some(most)) = (row, allowed.get(name)) else {
            unknown.push(name.as_str());
            continue;
        };
        let most = most.max(row.default);
        if value > most {
            messages.tell(&format!(
                "the bundle's limit {name} is {value} {}; {most} are allowed here (--limits allows \
                 more): the fault may not come, or another one",
                row.unit
            ));
        }
        limits.set(row.name, value.min(most).max(row.min));
    }
    if let Some(first) = unknown.first() {
        let first = clipped(first, 60);
        let others = unknown.len() - 1;
        messages.tell(&format!(
            "the bundle has a limit `{first}`, which is not known here, and {others} others"
        ));
    }
    limits
}

/// The parser to use: that which was asked for, the one beside the bundle, a bundled one.
fn find(args: &ReplayArgs, bundle: &Bundle, loader: Loader, messages: &Messages) -> Result<Loaded> {
    let id = &bundle.header.parser;
    if let Some(path) = &args.parser {
        return loader.load(path);
    }
    if let Some(path) = &args.parsers {
        let Loader { engine, compiler, limits } = loader;
        let mut folder = Folder::new(path.clone(), engine, compiler, limits);
        let (generation, reports) = folder.read()?;
        for report in &reports {
            crate::cli::run::tell_report(messages, report);
        }
        let generation = generation.unwrap_or_default();
        return pick(generation.parsers(), id).with_context(|| {
            format!("{}: no parser in it is called `{}`", path.display(), id.name)
        });
    }
    let beside = args.bundle.with_file_name(format!("{}.wasm", id.sha256));
    if beside.is_file() {
        let loaded = loader.load(&beside)?;
        if loaded.sha256() != id.sha256 {
            bail!(
                "{}: it is not the file that its name says (its SHA-256 is {}); remove it, or name a \
                 parser with --parser",
                beside.display(),
                loaded.sha256()
            );
        }
        return Ok(loaded);
    }
    let bundled = bundled(&loader.engine, &loader.compiler, &loader.limits, false)?;
    pick(bundled.parsers(), id).with_context(|| {
        format!(
            "the parser {}@{} is neither beside the bundle nor in this program; name it with --parser \
             FILE.wasm, or its folder with --parsers DIR",
            id.name, id.version
        )
    })
}

/// What loads parsers: they may be anybody's.
struct Loader {
    engine: Engine,
    compiler: Compiler,
    limits: ParserLimits,
}

impl Loader {
    fn load(&self, path: &Path) -> Result<Loaded> {
        let origin = path.display().to_string();
        let bytes = read_file(path).map_err(|problem| anyhow!("{origin}: {problem}"))?;
        Ok(self.compiler.load(&self.engine, origin, &bytes, &self.limits)?)
    }
}

/// The very parser, else one of its name.
fn pick(parsers: &[Loaded], id: &ParserId) -> Option<Loaded> {
    let same = parsers.iter().find(|loaded| loaded.sha256() == id.sha256);
    let named = || parsers.iter().find(|loaded| loaded.parser.description().name == id.name);
    same.or_else(named).cloned()
}

/// Says how it ended, for people; and for programs.
fn tell_ending(bundle: &Bundle, replayed: &Replayed, messages: &Messages) -> Exit {
    let place = match (replayed.inputs, bundle.inputs.len()) {
        (0, _) => "when the flow was opened".to_owned(),
        (at, all) => format!("at delivery {at} of {all}"),
    };
    let known = &bundle.header.fault;
    if let Ending::Fault(fault) = &replayed.ending {
        let mut text = format!("{place}: {fault}");
        for (number, frame) in fault.backtrace.iter().enumerate() {
            text.push_str(&format!("\n{number:>4}: {frame}"));
        }
        if replayed.is_same(bundle) {
            messages.tell(&format!("the same fault, {text}"));
            return Exit::Done;
        }
        let (class, message) = (&known.class, &known.message);
        messages.tell(&format!("another fault, {text}\nthe bundle has {class}: {message}"));
        return Exit::Differs;
    }
    let instead = match &replayed.ending {
        Ending::Declined(why) => format!("the parser declined {place}: {why}"),
        Ending::Failed(why) => format!("the parser failed the flow {place}: {why}"),
        Ending::Switched(to) => format!("the parser handed the flow over {place}, to {to:?}"),
        Ending::Ready => format!("the parser was ready {place}"),
        Ending::Pending | Ending::Fault(_) => {
            format!("the parser took all {} deliveries", bundle.inputs.len())
        }
    };
    let (class, message) = (&known.class, &known.message);
    messages
        .tell(&format!("the fault does not happen: {instead}\nthe bundle has {class}: {message}"));
    Exit::Differs
}

/// Writes what the parser says as it is written in a run.
struct Scribe<'a> {
    parser: &'a Parser,
    messages: &'a Messages,
    label: FlowLabel,
    digits: usize,
    /// Time of the last delivery.
    now: u64,
    writer: Writer,
}

impl<'a> Scribe<'a> {
    fn new(parser: &'a Arc<Parser>, bundle: &Bundle, messages: &'a Messages) -> Self {
        let flow = &bundle.header.flow;
        let endpoint =
            |address: std::net::SocketAddr| Endpoint { addr: address.ip(), port: address.port() };
        let (client, server) = (endpoint(flow.client), endpoint(flow.server));
        let (orig, resp) = match flow.originator.into() {
            Side::Client => (client, server),
            Side::Server => (server, client),
        };
        let transport = match flow.transport.into() {
            crate::runtime::Transport::Tcp => Transport::Tcp,
            crate::runtime::Transport::Udp => Transport::Udp,
        };
        let label = FlowLabel::of(bundle.header.uid.clone(), &FiveTuple { orig, resp, transport });
        // As exact as the capture was, as far as that can be seen.
        let digits = if bundle.times().all(|at| at % 1000 == 0) { 6 } else { 9 };
        let writer = Writer::new(Box::new(stdout()));
        Self { parser, messages, label, digits, now: flow.at.0, writer }
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            ts: self.now,
            digits: self.digits,
            flow: Some(&self.label),
            parser: Some(self.parser.label()),
            packet: None,
            escaped: &[],
        }
    }

    fn write(&mut self, times: &[u64], output: &Output) {
        let time_of = |segment: u32| times.get(segment as usize).or(times.last()).copied();
        let description = self.parser.description();
        let mut records = Records::new(Types::new(&[]));
        for emitted in &output.records {
            let Some(schema) = description.records.get(emitted.kind) else { continue };
            self.now = time_of(emitted.segment).unwrap_or(self.now);
            let subject = Subject { escaped: &emitted.escaped, ..self.subject() };
            let place = Place::default();
            records.parsed(place, &description.name, &schema.name, &subject, &emitted.json);
        }
        self.now = time_of(output.segment).unwrap_or(self.now);
        self.writer.write(&[records.take()]);
        for line in &output.log {
            self.messages.tell(&format!("{}: {}", line.level, line.message));
        }
    }

    fn fault(&mut self, fault: &Fault) {
        let mut records = Records::new(Types::new(&[]));
        records.own(Place::default(), "fault", &self.subject(), &FaultRecord::from(fault));
        self.writer.write(&[records.take()]);
    }
}
