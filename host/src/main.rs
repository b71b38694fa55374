//! The `flowcell` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    flowcell::cli::main(std::env::args_os()).into()
}
