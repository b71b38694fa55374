//! Flowcell: a network traffic engine whose protocol parsers are sandboxed WebAssembly components.
//!
//! ```text
//!  capture ──► driver ──► flowcell-core ──► driver ──► runtime (one cell a flow) ──► output
//!                            ▲ frames in, events out         ▲ parsers from the registry
//! ```
//!
//! A module may use those to its right in `cli → driver → {registry, capture, output} → runtime →
//! flowcell-core`; `documented` and `json` are leaves. `ARCHITECTURE.md` walks through them.

pub mod capture;
pub mod cli;
pub mod documented;
pub mod driver;
pub mod json;
pub mod output;
pub mod registry;
pub mod runtime;
