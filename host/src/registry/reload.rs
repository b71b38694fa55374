//! A folder of parsers: what has changed in it, and which generation follows from that.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::compiler::Compiler;
use super::generation::Generation;
use super::loader::{LoadError, LoadProblem, Loaded};
use crate::runtime::{Engine, MAX_FILE, Parser, ParserLimits};

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
    /// A new version did badly, and the one before it is back.
    RolledBack {
        /// The new one.
        bad: Loaded,
        /// The one before it.
        back: Loaded,
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
    pub(super) folder: PathBuf,
    pub(super) problem: String,
}

/// The parsers of a folder, as last read.
#[derive(Debug)]
pub struct Folder {
    pub(super) path: PathBuf,
    engine: Engine,
    compiler: Compiler,
    limits: ParserLimits,
    keep_files: bool,
    number: u64,
    /// By file name.
    files: BTreeMap<PathBuf, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    /// Of the last content looked at, refused or not, or of the reason why there was none to look at.
    hash: [u8; 32],
    /// It was refused because another file has its name.
    name_taken: bool,
    /// The last version that could be loaded, unless it was rolled back.
    loaded: Option<Loaded>,
    /// The version before it, if there is a way back to that.
    previous: Option<Loaded>,
    /// Versions that were rolled back, by their hashes, the latest last.
    bad: Vec<[u8; 32]>,
}

/// Rolled back versions of one file that are remembered.
const MAX_BAD: usize = 64;

impl Folder {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(path: PathBuf, engine: Engine, compiler: Compiler, limits: ParserLimits) -> Self {
        let files = BTreeMap::new();
        Self { path, engine, compiler, limits, keep_files: false, number: 0, files }
    }

    /// Has each parser keep the file that it was made of, or not.
    #[must_use]
    pub fn keep_files(self, keep_files: bool) -> Self {
        Self { keep_files, ..self }
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
        Ok((Some(self.next_generation()), reports))
    }

    fn next_generation(&mut self) -> Generation {
        let parsers = self.files.values().filter_map(|entry| entry.loaded.clone()).collect();
        let generation = Generation::new(self.number, parsers);
        self.number += 1;
        generation
    }

    /// Goes back to the version before `parser`, and returns the generation that follows from it. Does
    /// nothing if there is no such version any more, or another file has its name by now, or `parser`
    /// is not in use any more.
    pub fn roll_back(&mut self, parser: &Arc<Parser>) -> Option<(Generation, Report)> {
        let (name, entry) = self.files.iter().find(|(_, entry)| {
            entry.loaded.as_ref().is_some_and(|loaded| Arc::ptr_eq(&loaded.parser, parser))
        })?;
        let (name, back) = (name.clone(), entry.previous.clone()?);
        let back = self.unless_taken(&name, back).ok()?;
        let entry = self.files.get_mut(&name)?;
        entry.previous = None;
        let bad = entry.loaded.replace(back.clone())?;
        if entry.bad.len() >= MAX_BAD {
            entry.bad.remove(0);
        }
        entry.bad.push(bad.hash);
        Some((self.next_generation(), Report::RolledBack { bad, back }))
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
        let known = self.files.get(&name);
        if known.is_some_and(|entry| entry.hash == hash) {
            return;
        }
        let bad = known.is_some_and(|entry| entry.bad.contains(&hash));
        let origin = name.display().to_string();
        let outcome = match content {
            Ok(_) if bad => Err(LoadError { origin, problem: LoadProblem::RolledBack }),
            Ok(bytes) => self
                .compiler
                .load(&self.engine, origin, &bytes, &self.limits)
                .and_then(|loaded| self.unless_taken(&name, loaded))
                .map(|loaded| if self.keep_files { loaded.with_file(&bytes) } else { loaded }),
            Err(problem) => Err(LoadError { origin, problem }),
        };
        let problem = outcome.as_ref().err().map(|error| &error.problem);
        let name_taken = matches!(problem, Some(LoadProblem::NameTaken { .. }));
        let entry = self.files.entry(name).or_default();
        (entry.hash, entry.name_taken) = (hash, name_taken);
        match outcome {
            Err(error) => reports.push(Report::Refused { error, kept: entry.loaded.clone() }),
            Ok(new) => match entry.loaded.replace(new.clone()) {
                None => reports.push(Report::Loaded(new)),
                Some(old) => {
                    reports.push(Report::Replaced { old: old.parser.label().into(), new });
                    entry.previous = (old.hash != entry.hash).then_some(old);
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
            Report::Loaded(_) | Report::RolledBack { .. } | Report::Refused { .. } => false,
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
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, LoadProblem> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MAX_FILE as u64 {
        return Err(LoadProblem::TooLong(length));
    }
    file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
