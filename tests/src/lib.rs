//! What the end-to-end tests share.

pub mod command;
pub mod corpus;
mod documented;
pub mod encoded;
pub mod guests;
pub mod namespace;
pub mod packets;
pub mod pairs;
pub mod talk;
pub mod tally;
pub mod zeek;
