//! The pcapng format: sections of blocks, each in its own byte order.
//!
//! Reads section headers, interface descriptions (link type, `if_tsresol`, `if_tsoffset`) and the
//! three kinds of packet blocks; every other block is skipped without being held, whatever its
//! length. A malformed option is where reading that block's options stops, nothing more.

use flowcell_core::Timestamp;

use super::{MAX_CAPLEN, endian::Endian, error::Damage, file::Meta, window::Window};

mod interface;

use interface::Interface;

/// Type of a section header block, the same in both byte orders.
pub(super) const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Type and length in front of a block's body, in bytes.
const BLOCK_HEADER: usize = 8;
/// The length repeated behind the body, in bytes.
const TRAILER: u32 = 4;
/// The fixed part of a packet block's body, in bytes, whether enhanced or obsolete.
const PACKET_HEADER: usize = 20;

/// The most interfaces a section may describe; real captures have a handful.
const MAX_INTERFACES: usize = 65_536;

/// A block whose header was read.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Where it starts in the file.
    offset: u64,
    /// Its length with header and trailer, in bytes; ≥ 12 and a multiple of 4.
    total: u32,
    /// Bytes not consumed yet, the trailer among them.
    left: u32,
}

impl Block {
    fn corrupt(&self, what: impl Into<String>) -> Damage {
        Damage::Corrupt { offset: self.offset, what: what.into() }
    }

    fn cut(&self, what: &'static str) -> Damage {
        Damage::Cut { offset: self.offset, what }
    }

    /// Length of the body that is not consumed yet, in bytes.
    fn body(&self) -> u32 {
        self.left.saturating_sub(TRAILER)
    }

    fn consume(&mut self, window: &mut Window, n: u32) {
        window.consume(n as usize);
        self.left = self.left.saturating_sub(n);
    }
}

