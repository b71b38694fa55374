//! Keeps a folder of parsers up to date while traffic flows.
//!
//! The folder is watched, not the files, because editors and `mv` replace files. Events only say
//! "look again": what counts is the content, by its hash. Compiling happens on the watcher's thread;
//! the workers see nothing until the next generation is swapped in.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecursiveMode, Watcher as _};

use super::generation::Handle;
use super::reload::{Folder, FolderError, Report};
use crate::runtime::Parser;

/// How long a folder has to be quiet before it is read: a file is written in more than one step.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// How long a folder that is never quiet is waited for.
const DEBOUNCE_LIMIT: Duration = Duration::from_millis(1500);

/// How often a folder is read without an event: it may have been replaced as a whole.
const LOOK_ANYWAY: Duration = Duration::from_secs(5);

/// The one access that says that a file may have changed.
const WRITTEN: AccessKind = AccessKind::Close(AccessMode::Write);

/// Watches a folder until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    wake: mpsc::Sender<Wake>,
}

/// Asks a watcher to go back to the version before one that does badly.
#[derive(Debug, Clone)]
pub struct Rollback(mpsc::Sender<Wake>);

impl Rollback {
    /// Asks. Whether there is a way back is known to the watcher, whose report says what it did.
    pub fn ask(&self, parser: &Arc<Parser>) {
        // If the thread is gone, the run is about to be.
        let _ = self.0.send(Wake::RollBack(Arc::clone(parser)));
    }
}

/// Why the watcher's thread looks up.
#[derive(Debug)]
enum Wake {
    Look,
    RollBack(Arc<Parser>),
    Stop,
}

impl Watcher {
    /// Watches `folder` and swaps each new generation into `handle`. What happened goes to `report`,
    /// on the watcher's thread.
    ///
    /// # Errors
    /// When the system can not watch the folder.
    pub fn start(
        mut folder: Folder,
        handle: Handle,
        mut report: impl FnMut(Report) + Send + 'static,
    ) -> Result<Self, FolderError> {
        let path = folder.path.clone();
        let problem = |why: String| FolderError {
            folder: path.clone(),
            problem: format!("it can not be watched: {why}"),
        };
        let (wake, wakes) = mpsc::channel();
        let events = {
            let wake = wake.clone();
            move |event: notify::Result<Event>| {
                if event.map_or(true, |event| is_news(&event)) {
                    // The receiver is gone only when the watcher is about to be.
                    let _ = wake.send(Wake::Look);
                }
            }
        };
        let mut watcher =
            notify::recommended_watcher(events).map_err(|error| problem(error.to_string()))?;
        watcher
            .watch(&path, RecursiveMode::NonRecursive)
            .map_err(|error| problem(error.to_string()))?;
        let watched = path.clone();
        let work = move || {
            let mut bad = Vec::new();
            // The first look is for what changed before the watch was set.
            loop {
                for parser in bad.drain(..) {
                    if let Some((generation, told)) = folder.roll_back(&parser) {
                        handle.swap(generation);
                        report(told);
                    }
                }
                // A folder that is gone for a moment (a mount, a swap of links) keeps its parsers.
                if let Ok((generation, reports)) = folder.read() {
                    if let Some(generation) = generation {
                        handle.swap(generation);
                    }
                    reports.into_iter().for_each(&mut report);
                }
                match wakes.recv_timeout(LOOK_ANYWAY) {
                    Ok(Wake::RollBack(parser)) => bad.push(parser),
                    Ok(Wake::Look) if is_quiet(&wakes, &mut bad) => {}
                    Ok(_) | Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        // Another folder may be there by now; the old one's events say nothing of it.
                        let _ = watcher.unwatch(&watched);
                        let _ = watcher.watch(&watched, RecursiveMode::NonRecursive);
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("parsers".into());
        thread.spawn(work).map_err(|error| problem(error.to_string()))?;
        Ok(Self { wake })
    }

    /// What the watcher can be asked with.
    #[must_use]
    pub fn rollback(&self) -> Rollback {
        Rollback(self.wake.clone())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // If the thread is gone, there is nothing to stop.
        let _ = self.wake.send(Wake::Stop);
    }
}

/// Waits until the folder has been quiet for a moment, but not for ever. What is to be rolled back
/// meanwhile is added to `bad`. False: stop.
fn is_quiet(wakes: &mpsc::Receiver<Wake>, bad: &mut Vec<Arc<Parser>>) -> bool {
    let start = Instant::now();
    while start.elapsed() < DEBOUNCE_LIMIT {
        match wakes.recv_timeout(DEBOUNCE) {
            Ok(Wake::Look) => {}
            Ok(Wake::RollBack(parser)) => bad.push(parser),
            Err(RecvTimeoutError::Timeout) => return true,
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    true
}

/// The event may mean another set of parsers. Reading the folder makes events too, and other files
/// are nobody's business.
fn is_news(event: &Event) -> bool {
    let read = event.kind.is_access() && event.kind != EventKind::Access(WRITTEN);
    let other =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension != OsStr::new("wasm"));
    let all_others = !event.paths.is_empty() && event.paths.iter().all(other);
    !read && !all_others
}
