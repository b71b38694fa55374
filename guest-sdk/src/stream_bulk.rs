//! Reads that take as much as is there: for content, of which there is more than of anything else.

use std::future::poll_fn;

use memchr::memrchr;

use crate::read_error::ReadError;
use crate::stream::{ByteStream, MAX_READ};

/// Reads of content.
impl ByteStream {
    /// Reads what is there, at least one byte and at most `max`: content of which the length is known
    /// or does not matter. For 0, nothing is read or waited for.
    ///
    /// # Errors
    /// [`ReadError::End`], when all that was there has been read, and [`ReadError::Gap`].
    pub async fn read_some(&mut self, max: u64) -> Result<&[u8], ReadError> {
        let here = if max == 0 { 0 } else { self.fill().await? };
        let count = usize::try_from(max).map_or(here, |max| max.min(here));
        Ok(self.take(count))
    }

    /// Waits until `room` bytes are there to be read, gaps and ends between them or not, and reads none. If
    /// the side ends before, it waits for ever: to be raced against a read of the other side.
    pub async fn backlog(&mut self, room: usize) {
        poll_fn(|cx| self.poll_backlog(cx, room)).await;
    }

    /// Waits for a whole line and returns all whole lines that are there, at most `max` bytes of them,
    /// without reading them. Of a line that is longer than that, the first `max` bytes are returned.
    /// [`skip`](Self::skip) then reads as many bytes as were made use of.
    ///
    /// Where lines begin does not depend on how much is there at once, nor where long ones are cut.
    ///
    /// # Errors
    /// As all reads, but never [`ReadError::TooLong`]. An unterminated last line is
    /// [`ReadError::End`]; its bytes are left for [`rest`](Self::rest).
    pub async fn peek_lines(&mut self, max: usize) -> Result<&[u8], ReadError> {
        let max = max.clamp(1, MAX_READ);
        let mut scanned = 0;
        let length = self
            .unit(max, |unread| {
                let scope = unread.get(..max).unwrap_or(unread);
                let found = memrchr(b'\n', &scope[scanned..]).map(|at| scanned + at + 1);
                scanned = scope.len();
                found.or_else(|| (scope.len() == max).then_some(max))
            })
            .await?;
        Ok(&self.unread()[..length])
    }
}
