//! Rules of the contract that both sides check: the host, because a description is not to be trusted; the
//! SDK, so that the compiler and a parser's tests say what the host would refuse.
//!
//! They are those of `parser.wit` and of `README.md` beside it. What only one side checks is not here.

mod name;
mod pattern;

pub use name::{NAME, NameForm, PARSER_NAME};
pub use pattern::{MAX_REGEX, PatternError, check_pattern};

/// Patterns of a parser, at most.
pub const MAX_PATTERNS: usize = 32;

/// Largest automaton of one pattern, and of all those of a parser for a side, in bytes.
pub const MAX_AUTOMATON: usize = 256 << 10;

/// Bytes of a side, or of a datagram, that patterns see, at most.
pub const WINDOW: usize = 2048;

/// Datagrams of a side that patterns see, at most.
pub const DATAGRAMS: usize = 4;
