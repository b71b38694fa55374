//! One flow's parser: what is delivered to it, and what it wants.

use std::net::SocketAddr;
use std::sync::Arc;

use flowcell_core::{EndReason, FlowView, GapReason, Side, Transport};

use super::parking::Full;
use super::repro::Recording;
use crate::registry::Candidate;
use crate::runtime::{
    self, Cell, Expected, Fault, FlowState, Footprint, Input, Output, Parser, Progress, Switch,
    Verdict, flow_state,
};

/// Most bytes in one delivery, as the contract says.
pub(super) const MAX_DELIVERY: usize = 65_536;

/// A flow that a parser was selected for.
#[derive(Debug)]
pub(super) struct FlowTask {
    parser: Arc<Parser>,
    /// The endpoint that the parser knows as the server.
    server: Side,
    stage: Stage,
    confirmed: bool,
    /// Bytes of each side that are not to be delivered next, by [`Side::index`].
    skip: [u64; 2],
    /// Sides that the parser does not want any more, by [`Side::index`].
    done: [bool; 2],
    /// How sides have ended, by [`Side::index`].
    ended: [Option<EndReason>; 2],
    /// Sides whose end the parser was told, by [`Side::index`].
    told: [bool; 2],
    /// A cell is kept free for it.
    reserved: bool,
    /// Stream offset behind the last byte that was given to it, by [`Side::index`].
    reached: [u64; 2],
    /// What the parser that expected the flow has said.
    context: Option<Box<[u8]>>,
    /// The operator wants secrets in its records as they are.
    secrets: bool,
    /// Flows that it expects, until they are taken out.
    pub(super) expected: Vec<Expected>,
    /// How many more it has expected meanwhile.
    pub(super) expected_before: u64,
    /// What it hands over, until that is taken out.
    switch: Option<Switch>,
    /// What it was given, if a fault is to be replayed one day.
    pub(super) recording: Option<Box<Recording>>,
}

#[derive(Debug)]
enum Stage {
    /// Nothing was delivered: a cell is made only when there is something to parse.
    Waiting,
    Parsing(Box<Cell>),
    Over(Ending),
}

/// How parsing ended.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    /// The parser had what it wanted, or the flow ended.
    Done,
    Declined(String),
    Failed(String),
    /// The rest is of another protocol, of this name.
    Switched(String),
    Fault(&'static str),
    /// There were as many cells as there may be.
    NoRoom,
    /// The parser got no new flows.
    BreakerOpen,
    /// Its parser had taken more of the processor than its share.
    Throttled,
}

/// What a parser leaves to the next one.
#[derive(Debug)]
pub(super) struct Legacy {
    /// The next one's name; empty if that is to be found out.
    pub(super) protocol: String,
    /// The endpoint that it knew as the server.
    pub(super) server: Side,
    /// Bytes that it has handed back of a side, with the stream offset of the first.
    pub(super) handed: Vec<(Side, u64, Vec<u8>)>,
    /// Sides that have ended.
    pub(super) ends: Vec<(Side, EndReason)>,
    /// Bytes of each side that nobody gets, behind what it was given, by [`Side::index`].
    pub(super) skip: [u64; 2],
}

/// What one delivery led to. Records and log lines are in `output`.
pub(super) struct Delivered {
    pub(super) output: Output,
    pub(super) fault: Option<Fault>,
    /// What had led to the fault, if that was recorded.
    pub(super) recording: Option<Box<Recording>>,
}

impl FlowTask {
    pub(super) fn new(candidate: Candidate, context: Option<Box<[u8]>>, secrets: bool) -> Self {
        Self {
            parser: candidate.parser,
            server: candidate.server,
            stage: Stage::Waiting,
            confirmed: false,
            skip: [0; 2],
            done: [false; 2],
            ended: [None; 2],
            told: [false; 2],
            reserved: false,
            reached: [0; 2],
            context,
            secrets,
            expected: Vec::new(),
            expected_before: 0,
            switch: None,
            recording: None,
        }
    }

