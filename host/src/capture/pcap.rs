//! The classic pcap format: one file header, then records.
//!
//! Both byte orders, microseconds and nanoseconds, versions 2.0 to 2.4, and the variant with
//! longer record headers that patched kernels once wrote. The header's time zone is ignored, as
//! every reader does: writers leave it 0. Lengths that contradict the declared snaplen are
//! tolerated up to [`MAX_CAPLEN`]; a `ts_usec` of a second or more is carried over.

use flowcell_core::{LinkType, Timestamp};

use super::{MAX_CAPLEN, Precision, endian::Endian, error::Damage, file::Meta, window::Window};

const FILE_HEADER: usize = 24;

/// How a magic number says the file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    endian: Endian,
    precision: Precision,
    /// Length of a record's header, in bytes.
    record_header: usize,
}

impl Layout {
    /// Recognises a file by its first four bytes.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        [Endian::Little, Endian::Big].into_iter().find_map(|endian| {
            let (precision, record_header) = match endian.u32(head, 0) {
                0xa1b2_c3d4 => (Precision::Micro, 16),
                0xa1b2_3c4d => (Precision::Nano, 16),
                0xa1b2_cd34 => (Precision::Micro, 24), // an interface index and more follow
                _ => return None,
            };
            Some(Self { endian, precision, record_header })
        })
    }
}

/// Whether a record's two lengths are written the other way round.
#[derive(Clone, Copy, Debug)]
enum Swapped {
    No,
    Yes,
    /// Version 2.3 was written both ways; the larger one is the length on the wire.
    IfLarger,
}

/// Reads records.
#[derive(Debug)]
pub(super) struct Reader {
    layout: Layout,
    link: LinkType,
    swapped: Swapped,
    /// Bytes of the current frame, still unread in the window.
    current: usize,
}

impl Reader {
    /// Reads the file header, which `layout` recognised.
    pub(super) fn open(layout: Layout, window: &mut Window) -> Result<Self, Damage> {
        let offset = window.offset();
        if !window.fill(FILE_HEADER)? {
            return Err(Damage::Cut { offset, what: "file header" });
        }
        let header = window.unread();
        let (major, minor) = (layout.endian.u16(header, 4), layout.endian.u16(header, 6));
        if major != 2 || minor > 4 {
            let supported = "2.0 to 2.4";
            return Err(Damage::Version { offset, format: "pcap", major, minor, supported });
        }
        let swapped = match minor {
            0..3 => Swapped::Yes,
            3 => Swapped::IfLarger,
            _ => Swapped::No,
        };
        // The upper half tells the length of a frame check sequence, which decoding does not need.
        let link = LinkType(layout.endian.u32(header, 20) & 0xffff);
        window.consume(FILE_HEADER);
        Ok(Self { layout, link, swapped, current: 0 })
    }

    /// Moves to the next frame, whose bytes are then the first unread ones; `None` at the end.
    pub(super) fn advance(&mut self, window: &mut Window) -> Result<Option<Meta>, Damage> {
        window.consume(std::mem::take(&mut self.current));
        let Layout { endian, precision, record_header } = self.layout;
        let offset = window.offset();
        if !window.fill(record_header)? {
            if window.unread().is_empty() {
                return Ok(None);
            }
            return Err(Damage::Cut { offset, what: "packet header" });
        }
        let header = window.unread();
        let (seconds, fraction) = (endian.u32(header, 0), endian.u32(header, 4));
        let (first, second) = (endian.u32(header, 8), endian.u32(header, 12));
        let (caplen, len) = match self.swapped {
            Swapped::Yes => (second, first),
            Swapped::IfLarger if first > second => (second, first),
            _ => (first, second),
        };
        if caplen > MAX_CAPLEN {
            return Err(Damage::TooLong { offset, caplen });
        }
        let bytes = caplen as usize;
        if !window.fill(record_header + bytes)? {
            return Err(Damage::Cut { offset, what: "packet" });
        }
        window.consume(record_header);
        self.current = bytes;
        let unit = match precision {
            Precision::Micro => 1_000,
            Precision::Nano => 1,
        };
        // At most 2^32 s and 2^32 µs: no overflow in 64 bits of nanoseconds before the year 2554.
        let ts = Timestamp(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit);
        let (link, len) = (self.link, len.max(caplen));
        Ok(Some(Meta { ts, link, len, caplen: bytes, precision, section: 0, interface: 0 }))
    }
}
