//! The command line as typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

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

    #[command(flatten)]
    pub(super) output: OutputArgs,

    /// Exit with 1 when a parser faulted.
    #[arg(long)]
    pub(super) strict: bool,

    /// Write the counters as JSON to this file at the end.
    #[arg(long, value_name = "FILE")]
    pub(super) stats_json: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct StreamsArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,
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
