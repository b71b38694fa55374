//! One flow: what comes next in it, and the headers that it needs.

use crate::bits::{low16, low32};
use crate::frame::{self, ACK, FIN, Options, PSH, RST, SYN, Segment};
use crate::message::Message;
use crate::mix::Mix;
use crate::rng::Rng;
use crate::script::Script;
use crate::truth::{Ending, Tally, Truth};
use crate::tuple::{Application, Side, Transport, Tuple};

/// What comes next in a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece {
    /// A segment without data.
    Control { side: Side, flags: u8 },
    /// The next bytes of the current message, so many of them at most.
    Data(u32),
    /// The other side speaks next, once it has heard all.
    Turn,
    /// Nothing more.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Syn,
    SynAck,
    Confirm,
    Talk,
    Close,
    SecondFin,
    LastAck,
    Done,
}

/// A flow between two frames. Kept small: there may be a million.
#[derive(Debug)]
pub(crate) struct Flow {
    id: u64,
    net: u8,
    v6: bool,
    application: Application,
    transport: Transport,
    phase: Phase,
    ending: Ending,
    /// Content depends on this alone, so that impairments do not change what is said.
    content: Rng,
    /// What happens to frames.
    pub(crate) luck: Rng,
    script: Script,
    message: Option<Message>,
    at: u32,
    previous: [Option<Message>; 2],
    talker: Side,
    unacknowledged: u8,
    segment: u16,
    pub(crate) tallies: [Tally; 2],
    isn: [u32; 2],
    ip_id: [u16; 2],
    window: [u16; 2],
    finished: [bool; 2],
    /// How far the clocks of both sides are from the capture's, where the flow has timestamps.
    clocks: Option<[u32; 2]>,
    echo: [u32; 2],
}

/// One flow in so many starts close to the end of the sequence numbers.
const NEAR_WRAP: u32 = 16;
const DNS_OVER_TCP: u32 = 20;

impl Flow {
    pub(crate) fn new(mix: &Mix, id: u64, hashed: bool) -> Self {
        let mut rng = Rng::of(mix.seed, id);
        let application = mix.weights.pick(&mut rng);
        let transport = match application {
            Application::Dns if !rng.one_in(DNS_OVER_TCP) => Transport::Udp,
            Application::Sip => Transport::Udp,
            _ => Transport::Tcp,
        };
        let segment = if rng.one_in(2) {
            mix.segment.1
        } else {
            low16(rng.between(mix.segment.0.into(), mix.segment.1.into()).into())
        };
        let isn = [(); 2].map(|()| match rng.one_in(NEAR_WRAP) {
            true => u32::MAX - rng.below(20_000),
            false => rng.u32(),
        });
        let ending = match (rng.below(50), application) {
            (0 | 1, _) => Ending::Reset,
            (2 | 3, _) => Ending::Open,
            (4..=9, _) | (_, Application::Dns) => Ending::Fin(Side::Client),
            _ => Ending::Fin(Side::Server),
        };
        Self {
            id,
            net: mix.net,
            v6: mix.v6.hits(&mut rng),
            application,
            transport,
            phase: if transport == Transport::Tcp { Phase::Syn } else { Phase::Talk },
            ending,
            script: Script::new(application, transport, &mut rng),
            message: None,
            at: 0,
            previous: [None; 2],
            talker: Side::Client,
            unacknowledged: 0,
            segment,
            tallies: [(); 2].map(|()| Tally::new(hashed)),
            isn,
            ip_id: [rng.u16(), rng.u16()],
            window: [500 + rng.u16() % 500, 500 + rng.u16() % 500],
            finished: [false; 2],
            clocks: (!rng.one_in(4)).then(|| [rng.u32(), rng.u32()]),
            echo: [0; 2],
            luck: Rng::of(!mix.seed, id),
            content: rng,
        }
    }

    pub(crate) fn next(&mut self) -> Piece {
        let tcp = self.transport == Transport::Tcp;
        loop {
            let control = |side, flags| Piece::Control { side, flags };
            let (piece, phase) = match (self.phase, self.ending) {
                (Phase::Syn, _) => (control(Side::Client, SYN), Phase::SynAck),
                (Phase::SynAck, _) => (control(Side::Server, SYN | ACK), Phase::Confirm),
                (Phase::Confirm, _) => (control(Side::Client, ACK), Phase::Talk),
                (Phase::Talk, _) => match self.talk(tcp) {
                    Some(piece) => (piece, Phase::Talk),
                    None => {
                        self.phase = Phase::Close;
                        continue;
                    }
                },
                (Phase::Close, _) if !tcp => return Piece::End,
                (Phase::Close, Ending::Open) | (Phase::Done, _) => return Piece::End,
                (Phase::Close, Ending::Reset) => self.said(Side::Client, RST | ACK, Phase::Done),
                (Phase::Close, Ending::Fin(first)) => self.said(first, FIN | ACK, Phase::SecondFin),
                (Phase::SecondFin, _) => {
                    self.said(self.first_to_finish().other(), FIN | ACK, Phase::LastAck)
                }
                (Phase::LastAck, _) => (control(self.first_to_finish(), ACK), Phase::Done),
            };
            self.phase = phase;
            return piece;
        }
    }

