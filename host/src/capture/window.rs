//! A bounded window on a byte stream that need not be seekable.

use std::{
    fmt,
    io::{self, ErrorKind, Read},
};

/// Size of the window, in bytes: the largest frame with its headers, and as much again so that a
/// read is worth its system call.
const CAPACITY: usize = 512 * 1024;

/// The unread bytes of a stream, up to [`CAPACITY`] of them, and where they are in it.
pub(super) struct Window {
    input: Box<dyn Read + Send>,
    buf: Box<[u8]>,
    // start ≤ end ≤ buf.len(); unread bytes are buf[start..end]
    start: usize,
    end: usize,
    /// Stream offset of `buf[start]`, first byte 0.
    offset: u64,
}

impl Window {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, buf: vec![0; CAPACITY].into_boxed_slice(), start: 0, end: 0, offset: 0 }
    }

    /// Returns the stream offset of the first unread byte.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the unread bytes that are here without reading more.
    pub(super) fn unread(&self) -> &[u8] {
        self.buf.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads until `wanted` bytes (at most [`CAPACITY`]) are unread or the stream ends, and returns
    /// whether they are there.
    ///
    /// It does not wait for more than `wanted`, so that a pipe's frames come through at once.
    pub(super) fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        debug_assert!(wanted <= CAPACITY, "a record header promised more than it may");
        while self.end - self.start < wanted {
            if self.end == self.buf.len() || self.start == self.end {
                self.buf.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            match self.input.read(self.buf.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => return Ok(false),
                // A reader that claims more than it was given room for is broken; stay inside.
                Ok(n) => self.end = (self.end + n).min(self.buf.len()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }

    /// Drops `n` unread bytes, which must be here.
    pub(super) fn consume(&mut self, n: usize) {
        debug_assert!(n <= self.end - self.start, "consumed more than was filled");
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }

    /// Drops `n` bytes, reading through those that are not here, and returns whether the stream
    /// had them.
    pub(super) fn skip(&mut self, mut n: u64) -> io::Result<bool> {
        while n > 0 {
            if self.start == self.end && !self.fill(1)? {
                return Ok(false);
            }
            let here = usize::try_from(n).unwrap_or(usize::MAX).min(self.end - self.start);
            self.consume(here);
            n -= here as u64;
        }
        Ok(true)
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("offset", &self.offset)
            .field("unread", &(self.end - self.start))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a call, and is interrupted before each.
    struct Trickle(Vec<u8>, bool);

    impl Read for Trickle {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::Interrupted.into());
            }
            match (self.0.is_empty(), buf.first_mut()) {
                (false, Some(byte)) => {
                    *byte = self.0.remove(0);
                    Ok(1)
                }
                _ => Ok(0),
            }
        }
    }

    #[test]
    fn fills_from_a_trickle_and_knows_its_offset() {
        let mut window = Window::new(Box::new(Trickle(b"abcdef".to_vec(), false)));
        assert!(window.fill(4).unwrap());
        assert_eq!(window.unread(), b"abcd");
        window.consume(3);
        assert_eq!(window.offset(), 3);
        assert!(window.skip(2).unwrap());
        assert!(!window.fill(2).unwrap());
        assert_eq!(window.unread(), b"f");
        assert!(!window.skip(2).unwrap());
    }

    #[test]
    fn the_buffer_does_not_grow() {
        let mut window = Window::new(Box::new(io::repeat(7).take(3 * CAPACITY as u64)));
        assert!(window.fill(10).unwrap());
        window.consume(10);
        assert!(window.fill(CAPACITY).unwrap());
        assert!(window.skip(2 * CAPACITY as u64).unwrap());
        assert!(!window.skip(CAPACITY as u64).unwrap());
        assert_eq!(window.buf.len(), CAPACITY);
    }
}
