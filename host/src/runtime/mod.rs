//! Cells: one sandboxed parser instance for each parsed flow.
//!
//! This room knows wasmtime and the contract (`wit/parser.wit`). It knows nothing of packets,
//! captures, files or protocols. What goes wrong inside a guest comes out as a [`Fault`], a value for
//! the flow's records, and never as an error of the run.

mod bindings;
mod budget;
mod cell;
mod clock;
mod description;
mod digests;
mod endpoint;
mod engine;
mod fault;
mod guest;
mod imports;
pub(crate) mod limits;
mod memory;
mod names;
mod parser;
mod pattern;
mod resumption;
mod share;
mod state;
mod transcode;

pub use bindings::flowcell::parser::types::{
    Address, Chunk, End, EndReason, Endpoint, Flow, FlowState, Gap, GapReason, Input, Progress,
    Segment, Side, Transport,
};
pub use cell::{Cell, Footprint, Stillborn};
pub use description::{Description, DescriptionError, Field, Kind, Schema};
pub use endpoint::{endpoint, flow_state, socket_address};
pub use engine::Engine;
pub(crate) use engine::{CodeFor, compile_config};
pub use fault::{Fault, FaultClass};
pub(crate) use fault::{MAX_TEXT, clipped};
pub(crate) use imports::HOST_INTERFACE;
pub use imports::WORLD;
pub use limits::{CellLimitInfo, CellLimits, MAX_FILE, ParserLimits};
pub(crate) use names::refuse_long_names;
pub(crate) use parser::refuse_foreign;
pub use parser::{Parser, ParserError};
pub use pattern::{Pattern, Patterns, Progressed};
pub(crate) use resumption::{RESTORE, SAVE};
pub use state::{Emitted, Expected, LogLine, MAX_HANDED, Output, Switch, Verdict};
