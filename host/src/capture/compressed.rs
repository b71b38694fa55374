//! Compressed captures: gzip, zstd and lz4, recognised by content and unpacked as a stream.
//!
//! A file may have several gzip members, zstd frames or lz4 frames one after the other, as `cat`, `bgzip`
//! and `pzstd` make them; we call each of them a member. Memory does not depend on how much a file
//! unpacks to: gzip needs 32 KiB, lz4 up to 12 MiB, zstd the window that a frame asks for, of which
//! 128 MiB are granted at most.

use std::{
    fmt,
    io::{self, BufRead, ErrorKind, Read},
    mem,
};

use flate2::bufread::GzDecoder;
use lz4_flex::frame::FrameDecoder;

use super::{endian::Endian, window::Window};

mod zstd;

/// How a capture file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The LZ4 frame format, 1.6.
    Lz4,
}

impl Compression {
    /// Recognises a member by its first four bytes.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        [
            (&b"\x1f\x8b\x08"[..], Self::Gzip),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
            (b"\x04\x22\x4d\x18", Self::Lz4),
        ]
        .into_iter()
        .find_map(|(magic, compression)| head.starts_with(magic).then_some(compression))
    }

    /// The program that packs and unpacks it, and the format's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a compressed stream cannot be unpacked further. It travels in an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("the {compression} stream {fault}")]
pub(super) struct Broken {
    pub(super) compression: Compression,
    fault: Fault,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("ends early")]
    Cut,
    #[error("is damaged ({0})")]
    Damaged(String),
    #[error("is followed by something that is not {0}")]
    Followed(Compression),
    #[error(
        "wants more than {} MiB of memory to be unpacked (pack it again without --long or --ultra)",
        zstd::MAX_WINDOW >> 20
    )]
    Window,
    #[error("needs a dictionary, which cannot be given (pack it again without one)")]
    Dictionary,
}

impl Fault {
    fn of(self, compression: Compression) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, Broken { compression, fault: self })
    }
}

/// Returns a window on what `window`'s stream unpacks to, or on the stream itself if it is not
/// compressed.
pub(super) fn unpack(mut window: Window) -> io::Result<(Window, Option<Compression>)> {
    if !skip_skippable(&mut window)? {
        return Err(Fault::Cut.of(Compression::Zstd)); // whose writers put such frames in front
    }
    match Compression::of(window.unread()) {
        None => Ok((window, None)),
        Some(compression) => {
            let state = State::Between(Packed { window, ended: false, failed: false });
            Ok((Window::new(Box::new(Unpacker { compression, state })), Some(compression)))
        }
    }
}

/// Skips frames of metadata, which zstd and lz4 share; false if the stream ends in one.
///
/// Four bytes are then unread, if there are so many.
fn skip_skippable(window: &mut Window) -> io::Result<bool> {
    while window.fill(4)? && Endian::Little.u32(window.unread(), 0) & 0xffff_fff0 == 0x184d_2a50 {
        if !window.fill(8)? {
            return Ok(false);
        }
        let length = Endian::Little.u32(window.unread(), 4);
        if !window.skip(8 + u64::from(length))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The packed bytes.
struct Packed {
    window: Window,
    /// A decoder wanted more bytes than there are.
    ended: bool,
    /// Reading failed; what the decoder says is that error.
    failed: bool,
}

impl BufRead for Packed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.window.unread().is_empty() {
            let filled = self.window.fill(1);
            self.failed |= filled.is_err();
            self.ended |= !filled?;
        }
        Ok(self.window.unread())
    }

    fn consume(&mut self, n: usize) {
        self.window.consume(n);
    }
}

impl Read for Packed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buf)?;
        self.consume(n);
        Ok(n)
    }
}

/// Reads what a file unpacks to, member after member.
struct Unpacker {
    compression: Compression,
    state: State,
}

enum State {
    Between(Packed),
    Inside(Box<Member>),
    /// At the end, or behind an error.
    Over,
}

enum Member {
    Gzip(GzDecoder<Packed>),
    Zstd(Box<zstd::Decoder<Packed>>),
    Lz4(FrameDecoder<Packed>),
}

/// The most that a decoder is asked for at once, in bytes: what it had unpacked before it finds damage
/// in the same call is lost.
const STEP: usize = 16 * 1024;

impl Read for Unpacker {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let room = buf.len().min(STEP);
        let buf = buf.get_mut(..room).unwrap_or_default();
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            match mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Between(packed) => match self.member(packed)? {
                    Some(member) => self.state = State::Inside(Box::new(member)),
                    None => return Ok(0),
                },
                State::Inside(mut member) => match member.read(buf) {
                    Ok(0) => self.state = State::Between(self.end(*member)?),
                    Ok(n) => {
                        self.state = State::Inside(member);
                        return Ok(n);
                    }
                    Err(error) => return Err(self.explain(error, member.packed())),
                },
            }
        }
    }
}

impl Unpacker {
    /// Starts on the next member; `None` at the end of the file.
    fn member(&self, mut packed: Packed) -> io::Result<Option<Member>> {
        let skips = self.compression != Compression::Gzip;
        if skips && !skip_skippable(&mut packed.window)? {
            return Err(Fault::Cut.of(self.compression));
        }
        if !packed.window.fill(4)? && packed.window.unread().is_empty() {
            return Ok(None);
        }
        if Compression::of(packed.window.unread()) != Some(self.compression) {
            return Err(Fault::Followed(self.compression).of(self.compression));
        }
        Ok(Some(match self.compression {
            Compression::Gzip => Member::Gzip(GzDecoder::new(packed)),
            Compression::Zstd => Member::Zstd(Box::new(zstd::Decoder::new(packed))),
            Compression::Lz4 => Member::Lz4(FrameDecoder::new(packed)),
        }))
    }

    /// Takes the packed bytes back from a decoder that has come to an end.
    fn end(&self, member: Member) -> io::Result<Packed> {
        Ok(match member {
            Member::Gzip(decoder) => decoder.into_inner(),
            Member::Zstd(decoder) => decoder.into_inner(),
            Member::Lz4(decoder) => {
                let packed = decoder.into_inner();
                // The decoder takes the end of the file for the end of the frame; a whole frame has an
                // end mark, behind which it reads no more.
                if packed.ended {
                    return Err(Fault::Cut.of(self.compression));
                }
                packed
            }
        })
    }

    /// Says what is wrong with the stream, unless it could not be read.
    fn explain(&self, error: io::Error, packed: &Packed) -> io::Error {
        if packed.failed {
            return error;
        }
        let fault = match error.downcast::<zstd::Refused>() {
            Ok(zstd::Refused::Window) => Fault::Window,
            Ok(zstd::Refused::Dictionary) => Fault::Dictionary,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Fault::Cut,
            Err(error) => Fault::Damaged(error.to_string()),
        };
        fault.of(self.compression)
    }
}

impl Member {
    fn packed(&self) -> &Packed {
        match self {
            Self::Gzip(decoder) => decoder.get_ref(),
            Self::Zstd(decoder) => decoder.get_ref(),
            Self::Lz4(decoder) => decoder.get_ref(),
        }
    }
}

impl Read for Member {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buf),
            Self::Zstd(decoder) => decoder.read(buf),
            Self::Lz4(decoder) => decoder.read(buf),
        }
    }
}
