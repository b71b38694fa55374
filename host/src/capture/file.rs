//! One capture file, or standard input.
//!
//! The format is recognised by content, never by name. The readers are our own rather than the
//! `pcap-parser` crate's, whose source (0.17) shows that it cannot do what is asked here: it reads
//! `if_tsoffset` as little-endian in big-endian sections, refuses every binary `if_tsresol`, does
//! not know the obsolete packet block, loses a whole packet to one malformed option, must hold a
//! block of any length in memory to skip it, checks no version, and reports an absurd length as
//! "buffer too small" instead of as damage at a place.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use flowcell_core::{LinkType, RawFrame, Timestamp};

use super::{
    CaptureError, Frame, Next, Precision, Source, Stats, endian::Endian, error::Damage, foreign,
    pcap, pcapng, window::Window,
};

/// Reads one capture file, pcap or pcapng, as a stream.
#[derive(Debug)]
pub struct FileSource {
    file: PathBuf,
    window: Window,
    format: Format,
    /// The frame whose bytes are the first unread ones.
    current: Option<Meta>,
    /// Frames read from this file so far.
    frames: u64,
    /// Frames of the run that came before this file.
    before: u64,
    /// The file has ended or is damaged; nothing more is read.
    ended: bool,
}

#[derive(Debug)]
enum Format {
    Pcap(pcap::Reader),
    Pcapng(pcapng::Reader),
}

/// A frame without its bytes, which are the first `caplen` unread ones of the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta {
    pub(super) ts: Timestamp,
    pub(super) link: LinkType,
    /// Bytes on the wire; ≥ `caplen`, also where the file claims less.
    pub(super) len: u32,
    /// Bytes captured; ≤ [`MAX_CAPLEN`](super::MAX_CAPLEN).
    pub(super) caplen: usize,
    pub(super) precision: Precision,
}

impl FileSource {
    /// Opens a capture file; `-` is standard input.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or read, is empty, is not a pcap or pcapng capture, is of an
    /// unsupported version, or ends inside its header.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CaptureError> {
        let path = path.as_ref();
        if path == Path::new("-") {
            return Self::read("standard input", Box::new(io::stdin()));
        }
        let file = path.to_owned();
        match File::open(path) {
            Ok(_) if path.is_dir() => Err(CaptureError::Folder { file }),
            Ok(input) => Self::read(file, Box::new(input)),
            Err(source) => Err(CaptureError::Open { file, source }),
        }
    }

    /// Reads a capture from any byte stream; `name` stands for it in errors.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn read(
        name: impl Into<PathBuf>,
        input: Box<dyn Read + Send>,
    ) -> Result<Self, CaptureError> {
        let file = name.into();
        let mut window = Window::new(input);
        let format = match Format::recognise(&mut window) {
            Ok(Some(format)) => format,
            Ok(None) if window.unread().is_empty() => return Err(CaptureError::Empty { file }),
            Ok(None) => {
                let hint = foreign::hint(
                    window.unread().get(..foreign::PEEK).unwrap_or_else(|| window.unread()),
                );
                return Err(CaptureError::NotACapture { file, hint });
            }
            Err(damage) => return Err(damage.in_file(file, 0, window.offset())),
        };
        Ok(Self { file, window, format, current: None, frames: 0, before: 0, ended: false })
    }

    /// Numbers this file's frames from `frames` + 1, as the next file of a run.
    #[must_use]
    pub fn after(mut self, frames: u64) -> Self {
        self.before = frames;
        self
    }

    /// Returns the file's name, as it was given.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns how many frames were read from this file so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Moves to the next frame and returns whether there is one.
    pub(super) fn advance(&mut self) -> Result<bool, CaptureError> {
        self.current = None;
        if self.ended {
            return Ok(false);
        }
        let advanced = match &mut self.format {
            Format::Pcap(reader) => reader.advance(&mut self.window),
            Format::Pcapng(reader) => reader.advance(&mut self.window),
        };
        match advanced {
            Ok(Some(meta)) => {
                self.current = Some(meta);
                self.frames += 1;
                Ok(true)
            }
            Ok(None) => {
                self.ended = true;
                Ok(false)
            }
            Err(damage) => {
                self.ended = true;
                let read_to = self.window.offset() + self.window.unread().len() as u64;
                Err(damage.in_file(self.file.clone(), self.frames, read_to))
            }
        }
    }

    /// Returns the frame that [`advance`](Self::advance) moved to.
    pub(super) fn current(&self) -> Option<Frame<'_>> {
        let Meta { ts, link, len, caplen, precision } = self.current?;
        let number = self.before + self.frames;
        let bytes = self.window.unread().get(..caplen)?;
        Some(Frame { raw: RawFrame { number, ts, interface: 0, link, len, bytes }, precision })
    }
}

impl Source for FileSource {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        self.advance()?;
        Ok(self.current().map_or(Next::End, Next::Frame))
    }

    fn stats(&mut self) -> Stats {
        Stats { received: self.frames, ..Stats::default() }
    }
}

impl Format {
    /// Looks at the first bytes; `None` if they are no capture's.
    fn recognise(window: &mut Window) -> Result<Option<Self>, Damage> {
        // Four bytes first: more would keep a slow pipe's reader waiting for a whole header.
        if window.fill(4)? {
            if let Some(layout) = pcap::Layout::of(window.unread()) {
                return pcap::Reader::open(layout, window).map(|reader| Some(Self::Pcap(reader)));
            }
            if Endian::Little.u32(window.unread(), 0) == pcapng::SECTION {
                return Ok(Some(Self::Pcapng(pcapng::Reader::new())));
            }
            window.fill(foreign::PEEK)?;
        }
        Ok(None)
    }
}
