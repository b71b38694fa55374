//! Bundles: for a fault, a file that replays it with one command (`--repro-dir`, `docs/repro.md`).
//!
//! ```text
//!  FlowTask ──► Recording      what the parser is given, while the flow lives
//!     │ fault        │
//!     ▼              ▼
//!  Worker ─────► Bundle        goes along with the fault's record, in the order of the run
//!                    │
//!                    ▼
//!                Archive       the folder, bounded; on the thread that writes records
//!                    ┊
//!  read ◄────────── file ──►   replay: the same deliveries to a cell of the same or another parser
//! ```

mod archive;
mod bundle;
mod limits;
mod read;
mod recording;
mod replay;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use archive::Archive;
pub use archive::{ArchiveError, ArchiveStats};
pub use bundle::{
    Bundle, Chunk, EXTENSION, End, EndReason, FORMAT, FaultSeen, Flow, Gap, GapReason, Header,
    Input, ParserId, Payload, Segment, Side, Time, Transport, Truncated,
};
pub use limits::{ReproLimitInfo, ReproLimits};
pub use read::BundleError;
use recording::Book;
pub(super) use recording::Recording;
pub use replay::{Ending, Replayed, replay};

use super::messages::Messages;
use crate::output::Enclosure;
use crate::registry::ParserFile;
use crate::runtime::{Fault, FaultClass, Parser};

/// The folder that bundles go to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReproDir {
    archive: Arc<Mutex<Archive>>,
    limits: ReproLimits,
}

impl ReproDir {
    /// Makes the folder, for nobody but its owner, if it is not there.
    ///
    /// # Errors
    /// When it can not be made, read or written.
    pub fn open(
        path: &Path,
        limits: ReproLimits,
        messages: Messages,
    ) -> Result<Self, ArchiveError> {
        let archive = Archive::open(path, limits, messages)?;
        Ok(Self { archive: Arc::new(Mutex::new(archive)), limits })
    }

    /// For one of `shares` workers.
    #[must_use]
    pub fn desk(&self, shares: usize) -> ReproDesk {
        let book = Arc::new(Book::new(&self.limits, shares as u64));
        ReproDesk { archive: Arc::clone(&self.archive), book }
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> ArchiveStats {
        lock(&self.archive).stats()
    }
}

/// What a worker needs to make bundles.
#[derive(Debug)]
pub struct ReproDesk {
    archive: Arc<Mutex<Archive>>,
    book: Arc<Book>,
}

impl ReproDesk {
    /// Begins to record a flow that this parser is for.
    pub(super) fn recording(&self, file: &Arc<ParserFile>) -> Box<Recording> {
        Box::new(Recording::new(&self.book, file))
    }

    /// Makes a bundle of what was recorded. None if no replay can show the fault.
    pub(super) fn bundle(
        &self,
        recording: Recording,
        parser: &Parser,
        uid: &str,
        fault: &Fault,
    ) -> Option<Box<dyn Enclosure>> {
        if fault.class == FaultClass::Capacity {
            return None; // the host's own
        }
        let file = Arc::clone(&recording.file);
        let bundle = recording.into_bundle(parser, uid, fault)?;
        Some(Box::new(Enclosed { archive: Arc::clone(&self.archive), bundle, file }))
    }
}

/// A bundle on its way to the folder.
#[derive(Debug)]
struct Enclosed {
    archive: Arc<Mutex<Archive>>,
    bundle: Bundle,
    file: Arc<ParserFile>,
}

impl Enclosure for Enclosed {
    fn deliver(&self) {
        lock(&self.archive).keep(&self.bundle, &self.file);
    }
}

fn lock(archive: &Mutex<Archive>) -> MutexGuard<'_, Archive> {
    // Nobody panics while holding it; and if so, the counters are as good as they were.
    archive.lock().unwrap_or_else(PoisonError::into_inner)
}
