//! Where records go.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use wildmatch::WildMatch;

use super::envelope::{self, Subject};

/// Lines are collected up to this many bytes before they are written.
const BUFFER: usize = 64 << 10;

/// Writes records as JSON Lines.
///
/// An error of the output is kept, not returned: the caller asks [`failed`](Self::failed) when it can
/// stop in order.
pub struct Writer {
    out: Box<dyn Write + Send>,
    buffer: Vec<u8>,
    types: Vec<WildMatch>,
    /// Lines written, by type.
    written: BTreeMap<String, u64>,
    error: Option<io::Error>,
}

impl Writer {
    /// Writes to `out` what one of the globs in `types` matches; all if there are none.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, types: &[String]) -> Self {
        let types = types.iter().map(|glob| WildMatch::new(glob)).collect();
        let written = BTreeMap::new();
        Self { out, buffer: Vec::with_capacity(2 * BUFFER), types, written, error: None }
    }

    /// Writes a record of a parser: type `prefix.name`, `data` a JSON object.
    pub fn parsed(&mut self, prefix: &str, name: &str, subject: &Subject<'_>, data: &[u8]) {
        self.line((Some(prefix), name), subject, data);
    }

    /// Writes a record of the host's own.
    pub fn own(&mut self, name: &str, subject: &Subject<'_>, data: &impl Serialize) {
        // Structs of numbers and strings: this can not fail.
        let data = serde_json::to_vec(data).unwrap_or_else(|_| b"{}".to_vec());
        self.line((None, name), subject, &data);
    }

    fn line(&mut self, kind: (Option<&str>, &str), subject: &Subject<'_>, data: &[u8]) {
        if self.error.is_some() {
            return;
        }
        let ty = match kind.0 {
            Some(prefix) => format!("{prefix}.{}", kind.1),
            None => kind.1.to_owned(),
        };
        if !self.types.is_empty() && !self.types.iter().any(|glob| glob.matches(&ty)) {
            return;
        }
        envelope::line(&mut self.buffer, kind, subject, data);
        *self.written.entry(ty).or_default() += 1;
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    /// Hands everything to the output.
    pub fn flush(&mut self) {
        if self.error.is_none() {
            self.error = self.out.write_all(&self.buffer).and_then(|()| self.out.flush()).err();
        }
        self.buffer.clear();
    }

    /// What went wrong, once it has.
    #[must_use]
    pub fn failed(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// How many records were written, by type.
    #[must_use]
    pub fn written(&self) -> &BTreeMap<String, u64> {
        &self.written
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("written", &self.written).finish_non_exhaustive()
    }
}