    /// There was something to parse.
    pub(super) fn started(&self) -> bool {
        !matches!(self.stage, Stage::Waiting)
    }

    /// The end of a side is enough to start it: a flow that was expected says something even if it is empty.
    pub(super) const fn starts_at_end(&self) -> bool {
        self.context.is_some()
    }

    /// What its cell takes, if it has one, or will have one as soon as its bytes are delivered.
    pub(super) fn footprint(&self) -> Option<Footprint> {
        match &self.stage {
            Stage::Parsing(cell) => Some(cell.footprint()),
            Stage::Waiting if self.reserved => Some(self.parser.newborn()),
            Stage::Waiting | Stage::Over(_) => None,
        }
    }

    /// Parks its cell. Returns how many bytes are kept, unless that can't be done.
    pub(super) fn park(&mut self) -> Option<usize> {
        match &mut self.stage {
            Stage::Parsing(cell) => cell.park(),
            _ => None,
        }
    }

    /// Ends parsing: there is no more room for its cell. Returns the fault.
    pub(super) fn crowded_out(&mut self, full: Full) -> Fault {
        let fault = match full {
            Full::InAll => {
                Fault::capacity("the cells of all parsers have as much memory as they may")
            }
            Full::OfParser => {
                Fault::memory("all cells of the parser have as much memory as they may")
            }
        };
        self.stage = Stage::Over(Ending::Fault(fault.class.name()));
        self.recording = None; // no replay could show it
        fault
    }

    /// There are bytes for it: unless it has been started, a cell is to be kept free.
    pub(super) fn reserve(&mut self) {
        self.reserved = true;
    }

    /// Its parser takes the bytes of several packets at once.
    pub(super) fn takes_segments(&self) -> bool {
        self.parser.description().segments
    }

    /// It can have no cell: if it has none yet, it gets none.
    pub(super) fn refuse(&mut self, why: Ending) {
        if !self.started() {
            self.stage = Stage::Over(why);
        }
    }

    pub(super) fn parser(&self) -> &Arc<Parser> {
        &self.parser
    }

