//! `flowcell-bench`: what things cost, as ratios within one run.

mod all;
mod birth;
mod churn;
mod density;
mod engine;
mod guest;
mod lines;
mod parsers;
mod poll;
mod process;
mod replay;
mod report;
mod soak;
mod tape;
mod turns;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "flowcell-bench", about = "What things cost, as ratios within one run")]
struct Args {
    #[command(subcommand)]
    command: Command,

    /// Print the figures as one JSON object on the last line.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One delivery to a parser that reads lines, against a bare call of a component.
    Poll,
    /// Birth and death of a cell, against plain wasmtime with and without pooled instances.
    Birth,
    /// Lines through a sandboxed parser, the same one built natively, and protolens.
    Lines,
    /// Each bundled parser in its sandbox, against the same one built natively, and protolens.
    Parsers,
    /// Flows that all wait in the middle of a message, in one process: memory and mappings.
    Density(density::Options),
    /// Short flows: what it takes to follow one, and to parse it.
    Churn,
    /// The program from a capture to JSON Lines, against tshark giving the same fields.
    Replay(replay::Options),
    /// Memory over time, while parsers fault.
    Soak(soak::Options),
    /// Time and memory of the engine without parsers, against tshark and tcpdump in the same run.
    Engine(engine::Options),
    /// All of these, one after the other.
    All(all::Options),
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let report = match args.command {
        Command::Poll => poll::run(),
        Command::Birth => birth::run(),
        Command::Lines => lines::run(),
        Command::Parsers => parsers::run(),
        Command::Density(options) => density::run(&options),
        Command::Churn => churn::run(),
        Command::Replay(options) => replay::run(&options),
        Command::Soak(options) => soak::run(&options),
        Command::Engine(options) => engine::run(&options),
        Command::All(options) => all::run(&options),
    }?;
    if args.json {
        report.print();
    }
    Ok(())
}
