//! The command line.

mod args;
mod compiler;
mod exit;
mod inputs;
mod limits;
mod parser;
mod run;
mod session;
mod streams;
mod summary;

use clap::Parser as _;

pub use args::Args;
pub use exit::Exit;

/// Runs the command that `args` ask for. Everything that can go wrong has been told when it returns.
#[must_use]
pub fn main(args: impl IntoIterator<Item = std::ffi::OsString>) -> Exit {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help and version come this way too, and are no errors.
            let code = if error.use_stderr() { Exit::BadInput } else { Exit::Done };
            let _ = error.print();
            return code;
        }
    };
    let outcome = match args.command {
        args::Command::Run(args) => run::run(args),
        args::Command::Streams(args) => streams::run(args),
        args::Command::Parser(command) => parser::run(command),
        args::Command::CompileWorker(args) => compiler::work(&args),
    };
    outcome.unwrap_or_else(|error| {
        crate::driver::Messages::to_stderr().tell(&format!("{error:#}"));
        Exit::BadInput
    })
}
