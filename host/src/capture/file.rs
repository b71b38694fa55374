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
    CaptureError, Compression, Frame, Next, Offset, Precision, Source, Stats, compressed,
    endian::Endian, error::Damage, foreign, interfaces::Interfaces, pcap, pcapng, snoop,
    window::Window,
};

/// Reads one capture file, pcap, pcapng or snoop, compressed or not, as a stream.
#[derive(Debug)]
pub struct FileSource {
    file: PathBuf,
    window: Window,
    format: Format,
    /// The frame whose bytes are the first unread ones.
    current: Option<Meta>,
    /// Frames read from this file so far.
    frames: u64,
    compression: Option<Compression>,
    interfaces: Interfaces,
    /// Of the current frame, in the run.
    interface: u32,
    /// How many interfaces were numbered, where this file is all of the run.
    interfaces_seen: u32,
    /// The file has ended or is damaged; nothing more is read.
    ended: bool,
}

#[derive(Debug)]
enum Format {
    Pcap(pcap::Reader),
    Pcapng(pcapng::Reader),
    Snoop(snoop::Reader),
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
    /// Counts the sections of a pcapng file; 0 in others.
    pub(super) section: u64,
    /// The number of the interface within its section.
    pub(super) interface: u32,
}

impl FileSource {
    /// Opens a capture file; `-` is standard input.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or read, is empty, is not a capture, is of an unsupported version,
    /// is compressed in a way that cannot be unpacked, or ends inside its header.
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
        let (mut window, compression) = match compressed::unpack(Window::new(input)) {
            Ok(unpacked) => unpacked,
            Err(error) => {
                let start = Offset { byte: 0, decompressed: false };
                return Err(Damage::from(error).in_file(file, 0, start));
            }
        };
        let format = match Format::recognise(&mut window) {
            Ok(Some(format)) => format,
            Ok(None) => return Err(unrecognised(file, window.unread(), compression)),
            Err(damage) => return Err(damage.in_file(file, 0, read_to(&window, compression))),
        };
        Ok(Self {
            file,
            window,
            format,
            current: None,
            frames: 0,
            compression,
            interfaces: Interfaces::default(),
            interface: 0,
            interfaces_seen: 0,
            ended: false,
        })
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
            Format::Snoop(reader) => reader.advance(&mut self.window),
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
                let read_to = read_to(&self.window, self.compression);
                Err(damage.in_file(self.file.clone(), self.frames, read_to))
            }
        }
    }

    /// Numbers the current frame's interface in a run of which `seen` counts the interfaces.
    pub(super) fn number_interface(&mut self, seen: &mut u32) {
        if let Some(Meta { section, interface, .. }) = self.current {
            self.interface = self.interfaces.number(section, interface, seen);
        }
    }

    /// Returns the frame that [`advance`](Self::advance) moved to, numbered within this file.
    pub(super) fn current(&self) -> Option<Frame<'_>> {
        let Meta { ts, link, len, caplen, precision, .. } = self.current?;
        let (number, interface) = (self.frames, self.interface);
        let bytes = self.window.unread().get(..caplen)?;
        Some(Frame { raw: RawFrame { number, ts, interface, link, len, bytes }, precision })
    }

    /// Returns the time of the frame that [`advance`](Self::advance) moved to.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.current.map(|meta| meta.ts)
    }
}

impl Source for FileSource {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        self.advance()?;
        let mut seen = self.interfaces_seen;
        self.number_interface(&mut seen);
        self.interfaces_seen = seen;
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
            if window.unread().starts_with(&snoop::MAGIC[..4])
                && window.fill(snoop::MAGIC.len())?
                && window.unread().starts_with(&snoop::MAGIC)
            {
                return snoop::Reader::open(window).map(|reader| Some(Self::Snoop(reader)));
            }
            window.fill(foreign::PEEK)?;
        }
        Ok(None)
    }
}

/// How far was read.
fn read_to(window: &Window, compression: Option<Compression>) -> Offset {
    let byte = window.offset() + window.unread().len() as u64;
    Offset { byte, decompressed: compression.is_some() }
}

/// Says what a file is that starts with `head`, in what it unpacks to if it is compressed.
fn unrecognised(file: PathBuf, head: &[u8], compression: Option<Compression>) -> CaptureError {
    let hint = match (compression, Compression::of(head)) {
        (None, _) if head.is_empty() => return CaptureError::Empty { file },
        (None, _) => foreign::hint(head),
        (Some(outer), _) if head.is_empty() => format!("the {outer} stream in it has 0 bytes"),
        (Some(outer), Some(inner)) => format!(
            "it is {inner}-compressed inside of {outer}, and only one of them is unpacked; unpack \
             the outer one first ({outer} -dc FILE | flowcell run -r -)"
        ),
        (Some(outer), None) => format!("inside of {outer}, {}", foreign::hint(head)),
    };
    CaptureError::NotACapture { file, hint }
}
