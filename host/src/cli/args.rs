//! The command line as typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use flowcell_core::{Checksums, EngineConfig, KeyOptions, Limits, OverlapPolicies};

use super::parser::ParserCommand;
use crate::registry::Rule;
use crate::registry::compiler::COMMAND;

/// Network traffic in, records out, with every protocol parser in a sandbox of its own.
#[derive(Debug, Parser)]
#[command(name = "flowcell", version, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Parse traffic from capture files or an interface and write records as JSON Lines.
    Run(RunArgs),
    /// Write length and SHA-256 of what each side of each flow said.
    Streams(StreamsArgs),
    /// Tools for parsers and their authors.
    #[command(subcommand)]
    Parser(ParserCommand),
    /// Compile one parser from standard input to standard output, and touch nothing else.
    #[command(name = COMMAND, hide = true)]
    CompileWorker(CompileWorkerArgs),
}

#[derive(Debug, ClapArgs)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,

    /// Capture from an interface until interrupted.
    #[arg(short = 'i', long = "interface", value_name = "IFACE", conflicts_with = "read")]
    pub(super) interface: Option<String>,

    /// Use the parsers in this folder (its .wasm files) instead of the bundled ones. With -i the
    /// folder is watched, and changed files are swapped in.
    #[arg(long, value_name = "DIR")]
    pub(super) parsers: Option<PathBuf>,

    /// Give flows to this server port (or all, `*`) to this parser, whatever they look like; for instance
    /// tcp/8025=smtp or *=stream. May be given several times; the first that fits counts.
    #[arg(long, value_name = "[tcp/|udp/]PORT=PARSER", value_delimiter = ',')]
    pub(super) map: Vec<Rule>,

    #[command(flatten)]
    pub(super) cache: CacheArgs,

    #[command(flatten)]
    pub(super) engine: EngineArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,

    /// Show passwords and other secrets in the records as they were sent, in the place of `***`. Passwords
    /// then stand in the output, for whoever can read it.
    #[arg(long)]
    pub(super) show_secrets: bool,

    /// Exit with 1 when a parser faulted.
    #[arg(long)]
    pub(super) strict: bool,

    /// How cells are treated, for tests: no records depend on it.
    #[arg(long, value_name = "MODE", value_delimiter = ',', hide = true)]
    pub(super) cell_mode: Vec<CellMode>,
    /// Keep a bundle of each kind of fault in this folder, which `flowcell parser replay` shows again
    /// (docs/repro.md). Bundles hold captured traffic; the folder is made for nobody but you.
    #[arg(long, value_name = "DIR")]
    pub(super) repro_dir: Option<PathBuf>,
    /// Count instructions of parsers instead of their time, so that one that spins is stopped at the same
    /// point in every run and on every machine. Slower.
    #[arg(long)]
    pub(super) deterministic: bool,

    /// Write the counters as JSON to this file at the end.
    #[arg(long, value_name = "FILE")]
    pub(super) stats_json: Option<PathBuf>,
}

/// How cells are treated when tests want it otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum CellMode {
    /// The bytes of every packet are delivered alone.
    Alone,
    /// Every cell is parked whenever it waits.
    Park,
}

#[derive(Debug, ClapArgs)]
pub(super) struct StreamsArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,

    #[command(flatten)]
    pub(super) engine: EngineArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Where compiled parsers are kept.
#[derive(Debug, ClapArgs)]
pub(super) struct CacheArgs {
    /// Keep compiled parsers in this folder, which nobody else may write to, instead of
    /// $XDG_CACHE_HOME/flowcell or ~/.cache/flowcell.
    #[arg(long, value_name = "DIR")]
    pub(super) cache: Option<PathBuf>,

    /// Compile all parsers anew and keep nothing.
    #[arg(long, conflicts_with = "cache")]
    pub(super) no_cache: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct CompileWorkerArgs {
    /// Limits that differ from their defaults.
    #[arg(value_name = "NAME=VALUE")]
    pub(super) settings: Vec<String>,

    /// Try what the worker must not be able to do, and say what came of it.
    #[arg(long)]
    pub(super) probe: bool,
}

/// How flows are followed.
#[derive(Debug, ClapArgs)]
pub(super) struct EngineArgs {
    /// Take limits from this TOML file (docs/limits.md).
    #[arg(long, value_name = "FILE")]
    pub(super) limits: Option<PathBuf>,

    /// Use this many threads, at most 16. The output is the same for any number.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(super) workers: u8,

    /// What is done about wrong checksums. off: nothing. on: packets that have one are counted and ignored.
    /// auto: TCP segments that have one count only if their receiver acknowledges what they have brought.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) checksums: ChecksumsArg,

    /// Which copy counts where bytes are sent twice and differ: first, last, bsd, linux, windows or
    /// solaris; by receiver, if ranges are given, for instance `linux,10.0.0.0/8=windows`.
    #[arg(long, value_name = "POLICY", default_value = "first")]
    pub(super) overlap: OverlapPolicies,

    /// Tell flows with the same addresses and ports apart by these as well.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(super) key: Vec<KeyArg>,
}

/// When checksums are looked at.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum ChecksumsArg {
    Off,
    On,
    Auto,
}

/// What can belong to a flow's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum KeyArg {
    Vlan,
    Tunnel,
    Interface,
}

impl EngineArgs {
    /// Returns the configuration of the engine that this asks for.
    pub(super) fn config(&self, limits: Limits) -> EngineConfig {
        EngineConfig {
            limits,
            overlap: self.overlap.clone(),
            checksums: match self.checksums {
                ChecksumsArg::Off => Checksums::Off,
                ChecksumsArg::On => Checksums::On,
                ChecksumsArg::Auto => Checksums::Auto,
            },
            key: KeyOptions {
                vlan: self.key.contains(&KeyArg::Vlan),
                tunnel: self.key.contains(&KeyArg::Tunnel),
                interface: self.key.contains(&KeyArg::Interface),
            },
            ..EngineConfig::default()
        }
    }
}

#[derive(Debug, ClapArgs)]
pub(super) struct InputArgs {
    /// Read capture files (pcap, pcapng or snoop, also compressed with gzip, zstd or lz4; `-` is
    /// standard input), and all captures in a folder (written with a slash: `captures/`). What follows
    /// them and is no file is the FILTER.
    #[arg(short = 'r', long = "read", value_name = "FILE", num_args = 1.., action = clap::ArgAction::Append)]
    pub(super) read: Vec<String>,

    /// In which order the frames of several files come.
    #[arg(long, value_enum, value_name = "ORDER", default_value_t)]
    pub(super) order: ReadOrder,

    /// Look only at packets that this tcpdump filter matches.
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum ReadOrder {
    /// Merged by time.
    #[default]
    Time,
    /// One file after the other, as given.
    Given,
}

#[derive(Debug, ClapArgs)]
pub(super) struct OutputArgs {
    /// Write records to this file; `-` is standard output.
    #[arg(short = 'o', long, value_name = "FILE", default_value = "-")]
    pub(super) output: PathBuf,

    /// Write only records of these types, for instance `smtp.*,flow`. May be given several times.
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    pub(super) types: Vec<String>,

    /// Do not print the summary.
    #[arg(short, long)]
    pub(super) quiet: bool,
}
