//! The stream as the ecosystem's combinators know it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;
use futures::io::{AsyncBufRead, AsyncRead};

use crate::ReadError;
use crate::stream::ByteStream;

/// Chunks as they become readable. A gap is an item, and the stream goes on behind it; it ends where
/// the side does.
impl Stream for ByteStream {
    type Item = Result<Vec<u8>, ReadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match ready!(self.poll_fill(cx)) {
            Ok(count) => Some(Ok(self.take(count).to_vec())),
            Err(ReadError::End(_)) => None,
            Err(error) => Some(Err(error)),
        })
    }
}

/// The end of the side is the end of file; a gap is an error of kind `InvalidData` whose source is
/// the [`ReadError`], and reading may go on behind it.
impl AsyncBufRead for ByteStream {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        Poll::Ready(match ready!(this.poll_fill(cx)) {
            Ok(_) => Ok(this.unread()),
            Err(ReadError::End(_)) => Ok(&[]),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        })
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        let amount = amount.min(self.unread().len());
        self.take(amount);
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        target: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let unread = ready!(self.as_mut().poll_fill_buf(cx))?;
        let count = unread.len().min(target.len());
        target[..count].copy_from_slice(&unread[..count]);
        self.consume(count);
        Poll::Ready(Ok(count))
    }
}
