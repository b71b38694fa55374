//! Parsers in their sandbox.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use flowcell::runtime::{
    Cell, Chunk, End, Flow, FlowState, Input, Parser, Progress, Segment, Side, Transport, endpoint,
};

use super::conversation::{Conversation, Conversations, Packet, What};
use super::{Told, Wanted};

pub(super) fn run(conversations: &Conversations, parser: &Arc<Parser>) -> Result<Told> {
    let mut told = Told::default();
    for conversation in &conversations.flows {
        one(conversation, parser, &mut told)?;
    }
    Ok(told)
}

fn one(conversation: &Conversation, parser: &Arc<Parser>, told: &mut Told) -> Result<()> {
    let together = parser.description().segments && conversation.transport == Transport::Tcp;
    let packets = if together { &conversation.together } else { &conversation.packets };
    let mut cell = None;
    let mut wanted = Wanted::default();
    let mut rest = Vec::new();
    for Packet { side, at, what } in packets {
        let (side, at) = (*side, *at);
        let index = usize::from(side == Side::Server);
        let input = match what {
            What::End(reason) => Input::End(End { side, at, reason: *reason }),
            What::Data { offset, bytes, segments } => {
                let unwanted = wanted.unwanted(index, bytes.len());
                let mut segments = segments.as_slice();
                if unwanted > 0 {
                    behind(segments, unwanted, &mut rest);
                    segments = &rest;
                }
                let bytes = &bytes[unwanted..];
                if bytes.is_empty() {
                    continue;
                }
                let segments = (segments.len() > 1).then_some(segments);
                let offset = offset + unwanted as u64;
                Input::Data(Chunk { side, offset, at, segments, bytes })
            }
        };
        if wanted.done[index] {
            continue;
        }
        let cell = match &mut cell {
            Some(cell) => cell,
            None if matches!(what, What::End(_)) => continue,
            none => none.insert(open(conversation, parser)?),
        };
        let progress = cell.poll(input).map_err(|fault| anyhow!("{fault}"))?;
        let output = std::mem::take(cell.output());
        told.records += output.records.len() as u64;
        told.bytes += output.records.iter().map(|one| one.json.len() as u64).sum::<u64>();
        for side in 0..2 {
            wanted.skip[side] += output.skip[side];
            wanted.done[side] |= output.done[side];
        }
        if progress == Progress::Ready || output.verdict.is_some() {
            break;
        }
    }
    Ok(())
}

fn open(conversation: &Conversation, parser: &Arc<Parser>) -> Result<Cell> {
    let flow = Flow {
        client: endpoint(conversation.client),
        server: endpoint(conversation.server),
        transport: conversation.transport,
        at: conversation.at,
        state: FlowState::empty(),
        originator: Side::Client,
        context: None,
    };
    Cell::open(parser, flow).map_err(|dead| anyhow!("{}", dead.fault))
}

/// Segments without the first so many bytes.
fn behind(segments: &[Segment], bytes: usize, rest: &mut Vec<Segment>) {
    rest.clear();
    let mut left = u32::try_from(bytes).unwrap_or(u32::MAX);
    for segment in segments {
        let less = left.min(segment.length);
        left -= less;
        if less < segment.length {
            rest.push(Segment { length: segment.length - less, at: segment.at });
        }
    }
}
