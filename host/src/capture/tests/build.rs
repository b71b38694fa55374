//! Writes captures for the tests.

/// Byte order to write in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub(super) fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub(super) fn i64(self, value: i64) -> [u8; 8] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }
}

/// The header of a pcap file of version 2.`minor`, with a snaplen of 65535.
pub(super) fn classic(order: Order, magic: u32, minor: u16, link: u32) -> Vec<u8> {
    let mut out = order.u32(magic).to_vec();
    out.extend([order.u16(2), order.u16(minor)].concat());
    out.extend([order.u32(0), order.u32(0), order.u32(65_535), order.u32(link)].concat());
    out
}

/// A pcap record.
pub(super) fn record(order: Order, seconds: u32, fraction: u32, bytes: &[u8], len: u32) -> Vec<u8> {
    let caplen = u32::try_from(bytes.len()).unwrap();
    let mut out = [seconds, fraction, caplen, len].map(|value| order.u32(value)).concat();
    out.extend(bytes);
    out
}

/// A pcapng block's type and body.
pub(super) type Block = (u32, Vec<u8>);

/// A pcapng file.
pub(super) struct Ng {
    order: Order,
    pub(super) bytes: Vec<u8>,
}

impl Ng {
    pub(super) fn new(order: Order) -> Self {
        Self { order, bytes: Vec::new() }
    }

    /// Adds a block, padded.
    pub(super) fn push(&mut self, (kind, mut body): Block) {
        body.resize(body.len().next_multiple_of(4), 0);
        let total = self.order.u32(u32::try_from(body.len() + 12).unwrap());
        self.bytes.extend([self.order.u32(kind), total].concat());
        self.bytes.extend(body);
        self.bytes.extend(total);
    }
}

pub(super) fn section(order: Order, major: u16, minor: u16) -> Block {
    let mut body = order.u32(0x1a2b_3c4d).to_vec();
    body.extend([order.u16(major), order.u16(minor)].concat());
    body.extend(order.i64(-1)); // length not told
    (0x0a0d_0d0a, body)
}

pub(super) fn interface(order: Order, link: u16, snaplen: u32, options: &[u8]) -> Block {
    let mut body = [order.u16(link), order.u16(0)].concat();
    body.extend(order.u32(snaplen));
    body.extend(options);
    (1, body)
}

pub(super) fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let mut out = [order.u16(code), order.u16(u16::try_from(value.len()).unwrap())].concat();
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

pub(super) fn enhanced(order: Order, interface: u32, ticks: u32, bytes: &[u8], len: u32) -> Block {
    let caplen = u32::try_from(bytes.len()).unwrap();
    let mut body = [interface, 0, ticks, caplen, len].map(|value| order.u32(value)).concat();
    body.extend(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
    (6, body)
}

pub(super) fn simple(order: Order, bytes: &[u8], len: u32) -> Block {
    let mut body = order.u32(len).to_vec();
    body.extend(bytes);
    (3, body)
}