    /// `side` says something with no data, if it is its turn, and goes to `phase`.
    fn said(&self, side: Side, flags: u8, phase: Phase) -> (Piece, Phase) {
        if self.talker == side {
            (Piece::Control { side, flags }, phase)
        } else {
            (Piece::Turn, self.phase)
        }
    }

    const fn first_to_finish(&self) -> Side {
        match self.ending {
            Ending::Fin(side) => side,
            Ending::Reset | Ending::Open => Side::Client,
        }
    }

    fn talk(&mut self, tcp: bool) -> Option<Piece> {
        // Every second segment is acknowledged (RFC 5681), and the end of a long message.
        let listener = self.talker.other();
        if tcp && self.unacknowledged >= 2 {
            self.unacknowledged = 0;
            return Some(Piece::Control { side: listener, flags: ACK });
        }
        if self.message.is_none() {
            self.message = Some(self.script.next(&mut self.content)?);
            self.at = 0;
        }
        let message = self.message.as_ref()?;
        if message.side == self.talker {
            let left = message.len() - self.at;
            return Some(Piece::Data(if tcp { left.min(self.segment.into()) } else { left }));
        }
        let long = self.previous[self.talker as usize]
            .is_some_and(|previous| previous.len() > self.segment.into());
        if tcp && long && self.unacknowledged > 0 {
            self.unacknowledged = 0;
            return Some(Piece::Control { side: listener, flags: ACK });
        }
        Some(Piece::Turn)
    }

    /// The other side begins to speak, after [`Piece::Turn`].
    pub(crate) fn turn(&mut self) {
        self.talker = self.talker.other();
        self.unacknowledged = 0;
    }

    /// The current message, how far it was sent, and its side's message before.
    pub(crate) fn current(&self) -> Option<(&Message, u32, Option<&Message>)> {
        let message = self.message.as_ref()?;
        Some((message, self.at, self.previous[message.side as usize].as_ref()))
    }

    /// `payload` of the current message was sent.
    pub(crate) fn advance(&mut self, payload: &[u8]) {
        let Some(message) = &self.message else { return };
        let side = message.side as usize;
        self.tallies[side].add(payload);
        self.at += crate::bits::len32(payload);
        self.unacknowledged += 1;
        if self.at == message.len() {
            self.previous[side] = self.message.take();
        }
    }

    /// The FIN of `side` was sent.
    pub(crate) fn finish(&mut self, side: Side) {
        self.finished[side as usize] = true;
    }

    pub(crate) const fn segment(&self) -> u32 {
        self.segment as u32
    }

    pub(crate) fn is_udp(&self) -> bool {
        self.transport == Transport::Udp
    }

    fn tuple(&self) -> Tuple {
        Tuple::of(self.id, self.net, self.v6, self.application.port())
    }

    /// A whole frame with `payload` at `offset` of what `side` sends, which has heard the other
    /// side up to `heard`.
    pub(crate) fn frame(
        &mut self,
        to: &mut Vec<u8>,
        now: u64,
        (side, flags, offset, heard): (Side, u8, u64, u64),
        payload: &[u8],
    ) {
        to.clear();
        let (own, other) = (side as usize, side.other() as usize);
        let ends = self.tuple().from(side);
        let id = self.ip_id[own];
        self.ip_id[own] = id.wrapping_add(1);
        if self.is_udp() {
            return frame::udp_frame(to, ends, id, |to| to.extend_from_slice(payload));
        }
        let timestamps = self.clocks.map(|clocks| {
            let value = clocks[own].wrapping_add(low32(now / 1_000_000));
            self.echo[other] = value;
            (value, self.echo[own])
        });
        let syn = flags & SYN != 0;
        let finished = |side: usize| u32::from(self.finished[side]);
        let seq = self.isn[own]
            .wrapping_add(low32(offset))
            .wrapping_add(u32::from(!syn))
            .wrapping_add(if payload.is_empty() { finished(own) } else { 0 });
        let heard_all = heard == self.tallies[other].sent;
        let ack = self.isn[other].wrapping_add(low32(heard) + 1).wrapping_add(if heard_all {
            finished(other)
        } else {
            0
        });
        let segment = Segment {
            seq,
            ack: if flags & ACK != 0 { ack } else { 0 },
            flags,
            window: if syn { 64_240 } else { self.window[own] },
            options: match (syn, timestamps) {
                (true, timestamps) => Options::Syn {
                    mss: self.segment + if timestamps.is_some() { 12 } else { 0 },
                    scale: 7,
                    timestamps,
                },
                (false, Some((value, echo))) => Options::Timestamps(value, echo),
                (false, None) => Options::None,
            },
        };
        frame::tcp_frame(to, ends, id, &segment, |to| to.extend_from_slice(payload));
    }

    /// Flags of a data segment that ends `left` bytes before the end of its message.
    pub(crate) const fn data_flags(left: u32) -> u8 {
        if left == 0 { ACK | PSH } else { ACK }
    }

    pub(crate) fn truth(mut self) -> Truth {
        let tuple = self.tuple();
        let [client, server] = &mut self.tallies;
        Truth {
            flow: self.id,
            tuple,
            transport: self.transport,
            application: self.application,
            ending: self.ending,
            client: client.truth(),
            server: server.truth(),
        }
    }
}
