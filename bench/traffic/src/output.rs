//! Where frames go.

use std::io::{self, BufWriter, Write};

use crate::bits::{len32, low32};

/// One Ethernet frame.
#[derive(Clone, Copy, Debug)]
pub struct Generated<'a> {
    /// When a capture sees it: nanoseconds since the Unix epoch. It grows from frame to frame.
    pub at: u64,
    /// The frame from the Ethernet header on, without a frame check sequence.
    pub bytes: &'a [u8],
}

/// Takes the frames of a generator, in order. An error stops the generator, which returns it.
pub type Output<'a> = dyn FnMut(Generated<'_>) -> io::Result<()> + 'a;

/// What a generator made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Flows begun.
    pub flows: u64,
    /// Frames handed out: what a lossy capture has, not what was sent.
    pub frames: u64,
    /// Bytes of all frames.
    pub bytes: u64,
    /// The time of the last frame, or the time at which the first one would have been.
    pub last: u64,
}

/// The clock of a generator and the way out for its frames.
pub(crate) struct Wire<'a, 'b> {
    output: &'a mut Output<'b>,
    step: u64,
    summary: Summary,
}

impl<'a, 'b> Wire<'a, 'b> {
    /// The first frame leaves at `start`, the next ones `step` nanoseconds apart on average.
    pub(crate) fn new(output: &'a mut Output<'b>, start: u64, step: u64) -> Self {
        let summary = Summary { last: start, ..Summary::default() };
        Self { output, step: step.max(1), summary }
    }

    pub(crate) fn now(&self) -> u64 {
        self.summary.last
    }

    pub(crate) fn begin_flow(&mut self) {
        self.summary.flows += 1;
    }

    pub(crate) fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        if self.summary.frames > 0 {
            // Uneven steps from half to one and a half, without a state of their own.
            let uneven = self.summary.frames.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let step = self.step / 2 + ((self.step * (uneven & 0xff)) >> 8);
            self.summary.last += step.max(1);
        }
        self.summary.frames += 1;
        self.summary.bytes += frame.len() as u64;
        (self.output)(Generated { at: self.summary.last, bytes: frame })
    }

    pub(crate) fn finish(self) -> Summary {
        self.summary
    }
}

const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const SNAPLEN: u32 = 262_144;
const LINKTYPE_ETHERNET: u32 = 1;

/// Writes all frames that `generate` makes as a pcap file with nanoseconds. Several generators may
/// be run one after the other inside `generate`.
///
/// # Errors
///
/// What `to` fails with.
pub fn write_pcap<W: Write, T>(
    to: W,
    generate: impl FnOnce(&mut Output<'_>) -> io::Result<T>,
) -> io::Result<T> {
    let mut to = BufWriter::with_capacity(1 << 20, to);
    let mut header = Vec::with_capacity(24);
    header.extend(MAGIC_NANOSECONDS.to_le_bytes());
    header.extend(2_u16.to_le_bytes());
    header.extend(4_u16.to_le_bytes());
    header.extend([0; 8]);
    header.extend(SNAPLEN.to_le_bytes());
    header.extend(LINKTYPE_ETHERNET.to_le_bytes());
    to.write_all(&header)?;
    let made = generate(&mut |frame| {
        let mut header = [0; 16];
        let len = len32(frame.bytes).to_le_bytes();
        header[..4].copy_from_slice(&low32(frame.at / 1_000_000_000).to_le_bytes());
        header[4..8].copy_from_slice(&low32(frame.at % 1_000_000_000).to_le_bytes());
        header[8..12].copy_from_slice(&len);
        header[12..].copy_from_slice(&len);
        to.write_all(&header)?;
        to.write_all(frame.bytes)
    })?;
    to.flush()?;
    Ok(made)
}
