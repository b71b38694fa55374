//! What fuzzing runs: one function for each target, which makes of any bytes a sequence of calls and
//! panics where a promise of this crate does not hold.
//!
//! It is here, and not in the fuzzer's own workspace, so that ordinary tests run the same. Not for
//! users of the crate: nothing here is stable.

mod check;
mod connection;
mod datagrams;
mod decoding;
mod engine;
pub mod frame;
mod input;
mod rng;

pub use check::{Checker, Journal, Note};
pub use connection::{Op, reassembler_ops};
pub use datagrams::defrag_ops;
pub use decoding::decode_frame;
pub use engine::{Kind, engine_frames};
pub use input::Input;
pub use rng::Rng;

/// A target: makes of any bytes a test.
pub type Target = fn(&[u8]);

/// All targets by their names.
pub const TARGETS: &[(&str, Target)] = &[
    ("decode_frame", decode_frame),
    ("defrag_ops", defrag_ops),
    ("engine_frames", engine_frames),
    ("reassembler_ops", reassembler_ops),
];
