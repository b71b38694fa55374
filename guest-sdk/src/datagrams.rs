//! The datagrams of both sides.

use std::future::poll_fn;
use std::task::Poll;

use crate::info::Side;
use crate::read_error::ReadError;
use crate::stream::ByteStream;

/// One datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub side: Side,
    /// Its payload, which may be empty.
    pub bytes: &'a [u8],
}

/// The datagrams of both sides, in order of arrival.
#[derive(Debug)]
pub struct Datagrams {
    client: ByteStream,
    server: ByteStream,
}

impl Datagrams {
    pub(crate) const fn new(client: ByteStream, server: ByteStream) -> Self {
        Self { client, server }
    }

    /// Reads the next datagram of either side; `None` when both sides have ended.
    ///
    /// # Errors
    /// [`ReadError::Gap`]: the capture cut a datagram short. What is there of it was read before; the next
    /// read is of the next datagram.
    pub async fn next(&mut self) -> Result<Option<Datagram<'_>>, ReadError> {
        self.wait(false).await
    }

    /// As [`next`](Self::next), for a parser that keeps nothing of what came before: a new instance would do
    /// with the next datagram what this one would, if it knows that the flow was
    /// [confirmed](crate::FlowInfo::confirmed). While it waits, this one may be freed, so that flows of a
    /// question and an answer take no memory until they expire. Where nothing more comes, this may never
    /// return: there must be nothing left to be emitted.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn next_resting(&mut self) -> Result<Option<Datagram<'_>>, ReadError> {
        self.wait(true).await
    }

    async fn wait(&mut self, resting: bool) -> Result<Option<Datagram<'_>>, ReadError> {
        let (side, length) = poll_fn(|cx| {
            let mut ended = 0;
            for stream in [&mut self.client, &mut self.server] {
                match stream.poll_datagram(cx) {
                    Poll::Ready(Ok(length)) => {
                        return Poll::Ready(Ok((stream.side(), Some(length))));
                    }
                    Poll::Ready(Err(ReadError::End(_))) => ended += 1,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {}
                }
            }
            if ended == 2 {
                return Poll::Ready(Ok((Side::Client, None)));
            }
            self.client.note_resting(resting);
            Poll::Pending
        })
        .await?;
        let Some(length) = length else { return Ok(None) };
        let stream = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        Ok(Some(Datagram { side, bytes: stream.take_datagram(length) }))
    }
}