/// Reads blocks.
#[derive(Debug)]
pub(super) struct Reader {
    /// Of the current section.
    endian: Endian,
    interfaces: Vec<Interface>,
    /// Sections so far.
    section: u64,
    /// The block of the frame that was yielded last; its unread rest is skipped first.
    current: Option<Block>,
    /// Time of the last frame, which stands in for the one that a simple packet lacks.
    last: Timestamp,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            endian: Endian::Little,
            interfaces: Vec::new(),
            section: 0,
            current: None,
            last: Timestamp(0),
        }
    }

    /// Moves to the next frame, whose bytes are then the first unread ones; `None` at the end.
    pub(super) fn advance(&mut self, window: &mut Window) -> Result<Option<Meta>, Damage> {
        loop {
            if let Some(block) = self.current.take() {
                self.finish(block, window)?;
            }
            let offset = window.offset();
            if !window.fill(BLOCK_HEADER)? {
                if window.unread().is_empty() {
                    return Ok(None);
                }
                return Err(Damage::Cut { offset, what: "block header" });
            }
            let kind = self.endian.u32(window.unread(), 0);
            if kind == SECTION {
                self.section_order(offset, window)?;
            }
            let total = self.endian.u32(window.unread(), 4);
            let mut block = Block { offset, total, left: total };
            if total < 12 || !total.is_multiple_of(4) {
                return Err(block.corrupt(format!(
                    "a block claims a length of {total} bytes, which no block can have"
                )));
            }
            block.consume(window, 8);
            let frame = match kind {
                SECTION => {
                    self.section(&block, window)?;
                    None
                }
                INTERFACE => {
                    self.interface(&block, window)?;
                    None
                }
                ENHANCED_PACKET | OBSOLETE_PACKET => Some(self.packet(kind, &mut block, window)?),
                SIMPLE_PACKET => Some(self.simple_packet(&mut block, window)?),
                _ => None,
            };
            self.current = Some(block);
            if let Some(meta) = frame {
                self.last = meta.ts;
                return Ok(Some(meta));
            }
        }
    }

    /// Skips what is left of a block and checks that it ends as it began.
    fn finish(&self, block: Block, window: &mut Window) -> Result<(), Damage> {
        if !window.skip(u64::from(block.body()))? || !window.fill(TRAILER as usize)? {
            return Err(block.cut("block"));
        }
        let again = self.endian.u32(window.unread(), 0);
        window.consume(TRAILER as usize);
        if again == block.total {
            return Ok(());
        }
        Err(block.corrupt(format!(
            "a block has two different lengths, {} bytes in front and {again} behind",
            block.total
        )))
    }

    /// Finds the byte order of the section whose header comes next.
    fn section_order(&mut self, offset: u64, window: &mut Window) -> Result<(), Damage> {
        if !window.fill(BLOCK_HEADER + 4)? {
            return Err(Damage::Cut { offset, what: "section header" });
        }
        let magic = |endian: &Endian| endian.u32(window.unread(), 8) == BYTE_ORDER_MAGIC;
        let Some(endian) = [Endian::Little, Endian::Big].into_iter().find(magic) else {
            let what = "a section header has no byte-order mark".to_owned();
            return Err(Damage::Corrupt { offset, what });
        };
        self.endian = endian;
        Ok(())
    }

    fn section(&mut self, block: &Block, window: &mut Window) -> Result<(), Damage> {
        if block.body() < 16 {
            return Err(block.corrupt("a section header is too short"));
        }
        if !window.fill(16)? {
            return Err(block.cut("section header"));
        }
        let body = window.unread();
        let (major, minor) = (self.endian.u16(body, 4), self.endian.u16(body, 6));
        // A new minor version is promised to be readable; some writers put 1.2 for what is 1.0.
        if major != 1 {
            let (offset, supported) = (block.offset, "1.x");
            return Err(Damage::Version { offset, format: "pcapng", major, minor, supported });
        }
        self.interfaces.clear();
        self.section += 1;
        Ok(())
    }

    fn interface(&mut self, block: &Block, window: &mut Window) -> Result<(), Damage> {
        let length = block.body();
        if !(8..=MAX_CAPLEN).contains(&length) {
            return Err(block.corrupt(format!(
                "an interface description has a body of {length} bytes, not 8 to {MAX_CAPLEN}"
            )));
        }
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(
                block.corrupt(format!("a section describes more than {MAX_INTERFACES} interfaces"))
            );
        }
        if !window.fill(length as usize)? {
            return Err(block.cut("interface description"));
        }
        let body = window.unread().get(..length as usize).unwrap_or_default();
        self.interfaces.push(Interface::parse(self.endian, body));
        Ok(())
    }

    /// An enhanced packet or its obsolete forerunner: they differ in how wide the interface is.
    fn packet(
        &mut self,
        kind: u32,
        block: &mut Block,
        window: &mut Window,
    ) -> Result<Meta, Damage> {
        if (block.body() as usize) < PACKET_HEADER {
            return Err(block.corrupt("a packet block is too short for its header"));
        }
        if !window.fill(PACKET_HEADER)? {
            return Err(block.cut("packet"));
        }
        let (endian, body) = (self.endian, window.unread());
        let id = match kind {
            OBSOLETE_PACKET => u32::from(endian.u16(body, 0)),
            _ => endian.u32(body, 0),
        };
        let ticks = u64::from(endian.u32(body, 4)) << 32 | u64::from(endian.u32(body, 8));
        let (caplen, len) = (endian.u32(body, 12), endian.u32(body, 16));
        let interface = *self.describe(id, block)?;
        block.consume(window, 20);
        self.bytes(block, caplen, window)?;
        Ok(Meta {
            ts: interface.time(ticks),
            link: interface.link,
            len: len.max(caplen),
            caplen: caplen as usize,
            precision: interface.precision(),
            section: self.section,
            interface: id,
        })
    }

    /// A simple packet: of the first interface, without a time of its own, cut at the snaplen.
    fn simple_packet(&mut self, block: &mut Block, window: &mut Window) -> Result<Meta, Damage> {
        if block.body() < 4 {
            return Err(block.corrupt("a packet block is too short for its header"));
        }
        if !window.fill(4)? {
            return Err(block.cut("packet"));
        }
        let len = self.endian.u32(window.unread(), 0);
        let interface = *self.describe(0, block)?;
        block.consume(window, 4);
        let caplen = match interface.snaplen {
            0 => len,
            snaplen => len.min(snaplen),
        };
        self.bytes(block, caplen, window)?;
        Ok(Meta {
            ts: self.last,
            link: interface.link,
            len,
            caplen: caplen as usize,
            precision: interface.precision(),
            section: self.section,
            interface: 0,
        })
    }

    /// Makes the `caplen` bytes of a packet the first unread ones.
    fn bytes(&self, block: &Block, caplen: u32, window: &mut Window) -> Result<(), Damage> {
        if caplen > MAX_CAPLEN {
            return Err(Damage::TooLong { offset: block.offset, caplen });
        }
        if caplen > block.body() {
            return Err(block.corrupt(format!(
                "a packet claims {caplen} captured bytes, but its block has room for {}",
                block.body()
            )));
        }
        if !window.fill(caplen as usize)? {
            return Err(block.cut("packet"));
        }
        Ok(())
    }

    fn describe(&self, id: u32, block: &Block) -> Result<&Interface, Damage> {
        usize::try_from(id).ok().and_then(|id| self.interfaces.get(id)).ok_or_else(|| {
            block.corrupt(format!(
                "a packet is of interface {id}, but its section describes {} so far",
                self.interfaces.len()
            ))
        })
    }
}
