//! Gives a parser once more what a bundle holds.

use std::sync::Arc;

use super::bundle::{Bundle, Chunk, Input, MAX_MESSAGE, Segment, Side};
use crate::runtime::{self, Cell, Fault, Output, Parser, Progress, Verdict, clipped};

/// How a replay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// A fault.
    Fault(Fault),
    /// The parser said that the protocol is not its own.
    Declined(String),
    /// The parser said that the protocol is violated.
    Failed(String),
    /// The parser said that the rest is of another protocol, of this name.
    Switched(String),
    /// The parser wanted nothing more.
    Ready,
    /// All was delivered, and the parser would take more.
    Pending,
}

/// What a replay led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// How it ended.
    pub ending: Ending,
    /// Lines of the bundle that were delivered, the last one included; 0: it ended in `open`.
    pub inputs: usize,
}

impl Replayed {
    /// It ended with the very fault that the bundle is of.
    #[must_use]
    pub fn is_same(&self, bundle: &Bundle) -> bool {
        let known = &bundle.header.fault;
        matches!(&self.ending, Ending::Fault(fault)
            if fault.class.name() == known.class && clipped(&fault.message, MAX_MESSAGE) == known.message)
    }
}

/// Runs `parser` over the deliveries of `bundle`. What it says goes to `tell`, with the times of the packets
/// that the delivery is of.
///
/// The parser that the bundle is of gets exactly what it got. Another one gets what the host would
/// have given it, as far as the bundle has it: what it skips or is done with is left out, and what the
/// bundle's parser had skipped is a gap.
pub fn replay(
    parser: &Arc<Parser>,
    bundle: &Bundle,
    is_the_bundles: bool,
    mut tell: impl FnMut(&[u64], Output),
) -> Replayed {
    let flow = runtime::Flow::from(&bundle.header.flow);
    let at = flow.at;
    let mut cell = match Cell::open(parser, flow) {
        Ok(cell) => cell,
        Err(stillborn) => {
            tell(&[at], stillborn.output);
            return Replayed { ending: Ending::Fault(stillborn.fault), inputs: 0 };
        }
    };
    let wants = (!is_the_bundles).then(Wants::default);
    let mut player = Player { cell: &mut cell, wants, tell: &mut tell };
    if let Some(ending) = player.heed(&[at], &Ok(Progress::Pending)) {
        return Replayed { ending, inputs: 0 };
    }
    let mut at = at;
    for (index, input) in bundle.inputs.iter().enumerate() {
        if let Some(ending) = player.play(input, &mut at) {
            return Replayed { ending, inputs: index + 1 };
        }
    }
    Replayed { ending: Ending::Pending, inputs: bundle.inputs.len() }
}

/// What a parser wants that the bundle is not of, by side.
#[derive(Debug, Default)]
struct Wants {
    /// Where its next byte is; none before its first.
    next: [Option<u64>; 2],
    /// Bytes before this offset are not to be delivered.
    skip_to: [u64; 2],
    done: [bool; 2],
}

/// A cell at work.
struct Player<'a> {
    cell: &'a mut Cell,
    wants: Option<Wants>,
    tell: &'a mut dyn FnMut(&[u64], Output),
}

