//! The folder that bundles are in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::bundle::{Bundle, EXTENSION, ParserId};
use super::limits::ReproLimits;
use crate::documented::documented;
use crate::driver::messages::Messages;
use crate::registry::ParserFile;

/// A folder that can not be used.
#[derive(Debug, thiserror::Error)]
#[error("{folder}: {error} (--repro-dir wants a folder that can be written)", folder = folder.display())]
pub struct ArchiveError {
    folder: PathBuf,
    error: io::Error,
}

documented! {
    /// What became of the bundles of a run.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
    pub struct ArchiveStats {
        /// Bundles that were written.
        pub written: u64,
        /// Bundles that were taken out again, for one that shows another kind of fault.
        pub replaced: u64,
        /// Bundles that were not written, because a limit of the folder was hit.
        pub left_out: u64,
        /// Bundles that were written though a limit was hit while the flow was recorded.
        pub cut: u64,
        /// Bundles that were not written, because the system would not.
        pub failed: u64,
    }
}

/// A kind of fault: of whom, its class, its message.
type Kind = (ParserId, String, String);

/// A bounded folder of bundles.
#[derive(Debug)]
pub(super) struct Archive {
    folder: PathBuf,
    limits: ReproLimits,
    messages: Messages,
    /// Bundles, and parsers beside them, with their sizes; those that were there before as well.
    files: BTreeMap<String, u64>,
    bundles: u64,
    bytes: u64,
    /// The kinds of fault that this run has written bundles of.
    kinds: BTreeSet<Kind>,
    /// Bundles of this run that show a kind of fault once more.
    spare: Vec<String>,
    stats: ArchiveStats,
}

impl Archive {
    /// Makes the folder if it is not there, and sees what is in it.
    pub(super) fn open(
        folder: &Path,
        limits: ReproLimits,
        messages: Messages,
    ) -> Result<Self, ArchiveError> {
        let mut archive = Self {
            folder: folder.to_owned(),
            limits,
            messages,
            files: BTreeMap::new(),
            bundles: 0,
            bytes: 0,
            kinds: BTreeSet::new(),
            spare: Vec::new(),
            stats: ArchiveStats::default(),
        };
        let opened = archive.make().and_then(|()| archive.look());
        opened.map_err(|error| ArchiveError { folder: folder.to_owned(), error })?;
        Ok(archive)
    }

    fn make(&self) -> io::Result<()> {
        if !self.folder.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        }
        // It is better to know now than after hours, at the first fault.
        let (probe, path) = self.temporary("probe")?;
        drop(probe);
        fs::remove_file(path)
    }

    fn look(&mut self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && (is_bundle(&name) || is_parser(&name))
            {
                let size = entry.metadata()?.len();
                self.added(name, size);
            }
        }
        Ok(())
    }

    pub(super) fn stats(&self) -> ArchiveStats {
        self.stats
    }

    /// Writes a bundle, if there is room or it is worth more than another one; and its parser, if that
    /// is not there.
    pub(super) fn keep(&mut self, bundle: &Bundle, parser: &ParserFile) {
        let header = &bundle.header;
        let fault = &header.fault;
        let kind = (header.parser.clone(), fault.class.clone(), fault.message.clone());
        let is_new = !self.kinds.contains(&kind);
        let name = bundle.file_name();
        let full = self.bundles >= self.limits.repro_bundles && !self.files.contains_key(&name);
        if full && (!is_new || self.spare.is_empty()) {
            self.stats.left_out += 1; // as most are in a flood: nothing is encoded for them
            return;
        }
        let bytes = bundle.encode();
        while !self.has_room(&name, bytes.len() as u64) {
            if !is_new || !self.drop_spare() {
                self.stats.left_out += 1;
                return;
            }
        }
        if !self.write(&name, &bytes) {
            return;
        }
        self.stats.written += 1;
        self.stats.cut += u64::from(header.truncated.is_some());
        if is_new {
            self.kinds.insert(kind);
        } else {
            self.spare.push(name);
        }
        let parser_name = format!("{}.wasm", header.parser.sha256);
        let known = self.files.contains_key(&parser_name);
        if !known && self.has_room(&parser_name, parser.bytes.len() as u64) {
            self.write(&parser_name, &parser.bytes);
        }
    }

    fn has_room(&self, name: &str, size: u64) -> bool {
        let old = self.files.get(name);
        let bytes = self.bytes - old.unwrap_or(&0);
        let one_more = u64::from(old.is_none() && is_bundle(name));
        bytes.saturating_add(size) <= self.limits.repro_dir_bytes
            && self.bundles + one_more <= self.limits.repro_bundles
    }

    /// Makes room; returns whether any could be made.
    fn drop_spare(&mut self) -> bool {
        let Some(name) = self.spare.pop() else { return false };
        // A file that is gone already takes no room either.
        let _ = fs::remove_file(self.folder.join(&name));
        self.bundles -= 1;
        self.bytes -= self.files.remove(&name).unwrap_or(0);
        (self.stats.written, self.stats.replaced) =
            (self.stats.written - 1, self.stats.replaced + 1);
        true
    }

    fn added(&mut self, name: String, size: u64) {
        let is_bundle = is_bundle(&name);
        let old = self.files.insert(name, size);
        self.bundles += u64::from(old.is_none() && is_bundle);
        self.bytes = self.bytes.saturating_sub(old.unwrap_or(0)).saturating_add(size);
    }

    /// Writes a file, whole or not at all; returns whether it could. The first error is told.
    fn write(&mut self, name: &str, bytes: &[u8]) -> bool {
        let written = self.temporary(name).and_then(|(mut file, path)| {
            let moved =
                file.write_all(bytes).and_then(|()| fs::rename(&path, self.folder.join(name)));
            if moved.is_err() {
                let _ = fs::remove_file(path); // what it could not be made is told below
            }
            moved
        });
        match written {
            Ok(()) => {
                self.added(name.to_owned(), bytes.len() as u64);
                true
            }
            Err(error) => {
                if self.stats.failed == 0 {
                    let file = self.folder.join(name);
                    self.messages.tell(&format!(
                        "{}: {error}; this bundle is lost, and the run goes on (further errors of \
                         --repro-dir are only counted)",
                        file.display()
                    ));
                }
                self.stats.failed += 1;
                false
            }
        }
    }

    /// A new file under a name that nobody looks for. It is nobody else's: a link that somebody has put
    /// there is not followed.
    fn temporary(&self, name: &str) -> io::Result<(fs::File, PathBuf)> {
        let path = self.folder.join(format!(".{name}.{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Of a process that had this number and did not come to its end.
                fs::remove_file(&path)?;
                options.open(&path)?
            }
            other => other?,
        };
        Ok((file, path))
    }
}

fn is_bundle(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == EXTENSION)
        && !name.starts_with('.')
}

/// A parser that was put beside bundles: its name is its SHA-256.
fn is_parser(name: &str) -> bool {
    name.strip_suffix(".wasm").is_some_and(|hash| {
        hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}