    pub(super) fn confirmed(&self) -> bool {
        self.confirmed
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    /// It has come to nothing, and another parser may try.
    pub(super) fn gives_way(&self) -> bool {
        let Stage::Over(ending) = &self.stage else { return false };
        let is_nothing = matches!(
            ending,
            Ending::Declined(_)
                | Ending::Done
                | Ending::Fault(_)
                | Ending::BreakerOpen
                | Ending::Throttled
        );
        is_nothing && !self.confirmed
    }

    /// It has ended, and another parser gets the flow.
    pub(super) const fn hands_over(&self) -> bool {
        self.switch.is_some()
    }

    /// It has handed the flow over, to whoever that was.
    pub(super) const fn has_handed_over(&self) -> bool {
        matches!(self.stage, Stage::Over(Ending::Switched(_)))
    }

    /// What it leaves to the next one, if it hands over and was not asked before.
    pub(super) fn take_legacy(&mut self) -> Option<Legacy> {
        let Switch { protocol, handed } = self.switch.take()?;
        let roles = [runtime::Side::Client, runtime::Side::Server];
        let handed = roles.into_iter().zip(handed).map(|(role, bytes)| {
            let side = self.side_of(role);
            let offset = self.reached[side.index()].saturating_sub(bytes.len() as u64);
            (side, offset, bytes)
        });
        let ends =
            Side::BOTH.into_iter().filter_map(|side| Some((side, self.ended[side.index()]?)));
        // A side that it was done with is over for the others, too: nobody has looked at it since.
        let left_out = |side: Side| {
            if self.done[side.index()] { u64::MAX } else { self.skip[side.index()] }
        };
        Some(Legacy {
            protocol,
            server: self.server,
            handed: handed.filter(|(_, _, bytes)| !bytes.is_empty()).collect(),
            ends: ends.collect(),
            skip: Side::BOTH.map(left_out),
        })
    }

    /// Its parser keeps nothing of what it was given, and the cell is still there.
    pub(super) fn is_resting(&self) -> bool {
        self.cell().is_some_and(|cell| cell.is_resting() && !cell.is_closed())
    }

    fn cell(&self) -> Option<&Cell> {
        if let Stage::Parsing(cell) = &self.stage { Some(cell) } else { None }
    }

    /// The parser wants nothing more of `side`.
    pub(super) fn is_done(&self, side: Side) -> bool {
        self.is_over() || self.done[side.index()]
    }

    /// How it ended; a parser that still waits when its flow is gone is done as well.
    pub(super) fn ending(&self) -> Ending {
        match &self.stage {
            Stage::Waiting | Stage::Parsing(_) => Ending::Done,
            Stage::Over(ending) => ending.clone(),
        }
    }

    /// Delivers in-order bytes of a stream, at most [`MAX_DELIVERY`], or one datagram. `offset` is that of
    /// the first byte.
    pub(super) fn data(
        &mut self,
        flow: &FlowView<'_>,
        side: Side,
        offset: u64,
        bytes: &[u8],
        tell: &mut dyn FnMut(&Self, Delivered),
    ) {
        let (skipped, rest) = self.after_skip(side, bytes);
        if rest.is_empty() && !bytes.is_empty() {
            return;
        }
        let (role, at) = (self.role(side), flow.ts.0);
        let offset = offset.saturating_add(skipped);
        let chunk = runtime::Chunk { side: role, offset, at, segments: None, bytes: rest };
        self.tell_ends(flow, tell);
        self.deliver(flow, Input::Data(chunk), tell);
    }

    /// Delivers in-order bytes of several packets, with nothing to skip at their start: at least one and
    /// at most [`MAX_DELIVERY`]. The flow is as it was at the first of these packets.
    pub(super) fn segments(
        &mut self,
        flow: &FlowView<'_>,
        side: Side,
        offset: u64,
        segments: &[runtime::Segment],
        bytes: &[u8],
        tell: &mut dyn FnMut(&Self, Delivered),
    ) {
        let at = segments.last().map_or(flow.ts.0, |last| last.at);
        let segments = (segments.len() > 1).then_some(segments);
        let chunk = runtime::Chunk { side: self.role(side), offset, at, segments, bytes };
        self.tell_ends(flow, tell);
        self.deliver(flow, Input::Data(chunk), tell);
    }

    pub(super) fn gap(
        &mut self,
        flow: &FlowView<'_>,
        side: Side,
        offset: u64,
        length: u64,
        reason: GapReason,
        tell: &mut dyn FnMut(&Self, Delivered),
    ) {
        let skip = &mut self.skip[side.index()];
        let skipped = length.min(*skip);
        *skip -= skipped;
        if skipped == length {
            return;
        }
        let gap = runtime::Gap {
            side: self.role(side),
            offset: offset + skipped,
            length: length - skipped,
            reason: match reason {
                GapReason::Memory => runtime::GapReason::Memory,
                GapReason::Depth => runtime::GapReason::Depth,
                GapReason::Snaplen => runtime::GapReason::Snaplen,
                _ => runtime::GapReason::Lost,
            },
        };
        self.tell_ends(flow, tell);
        self.deliver(flow, Input::Gap(gap), tell);
    }

    /// A side has ended. A flow without data is not worth a cell: the parser is told when there is some.
    pub(super) fn end(
        &mut self,
        flow: &FlowView<'_>,
        side: Side,
        reason: EndReason,
        tell: &mut dyn FnMut(&Self, Delivered),
    ) {
        self.ended[side.index()] = Some(reason);
        if self.started() || self.starts_at_end() {
            self.tell_ends(flow, tell);
        }
        if self.ended.iter().all(Option::is_some) && self.started() && !self.is_over() {
            self.stage = Stage::Over(Ending::Done); // nothing more comes, whatever it waits for
            self.recording = None;
        }
    }

    /// Tells the parser of the sides that have ended, unless it knows.
    fn tell_ends(&mut self, flow: &FlowView<'_>, tell: &mut dyn FnMut(&Self, Delivered)) {
        for side in Side::BOTH {
            let told = &mut self.told[side.index()];
            let Some(reason) = self.ended[side.index()].filter(|_| !*told) else { continue };
            *told = true;
            let reason = match reason {
                EndReason::Fin => runtime::EndReason::Fin,
                EndReason::Reset => runtime::EndReason::Reset,
                EndReason::Idle => runtime::EndReason::Idle,
                EndReason::Evicted => runtime::EndReason::Evicted,
                _ => runtime::EndReason::Shutdown,
            };
            let end = runtime::End { side: self.role(side), at: flow.ts.0, reason };
            self.deliver(flow, Input::End(end), tell);
        }
    }

    /// Leaves out what the parser asked to skip; returns how much that was, and the rest.
    pub(super) fn after_skip<'b>(&mut self, side: Side, bytes: &'b [u8]) -> (u64, &'b [u8]) {
        let skip = &mut self.skip[side.index()];
        let skipped = usize::try_from(*skip).unwrap_or(usize::MAX).min(bytes.len());
        *skip -= skipped as u64;
        (skipped as u64, bytes.get(skipped..).unwrap_or_default())
    }

