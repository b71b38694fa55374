//! A folder of parsers that is watched.
//!
//! The folder is watched, not the files, because editors and `mv` replace files. Events only say
//! "look again": what counts is the content, by its hash. Compiling is waited for on the watcher's thread;
//! the workers see nothing until the next generation is swapped in.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecursiveMode, Watcher as _};
use sha2::{Digest, Sha256};

use super::compiler::Compiler;
use super::generation::{Generation, Handle};
use super::loader::{LoadError, LoadProblem, Loaded};
use crate::runtime::{Engine, MAX_FILE, ParserLimits};

/// How long a folder has to be quiet before it is read: a file is written in more than one step.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// How long a folder that is never quiet is waited for.
const DEBOUNCE_LIMIT: Duration = Duration::from_millis(1500);

/// How often a folder is read without an event: it may have been replaced as a whole.
const LOOK_ANYWAY: Duration = Duration::from_secs(5);

/// The one access that says that a file may have changed.
const WRITTEN: AccessKind = AccessKind::Close(AccessMode::Write);

/// Something that a reload did; for the operator and for `parser` records.
#[derive(Debug)]
pub enum Report {
    /// A new parser.
    Loaded(Loaded),
    /// A new version of one that was there.
    Replaced {
        /// The old version's label.
        old: String,
        /// The new one.
        new: Loaded,
    },
    /// A file is gone, and its parser with it. Flows that have it keep it.
    Retired(Loaded),
    /// A file did not become a parser. If there is an older version of it, that one stays.
    Refused {
        /// Why.
        error: LoadError,
        /// The version that stays.
        kept: Option<Loaded>,
    },
}

/// A folder that can not be read at all.
#[derive(Debug, thiserror::Error)]
#[error("{folder}: {problem} (--parsers wants a folder with .wasm files)", folder = folder.display())]
pub struct FolderError {
    folder: PathBuf,
    problem: String,
}

/// The parsers of a folder, as last read.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    engine: Engine,
    compiler: Compiler,
    limits: ParserLimits,
    number: u64,
    /// By file name.
    files: BTreeMap<PathBuf, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Of the last content looked at, refused or not, or of the reason why there was none to look at.
    hash: [u8; 32],
    /// It was refused because another file has its name.
    name_taken: bool,
    /// The last version that could be loaded.
    loaded: Option<Loaded>,
}

impl Folder {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(path: PathBuf, engine: Engine, compiler: Compiler, limits: ParserLimits) -> Self {
        Self { path, engine, compiler, limits, number: 0, files: BTreeMap::new() }
    }

    /// Reads what has changed and returns the generation that follows from it, if it is another one.
    ///
    /// # Errors
    /// When the folder can not be listed; nothing has changed then.
    pub fn read(&mut self) -> Result<(Option<Generation>, Vec<Report>), FolderError> {
        let names = self.list()?;
        let mut reports = Vec::new();
        self.files.retain(|name, entry| {
            let stays = names.contains(name);
            if !stays && let Some(loaded) = entry.loaded.take() {
                reports.push(Report::Retired(loaded));
            }
            stays
        });
        for name in names {
            self.refresh(name, &mut reports);
        }
        self.retry_names(&mut reports);
        let changed = reports.iter().any(|report| !matches!(report, Report::Refused { .. }));
        if !changed && self.number > 0 {
            return Ok((None, reports));
        }
        let parsers = self.files.values().filter_map(|entry| entry.loaded.clone()).collect();
        let generation = Generation::new(self.number, parsers);
        self.number += 1;
        Ok((Some(generation), reports))
    }

