//! Captures made to order: conversations as the frames that two endpoints would have sent.
//!
//! ```
//! use flowcell_sdk::Side::{Client, Server};
//! use flowcell_tests::packets::{Conversation, Pcap};
//!
//! let ping = Conversation::tcp(4000, 7).open().send(Client, b"hi\n").send(Server, b"hi\n").close();
//! let capture = Pcap::of(&[ping]);
//! assert!(capture.bytes().starts_with(&[0xd4, 0xc3, 0xb2, 0xa1]));
//! ```

pub mod layers;

use std::net::{IpAddr, SocketAddr};

use etherparse::{IpHeaders, TcpHeader, UdpHeader};
use etherparse::{PacketBuilder, PacketBuilderStep};
use flowcell_sdk::testing::{Cut, FlowScript, Step};
use flowcell_sdk::{EndReason, GapReason, Side, Transport};

/// Longest payload of one segment.
const MAX_SEGMENT: usize = 16 << 10;

/// The frames of one flow, in the order in which they were sent.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Client and server.
    endpoints: [SocketAddr; 2],
    /// Next sequence number of each.
    next: [u32; 2],
    frames: Vec<Vec<u8>>,
}

impl Conversation {
    /// TCP between these ports of 10.0.0.1 and 10.0.0.2; nothing was sent yet.
    #[must_use]
    pub fn tcp(client: u16, server: u16) -> Self {
        let address = |last| IpAddr::from([10, 0, 0, last]);
        Self::between((address(1), client).into(), (address(2), server).into())
    }

    /// TCP between these ports of two hosts that are only in this conversation: one of many, by number. All
    /// flows between two hosts share a lane.
    #[must_use]
    pub fn of_its_own(number: u16, client: u16, server: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        let address = |last| IpAddr::from([10, last, high, low]);
        Self::between((address(1), client).into(), (address(2), server).into())
    }

    /// A conversation of these endpoints; nothing was sent yet. Initial sequence numbers are so large
    /// that they wrap soon.
    #[must_use]
    pub fn between(client: SocketAddr, server: SocketAddr) -> Self {
        Self { endpoints: [client, server], next: [u32::MAX - 5, 1_000_000], frames: Vec::new() }
    }

    /// The frames so far.
    #[must_use]
    pub fn frames(&self) -> &[Vec<u8>] {
        &self.frames
    }

    /// The handshake.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.segment(Side::Client, &[], |tcp| {
            tcp.syn = true;
            tcp.ack = false;
        });
        self.next[0] = self.next[0].wrapping_add(1);
        self.segment(Side::Server, &[], |tcp| tcp.syn = true);
        self.next[1] = self.next[1].wrapping_add(1);
        self.acknowledged(Side::Client)
    }

    /// Data, in one segment if it fits.
    #[must_use]
    pub fn send(mut self, side: Side, bytes: &[u8]) -> Self {
        for piece in bytes.chunks(MAX_SEGMENT) {
            self.segment(side, piece, |tcp| tcp.psh = true);
            self.advance(side, piece.len());
        }
        self
    }

    /// Data in segments of at most `size` bytes.
    #[must_use]
    pub fn send_cut(self, side: Side, bytes: &[u8], size: usize) -> Self {
        bytes.chunks(size).fold(self, |flow, piece| flow.send(side, piece))
    }

    /// Data that was sent and acknowledged, but not captured.
    #[must_use]
    pub fn lose(mut self, side: Side, count: usize) -> Self {
        self.advance(side, count);
        self.acknowledged(other(side))
    }

    /// A segment of `side` without data.
    #[must_use]
    pub fn acknowledged(mut self, side: Side) -> Self {
        self.segment(side, &[], |_| {});
        self
    }

    /// `side` has sent everything.
    #[must_use]
    pub fn fin(mut self, side: Side) -> Self {
        self.segment(side, &[], |tcp| tcp.fin = true);
        self.advance(side, 1);
        self.acknowledged(other(side))
    }

    /// Both have sent everything.
    #[must_use]
    pub fn close(self) -> Self {
        self.fin(Side::Client).fin(Side::Server)
    }

    /// `side` aborts.
    #[must_use]
    pub fn reset(mut self, side: Side) -> Self {
        self.segment(side, &[], |tcp| tcp.rst = true);
        self
    }

    /// A UDP datagram.
    #[must_use]
    pub fn datagram(mut self, side: Side, bytes: &[u8]) -> Self {
        let (from, to) = self.direction(side);
        let builder = self.ip(side).udp(from.port(), to.port());
        self.push_udp(builder, bytes);
        self
    }

    /// A frame of another making.
    #[must_use]
    pub fn frame(mut self, bytes: Vec<u8>) -> Self {
        self.frames.push(bytes);
        self
    }

    /// What a flow script tells, cut as told.
    ///
    /// # Errors
    /// What frames can not express: a gap for want of memory, an eviction, data behind a reset.
    pub fn of_script(script: &FlowScript, cut: Cut) -> Result<Self, String> {
        let mut flow = Self::between(script.info.client, script.info.server);
        let udp = script.info.transport == Transport::Udp;
        if !udp && !script.info.midstream {
            flow = flow.open();
        }
        let mut reset = false;
        for step in script.cut(cut) {
            flow = match step {
                Step::End { reason: EndReason::Fin, .. } if reset || udp => flow,
                Step::End { reason: EndReason::Reset, .. } if reset => flow,
                _ if reset => return Err("something after a reset".into()),
                Step::Data { side, bytes } if udp => flow.datagram(side, &bytes),
                Step::Data { side, bytes } => flow.send(side, &bytes),
                Step::Gap { side, length, reason: GapReason::Lost } if !udp => {
                    let length = usize::try_from(length).map_err(|error| error.to_string())?;
                    flow.lose(side, length)
                }
                Step::End { side, reason: EndReason::Fin } => flow.fin(side),
                Step::End { side, reason: EndReason::Reset } if !udp => {
                    reset = true;
                    flow.reset(side)
                }
                // The capture ends, and with it everything that has not ended before.
                Step::End { reason: EndReason::Shutdown, .. } => flow,
                other => return Err(format!("{other:?}")),
            };
        }
        Ok(flow)
    }

    fn advance(&mut self, side: Side, count: usize) {
        let next = &mut self.next[index(side)];
        *next = next.wrapping_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn direction(&self, side: Side) -> (SocketAddr, SocketAddr) {
        let [client, server] = self.endpoints;
        match side {
            Side::Client => (client, server),
            Side::Server => (server, client),
        }
    }

    fn ip(&self, side: Side) -> PacketBuilderStep<IpHeaders> {
        let (from, to) = self.direction(side);
        let mac = |side| [2, 0, 0, 0, 0, if side == Side::Client { 1 } else { 2 }];
        let ethernet = PacketBuilder::ethernet2(mac(side), mac(other(side)));
        match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => ethernet.ipv6(from.octets(), to.octets(), 64),
            _ => panic!("both endpoints are of one address family"),
        }
    }

    /// Pushes a segment with the acknowledgment set, unless `change` says otherwise.
    fn segment(&mut self, side: Side, payload: &[u8], change: impl FnOnce(&mut TcpHeader)) {
        let (from, to) = self.direction(side);
        let mut header = TcpHeader::new(from.port(), to.port(), self.next[index(side)], u16::MAX);
        header.ack = true;
        change(&mut header);
        if header.ack {
            header.acknowledgment_number = self.next[index(other(side))];
        }
        let builder = self.ip(side).tcp_header(header);
        let mut frame = Vec::with_capacity(builder.size(payload.len()));
        builder.write(&mut frame, payload).unwrap_or_else(|error| panic!("{error}"));
        self.frames.push(frame);
    }

    fn push_udp(&mut self, builder: PacketBuilderStep<UdpHeader>, payload: &[u8]) {
        let mut frame = Vec::with_capacity(builder.size(payload.len()));
        builder.write(&mut frame, payload).unwrap_or_else(|error| panic!("{error}"));
        self.frames.push(frame);
    }
}