    fn role(&self, side: Side) -> runtime::Side {
        role(side, self.server)
    }

    fn deliver(
        &mut self,
        flow: &FlowView<'_>,
        input: Input<'_>,
        tell: &mut dyn FnMut(&Self, Delivered),
    ) {
        let side = match &input {
            Input::Data(chunk) => chunk.side,
            Input::Gap(gap) => gap.side,
            Input::End(end) => end.side,
        };
        let from = self.side_of(side);
        let is_resting = self.cell().is_some_and(Cell::is_resting);
        if self.is_done(from) || is_resting && !matches!(input, Input::Data(_)) {
            return;
        }
        self.record(flow, &input);
        let behind = match &input {
            Input::Data(chunk) => chunk.offset + chunk.bytes.len() as u64,
            Input::Gap(gap) => gap.offset.saturating_add(gap.length),
            Input::End(_) => self.reached[from.index()],
        };
        let segments = match &input {
            Input::Data(chunk) => chunk.segments.unwrap_or_default(),
            Input::Gap(_) | Input::End(_) => &[],
        };
        let mut output = Output::default();
        let outcome = match &mut self.stage {
            Stage::Over(_) => return,
            Stage::Parsing(cell) if cell.is_closed() => {
                let state = flow_state(flow.midstream, self.confirmed, self.secrets);
                let opening = opening(flow, self.server, state, self.context.as_deref());
                match cell.reopen(opening) {
                    Ok(()) => poll(cell, input),
                    Err(fault) => {
                        self.recording.iter_mut().for_each(|recording| recording.stillborn());
                        Err(fault)
                    }
                }
            }
            Stage::Parsing(cell) => cell.poll(input),
            Stage::Waiting => match Cell::open(&self.parser, self.opening(flow)) {
                Ok(cell) => {
                    let mut cell = Box::new(cell);
                    let outcome = poll(&mut cell, input);
                    self.stage = Stage::Parsing(cell);
                    outcome
                }
                Err(stillborn) => {
                    self.recording.iter_mut().for_each(|recording| recording.stillborn());
                    output = stillborn.output;
                    Err(stillborn.fault)
                }
            },
        };
        if let Stage::Parsing(cell) = &mut self.stage {
            output = std::mem::take(cell.output());
        }
        let unseen = segments.iter().skip((output.segment as usize).saturating_add(1));
        let unseen: u64 = unseen.map(|segment| u64::from(segment.length)).sum();
        self.reached[from.index()] = behind.saturating_sub(unseen);
        self.heed(&mut output);
        // A fault says more than what the parser had decided before it, and that more than `ready`.
        let ending = match (&outcome, &output.verdict) {
            (Err(fault), _) => Some(Ending::Fault(fault.class.name())),
            (Ok(_), Some(Verdict::Declined(why))) => Some(Ending::Declined(why.clone())),
            (Ok(_), Some(Verdict::Failed(why))) => Some(Ending::Failed(why.clone())),
            (Ok(_), Some(Verdict::Switched(to))) => {
                self.switch = Some(to.clone());
                Some(Ending::Switched(to.protocol.clone()))
            }
            (Ok(Progress::Ready), None) => Some(Ending::Done),
            // Done with both sides is done with the flow.
            (Ok(Progress::Pending | Progress::Resting), None) => {
                (self.done == [true; 2]).then_some(Ending::Done)
            }
        };
        let mut recording = None;
        if let Some(ending) = ending {
            self.stage = Stage::Over(ending);
            recording = self.recording.take();
        }
        let fault = outcome.err();
        tell(self, Delivered { output, recording: recording.filter(|_| fault.is_some()), fault });
    }