    fn list(&self) -> Result<Vec<PathBuf>, FolderError> {
        let problem = |error: std::io::Error| FolderError {
            folder: self.path.clone(),
            problem: error.to_string(),
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(problem)? {
            let path = entry.map_err(problem)?.path();
            // Hidden files are what editors and copy tools write before they rename.
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
            if path.extension() == Some(OsStr::new("wasm")) && !hidden && path.is_file() {
                names.push(path);
            }
        }
        names.sort();
        Ok(names)
    }

    fn refresh(&mut self, name: PathBuf, reports: &mut Vec<Report>) {
        let content = read_file(&name);
        let hash: [u8; 32] = match &content {
            Ok(bytes) => Sha256::digest(bytes).into(),
            Err(problem) => Sha256::digest(problem.to_string()).into(),
        };
        if self.files.get(&name).is_some_and(|entry| entry.hash == hash) {
            return;
        }
        let origin = name.display().to_string();
        let outcome = match content {
            Ok(bytes) => self
                .compiler
                .load(&self.engine, origin, &bytes, &self.limits)
                .and_then(|loaded| self.unless_taken(&name, loaded)),
            Err(problem) => Err(LoadError { origin, problem }),
        };
        let problem = outcome.as_ref().err().map(|error| &error.problem);
        let name_taken = matches!(problem, Some(LoadProblem::NameTaken { .. }));
        let entry = self.files.entry(name).or_insert(Entry { hash, name_taken, loaded: None });
        (entry.hash, entry.name_taken) = (hash, name_taken);
        match outcome {
            Err(error) => reports.push(Report::Refused { error, kept: entry.loaded.clone() }),
            Ok(new) => match entry.loaded.replace(new.clone()) {
                None => reports.push(Report::Loaded(new)),
                Some(old) => {
                    reports.push(Report::Replaced { old: old.parser.label().into(), new });
                }
            },
        }
    }

    /// Looks again at files whose name was taken, if a parser has given its name up.
    fn retry_names(&mut self, reports: &mut Vec<Report>) {
        let freed = reports.iter().any(|report| match report {
            Report::Retired(_) => true,
            Report::Replaced { old, new } => {
                old.split('@').next() != Some(&new.parser.description().name)
            }
            Report::Loaded(_) | Report::Refused { .. } => false,
        });
        if freed {
            let waiting = self.files.iter().filter(|(_, entry)| entry.name_taken);
            let waiting: Vec<PathBuf> = waiting.map(|(name, _)| name.clone()).collect();
            for name in waiting {
                // An entry that also has an older version keeps that until it is replaced.
                if let Some(entry) = self.files.get_mut(&name) {
                    entry.hash = [0; 32];
                }
                self.refresh(name, reports);
            }
        }
    }

    fn unless_taken(&self, name: &Path, loaded: Loaded) -> Result<Loaded, LoadError> {
        let parser = &loaded.parser.description().name;
        let other = self.files.iter().find(|(other, entry)| {
            let same = |other: &Loaded| other.parser.description().name == *parser;
            other.as_path() != name && entry.loaded.as_ref().is_some_and(same)
        });
        match other {
            None => Ok(loaded),
            Some((other, _)) => Err(LoadError {
                origin: loaded.origin.clone(),
                problem: LoadProblem::NameTaken {
                    name: parser.clone(),
                    other: other.display().to_string(),
                },
            }),
        }
    }
}

/// Reads a whole file, but never more than may be looked at.
fn read_file(path: &Path) -> Result<Vec<u8>, LoadProblem> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MAX_FILE as u64 {
        return Err(LoadProblem::TooLong(length));
    }
    file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Watches a folder until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    wake: mpsc::Sender<Wake>,
}

/// Why the watcher's thread looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    Look,
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
            // The first look is for what changed before the watch was set.
            loop {
                // A folder that is gone for a moment (a mount, a swap of links) keeps its parsers.
                if let Ok((generation, reports)) = folder.read() {
                    if let Some(generation) = generation {
                        handle.swap(generation);
                    }
                    reports.into_iter().for_each(&mut report);
                }
                match wakes.recv_timeout(LOOK_ANYWAY) {
                    Ok(Wake::Look) if is_quiet(&wakes) => {}
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
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // If the thread is gone, there is nothing to stop.
        let _ = self.wake.send(Wake::Stop);
    }
}

/// Waits until the folder has been quiet for a moment, but not for ever. False: stop.
fn is_quiet(wakes: &mpsc::Receiver<Wake>) -> bool {
    let start = Instant::now();
    while start.elapsed() < DEBOUNCE_LIMIT {
        match wakes.recv_timeout(DEBOUNCE) {
            Ok(Wake::Look) => {}
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