fn index(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}

/// A capture file in the classic format: microseconds, little-endian.
#[derive(Debug, Clone)]
pub struct Pcap {
    bytes: Vec<u8>,
    /// Time of the next frame, in µs since the Unix epoch.
    clock: u64,
    /// From one frame to the next, in µs.
    step: u64,
}

/// `LINKTYPE_ETHERNET`.
const ETHERNET: u32 = 1;

/// 2024-01-01T00:00:00Z.
const START: u64 = 1_704_067_200_000_000;

/// From one frame of a conversation to its next, in µs.
const TURN: u64 = 200_000;

impl Pcap {
    /// An empty capture of this link type.
    #[must_use]
    pub fn new(link: u32) -> Self {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&0xa1b2_c3d4_u32.to_le_bytes());
        for version in [2_u16, 4] {
            bytes.extend_from_slice(&version.to_le_bytes());
        }
        for field in [0, 0, 262_144, link] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        Self { bytes, clock: START, step: TURN }
    }

    /// These conversations at the same time: their frames take turns. Between two frames of one
    /// conversation pass 200 ms, which is longer than the flow engine waits for bytes that were
    /// acknowledged.
    #[must_use]
    pub fn of(conversations: &[Conversation]) -> Self {
        let mut pcap = Self::new(ETHERNET);
        pcap.step = TURN / (conversations.len() as u64).max(1);
        let longest = conversations.iter().map(|flow| flow.frames.len()).max().unwrap_or(0);
        for turn in 0..longest {
            pcap.clock = START + turn as u64 * TURN;
            for frame in conversations.iter().filter_map(|flow| flow.frames.get(turn)) {
                pcap = pcap.frame(frame);
            }
        }
        pcap
    }

    /// The same with another time from one frame to the next, in µs.
    #[must_use]
    pub fn every(self, step: u64) -> Self {
        Self { step, ..self }
    }

    /// Lets time pass before the next frame, in µs.
    #[must_use]
    pub fn wait(mut self, time: u64) -> Self {
        self.clock += time;
        self
    }

    /// Appends a whole frame.
    #[must_use]
    pub fn frame(self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.record(length, length, bytes)
    }

    /// Appends a record that says what it likes about its length.
    #[must_use]
    pub fn record(mut self, caplen: u32, len: u32, bytes: &[u8]) -> Self {
        let (seconds, micros) = (self.clock / 1_000_000, self.clock % 1_000_000);
        for field in [seconds, micros, caplen.into(), len.into()] {
            let field = u32::try_from(field).unwrap_or(u32::MAX);
            self.bytes.extend_from_slice(&field.to_le_bytes());
        }
        self.bytes.extend_from_slice(bytes);
        self.clock += self.step;
        self
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
