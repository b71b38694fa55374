//! Reading one side of a flow.

use std::future::poll_fn;
use std::task::{Context, Poll};

use memchr::{memchr, memmem};

use crate::inbox::{Buffer, Mark};
use crate::info::Side;
use crate::line::{Line, LinePart};
use crate::read_error::{Ended, Gap, ReadError};
use crate::shared::Handle;

/// Most bytes that one read may ask for: 65,536. What is longer has to be read in pieces.
pub const MAX_READ: usize = 65_536;

/// What one endpoint sends, in order.
///
/// Every read returns a slice of the stream's own buffer: nothing is allocated for a line. The slice
/// lives until the next read of the same stream. Every read is bounded, by its argument or by
/// [`MAX_READ`], and waits (`.await`) while the bytes are not there.
///
/// Of a datagram flow, [`datagram`](Self::datagram) reads one datagram; the other reads see the
/// datagrams joined.
///
/// # Errors
/// All reads fail alike: [`ReadError::End`] when the side ended first, [`ReadError::Gap`] when bytes
/// are missing from the unit that was asked for, [`ReadError::TooLong`] when it does not fit its limit.
#[derive(Debug)]
pub struct ByteStream {
    side: Side,
    shared: Handle,
    buffer: Buffer,
    offset: u64,
}

impl ByteStream {
    pub(crate) fn new(side: Side, shared: Handle) -> Self {
        Self { side, shared, buffer: Buffer::default(), offset: 0 }
    }

