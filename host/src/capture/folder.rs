//! The captures in a folder.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{CaptureError, FileSource};

/// What a folder has for a run.
#[derive(Debug)]
pub struct Folder {
    /// The captures, by the bytes of their names. A file that could not be looked into is one of them,
    /// so that reading it tells what is wrong.
    pub captures: Vec<PathBuf>,
    /// What else is there, without hidden files, which are passed over.
    pub left_out: Vec<LeftOut>,
}

/// A file or folder that is no capture.
#[derive(Debug)]
pub struct LeftOut {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub reason: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: left out: {}", self.path.display(), self.reason)
    }
}

impl Folder {
    /// Looks into `path`, but not into the folders in it.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn read(path: &Path) -> Result<Self, CaptureError> {
        let unreadable = |source| CaptureError::Open { file: path.to_owned(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                paths.push(entry.path());
            }
        }
        paths.sort();
        let mut folder = Self { captures: Vec::new(), left_out: Vec::new() };
        for path in paths {
            match other_than_a_capture(&path) {
                None => folder.captures.push(path),
                Some(reason) => folder.left_out.push(LeftOut { path, reason }),
            }
        }
        Ok(folder)
    }
}

/// Says what a file is if it is certainly no capture.
fn other_than_a_capture(path: &Path) -> Option<String> {
    let kind = fs::metadata(path).ok()?;
    if kind.is_dir() {
        return Some("it is a folder; name it with -r as well to read it".to_owned());
    }
    if !kind.is_file() {
        return Some("it is no regular file".to_owned()); // opening a pipe would wait for its writer
    }
    match FileSource::open(path) {
        Err(CaptureError::Empty { .. }) => Some("it is empty (0 bytes)".to_owned()),
        Err(CaptureError::NotACapture { hint, .. }) => Some(format!("not a capture: {hint}")),
        _ => None,
    }
}
