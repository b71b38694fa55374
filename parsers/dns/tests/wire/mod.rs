//! Messages put together for tests, and flow scripts with them.
#![allow(dead_code, reason = "each test program uses some of it")]
#![allow(unreachable_pub, reason = "a module of several programs")]
#![expect(clippy::expect_used, reason = "a test that can not be set up fails")]

use flowcell_sdk::testing::FlowScript;

pub const A: u16 = 1;
pub const NS: u16 = 2;
pub const CNAME: u16 = 5;
pub const SOA: u16 = 6;
pub const PTR: u16 = 12;
pub const OPT: u16 = 41;
pub const HTTPS: u16 = 65;

/// Flags.
pub const QR: u16 = 0x8000;
pub const AA: u16 = 0x0400;
pub const RD: u16 = 0x0100;
pub const RA: u16 = 0x0080;

/// A name without compression.
pub fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).expect("a short label"));
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// A message as it grows.
#[derive(Clone)]
pub struct Message(Vec<u8>);

impl Message {
    pub fn new(id: u16, flags: u16) -> Self {
        let mut bytes = [id.to_be_bytes(), flags.to_be_bytes()].concat();
        bytes.extend_from_slice(&[0; 8]);
        Self(bytes)
    }

    /// A query of class IN.
    pub fn query(id: u16, query: &str, qtype: u16) -> Self {
        Self::new(id, RD).question(query, qtype, 1)
    }

    /// A reply without records.
    pub fn reply(id: u16, query: &str, qtype: u16) -> Self {
        Self::new(id, QR | RD | RA).question(query, qtype, 1)
    }

    fn count(&mut self, section: usize) {
        let low = 5 + 2 * section;
        let count = u16::from_be_bytes([self.0[low - 1], self.0[low]]) + 1;
        self.0[low - 1..=low].copy_from_slice(&count.to_be_bytes());
    }

    pub fn question(mut self, query: &str, qtype: u16, class: u16) -> Self {
        self.count(0);
        self.0.extend_from_slice(&name(query));
        self.0.extend_from_slice(&[qtype.to_be_bytes(), class.to_be_bytes()].concat());
        self
    }

    /// A record in section 1 to 3, whose owner is the name at byte 12.
    pub fn record(self, section: usize, rtype: u16, ttl: u32, data: &[u8]) -> Self {
        self.owned(section, &[0xc0, 12], rtype, 1, ttl, data)
    }

    pub fn owned(
        mut self,
        section: usize,
        owner: &[u8],
        rtype: u16,
        class: u16,
        ttl: u32,
        data: &[u8],
    ) -> Self {
        self.count(section);
        self.0.extend_from_slice(owner);
        self.0.extend_from_slice(&[rtype.to_be_bytes(), class.to_be_bytes()].concat());
        self.0.extend_from_slice(&ttl.to_be_bytes());
        let length = u16::try_from(data.len()).expect("short data");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(data);
        self
    }

    /// An OPT record (RFC 6891) with options.
    pub fn opt(self, size: u16, ttl: u32, options: &[u8]) -> Self {
        self.owned(3, &[0], OPT, size, ttl, options)
    }

    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// With its length before it.
    pub fn framed(self) -> Vec<u8> {
        let length = u16::try_from(self.0.len()).expect("a short message");
        [&length.to_be_bytes(), &self.0[..]].concat()
    }
}

/// A line of a script: `>` or `<` and bytes.
pub fn line(mark: char, bytes: &[u8]) -> String {
    let mut text = format!("{mark} \"");
    for byte in bytes {
        text += &format!("\\x{byte:02x}");
    }
    text + "\"\n"
}

/// What the client, the server sends.
pub fn client(bytes: &[u8]) -> String {
    line('>', bytes)
}

pub fn server(bytes: &[u8]) -> String {
    line('<', bytes)
}

pub const UDP: &str = "client 10.0.0.1:4000 server 10.0.0.2:53 udp\n";
pub const TCP: &str = "client 10.0.0.1:4000 server 10.0.0.2:53\n";

/// Runs a script that consists of these parts, in every way.
#[track_caller]
pub fn check(parts: &[&str]) {
    let text = parts.concat();
    FlowScript::parse(&text).expect("script").check(&dns::PARSER);
}
