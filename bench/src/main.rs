//! `flowcell-bench`: what things cost, as ratios within one run.

mod engine;
mod poll;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "flowcell-bench", about = "What things cost, as ratios within one run")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One delivery to a parser that reads lines, against a bare call of a component.
    Poll,
    /// Time and memory of the engine without parsers, against tshark and tcpdump in the same run.
    Engine(engine::Options),
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Poll => poll::run(),
        Command::Engine(options) => engine::run(&options),
    }
}
