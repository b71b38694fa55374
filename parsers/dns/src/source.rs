//! The messages of both sides, in the order in which they became complete.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use flowcell_sdk::Datagrams;
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
    sides: Sides,
    /// The message that arrived last.
    pub(crate) message: Vec<u8>,
    /// A side was given up, because it could not be found where its messages start.
    pub(crate) lost: bool,
}

enum Sides {
    Datagrams(Datagrams),
    Streams([Half; 2]),
}

impl Source {
    pub(crate) fn new(flow: &mut Flow) -> Self {
        let (transport, midstream) = (flow.info().transport, flow.info().midstream);
        let footing = if midstream { Footing::Lost } else { Footing::Start };
        let half = |stream| Half { stream, length: None, footing, ended: false };
        let sides = match transport {
            Transport::Udp => Sides::Datagrams(flow.datagrams()),
            Transport::Tcp => {
                let (client, server) = flow.streams();
                Sides::Streams([half(client), half(server)])
            }
        };
        Self { sides, message: Vec::new(), lost: false }
    }

    /// Waits for the next message of either side; `None` when both have ended. `resting`: nothing of what
    /// came before matters.
    pub(crate) async fn next(&mut self, resting: bool) -> Result<Option<Arrived>> {
        let Self { sides, message, lost } = self;
        message.clear();
        match sides {
            Sides::Datagrams(datagrams) => Ok(datagram(datagrams, message, resting).await?),
            Sides::Streams(halves) => {
                poll_fn(|cx| {
                    for half in &mut *halves {
                        let arrived = half.poll(cx, message, lost);
                        if !matches!(arrived, Poll::Ready(Ok(None)) | Poll::Pending) {
                            return arrived;
                        }
                    }
                    let over = halves.iter().all(|half| half.ended);
                    if over { Poll::Ready(Ok(None)) } else { Poll::Pending }
                })
                .await
            }
        }
    }
}

async fn datagram(
    from: &mut Datagrams,
    message: &mut Vec<u8>,
    resting: bool,
) -> Result<Option<Arrived>> {
    loop {
        let next = if resting { from.next_resting().await } else { from.next().await };
        match next {
            Ok(Some(datagram)) => {
                message.extend_from_slice(datagram.bytes);
                return Ok(Some(Arrived { sender: datagram.side, cut: false }));
            }
            Ok(None) => return Ok(None),
            Err(ReadError::Gap(_)) => {} // the end of the one before
            Err(error) => return Err(error.into()),
        }
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

/// One side of a stream.
struct Half {
    stream: ByteStream,
    /// Of the message that is being read.
    length: Option<usize>,
    footing: Footing,
    ended: bool,
}

impl Half {
    /// The next message, or `None` when this side has ended.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Vec<u8>,
        lost: &mut bool,
    ) -> Poll<Result<Option<Arrived>>> {
        if self.ended {
            return Poll::Ready(Ok(None));
        }
        let sender = self.stream.side();
        // How far it has read is kept in `self`, so that it can be dropped.
        let arrived = ready!(pin!(self.next(message)).poll(cx));
        match arrived {
            Ok(cut) => return Poll::Ready(Ok(Some(Arrived { sender, cut }))),
            Err(Error::Read(_)) => {}
            // Where messages start behind a gap can not be found.
            Err(Error::Decline(_)) if self.footing == Footing::Lost => {
                self.stream.done();
                *lost = true;
            }
            Err(error) => return Poll::Ready(Err(error)),
        }
        self.ended = true;
        Poll::Ready(Ok(None))
    }

    /// Reads the next message; says whether its end is missing.
    async fn next(&mut self, message: &mut Vec<u8>) -> Result<bool> {
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
            // What is announced as shorter than a header is told as the malformed message it is.
            if here >= HEADER || here == length {
                return Ok(here < length);
            }
            message.clear();
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
            return Ok(length);
        }
        let is_start = if length < HEADER {
            false
        } else {
            let start = self.stream.look_ahead(PREFIX + HEADER).await?;
            let header = Header::read(start.get(PREFIX..).unwrap_or_default());
            header.fits(length) && (self.footing == Footing::Start || header.has_question())
        };
        if is_start { Ok(length) } else { Err(Error::decline("no message starts here")) }
    }
}
