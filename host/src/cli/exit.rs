//! Exit codes.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything was read and written, or the reader of the output had enough.
    Done,
    /// 1: finished, but with faults, under `--strict`.
    Faults,
    /// 1: what was replayed did not lead to the same fault.
    Differs,
    /// 2: the command line or the input was bad. What could be read was read.
    BadInput,
    /// 130: ended by SIGINT or SIGTERM, in order.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Faults | Exit::Differs => 1,
            Exit::BadInput => 2,
            Exit::Interrupted => 130,
        })
    }
}
