//! What can go wrong with a capture, by the operator's hand or the file's damage.

use std::{fmt, io, path::PathBuf};

use super::compressed::{Broken, Compression};

/// A place in a capture, in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// The byte; the first one is 0.
    pub byte: u64,
    /// The file is compressed, and the byte is one of what it unpacks to.
    pub decompressed: bool,
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = if self.decompressed { " (decompressed)" } else { "" };
        write!(f, "{}{of}", self.byte)
    }
}

/// Why a source cannot go on.
///
/// Every message names the file or interface, the place in it, and the cure. Frame numbers count from
/// 1 within that file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file cannot be opened.
    #[error("{}: cannot open it; check the path and that you may read it", file.display())]
    Open {
        /// The file, as it was named.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// A folder was named where a file belongs.
    #[error("{}: is a folder; name the capture files in it", file.display())]
    Folder {
        /// The folder, as it was named.
        file: PathBuf,
    },

    /// Reading failed half-way: a disk or network error.
    #[error(
        "{}: cannot read on at byte {offset}, after frame {frames}; check the disk or the network \
         share, or copy the file first",
        file.display()
    )]
    Read {
        /// The file.
        file: PathBuf,
        /// Where reading stopped.
        offset: Offset,
        /// How many frames were read before.
        frames: u64,
        /// The system's reason.
        source: io::Error,
    },

    /// The file has no bytes.
    #[error("{}: is empty (0 bytes); record it again, or check the command that writes it", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },

    /// The compressed stream is cut short, damaged, or not one that we unpack; all frames in what it
    /// unpacked to were yielded.
    #[error(
        "{}: {problem} at byte {offset}, after frame {frames}; what came before was read, record or \
         copy the file again for the rest",
        file.display()
    )]
    Compressed {
        /// The file.
        file: PathBuf,
        /// How it is compressed.
        compression: Compression,
        /// Where what it unpacked to ends.
        offset: Offset,
        /// How many whole frames came before.
        frames: u64,
        /// What is wrong with the stream.
        problem: String,
    },

    /// More captures overlap in time than are merged at once.
    #[error(
        "{}: left out: {limit} captures are open that were recorded at the same time, and more are \
         not merged at once; merge some of them first (mergecap)",
        file.display()
    )]
    TooManyOpen {
        /// The file.
        file: PathBuf,
        /// How many files may be open.
        limit: usize,
    },

    /// The file is neither pcap nor pcapng.
    #[error("{}: not a pcap or pcapng capture: {hint}", file.display())]
    NotACapture {
        /// The file.
        file: PathBuf,
        /// What it looks like, and what to do about it.
        hint: String,
    },

    /// The file is of a version that nobody writes, or that is newer than this program.
    #[error(
        "{}: {format} version {major}.{minor} at byte {offset} is not supported (supported: \
         {supported}); export it as pcapng from the program that wrote it",
        file.display()
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// Where the header or section with that version starts.
        offset: Offset,
        /// `pcap` or `pcapng`.
        format: &'static str,
        /// The file's major version.
        major: u16,
        /// The file's minor version.
        minor: u16,
        /// The versions that can be read.
        supported: &'static str,
    },

    /// The file ends inside a record; all frames before it were yielded.
    #[error(
        "{}: cut short: it ends inside the {what} at byte {offset}, after frame {frames}; what \
         came before was read, record or copy the file again for the rest",
        file.display()
    )]
    Truncated {
        /// The file.
        file: PathBuf,
        /// Where the unfinished part starts.
        offset: Offset,
        /// How many whole frames came before.
        frames: u64,
        /// What is unfinished.
        what: &'static str,
    },

    /// A record claims more captured bytes than [`MAX_CAPLEN`](super::MAX_CAPLEN).
    #[error(
        "{}: damaged: frame {frame} at byte {offset} claims {caplen} captured bytes, more than the \
         limit of 262144; what came before was read, record or copy the file again for the rest",
        file.display()
    )]
    TooLong {
        /// The file.
        file: PathBuf,
        /// Where the frame's record starts.
        offset: Offset,
        /// The frame.
        frame: u64,
        /// The length it claims, in bytes.
        caplen: u32,
    },

    /// A record contradicts itself or the file.
    #[error(
        "{}: damaged at byte {offset}, after frame {frames}: {what}; what came before was read, \
         record or copy the file again for the rest",
        file.display()
    )]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where the damaged record starts.
        offset: Offset,
        /// How many frames came before.
        frames: u64,
        /// The contradiction.
        what: String,
    },

    /// The filter is not one that libpcap understands.
    #[error("bad filter `{filter}`: {message}; see pcap-filter(7) for the syntax")]
    Filter {
        /// The filter, as it was given.
        filter: String,
        /// What libpcap says.
        message: String,
    },

    /// The filter is sound, but not for frames of this link type.
    #[error(
        "{}: filter `{filter}` cannot be used on link type {link} (frame {frame}): {message}; none \
         of its frames pass, leave the filter or the file out",
        file.display()
    )]
    FilterLink {
        /// The file.
        file: PathBuf,
        /// The filter, as it was given.
        filter: String,
        /// The `LINKTYPE_` number.
        link: u32,
        /// The first frame of that link type.
        frame: u64,
        /// What libpcap says.
        message: String,
    },

    /// There is no interface of that name.
    #[error("{interface}: no such interface; there are: {available}")]
    NoInterface {
        /// The interface, as it was named.
        interface: String,
        /// The names of those that exist, comma-separated.
        available: String,
    },

    /// The system does not let this process capture.
    #[error(
        "{interface}: no permission to capture ({message}); run as root, or once: sudo setcap \
         cap_net_raw,cap_net_admin=eip {program}"
    )]
    Permission {
        /// The interface.
        interface: String,
        /// What libpcap says.
        message: String,
        /// The path of this program, or a word for it.
        program: String,
    },

    /// Capturing failed for another reason.
    #[error(
        "{interface}: capturing failed after frame {frames}: {message}; check that the interface \
         is up (ip link show)"
    )]
    Live {
        /// The interface.
        interface: String,
        /// How many frames it had yielded.
        frames: u64,
        /// What libpcap says.
        message: String,
    },
}

