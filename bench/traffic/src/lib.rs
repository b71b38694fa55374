//! Deterministic traffic for measurements and tests.
//!
//! A [`Mix`] makes flows of mail, web, DNS and more as a capture sees them: handshakes, right numbers and
//! checksums, real dialogues, and at set rates loss, re-ordering, duplicates and overlaps. The same
//! options give the same bytes on every machine. A mix keeps nothing but the flows that are open
//! at the moment, a few hundred bytes each, so that a million of them at once is no special case.
//!
//! What a flow really carried is its [`Truth`]: tests compare with it what an engine makes of the
//! impaired capture.
//!
//! [`special`] makes the captures that attack or load one part of an engine.

mod bits;
mod dns;
mod flow;
mod frame;
mod impair;
mod mail;
mod message;
mod mix;
mod output;
mod pool;
mod rng;
mod script;
mod seat;
pub mod special;
mod truth;
mod tuple;
mod web;
mod written;

pub use impair::{Impairments, Rate, RateError};
pub use mix::{Mix, MixError, Weights};
pub use output::{Generated, Output, Summary, write_pcap};
pub use truth::{Ending, SideTruth, Truth};
pub use tuple::{Application, Side, Transport, Tuple};