    /// Takes note of what is about to be delivered, in case that the parser faults.
    fn record(&mut self, flow: &FlowView<'_>, input: &Input<'_>) {
        let Some(mut recording) = self.recording.take() else { return };
        if !self.started() || self.cell().is_some_and(Cell::is_closed) {
            recording.open(&self.opening(flow));
        }
        recording.input(input);
        self.recording = Some(recording);
    }

    /// Takes note of what the parser wants from now on.
    fn heed(&mut self, output: &mut Output) {
        self.confirmed |= output.confirmed;
        self.expected.append(&mut output.expected);
        self.expected_before += output.expected_before;
        for (index, role) in [runtime::Side::Client, runtime::Side::Server].into_iter().enumerate()
        {
            let side = self.side_of(role).index();
            self.skip[side] = self.skip[side].saturating_add(output.skip[index]);
            self.done[side] |= output.done[index];
        }
    }

    fn side_of(&self, role: runtime::Side) -> Side {
        match role {
            runtime::Side::Server => self.server,
            runtime::Side::Client => self.server.other(),
        }
    }

    fn opening(&self, flow: &FlowView<'_>) -> runtime::Flow<'_> {
        let state = flow_state(flow.midstream, self.confirmed, self.secrets);
        opening(flow, self.server, state, self.context.as_deref())
    }
}

/// What a parser is told of the flow when it begins.
fn opening<'a>(
    flow: &FlowView<'_>,
    server: Side,
    state: FlowState,
    context: Option<&'a [u8]>,
) -> runtime::Flow<'a> {
    let endpoint = |side| {
        let endpoint = match side {
            Side::Orig => &flow.tuple.orig,
            Side::Resp => &flow.tuple.resp,
        };
        runtime::endpoint(SocketAddr::new(endpoint.addr, endpoint.port))
    };
    runtime::Flow {
        client: endpoint(server.other()),
        server: endpoint(server),
        transport: match flow.tuple.transport {
            Transport::Tcp => runtime::Transport::Tcp,
            // No parser can ask for anything else, so that these get none.
            Transport::Udp | Transport::Icmp | Transport::Icmpv6 | Transport::Other(_) => {
                runtime::Transport::Udp
            }
        },
        at: flow.ts.0,
        state,
        originator: role(Side::Orig, server),
        context,
    }
}

fn role(side: Side, server: Side) -> runtime::Side {
    if side == server { runtime::Side::Server } else { runtime::Side::Client }
}

/// Delivers to a cell that was just opened. A parser that has ended in `open` is not polled.
fn poll(cell: &mut Cell, input: Input<'_>) -> Result<Progress, Fault> {
    if cell.output().verdict.is_some() { Ok(Progress::Pending) } else { cell.poll(input) }
}