/// What a format's reader found wrong, before the file and the frame's number are added.
#[derive(Debug)]
pub(super) enum Damage {
    Read(io::Error),
    Broken(Broken),
    Version { offset: u64, format: &'static str, major: u16, minor: u16, supported: &'static str },
    Cut { offset: u64, what: &'static str },
    TooLong { offset: u64, caplen: u32 },
    Corrupt { offset: u64, what: String },
}

impl From<io::Error> for Damage {
    fn from(source: io::Error) -> Self {
        source.downcast().map_or_else(Self::Read, Self::Broken)
    }
}

impl Damage {
    /// Adds where it happened: the file, how many of its frames were whole, and how far was read.
    pub(super) fn in_file(self, file: PathBuf, frames: u64, read_to: Offset) -> CaptureError {
        let at = |byte| Offset { byte, ..read_to };
        match self {
            Self::Read(source) => CaptureError::Read { file, offset: read_to, frames, source },
            Self::Broken(broken) => CaptureError::Compressed {
                file,
                compression: broken.compression,
                offset: Offset { decompressed: true, ..read_to },
                frames,
                problem: broken.to_string(),
            },
            Self::Version { offset, format, major, minor, supported } => {
                let offset = at(offset);
                CaptureError::Version { file, offset, format, major, minor, supported }
            }
            Self::Cut { offset, what } => {
                CaptureError::Truncated { file, offset: at(offset), frames, what }
            }
            Self::TooLong { offset, caplen } => {
                CaptureError::TooLong { file, offset: at(offset), frame: frames + 1, caplen }
            }
            Self::Corrupt { offset, what } => {
                CaptureError::Corrupt { file, offset: at(offset), frames, what }
            }
        }
    }
}
