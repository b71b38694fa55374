//! Which parsers there are: loading, selection, and reloading while traffic flows.
//!
//! A [`Generation`] is an immutable set of parsers. Workers read the current one through a
//! [`Handle`] without a lock; a reload builds the next one aside and swaps it in. A flow keeps the
//! parser it was opened with. Files are compiled by a [`Compiler`].

mod bundled;
pub mod compiler;
mod detection;
mod generation;
mod loader;
mod mapping;
mod reload;
mod resumable;
mod search;
mod watcher;
mod weight;

pub use bundled::bundled;
pub use compiler::Compiler;
pub use generation::{Candidate, Generation, Handle};
pub use loader::{LoadError, Loaded, ParserFile, load};
pub use mapping::{Mapping, Rule};
pub(crate) use reload::read_file;
pub use reload::{Folder, FolderError, Report};
pub use search::{CANDIDATES, Next, Search};
pub use watcher::{Rollback, Watcher};
