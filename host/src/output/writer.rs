//! Where records go.

use std::io::{self, Write};

use super::records::Lines;

/// Lines are collected up to this many bytes before they are written.
const BUFFER: usize = 64 << 10;

/// Writes lines.
///
/// An error of the output is kept, not returned: the caller asks [`failed`](Self::failed) when it can
/// stop in order.
pub struct Writer {
    out: Box<dyn Write + Send>,
    buffer: Vec<u8>,
    error: Option<io::Error>,
}

impl Writer {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out, buffer: Vec::with_capacity(2 * BUFFER), error: None }
    }

    /// Writes what several makers have made, in the order in which it belongs.
    pub fn write(&mut self, all: &[Lines]) {
        Lines::merge(all, |line| self.line(line));
        Lines::deliver(all);
    }

    fn line(&mut self, line: &[u8]) {
        if self.error.is_some() {
            return;
        }
        self.buffer.extend_from_slice(line);
        if self.buffer.len() >= BUFFER {
            self.error = self.out.write_all(&self.buffer).err();
            self.buffer.clear();
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
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("error", &self.error).finish_non_exhaustive()
    }
}
