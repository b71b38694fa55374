//! Bodies (RFC 9112 §6 and §7): streamed through a digest, never held.

use flowcell_sdk::Sha256;
use flowcell_sdk::prelude::*;

use crate::anomalies::{Anomalies, Anomaly};
use crate::framing::Framing;
use crate::header::{Field, Header, LINE_MAX};
use crate::text::{split, trim};

/// What is known of a body.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Bytes of content, the missing ones included.
    pub(crate) length: u64,
    /// Those of them that are missing.
    pub(crate) missed: u64,
    /// In hexadecimal; not if bytes are missing.
    pub(crate) sha256: Option<String>,
    /// All of it has passed, nothing missing.
    pub(crate) whole: bool,
    /// What chunks and trailers did that they should not.
    pub(crate) anomalies: Anomalies,
}

/// What stands behind a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next message.
    Next,
    /// Nobody knows: bytes are missing in front of it.
    Lost,
    /// Nobody knows: the framing makes no sense.
    Junk,
    /// Nothing: the side has ended.
    Ended,
}

/// Why a body was not read as its framing says.
enum Broken {
    Read(ReadError),
    Chunk(Anomaly),
}

impl From<ReadError> for Broken {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// A body as it is read.
struct Reader<'a> {
    stream: &'a mut ByteStream,
    body: Body,
    digest: Option<Sha256>,
}

/// Reads a body.
pub(crate) async fn read(stream: &mut ByteStream, framing: Framing) -> (Body, Then) {
    let mut reader = Reader { stream, body: Body::default(), digest: None };
    let outcome = match framing {
        Framing::Nothing => Ok(()),
        Framing::Length(length) => reader.counted(length).await,
        Framing::Chunked => reader.chunked().await,
        Framing::UntilClose => reader.until_close().await,
    };
    let mut body = reader.body;
    let mut all = false;
    let then = match outcome {
        Ok(()) => {
            (body.whole, all) = (body.missed == 0, true);
            Then::Next
        }
        Err(Broken::Read(ReadError::Gap(_))) => Then::Lost,
        Err(Broken::Read(ReadError::End(end))) => {
            // RFC 9112 §8: only a proper close ends a body that has no other end. But for many servers
            // and captures, the end is just not proper.
            all = framing == Framing::UntilClose;
            body.whole = all && body.missed == 0 && end.reason == EndReason::Fin;
            Then::Ended
        }
        Err(Broken::Read(ReadError::TooLong { .. })) => Then::Junk,
        Err(Broken::Chunk(anomaly)) => {
            body.anomalies.add(anomaly);
            Then::Junk
        }
    };
    if let (true, Some(digest)) = (all, reader.digest) {
        body.sha256 = Some(digest.finish_hex());
    }
    (body, then)
}

impl Reader<'_> {
    /// RFC 9112 §6.2: as many bytes as were said. A gap within them is stepped over.
    async fn counted(&mut self, length: u64) -> Result<(), Broken> {
        let mut left = length;
        while left > 0 {
            match self.stream.read_some(left).await {
                Ok(bytes) => {
                    left = left.saturating_sub(bytes.len() as u64);
                    feed(&mut self.digest, &mut self.body, bytes);
                }
                Err(ReadError::Gap(gap)) => {
                    self.miss(gap.length.min(left));
                    if gap.length > left {
                        return Err(ReadError::Gap(gap).into());
                    }
                    left -= gap.length;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// RFC 9112 §7.1: chunks, each with its size in front and a line end behind, up to one of size 0;
    /// then trailer fields.
    async fn chunked(&mut self) -> Result<(), Broken> {
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                break;
            }
            self.counted(size).await?;
            let end = self.stream.peek(1).await?;
            let end = if end == b"\n" { 1 } else { 2 };
            match self.stream.peek(end).await? {
                b"\r\n" => {}
                b"\n" => self.body.anomalies.add(Anomaly::BareLf),
                _ => return Err(Broken::Chunk(Anomaly::BadChunkEnd)),
            }
            self.stream.read_exact(end).await?;
        }
        let mut trailer = Header::new(self.stream.side());
        let outcome = trailer.read(self.stream).await;
        self.body.anomalies.add_all(trailer.anomalies);
        let framing = [Field::ContentLength, Field::TransferEncoding, Field::Host];
        if framing.iter().any(|field| trailer.get(*field).is_some()) {
            self.body.anomalies.add(Anomaly::FramingInTrailer);
        }
        Ok(outcome?)
    }

    /// Hexadecimal digits, then extensions behind a semicolon (RFC 9112 §7.1.1), which nobody uses.
    async fn chunk_size(&mut self) -> Result<u64, Broken> {
        let part = self.stream.get_line_part(LINE_MAX).await?;
        if part.line.is_bare_lf() {
            self.body.anomalies.add(Anomaly::BareLf);
        }
        let mut whole = part.last;
        let (size, _) = split(part.line.bytes(), b';');
        let size = hexadecimal(trim(size));
        while !whole {
            whole = self.stream.get_line_part(LINE_MAX).await?.last;
        }
        size.map_err(Broken::Chunk)
    }

    /// RFC 9112 §6.3: everything up to the end.
    async fn until_close(&mut self) -> Result<(), Broken> {
        loop {
            match self.stream.rest().await {
                Ok(Some(bytes)) => feed(&mut self.digest, &mut self.body, bytes),
                Ok(None) => break,
                Err(ReadError::Gap(gap)) => {
                    self.miss(gap.length);
                }
                Err(error) => return Err(error.into()),
            }
        }
        // Says how the side has ended.
        self.stream.peek(1).await?;
        Ok(())
    }

    fn miss(&mut self, count: u64) {
        self.body.length = self.body.length.saturating_add(count);
        self.body.missed = self.body.missed.saturating_add(count);
        self.digest = None;
    }
}

fn feed(digest: &mut Option<Sha256>, body: &mut Body, bytes: &[u8]) {
    body.length = body.length.saturating_add(bytes.len() as u64);
    if body.missed == 0 {
        digest.get_or_insert_with(Sha256::new).update(bytes);
    }
}

fn hexadecimal(text: &[u8]) -> Result<u64, Anomaly> {
    if text.is_empty() {
        return Err(Anomaly::BadChunkSize);
    }
    let mut overflow = false;
    let value = text.iter().try_fold(0u64, |value, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        overflow |= value >> 60 != 0;
        Some(value << 4 | u64::from(digit))
    });
    match value {
        None => Err(Anomaly::BadChunkSize),
        Some(_) if overflow => Err(Anomaly::ChunkSizeOverflow),
        Some(value) => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::hexadecimal;
    use crate::anomalies::Anomaly;

    #[test]
    fn chunk_sizes_of_64_bits() {
        assert_eq!(hexadecimal(b"0"), Ok(0));
        assert_eq!(hexadecimal(b"000000000000000000000001Af"), Ok(0x1af));
        assert_eq!(hexadecimal(b"ffffffffffffffff"), Ok(u64::MAX));
        assert_eq!(hexadecimal(b"10000000000000000"), Err(Anomaly::ChunkSizeOverflow));
        for bad in ["", "0x5", "-1", "+1", "5 5", "g"] {
            assert_eq!(hexadecimal(bad.as_bytes()), Err(Anomaly::BadChunkSize), "{bad}");
        }
    }
}
