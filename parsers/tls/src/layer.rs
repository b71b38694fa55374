//! The record layer (RFC 8446 §5.1, RFC 5246 §6.2.1): one side, record by record.

use std::cell::{RefCell, RefMut};

use flowcell_sdk::prelude::*;

use crate::sslv2;
use crate::talk::{Course, Talk};

/// Bytes of a record's header.
const HEADER: usize = 5;

/// Most bytes that a record may have: 2^14, and what encryption may add up to TLS 1.2 (RFC 5246 §6.2.3).
const MAX_RECORD: usize = (1 << 14) + 2_048;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
    Heartbeat,
}

/// The header of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) content: Content,
    pub(crate) length: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[kind, 3, 0..=4, high, low] = bytes else {
            return None;
        };
        let content = match kind {
            20 => Content::ChangeCipherSpec,
            21 => Content::Alert,
            22 => Content::Handshake,
            23 => Content::ApplicationData,
            24 => Content::Heartbeat,
            _ => return None,
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        (length <= MAX_RECORD).then_some(Self { content, length })
    }
}

/// One side on its way to encryption.
#[derive(Debug)]
pub(crate) struct Layer<'t, 'f> {
    side: Side,
    talk: &'t RefCell<Talk<'f>>,
}

impl<'t, 'f> Layer<'t, 'f> {
    pub(crate) fn new(side: Side, talk: &'t RefCell<Talk<'f>>) -> Self {
        Self { side, talk }
    }

    /// No borrow outlives the step that takes it.
    fn talk(&self) -> RefMut<'t, Talk<'f>> {
        self.talk.borrow_mut()
    }

    /// Reads until this side encrypts, and not a byte further.
    ///
    /// # Errors
    /// When it is not TLS, or stops being TLS.
    pub(crate) async fn follow(&self, stream: &mut ByteStream) -> Result<()> {
        let outcome = self.records(stream).await;
        stream.done();
        match outcome {
            // An end or a gap is nobody's fault: what is known by then is all that will be.
            Err(Error::Read(ReadError::End(end))) => self.talk().ended(self.side, end.unread > 0),
            Err(Error::Read(ReadError::Gap(_))) => self.talk().torn(self.side),
            outcome => outcome,
        }
    }

    async fn records(&self, stream: &mut ByteStream) -> Result<()> {
        match self.opening(stream).await? {
            Opening::Record => {}
            Opening::Sslv2 if self.side == Side::Client => self.sslv2_hello(stream).await?,
            Opening::Sslv2 => return self.talk().sslv2_answer(self.side),
            Opening::Foreign => return self.talk().foreign(self.side),
        }
        loop {
            let Some(header) = Header::read(stream.read_exact(HEADER).await?) else {
                return self.talk().nonsense(self.side, "what should be a record is none");
            };
            let course = self.talk().record(self.side, header)?;
            let course = match course {
                Course::Read => self.content(stream, header.length).await?,
                Course::Skip => {
                    stream.skip(header.length as u64);
                    Course::Read
                }
                Course::Done => Course::Done,
            };
            if course == Course::Done {
                return Ok(());
            }
        }
    }

    /// Looks at the first bytes until they can be nothing else, or can not be TLS.
    async fn opening(&self, stream: &mut ByteStream) -> Result<Opening> {
        let mut count = 1;
        loop {
            let prefix = match stream.peek(count).await {
                Ok(prefix) => prefix,
                // The first bytes are missing; the next ones may begin a record, and mostly do not.
                Err(ReadError::Gap(_)) => {
                    self.talk().torn(self.side)?;
                    count = 1;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if may_open(prefix) {
                if count == HEADER + 1 {
                    return Ok(Opening::Record);
                }
            } else if sslv2::may_open(self.side, prefix) {
                if count == sslv2::START {
                    return Ok(Opening::Sslv2);
                }
            } else {
                return Ok(Opening::Foreign);
            }
            count += 1;
        }
    }

    async fn sslv2_hello(&self, stream: &mut ByteStream) -> Result<()> {
        let header = stream.read_u16().await?.to_be_bytes();
        let message = stream.read_exact(sslv2::length(header)).await?;
        self.talk().sslv2_hello(message)
    }

    /// Hands on the content of a record, without what is missing of it.
    async fn content(&self, stream: &mut ByteStream, length: usize) -> Result<Course> {
        let mut left = length;
        loop {
            let (here, gap, ended) = match stream.look_ahead(left).await {
                Ok(_) => (left, 0, false),
                Err(ReadError::Gap(gap)) => (gap.cut, gap.length, false),
                Err(ReadError::End(end)) => (end.unread, 0, true),
                Err(error) => return Err(error.into()),
            };
            let bytes = stream.read_exact(here.min(left)).await?;
            let course = self.talk().content(self.side, bytes)?;
            left -= bytes.len();
            if left == 0 || course == Course::Done {
                return Ok(course);
            }
            if ended {
                stream.read_exact(1).await?; // says that it has ended
            }
            // Where the record ends is known: a gap inside costs what is missing and no more.
            match usize::try_from(gap) {
                Ok(gap) if gap <= left => {
                    stream.skip(gap as u64);
                    left -= gap;
                    self.talk().missing(self.side, gap)?;
                }
                _ => drop(stream.read_exact(1).await?), // says that there is a gap
            }
            if left == 0 {
                return Ok(Course::Read);
            }
        }
    }
}

/// What a side begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// A record of TLS.
    Record,
    /// A hello in the form of SSL 2.0.
    Sslv2,
    /// Something else.
    Foreign,
}

/// Whether these can be the first bytes of a side: a record with a hello, or an alert.
fn may_open(prefix: &[u8]) -> bool {
    let alert = prefix.first() == Some(&21);
    prefix.iter().enumerate().all(|(at, byte)| match (at, alert) {
        (0, _) => matches!(byte, 21 | 22),
        (1, _) => *byte == 3,
        (2, _) => *byte <= 4,
        (3, true) => *byte == 0,
        (4, true) => *byte == 2,
        (3, false) => usize::from(*byte) <= MAX_RECORD >> 8,
        (4, false) => *byte > 0 || prefix.get(3) != Some(&0),
        _ => matches!(byte, 1 | 2), // ClientHello, ServerHello; warning, fatal
    })
}
