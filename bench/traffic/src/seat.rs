//! A flow that is speaking: its frames on their way to the capture.

use std::io;

use crate::flow::{Flow, Piece};
use crate::frame::{ACK, FIN};
use crate::impair::{Fate, Impairments};
use crate::output::Wire;
use crate::pool::Pools;
use crate::rng::Rng;
use crate::tuple::Side;

/// What all seats use.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) pools: Pools,
    pub(crate) impairments: Impairments,
    pub(crate) frame: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// A flow until it is the other side's turn. Frames that are late are held here; none is held
/// across a turn, since nobody answers what has not arrived.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) flow: Flow,
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    /// Frames of the flow that still go before.
    due: u32,
    side: Side,
    /// For bytes that have not arrived yet: where they start and end. They can't be acknowledged.
    missing: Option<(u64, u64)>,
    what: Late,
}

#[derive(Debug)]
enum Late {
    Frame(Vec<u8>),
    /// Sent again, in a frame of its own.
    Payload(u64, Vec<u8>),
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Moved,
    Turn,
    End,
}

/// An overlapping segment starts up to so many bytes earlier.
const LONGEST_OVERLAP: u32 = 200;

impl Seat {
    pub(crate) const fn new(flow: Flow) -> Self {
        Self { flow, held: Vec::new() }
    }

    /// Sends one frame, or loses or holds it.
    pub(crate) fn step(
        &mut self,
        shop: &mut Workshop,
        wire: &mut Wire<'_, '_>,
    ) -> io::Result<Step> {
        if let Some(due) = self.held.iter().position(|held| held.due == 0) {
            return self.release(due, shop, wire);
        }
        match self.flow.next() {
            // The flow says so again when it is asked again.
            Piece::Turn | Piece::End if !self.held.is_empty() => self.release(0, shop, wire),
            Piece::Turn => {
                self.flow.turn();
                Ok(Step::Turn)
            }
            Piece::End => Ok(Step::End),
            Piece::Control { side, flags } => {
                self.pass();
                self.control(side, flags, shop, wire)
            }
            Piece::Data(len) => {
                self.pass();
                self.data(len, shop, wire)
            }
        }
    }

    fn pass(&mut self) {
        for held in &mut self.held {
            held.due -= 1;
        }
    }

    fn release(
        &mut self,
        index: usize,
        shop: &mut Workshop,
        wire: &mut Wire<'_, '_>,
    ) -> io::Result<Step> {
        let held = self.held.remove(index);
        match held.what {
            Late::Frame(frame) => self.send(held.side, &frame, wire)?,
            Late::Payload(offset, payload) => {
                let heard = self.heard(held.side);
                let place = (held.side, ACK, offset, heard);
                self.flow.frame(&mut shop.frame, wire.now(), place, &payload);
                self.send(held.side, &shop.frame, wire)?;
            }
        }
        Ok(Step::Moved)
    }

    /// How far `side` has heard the other one without a hole.
    fn heard(&self, side: Side) -> u64 {
        let other = side.other();
        self.held
            .iter()
            .filter(|held| held.side == other)
            .filter_map(|held| Some(held.missing?.0))
            .min()
            .unwrap_or(self.flow.tallies[other as usize].sent)
    }

    fn send(&mut self, side: Side, frame: &[u8], wire: &mut Wire<'_, '_>) -> io::Result<()> {
        self.flow.tallies[side as usize].frames += 1;
        wire.send(frame)
    }

    fn hold(&mut self, due: u32, side: Side, missing: Option<(u64, u64)>, what: Late) {
        self.held.push(Held { due, side, missing, what });
    }

    fn control(
        &mut self,
        side: Side,
        flags: u8,
        shop: &mut Workshop,
        wire: &mut Wire<'_, '_>,
    ) -> io::Result<Step> {
        let place = (side, flags, self.flow.tallies[side as usize].sent, self.heard(side));
        self.flow.frame(&mut shop.frame, wire.now(), place, b"");
        if flags & FIN != 0 {
            self.flow.finish(side);
        }
        let fate = shop.impairments.of_frame(&mut self.flow.luck);
        let at = self.flow.tallies[side as usize].sent;
        self.deliver(fate, side, (at, at), shop, wire)
    }

