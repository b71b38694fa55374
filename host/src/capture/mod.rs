//! Capture: where frames come from.
//!
//! Owns the reading of capture files ([`FileSource`], compressed ones too), of many of them merged by
//! time ([`Files`]) or in a folder ([`Folder`]), and of live interfaces ([`LiveSource`]), the tcpdump
//! filter ([`Filter`]), and the numbering of frames and interfaces across a run. It
//! refuses to know what is inside a frame: a link type is a number that is passed on, and one that
//! nobody can decode is no error here. The driver calls it, on one thread.
//!
//! Memory is bounded: at most [`MAX_OPEN`] files are open, each with one buffer of 512 KiB or, when
//! compressed, two and the decompressor's window; there is the kernel's ring per live interface, and a
//! frame is at most [`MAX_CAPLEN`] bytes. Frames are lent from the buffer, not copied.

mod compressed;
mod dlt;
mod endian;
mod error;
mod file;
mod filter;
mod folder;
mod foreign;
mod interfaces;
mod live;
mod many;
mod pcap;
mod pcapng;
mod snoop;
mod window;

#[cfg(test)]
mod tests;

pub use compressed::Compression;
pub use error::{CaptureError, Offset};
pub use file::FileSource;
pub use filter::Filter;
pub use folder::{Folder, LeftOut};
pub use live::LiveSource;
pub use many::{Files, MAX_OPEN, Order};

use flowcell_core::RawFrame;

use crate::documented::documented;

/// The most captured bytes a frame may have, in bytes (256 KiB).
///
/// The largest snaplen of tcpdump and Wireshark; a longer record is damage, not a packet.
pub const MAX_CAPLEN: u32 = 262_144;

/// Something that yields frames one after the other.
pub trait Source {
    /// Returns the next frame, or that there is none for now or for good.
    ///
    /// The frame borrows the source's buffer and is valid until the next call.
    ///
    /// # Errors
    ///
    /// A damaged file yields all its whole frames first, then the error. An error ends one file or
    /// interface, not the source: called again, [`Files`] goes on with its next file, the others
    /// return [`Next::End`].
    fn next(&mut self) -> Result<Next<'_>, CaptureError>;

    /// Returns whether the next frame may be long in coming: what has come so far should not wait for it.
    fn may_wait(&self) -> bool {
        false
    }

    /// Returns what was counted so far.
    fn stats(&mut self) -> Stats;
}

/// What [`Source::next`] found.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// Nothing has arrived for some milliseconds (live only): time for timers and signals.
    Idle,
    /// Nothing but frames that the filter rejects for a while: time for signals.
    Filtered,
    /// The source is exhausted, and stays so.
    End,
}

/// A frame and how exact its time is.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The frame, numbered from 1 across the run; those that a file's filter rejects count too.
    pub raw: RawFrame<'a>,
    /// How exact `raw.ts` is.
    pub precision: Precision,
}

/// How exact a timestamp is; output writes times with as many digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// Microseconds or coarser: six digits after the second.
    #[default]
    Micro,
    /// Finer than microseconds: nine digits after the second.
    Nano,
}

impl Precision {
    /// Returns the number of decimal digits after the second: 6 or 9.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Micro => 6,
            Self::Nano => 9,
        }
    }
}

documented! {
    /// What a source has counted since it was opened, in frames.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Stats {
        /// Frames that reached this process: read from the files, or handed over by the kernel.
        pub received: u64,
        /// Of those, frames that the filter rejected. Always 0 live: the kernel filters there.
        pub filtered: u64,
        /// Frames that the kernel dropped because this process was too slow for its ring.
        pub dropped_kernel: u64,
        /// Frames that the interface or its driver dropped.
        pub dropped_interface: u64,
    }
}
