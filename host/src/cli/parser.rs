//! `flowcell parser …`: tools for parsers and their authors.

mod replay;

use anyhow::Result;
use clap::Subcommand;

use super::exit::Exit;

#[derive(Debug, Subcommand)]
pub(super) enum ParserCommand {
    /// Give a parser once more what led to a fault, from a bundle of `run --repro-dir`. Exits with 0 if
    /// the same fault comes, with 1 if it does not.
    Replay(replay::ReplayArgs),
}

pub(super) fn run(command: ParserCommand) -> Result<Exit> {
    match command {
        ParserCommand::Replay(args) => replay::run(&args),
    }
}