    /// Which endpoint's bytes these are.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Stream offset of the next byte to read; the first data byte is 0.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads a line of at most [`MAX_READ`] bytes, ended by LF or CR LF.
    ///
    /// # Errors
    /// As all reads. An unterminated last line is [`ReadError::End`]; its bytes are left for
    /// [`rest`](Self::rest).
    pub async fn get_line(&mut self) -> Result<Line<'_>, ReadError> {
        match self.line_here(MAX_READ) {
            Some(length) => Ok(Line::new(self.take_unmarked(length))),
            None => self.line_to_come(MAX_READ).await,
        }
    }

    /// Reads a line of at most `max` bytes, its line end included.
    ///
    /// # Errors
    /// As all reads.
    pub async fn get_line_max(&mut self, max: usize) -> Result<Line<'_>, ReadError> {
        let max = max.min(MAX_READ);
        match self.line_here(max) {
            Some(length) => Ok(Line::new(self.take_unmarked(length))),
            None => self.line_to_come(max).await,
        }
    }

    /// Length of the next line, if all of it is here and there are no marks to heed. Most lines are
    /// found like this: the state of a read that may have to wait costs more than the line.
    #[inline(always)]
    fn line_here(&self, max: usize) -> Option<usize> {
        let length = memchr(b'\n', self.buffer.unmarked()?)? + 1;
        (length <= max).then_some(length)
    }

    /// Reads a line of at most `max` bytes that may have to be waited for.
    async fn line_to_come(&mut self, max: usize) -> Result<Line<'_>, ReadError> {
        let mut scanned = 0;
        let length = self
            .unit(max, |unread| {
                let found = memchr(b'\n', &unread[scanned..]).map(|at| scanned + at + 1);
                scanned = unread.len();
                found
            })
            .await?;
        Ok(Line::new(self.take(length)))
    }

    /// Reads a line, or `max` bytes of one that is longer: for content that may have lines of any
    /// length.
    ///
    /// # Errors
    /// As all reads, but never [`ReadError::TooLong`].
    pub async fn get_line_part(&mut self, max: usize) -> Result<LinePart<'_>, ReadError> {
        let max = max.clamp(1, MAX_READ);
        if let Some(length) = self.line_here(max) {
            return Ok(LinePart { line: Line::new(self.take_unmarked(length)), last: true });
        }
        let mut scanned = 0;
        let length = self
            .unit(max, |unread| {
                let scope = &unread[..unread.len().min(max)];
                let found = memchr(b'\n', &scope[scanned..]).map(|at| scanned + at + 1);
                scanned = scope.len();
                found.or_else(|| (scope.len() == max).then_some(max))
            })
            .await?;
        let line = Line::new(self.take(length));
        Ok(LinePart { line, last: line.raw().ends_with(b"\n") })
    }

    /// Reads up to and including `delimiter`, at most `max` bytes in all.
    ///
    /// # Errors
    /// As all reads.
    pub async fn read_until(&mut self, delimiter: &[u8], max: usize) -> Result<&[u8], ReadError> {
        let max = max.min(MAX_READ);
        let finder = memmem::Finder::new(delimiter);
        let mut scanned = 0usize;
        let length = self
            .unit(max, |unread| {
                // A delimiter may straddle what was seen and what is new.
                let from = scanned.saturating_sub(delimiter.len().saturating_sub(1));
                scanned = unread.len();
                finder.find(&unread[from..]).map(|at| from + at + delimiter.len())
            })
            .await?;
        Ok(self.take(length))
    }

    /// Reads exactly `count` bytes.
    ///
    /// # Errors
    /// As all reads; [`ReadError::TooLong`] for more than [`MAX_READ`].
    pub async fn read_exact(&mut self, count: usize) -> Result<&[u8], ReadError> {
        self.has(count).await?;
        Ok(self.take(count))
    }

    /// Waits for `count` bytes and returns them without reading them.
    ///
    /// # Errors
    /// As all reads; [`ReadError::TooLong`] for more than [`MAX_READ`].
    pub async fn peek(&mut self, count: usize) -> Result<&[u8], ReadError> {
        self.has(count).await?;
        Ok(&self.buffer.readable()[..count])
    }

    /// Waits for `count` bytes as [`peek`](Self::peek) does, but never gives anything up: where a gap or
    /// the end stands before them, the error says how many bytes are there, and these can be read.
    ///
    /// It can be raced against something else (`select`) and dropped without loss. That is how a
    /// parser waits for one side and limits what the other may pile up meanwhile.
    ///
    /// # Errors
    /// As all reads. [`Gap::cut`] and [`Ended::unread`](crate::Ended::unread) are the bytes there.
    pub async fn look_ahead(&mut self, count: usize) -> Result<&[u8], ReadError> {
        if count > MAX_READ {
            return Err(ReadError::TooLong { side: self.side, limit: MAX_READ });
        }
        poll_fn(|cx| {
            self.resume();
            loop {
                let here = self.buffer.readable().len();
                if here >= count {
                    return Poll::Ready(Ok(()));
                }
                match self.buffer.stop() {
                    Some((_, Mark::Gap { length, reason })) => {
                        let offset = self.offset + here as u64;
                        let gap = Gap { side: self.side, offset, length, reason, cut: here };
                        return Poll::Ready(Err(ReadError::Gap(gap)));
                    }
                    Some((_, Mark::End(reason))) => {
                        let end = Ended { side: self.side, reason, unread: here };
                        return Poll::Ready(Err(ReadError::End(end)));
                    }
                    Some((_, Mark::Boundary)) | None => {}
                }
                if !self.refill() {
                    return self.wait(cx);
                }
            }
        })
        .await?;
        Ok(&self.buffer.readable()[..count])
    }

    /// Reads whatever is there next, at least one byte; `None` at the end. For content that is
    /// streamed rather than collected.
    ///
    /// # Errors
    /// [`ReadError::Gap`].
    pub async fn rest(&mut self) -> Result<Option<&[u8]>, ReadError> {
        match self.fill().await {
            Ok(count) => Ok(Some(self.take(count))),
            Err(ReadError::End(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads one datagram, which may be empty.
    ///
    /// # Errors
    /// [`ReadError::End`] and [`ReadError::Gap`]. Of a datagram that the capture cut short, what is
    /// there is read first, and the next read says how much is missing.
    pub async fn datagram(&mut self) -> Result<&[u8], ReadError> {
        let length = poll_fn(|cx| self.poll_datagram(cx)).await?;
        Ok(self.take_datagram(length))
    }

    /// Waits for a datagram and returns its length.
    pub(crate) fn poll_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, ReadError>> {
        self.resume();
        loop {
            if let Some(length) = self.buffer.datagram() {
                return Poll::Ready(Ok(length));
            }
            if let Some(error) = self.stopped() {
                return Poll::Ready(Err(error));
            }
            if !self.refill() {
                return self.wait(cx);
            }
        }
    }

    /// Whether the parser, which is about to wait, keeps nothing of what came before.
    pub(crate) fn note_resting(&self, resting: bool) {
        self.shared.set_resting(resting);
    }

    /// Reads the datagram of this length that is there.
    pub(crate) fn take_datagram(&mut self, length: usize) -> &[u8] {
        let start = self.buffer.start;
        self.buffer.consume_datagram(length);
        self.offset += length as u64;
        &self.buffer.bytes[start..start + length]
    }

    /// Leaves out the next `count` bytes. Those that are not here yet are never delivered: the host
    /// drops them before they cost anything, and a gap wholly inside is silent. Takes effect at once
    /// and does not wait.
    pub fn skip(&mut self, count: u64) {
        let mut left = count;
        loop {
            let here = self.buffer.readable().len();
            let step = usize::try_from(left).map_or(here, |left| left.min(here));
            self.take(step);
            left -= step as u64;
            if left == 0 {
                return;
            }
            match self.buffer.stop() {
                Some((_, Mark::Gap { length, .. })) if length <= left => {
                    self.buffer.pass_gap();
                    self.offset = self.offset.saturating_add(length);
                    left -= length;
                }
                Some((_, Mark::Gap { .. })) => {
                    self.offset = self.offset.saturating_add(left);
                    self.buffer.shorten_gap(left);
                    return;
                }
                Some(_) => return, // the side has ended
                None if self.refill() => {}
                None => {
                    self.shared.skip(self.side, left);
                    self.offset = self.offset.saturating_add(left);
                    return;
                }
            }
        }
    }

    /// Tells the host that nothing more of this side is wanted. Reads see what is already here, and
    /// then wait for ever: end the parser, or read only the other side.
    pub fn done(&mut self) {
        self.shared.done(self.side);
    }

    /// Skips to the start of the next line: after a gap, or past a line that was too long.
    ///
    /// # Errors
    /// As all reads; [`ReadError::TooLong`] when no line end shows up within `budget` bytes.
    pub async fn resync_line(&mut self, budget: usize) -> Result<(), ReadError> {
        self.resync_to(b"\n", budget).await
    }

    /// Skips to just behind the next `pattern`.
    ///
    /// # Errors
    /// As all reads; [`ReadError::TooLong`] when it does not show up within `budget` bytes. A further
    /// gap inside restarts the search and does not renew the budget.
    pub async fn resync_to(&mut self, pattern: &[u8], budget: usize) -> Result<(), ReadError> {
        let finder = memmem::Finder::new(pattern);
        let mut left = budget;
        loop {
            match self.fill_beyond(pattern.len()).await {
                Ok(()) => {}
                Err(ReadError::Gap(gap)) if gap.cut <= left => {
                    left -= gap.cut;
                    continue;
                }
                Err(error) => return Err(error),
            }
            let unread = self.buffer.readable();
            let (step, found) = match finder.find(unread) {
                Some(at) => (at + pattern.len(), true),
                None => (unread.len() + 1 - pattern.len(), false),
            };
            if step > left {
                return Err(ReadError::TooLong { side: self.side, limit: budget });
            }
            left -= step;
            self.take(step);
            if found {
                return Ok(());
            }
        }
    }

    /// Waits for at least one byte and returns how many are there.
    pub(crate) async fn fill(&mut self) -> Result<usize, ReadError> {
        poll_fn(|cx| self.poll_fill(cx)).await
    }

    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, ReadError>> {
        self.poll_has(cx, 1)
    }

    async fn fill_beyond(&mut self, count: usize) -> Result<(), ReadError> {
        poll_fn(|cx| self.poll_has(cx, count.max(1))).await.map(drop)
    }

    async fn has(&mut self, count: usize) -> Result<(), ReadError> {
        if count > MAX_READ {
            return Err(ReadError::TooLong { side: self.side, limit: MAX_READ });
        }
        poll_fn(|cx| self.poll_has(cx, count)).await.map(drop)
    }

    /// Waits for `count` bytes and returns how many are there.
    fn poll_has(&mut self, cx: &mut Context<'_>, count: usize) -> Poll<Result<usize, ReadError>> {
        self.poll_unit(cx, usize::MAX, &mut |unread: &[u8]| {
            (unread.len() >= count).then_some(unread.len())
        })
    }

    /// Waits for so many bytes, gaps and ends between them or not.
    pub(crate) fn poll_backlog(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<()> {
        self.resume();
        while self.buffer.bytes.len() - self.buffer.start < room {
            if !self.refill() {
                return self.wait(cx);
            }
        }
        Poll::Ready(())
    }

    /// Waits until `find` sees the length of a whole unit in the unread bytes.
    pub(crate) async fn unit(
        &mut self,
        max: usize,
        mut find: impl FnMut(&[u8]) -> Option<usize>,
    ) -> Result<usize, ReadError> {
        poll_fn(|cx| self.poll_unit(cx, max, &mut find)).await
    }

    fn poll_unit(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        find: &mut dyn FnMut(&[u8]) -> Option<usize>,
    ) -> Poll<Result<usize, ReadError>> {
        self.resume();
        loop {
            let unread = self.buffer.readable();
            match find(unread) {
                Some(length) if length <= max => return Poll::Ready(Ok(length)),
                None if unread.len() < max => {}
                _ => {
                    return Poll::Ready(Err(ReadError::TooLong { side: self.side, limit: max }));
                }
            }
            if let Some(error) = self.stopped() {
                return Poll::Ready(Err(error));
            }
            if !self.refill() {
                return self.wait(cx);
            }
        }
    }

    /// Takes over what was delivered. False if that is nothing.
    fn refill(&mut self) -> bool {
        let inbox = &mut self.shared.inbox(self.side).buffer;
        if inbox.is_empty() {
            return false;
        }
        if self.buffer.is_empty() {
            self.buffer.clear();
            std::mem::swap(&mut self.buffer, inbox);
        } else {
            self.buffer.append(inbox);
        }
        true
    }

    /// Takes back what [`wait`](Self::wait) handed over, so that a read that is polled again sees at
    /// least the bytes that it saw before.
    fn resume(&mut self) {
        if self.buffer.is_empty() {
            self.refill();
        }
    }

    /// Hands the unread remainder to the inbox, so that the next delivery lands behind it.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        self.hand_over(cx);
        Poll::Pending
    }

    fn hand_over(&mut self, cx: &mut Context<'_>) {
        let mut inbox = self.shared.inbox(self.side);
        self.buffer.compact();
        std::mem::swap(&mut self.buffer, &mut inbox.buffer);
        match &mut inbox.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    /// The gap or end that stands behind the readable bytes. A gap is passed by this.
    fn stopped(&mut self) -> Option<ReadError> {
        let side = self.side;
        match self.buffer.stop()? {
            (_, Mark::Gap { length, reason }) => {
                let cut = self.buffer.pass_gap();
                let offset = self.offset + cut as u64;
                self.offset = offset + length;
                Some(ReadError::Gap(Gap { side, offset, length, reason, cut }))
            }
            (_, Mark::End(reason)) => {
                let unread = self.buffer.readable().len();
                Some(ReadError::End(Ended { side, reason, unread }))
            }
            (_, Mark::Boundary) => None,
        }
    }

    /// The bytes that can be read without waiting.
    pub(crate) fn unread(&self) -> &[u8] {
        self.buffer.readable()
    }

    /// Reads `length` of the bytes, where no marks are left.
    #[inline(always)]
    fn take_unmarked(&mut self, length: usize) -> &[u8] {
        self.offset += length as u64;
        self.buffer.consume_unmarked(length)
    }

    /// Reads `length` of the readable bytes.
    pub(crate) fn take(&mut self, length: usize) -> &[u8] {
        let start = self.buffer.start;
        self.buffer.consume(length);
        self.offset += length as u64;
        &self.buffer.bytes[start..start + length]
    }
}

/// What was not read is there for whoever the flow is handed to.
impl Drop for ByteStream {
    fn drop(&mut self) {
        let inbox = &mut self.shared.inbox(self.side).buffer;
        if !self.buffer.is_empty() {
            self.buffer.append(inbox);
            std::mem::swap(&mut self.buffer, inbox);
        }
    }
}

macro_rules! integers {
    ($($(#[$doc:meta])* $name:ident, $type:ty, $from:ident;)*) => {
        /// Integers of fixed size. All fail as [`read_exact`](Self::read_exact) does.
        impl ByteStream {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// As all reads.
                pub async fn $name(&mut self) -> Result<$type, ReadError> {
                    const SIZE: usize = size_of::<$type>();
                    let bytes = self.read_exact(SIZE).await?;
                    let mut array = [0; SIZE];
                    array.copy_from_slice(bytes);
                    Ok(<$type>::$from(array))
                }
            )*
        }
    };
}

integers! {
    /// Reads one byte.
    read_u8, u8, from_be_bytes;
    /// Reads a big-endian integer of 16 bits.
    read_u16, u16, from_be_bytes;
    /// Reads a big-endian integer of 32 bits.
    read_u32, u32, from_be_bytes;
    /// Reads a big-endian integer of 64 bits.
    read_u64, u64, from_be_bytes;
    /// Reads a little-endian integer of 16 bits.
    read_u16_le, u16, from_le_bytes;
    /// Reads a little-endian integer of 32 bits.
    read_u32_le, u32, from_le_bytes;
    /// Reads a little-endian integer of 64 bits.
    read_u64_le, u64, from_le_bytes;
}

impl ByteStream {
    /// Reads a big-endian integer of 24 bits.
    ///
    /// # Errors
    /// As all reads.
    pub async fn read_u24(&mut self) -> Result<u32, ReadError> {
        let bytes = self.read_exact(3).await?;
        Ok(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]))
    }
}