    fn data(&mut self, len: u32, shop: &mut Workshop, wire: &mut Wire<'_, '_>) -> io::Result<Step> {
        let udp = self.flow.is_udp();
        let fate = if udp {
            shop.impairments.of_frame(&mut self.flow.luck)
        } else {
            shop.impairments.of_segment(&mut self.flow.luck)
        };
        let (back, merged) = match fate {
            Fate::Overlapping => (self.overlap(false), self.flow.luck.one_in(2)),
            Fate::Conflicting => (self.overlap(true), false),
            _ => (0, false),
        };
        let Some((message, at, previous)) = self.flow.current() else { return Ok(Step::Moved) };
        let side = message.side;
        let len = if merged { len.min(self.flow.segment() - back) } else { len };
        let flags = Flow::data_flags(message.len() - at - len);
        shop.payload.clear();
        message.write_from_before(previous, &shop.pools, (at, back, back + len), &mut shop.payload);
        let offset = self.flow.tallies[side as usize].sent;
        let range = (offset, offset + u64::from(len));
        let new = back as usize;
        self.flow.advance(&shop.payload[new..]);

        let heard = self.heard(side);
        let (start, payload) = if merged {
            (offset - u64::from(back), &shop.payload[..])
        } else {
            (offset, &shop.payload[new..])
        };
        self.flow.frame(&mut shop.frame, wire.now(), (side, flags, start, heard), payload);
        match fate {
            Fate::Lost => self.flow.tallies[side as usize].lose_last(len.into(), udp),
            Fate::Retransmitted => {
                let due = self.flow.luck.between(3, 12);
                let again = Late::Payload(offset, shop.payload.clone());
                self.hold(due, side, Some(range), again);
                return Ok(Step::Moved);
            }
            Fate::Overlapping if back > 0 && !merged => {
                self.send_again(fate, side, start - u64::from(back), shop)
            }
            Fate::Conflicting => self.send_again(fate, side, start - u64::from(back), shop),
            _ => {}
        }
        self.deliver(fate, side, range, shop, wire)
    }

    /// Holds a retransmission of the payload in `shop`, which starts at `offset`.
    fn send_again(&mut self, fate: Fate, side: Side, offset: u64, shop: &Workshop) {
        let due = self.flow.luck.between(1, 8);
        let mut again = shop.payload.clone();
        again.truncate(self.flow.segment() as usize);
        if fate == Fate::Conflicting {
            corrupt(&mut again, &mut self.flow.luck);
        }
        self.hold(due, side, None, Late::Payload(offset, again));
    }

    /// How far an overlapping segment reaches back: never into bytes that the capture lacks, which
    /// it would bring back, and never so far that it has no room for new ones. One that conflicts
    /// does not reach into bytes that are late either: the true ones come first, always.
    fn overlap(&mut self, conflicting: bool) -> u32 {
        let wanted = self.flow.luck.between(1, LONGEST_OVERLAP);
        let Some((message, at, previous)) = self.flow.current() else { return 0 };
        let tally = &self.flow.tallies[message.side as usize];
        let late = self.held.iter().filter(|held| conflicting && held.side == message.side);
        let late = late.filter_map(|held| Some(held.missing?.1)).max().unwrap_or(0);
        let kept = tally.sent - tally.lost_to.max(late);
        let kept = u32::try_from(kept).unwrap_or(u32::MAX);
        let known = at + previous.map_or(0, |previous| previous.len());
        wanted.min(kept).min(known).min(self.flow.segment() - 1)
    }

    fn deliver(
        &mut self,
        fate: Fate,
        side: Side,
        missing: (u64, u64),
        shop: &Workshop,
        wire: &mut Wire<'_, '_>,
    ) -> io::Result<Step> {
        match fate {
            Fate::Lost => return Ok(Step::Moved),
            Fate::Reordered => {
                let due = self.flow.luck.between(1, 8);
                self.hold(due, side, Some(missing), Late::Frame(shop.frame.clone()));
                return Ok(Step::Moved);
            }
            Fate::Duplicated => {
                let due = self.flow.luck.between(1, 30);
                self.hold(due, side, None, Late::Frame(shop.frame.clone()));
            }
            _ => {}
        }
        self.send(side, &shop.frame, wire)?;
        Ok(Step::Moved)
    }
}

/// Changes every byte.
fn corrupt(bytes: &mut [u8], rng: &mut Rng) {
    let mask = rng.u8() | 1;
    bytes.iter_mut().for_each(|byte| *byte ^= mask);
}
