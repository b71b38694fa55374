//! The messages of both sides, in the order in which they became complete.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use flowcell_sdk::prelude::*;

use crate::header::{HEADER, Header};

/// The length before each message on a stream (RFC 1035 §4.2.2).
const PREFIX: usize = 2;

/// A whole message, or the start of one.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) sender: Side,
    /// The end of it is missing from the capture.
    pub(crate) cut: bool,
}

/// Both sides of a flow.
pub(crate) struct Source {
    halves: [Half; 2],
    /// The message that arrived last.
    pub(crate) message: Vec<u8>,
    /// A side was given up, because it could not be found where its messages start.
    pub(crate) lost: bool,
}

impl Source {
    pub(crate) fn new(flow: &mut Flow) -> Self {
        let info = *flow.info();
        let (client, server) = flow.streams();
        let half = |stream| Half {
            stream,
            datagrams: info.transport == Transport::Udp,
            length: None,
            footing: if info.midstream { Footing::Lost } else { Footing::Start },
            ended: false,
        };
        Self { halves: [half(client), half(server)], message: Vec::new(), lost: false }
    }

    /// Waits for the next message of either side; `None` when both have ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Arrived>> {
        poll_fn(|cx| {
            for half in &mut self.halves {
                if half.ended {
                    continue;
                }
                let sender = half.stream.side();
                // What this has read is kept in `half`, so that it can be dropped.
                let arrived = pin!(half.next(&mut self.message)).poll(cx);
                match arrived {
                    Poll::Ready(Ok(cut)) => return Poll::Ready(Ok(Some(Arrived { sender, cut }))),
                    Poll::Ready(Err(Error::Read(_))) => half.ended = true,
                    // Between messages after all: where the next one starts can not be found.
                    Poll::Ready(Err(Error::Decline(_))) if half.footing == Footing::Lost => {
                        half.stream.done();
                        half.ended = true;
                        self.lost = true;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {}
                }
            }
            if self.halves.iter().all(|half| half.ended) {
                return Poll::Ready(Ok(None));
            }
            Poll::Pending
        })
        .await
    }
}

/// What is known of the place on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Footing {
    /// The first message starts here, if this is DNS.
    Start,
    /// A message starts here.
    Sure,
    /// Bytes are missing before: a message may start here.
    Lost,
}

/// One side.
struct Half {
    stream: ByteStream,
    datagrams: bool,
    /// Of the message that is being read.
    length: Option<usize>,
    footing: Footing,
    ended: bool,
}

impl Half {
    /// Reads the next message; says whether its end is missing.
    async fn next(&mut self, message: &mut Vec<u8>) -> Result<bool> {
        message.clear();
        if self.datagrams {
            return self.datagram(message).await;
        }
        loop {
            let length = match self.length {
                Some(length) => length,
                None => self.begin().await?,
            };
            let here = match self.stream.look_ahead(length).await {
                Ok(_) => length,
                Err(ReadError::Gap(gap)) => gap.cut,
                Err(ReadError::End(end)) => end.unread,
                Err(error) => return Err(error.into()),
            };
            message.extend_from_slice(self.stream.read_exact(here).await?);
            // A gap is left out as far as it lies within the message.
            self.stream.skip((length - here) as u64);
            self.length = None;
            if here >= HEADER {
                return Ok(here < length);
            }
        }
    }

    async fn datagram(&mut self, message: &mut Vec<u8>) -> Result<bool> {
        loop {
            match self.stream.datagram().await {
                Ok(datagram) => {
                    message.extend_from_slice(datagram);
                    return Ok(false);
                }
                Err(ReadError::Gap(_)) => {} // the end of the one before
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Finds the start of a message and reads its length.
    async fn begin(&mut self) -> Result<usize> {
        loop {
            match self.look_at_start().await {
                Ok(length) => {
                    self.stream.skip(PREFIX as u64);
                    self.length = Some(length);
                    self.footing = Footing::Sure;
                    return Ok(length);
                }
                Err(Error::Read(ReadError::Gap(gap))) => {
                    self.stream.skip(gap.length.saturating_add(gap.cut as u64));
                    self.footing = Footing::Lost;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Looks whether a message starts here; returns its length.
    async fn look_at_start(&mut self) -> Result<usize> {
        let prefix = self.stream.look_ahead(PREFIX).await?;
        let length = prefix.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        if self.footing == Footing::Sure {
            let short = "a message is shorter than its header";
            return if length < HEADER { Err(Error::violation(short)) } else { Ok(length) };
        }
        let is_start = if length < HEADER {
            false
        } else {
            let start = self.stream.look_ahead(PREFIX + HEADER).await?;
            let header = Header::read(start.get(PREFIX..).unwrap_or_default());
            match self.footing {
                Footing::Lost => header.is_certain(length),
                Footing::Start | Footing::Sure => header.is_plausible(false),
            }
        };
        if is_start { Ok(length) } else { Err(Error::decline("no message starts here")) }
    }
}
