//! Cells: one sandboxed parser instance for each parsed flow.
//!
//! This room knows wasmtime and the contract (`wit/parser.wit`). It knows nothing of packets,
//! captures, files or protocols. What goes wrong inside a guest comes out as a [`Fault`], a value for
//! the flow's records, and never as an error of the run.

mod bindings;
mod cell;
mod description;
mod engine;
mod fault;
mod imports;
mod limits;
mod parser;
mod state;
mod transcode;

pub use bindings::flowcell::parser::types::{
    Address, Chunk, End, EndReason, Endpoint, Flow, Gap, GapReason, Input, Progress, Side,
    Transport,
};
pub use cell::{Cell, Stillborn};
pub use description::{Description, DescriptionError, Field, Kind, Schema};
pub use engine::Engine;
pub(crate) use engine::compile_config;
pub use fault::{Fault, FaultClass};
pub(crate) use fault::{MAX_TEXT, clipped};
pub use imports::WORLD;
pub use limits::{CellLimitInfo, CellLimits, MAX_FILE, ParserLimits};
pub(crate) use parser::refuse_foreign;
pub use parser::{Parser, ParserError};
pub use state::{Emitted, LogLine, Output, Verdict};