impl Player<'_> {
    /// Delivers one line of a bundle; returns how the replay ends, if it does. `now` is the time of the
    /// last one that has a time.
    fn play(&mut self, input: &Input, now: &mut u64) -> Option<Ending> {
        match input {
            // As it was, because limits are on single calls.
            Input::Data(chunk) if self.wants.is_none() && chunk.segments.is_some() => {
                *now = chunk.at.0;
                let segments = chunk.segments.iter().flatten();
                let segments: Vec<_> = segments
                    .map(|Segment(length, at)| runtime::Segment { length: *length, at: at.0 })
                    .collect();
                let (side, offset, at) = (chunk.side.into(), chunk.offset, chunk.at.0);
                let (segments, bytes) = (Some(&segments[..]), &chunk.bytes.0[..]);
                let chunk = runtime::Chunk { side, offset, at, segments, bytes };
                let outcome = self.cell.poll(runtime::Input::Data(chunk));
                let times: Vec<u64> = segments.iter().copied().flatten().map(|of| of.at).collect();
                self.heed(&times, &outcome)
            }
            Input::Data(chunk) => {
                let mut offset = chunk.offset;
                for (at, bytes) in pieces(chunk) {
                    *now = at;
                    if let Some(ending) = self.data(chunk.side, offset, at, bytes) {
                        return Some(ending);
                    }
                    offset += bytes.len() as u64;
                }
                None
            }
            Input::Gap(gap) => self.gap(gap.side, gap.offset, gap.length, gap.reason.into(), *now),
            Input::End(end) => {
                *now = end.at.0;
                if self.wants.as_ref().is_some_and(|wants| wants.done[index(end.side)]) {
                    return None;
                }
                let (side, reason) = (end.side.into(), end.reason.into());
                self.poll(*now, runtime::Input::End(runtime::End { side, at: end.at.0, reason }))
            }
        }
    }

    fn data(&mut self, side: Side, offset: u64, at: u64, bytes: &[u8]) -> Option<Ending> {
        let (mut offset, mut bytes) = (offset, bytes);
        let was_empty = bytes.is_empty();
        if let Some(missing) = self.missing(side, offset) {
            let (from, length) = missing;
            let lost = runtime::GapReason::Lost;
            if let Some(ending) = self.gap(side, from, length, lost, at) {
                return Some(ending);
            }
        }
        if let Some(wants) = &mut self.wants {
            let skipped = wants.pass(side, offset, bytes.len() as u64)?;
            bytes = usize::try_from(skipped).ok().and_then(|skipped| bytes.get(skipped..))?;
            offset += skipped;
            if bytes.is_empty() && !was_empty {
                return None;
            }
        }
        let side = side.into();
        self.poll(
            at,
            runtime::Input::Data(runtime::Chunk { side, offset, at, segments: None, bytes }),
        )
    }

    fn gap(
        &mut self,
        side: Side,
        offset: u64,
        length: u64,
        reason: runtime::GapReason,
        now: u64,
    ) -> Option<Ending> {
        let skipped = match &mut self.wants {
            Some(wants) => wants.pass(side, offset, length)?,
            None => 0,
        };
        if skipped == length {
            return None;
        }
        let (offset, length) = (offset + skipped, length - skipped);
        let gap = runtime::Gap { side: side.into(), offset, length, reason };
        self.poll(now, runtime::Input::Gap(gap))
    }

    /// What another parser did not want and this one may: offset and length.
    fn missing(&self, side: Side, offset: u64) -> Option<(u64, u64)> {
        let next = self.wants.as_ref()?.next[index(side)]?;
        let length = offset.checked_sub(next).filter(|length| *length > 0)?;
        Some((next, length))
    }

    fn poll(&mut self, at: u64, input: runtime::Input<'_>) -> Option<Ending> {
        let outcome = self.cell.poll(input);
        self.heed(&[at], &outcome)
    }

    /// Passes on what the parser said; returns how the replay ends, if it does.
    fn heed(&mut self, times: &[u64], outcome: &Result<Progress, Fault>) -> Option<Ending> {
        let output = std::mem::take(self.cell.output());
        if let Some(wants) = &mut self.wants {
            wants.heed(&output);
        }
        let ending = match (outcome, &output.verdict) {
            (Err(fault), _) => Some(Ending::Fault(fault.clone())),
            (Ok(_), Some(Verdict::Declined(why))) => Some(Ending::Declined(why.clone())),
            (Ok(_), Some(Verdict::Failed(why))) => Some(Ending::Failed(why.clone())),
            (Ok(_), Some(Verdict::Switched(to))) => Some(Ending::Switched(to.protocol.clone())),
            (Ok(Progress::Ready), None) => Some(Ending::Ready),
            (Ok(Progress::Pending | Progress::Resting), None) => None,
        };
        (self.tell)(times, output);
        ending
    }
}

impl Wants {
    /// Goes on to the end of these bytes. Returns how many at their start are not wanted; none if the
    /// whole side is not.
    fn pass(&mut self, side: Side, offset: u64, length: u64) -> Option<u64> {
        let side = index(side);
        if self.done[side] {
            return None;
        }
        self.next[side] = Some(offset.saturating_add(length));
        Some(self.skip_to[side].saturating_sub(offset).min(length))
    }

    fn heed(&mut self, output: &Output) {
        for side in 0..2 {
            let from = self.skip_to[side].max(self.next[side].unwrap_or(0));
            if output.skip[side] > 0 {
                self.skip_to[side] = from.saturating_add(output.skip[side]);
            }
            self.done[side] |= output.done[side];
        }
    }
}

/// The packets' shares of a delivery, with their times. The checks of the reader hold: they are as
/// long as the bytes.
fn pieces(chunk: &Chunk) -> Vec<(u64, &[u8])> {
    let Some(segments) = &chunk.segments else { return vec![(chunk.at.0, &chunk.bytes.0)] };
    let mut rest = &*chunk.bytes.0;
    let mut pieces = Vec::with_capacity(segments.len());
    for segment in segments {
        let length = usize::try_from(segment.0).unwrap_or(usize::MAX).min(rest.len());
        let (piece, later) = rest.split_at(length);
        pieces.push((segment.1.0, piece));
        rest = later;
    }
    pieces
}

fn index(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}
