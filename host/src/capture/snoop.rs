//! The snoop format of Solaris (RFC 1761): one file header, then padded records, all big-endian.

use flowcell_core::{LinkType, Timestamp};

use super::{MAX_CAPLEN, Precision, endian::Endian, error::Damage, file::Meta, window::Window};

pub(super) const MAGIC: [u8; 8] = *b"snoop\0\0\0";
const FILE_HEADER: usize = 16;
const RECORD_HEADER: usize = 24;

/// Reads records.
#[derive(Debug)]
pub(super) struct Reader {
    link: LinkType,
    /// Where the current frame's record starts.
    record: u64,
    /// Bytes of the current frame and its padding, still unread in the window or behind it.
    current: u32,
}

impl Reader {
    /// Reads the file header, whose magic number was seen.
    pub(super) fn open(window: &mut Window) -> Result<Self, Damage> {
        let offset = window.offset();
        if !window.fill(FILE_HEADER)? {
            return Err(Damage::Cut { offset, what: "file header" });
        }
        let header = window.unread();
        let version = Endian::Big.u32(header, 8);
        if version != 2 {
            let (major, minor, supported) = (u16::try_from(version).unwrap_or(u16::MAX), 0, "2");
            return Err(Damage::Version { offset, format: "snoop", major, minor, supported });
        }
        let link = link(Endian::Big.u32(header, 12));
        window.consume(FILE_HEADER);
        Ok(Self { link, record: offset, current: 0 })
    }

    /// Moves to the next frame, whose bytes are then the first unread ones; `None` at the end.
    pub(super) fn advance(&mut self, window: &mut Window) -> Result<Option<Meta>, Damage> {
        let cut = Damage::Cut { offset: self.record, what: "padding of a packet" };
        if !window.skip(u64::from(std::mem::take(&mut self.current)))? {
            return Err(cut);
        }
        let offset = window.offset();
        if !window.fill(RECORD_HEADER)? {
            if window.unread().is_empty() {
                return Ok(None);
            }
            return Err(Damage::Cut { offset, what: "packet header" });
        }
        let header = window.unread();
        let field = |index: usize| Endian::Big.u32(header, 4 * index);
        let (len, caplen, record) = (field(0), field(1), field(2));
        let (seconds, micros) = (u64::from(field(4)), u64::from(field(5)));
        if caplen > MAX_CAPLEN {
            return Err(Damage::TooLong { offset, caplen });
        }
        // The record's length counts header, frame and padding.
        let Some(current) = record.checked_sub(24).filter(|rest| *rest >= caplen) else {
            let what = format!("a record of {record} bytes claims {caplen} captured bytes");
            return Err(Damage::Corrupt { offset, what });
        };
        let bytes = caplen as usize;
        if !window.fill(RECORD_HEADER + bytes)? {
            return Err(Damage::Cut { offset, what: "packet" });
        }
        window.consume(RECORD_HEADER);
        (self.record, self.current) = (offset, current);
        Ok(Some(Meta {
            ts: Timestamp(seconds * 1_000_000_000 + micros * 1_000),
            link: self.link,
            len: len.max(caplen),
            caplen: bytes,
            precision: Precision::Micro,
            section: 0,
            interface: 0,
        }))
    }
}

/// Turns a datalink type of snoop into one of pcap. One that pcap has no number for becomes a number
/// that nobody decodes, and its frames are counted as such.
fn link(datalink: u32) -> LinkType {
    const IEEE_802_3: u32 = 0;
    const TOKEN_RING: u32 = 2;
    const ETHERNET: u32 = 4;
    const FDDI: u32 = 8;
    const IPNET: u32 = 26;
    LinkType(match datalink {
        IEEE_802_3 | ETHERNET => 1,
        TOKEN_RING => 6,
        FDDI => 10,
        IPNET => 226,
        _ => u32::MAX,
    })
}
