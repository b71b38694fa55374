//! Turns the flow engine's events into records.

mod finding;

pub(super) use finding::HANDED_OVER;

use flowcell_core::{
    CaughtUp, Demand, FlowEvent, FlowId, FlowSink, FlowSummary, FlowView, FragmentRejected, Side,
    Timestamp,
};

use super::aside::{Aside, Asides, Packet};
use super::breaker::{BreakerLimits, Gate, Pass, When};
use super::expectations::Expectations;
use super::flow_task::{Delivered, Ending, FlowTask, MAX_DELIVERY};
use super::flows::{Flows, Followed, Tracked};
use super::lane::Recorder;
use super::log_gate::LogGate;
use super::messages::Messages;
use super::parking::{LOOKS, Parking, Whose};
use super::pursuit::Seen;
use super::repro::ReproDesk;
use super::room::Room;
use super::scribe::{
    AnomalyRecord, Books, FragmentRecord, WorkerStats, candidacy, seconds, tunnel_record,
};
use crate::output::{FlowLabel, FlowRecord, Place, Records, Subject};
use crate::registry::{Handle, Mapping};
use crate::runtime::Footprint;

/// A sink that parses: selects a parser for each new flow, runs its cell, writes records.
#[derive(Debug)]
pub struct Worker {
    parsers: Handle,
    books: Books,
    digits: usize,
    pub(super) flows: Flows,
    pub(super) expectations: Expectations,
    mapping: Mapping,
    /// Bytes that searches hold, roughly.
    held: u64,
    parking: Parking,
    /// Sides that a parser is done with, for the engine to stop reassembling.
    done: Vec<(FlowId, Side)>,
    /// Bytes of several packets are delivered at once.
    together: bool,
    asides: Asides,
    /// The operator wants secrets in the records as they are.
    secrets: bool,
}

impl Worker {
    /// New flows get their parser from `parsers`; what is made of them goes to `records`.
    #[must_use]
    pub fn new(parsers: Handle, records: Records, messages: Messages) -> Self {
        let books = Books {
            records,
            messages,
            stats: WorkerStats::default(),
            log: LogGate::default(),
            gate: Gate::new(BreakerLimits::default().trial_flows),
            repro: None,
        };
        let room = Room::default();
        Self {
            parsers,
            books,
            digits: 6,
            flows: Flows::default(),
            expectations: Expectations::new(room.expected_flows),
            mapping: Mapping::default(),
            held: 0,
            parking: Parking::new(room, false),
            done: Vec::new(),
            together: true,
            asides: Asides::default(),
            secrets: false,
        }
    }

    /// Sets whether the bytes of several packets may be delivered at once, which changes no record.
    pub fn set_together(&mut self, together: bool) {
        self.together = together;
    }

    /// Sets how much its cells may have together. `always`, for tests: every cell is parked whenever it
    /// waits.
    pub fn set_room(&mut self, room: Room, always: bool) {
        self.parking = Parking::new(room, always);
        self.expectations = Expectations::new(room.expected_flows);
    }

    /// Sets who gets which flows whatever they look like.
    pub fn set_mapping(&mut self, mapping: Mapping) {
        self.mapping = mapping;
    }

    /// Has parsers show passwords and other secrets as they are, in the place of `***`.
    pub fn show_secrets(&mut self, shown: bool) {
        self.secrets = shown;
    }

    /// Makes a bundle of each fault from now on.
    pub fn set_repro(&mut self, desk: ReproDesk) {
        self.books.repro = Some(desk);
    }

    /// Sets how many flows try a parser while its breaker is half-open.
    pub fn set_trial_flows(&mut self, flows: u64) {
        self.books.gate = Gate::new(flows);
    }

    /// The records that were made.
    #[must_use]
    pub const fn made(&self) -> &Records {
        &self.books.records
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> &WorkerStats {
        &self.books.stats
    }

    /// Gives the flow's parser, if it has one, what was seen of a side in `packet`, and writes what comes of
    /// it.
    fn give(&mut self, flow: &FlowView<'_>, packet: Packet, side: Side, seen: Seen<'_>) {
        self.make_room(flow);
        let Some(Tracked { task, label, pass, .. }) = self.flows.get_mut(flow.id) else { return };
        let is_end = matches!(seen, Seen::End(_));
        if task.is_over() || task.is_done(side) && !is_end {
            return;
        }
        if !is_end || task.starts_at_end() {
            admit(&self.parking, &mut self.books.gate, task, pass, flow);
        }
        let before = task.footprint();
        let packets = [packet];
        let mut scribe = self.books.scribe(&packets, flow, label, *pass);
        let tell = &mut |task: &FlowTask, delivered: Delivered| scribe.write(task, delivered);
        match seen {
            Seen::Data { offset, bytes } | Seen::Datagram { offset, bytes } => {
                task.data(flow, side, offset, bytes, tell);
            }
            Seen::Gap { offset, len, reason } => task.gap(flow, side, offset, len, reason, tell),
            Seen::End(reason) => task.end(flow, side, reason, tell),
        }
        self.settle(flow, before, packet);
    }

    /// Takes account of a delivery: the flow's cell was `before`.
    fn settle(&mut self, flow: &FlowView<'_>, before: Option<Footprint>, packet: Packet) {
        let Some(Tracked { task, used, .. }) = self.flows.get_mut(flow.id) else { return };
        let whose = Whose::of(task.parser());
        let after = task.footprint();
        // One that was kept free was as large as it was to be.
        let was_parked = before.is_some_and(|before| !before.awake && before.bytes != before.full);
        self.parking.account(whose, before, after);
        let Some(now) = after.filter(|after| after.awake) else { return };
        *used = packet.ts;
        let whole = before.map_or_else(|| task.parser().newborn().full, |before| before.full);
        let grew = now.bytes > whole;
        if self.parking.short(whose).is_some() {
            self.park_others(flow);
        }
        let far_beyond = self.parking.far_beyond(whose);
        let Some(Tracked { task, label, pass, .. }) = self.flows.get_mut(flow.id) else { return };
        if (grew || far_beyond)
            && let Some(full) = self.parking.short(whose)
        {
            let fault = task.crowded_out(full);
            let packets = [packet];
            self.books.scribe(&packets, flow, label, *pass).fault(task.parser(), &fault, packet);
            self.parking.account(whose, after, None);
            return;
        }
        let is_resting = task.is_resting();
        if !before.is_some_and(|before| before.awake) {
            self.books.stats.parking.unparks += u64::from(was_parked);
            self.keep_awake(whose, flow.id, packet.ts);
        }
        if self.parking.always() {
            self.park(flow.id);
        } else if is_resting && let Some((id, since)) = self.parking.rests(flow.id, packet.ts) {
            let it = self.flows.get_mut(id);
            if it.is_some_and(|it| it.task.is_resting() && it.used == since) {
                self.park(id);
            }
        }
    }

    /// A cell is awake, and may be parked later.
    fn keep_awake(&mut self, whose: Whose, id: FlowId, since: Timestamp) {
        let flows = &mut self.flows;
        let is_awake = |id| flows.get_mut(id).is_some_and(|tracked| tracked.is_awake(whose));
        self.parking.woke(whose, id, since, is_awake);
    }

    /// Parks cells of other flows: those that are quiet, and more where memory is short.
    fn park_others(&mut self, flow: &FlowView<'_>) {
        let tracked = self.flows.get_mut(flow.id);
        let Some(whose) = tracked.map(|tracked| Whose::of(tracked.task.parser())) else { return };
        let mut spared = 0;
        for _ in 0..LOOKS {
            let Some(next) = self.parking.next(whose, flow.ts) else { return };
            let tracked = self.flows.get_mut(next.flow);
            let Some(tracked) = tracked.filter(|tracked| tracked.is_awake(next.whose)) else {
                continue;
            };
            let used = tracked.used;
            // Where memory is short, some have to go even if all are in use.
            let must_go = next.urgent || next.short && spared >= LOOKS / 2;
            if next.flow == flow.id || used > next.since && !must_go {
                spared += 1;
                self.keep_awake(next.whose, next.flow, used);
            } else {
                self.park(next.flow);
            }
        }
    }

    /// Parks the cell of a flow, if it has one that can be.
    fn park(&mut self, id: FlowId) {
        let Some(Tracked { task, label, .. }) = self.flows.get_mut(id) else { return };
        let before = task.footprint();
        if let Some(stored) = task.park() {
            // It can be made again, and is as large as much of what is kept of a cell.
            *label = None;
            self.books.stats.parking.parks += 1;
            self.books.stats.parking.parked_bytes += stored as u64;
        }
        self.parking.account(Whose::of(task.parser()), before, task.footprint());
    }

    /// Whether bytes of a flow can be delivered with others.
    fn may_wait(&mut self, id: FlowId) -> bool {
        let settled = |followed: &&mut Followed| followed.is_settled() && !followed.skips();
        let settled = self.flows.followed(id).filter(settled);
        let tracked = settled.and_then(|followed| followed.tracked.as_deref());
        self.together && tracked.is_some_and(|tracked| tracked.task.takes_segments())
    }

    /// Keeps bytes for later if the flow's parser may want them. The answer is [`Demand::Later`] then.
    fn put_aside(&mut self, flow: &FlowView<'_>, side: Side, offset: u64, bytes: &[u8]) -> Demand {
        self.make_room(flow);
        let is_full = |aside: &Aside| aside.side != side || !aside.fits(bytes.len());
        let waiting = self.flows.get_mut(flow.id).and_then(|tracked| tracked.aside.as_deref());
        if waiting.is_some_and(is_full) {
            self.deliver_aside(flow.id);
            if !self.may_wait(flow.id) {
                return self.follow(flow, side, Seen::Data { offset, bytes });
            }
        }
        let Some(Followed { tracked: Some(tracked), owed, .. }) = self.flows.followed(flow.id)
        else {
            return Demand::More;
        };
        let Tracked { task, aside, pass, .. } = &mut **tracked;
        if task.is_done(side) {
            let Some(unwanted) = owed else { return Demand::Done };
            *unwanted += bytes.len() as u64;
            return Demand::Later;
        }
        if !task.started() && task.footprint().is_none() {
            admit(&self.parking, &mut self.books.gate, task, pass, flow);
            if task.is_over() {
                return Demand::Done;
            }
            task.reserve();
            self.parking.account(Whose::of(task.parser()), None, task.footprint());
        }
        let (skipped, rest) = task.after_skip(side, bytes);
        if !rest.is_empty() {
            let asides = &mut self.asides;
            let aside = aside.get_or_insert_with(|| asides.take(flow, side, offset + skipped));
            aside.push(Packet::of(flow, self.digits), rest);
            if owed.is_none() {
                *owed = Some(0);
                self.asides.flows.push_back(flow.id);
            }
        }
        if owed.is_some() { Demand::Later } else { Demand::More }
    }

    /// Delivers what a flow has aside.
    fn deliver_aside(&mut self, id: FlowId) {
        let Some(Tracked { task, label, aside, pass, .. }) = self.flows.get_mut(id) else { return };
        let Some(aside) = aside.take() else { return };
        let before = task.footprint();
        let flow = &aside.view();
        let mut scribe = self.books.scribe(&aside.packets, flow, label, *pass);
        let mut last = u32::MAX;
        let tell = &mut |task: &FlowTask, delivered: Delivered| {
            last = delivered.output.segment;
            scribe.write(task, delivered);
        };
        task.segments(flow, aside.side, aside.offset, &aside.segments, &aside.bytes, tell);
        let (hands_over, is_done) = (task.hands_over(), task.is_done(aside.side));
        let end = aside.packets.last().copied();
        let end = end.unwrap_or_else(|| Packet::of(flow, self.digits));
        self.settle(flow, before, end);
        let mut unwanted = 0;
        if hands_over {
            unwanted = self.hand_over_aside(&aside, last);
        } else if is_done {
            unwanted = aside.behind(last);
        }
        if let Some(followed) = self.flows.followed(id) {
            *followed.owed.get_or_insert(0) += unwanted;
        }
        self.asides.give_back(aside);
    }

    /// Parks what can be parked. If the flow is in want of a cell and there is still none, finds out which
    /// would be free if everything had been delivered as it came.
    fn make_room(&mut self, flow: &FlowView<'_>) {
        self.park_others(flow);
        let wants =
            |tracked: &Tracked| !tracked.task.started() && tracked.task.footprint().is_none();
        let wants = self.flows.get_mut(flow.id).filter(|tracked| wants(tracked));
        let whose = wants.map(|tracked| Whose::of(tracked.task.parser()));
        if whose.is_some_and(|whose| self.parking.full(whose).is_some()) {
            let behind = std::mem::take(&mut self.asides.flows);
            behind.iter().for_each(|id| self.deliver_aside(*id));
            self.asides.flows = behind;
            self.park_others(flow);
        }
    }

    fn closed(&mut self, flow: &FlowView<'_>, summary: &FlowSummary) {
        self.drop_pursuit(flow.id);
        let mut followed = self.flows.remove(flow.id).unwrap_or_default();
        if let Some(Tracked { task, .. }) = followed.tracked.as_deref() {
            self.parking.account(Whose::of(task.parser()), task.footprint(), None);
        }
        let label = followed.tracked.as_mut().and_then(|tracked| tracked.label.take());
        let label = label.unwrap_or_else(|| FlowLabel::new(flow));
        let tasks = followed.tasks().filter(|task| task.started());
        let tasks: Vec<(&FlowTask, Ending)> = tasks.map(|task| (task, task.ending())).collect();
        let stats = &mut self.books.stats;
        let mut parsed = false;
        for (_, ending) in &tasks {
            match ending {
                Ending::NoRoom => stats.no_room += 1,
                Ending::BreakerOpen => stats.breaker_open += 1,
                Ending::Throttled => stats.throttled += 1,
                Ending::Declined(_) => {}
                _ => parsed = true,
            }
        }
        stats.parsed_flows += u64::from(parsed);
        let confirmed = tasks.iter().filter(|(task, _)| task.confirmed());
        let mut services: Vec<&str> = Vec::new();
        for (task, _) in confirmed {
            let name = task.parser().description().name.as_str();
            if !services.contains(&name) {
                services.push(name);
            }
        }
        let (orig, resp) = (&summary.orig, &summary.resp);
        let record = FlowRecord {
            duration: seconds(summary.last_ts.0.saturating_sub(summary.first_ts.0)),
            service: (!services.is_empty()).then(|| services.join(",")),
            parent: followed.parent(),
            orig_bytes: orig.bytes,
            resp_bytes: resp.bytes,
            missed_bytes: orig.missed_bytes + resp.missed_bytes,
            orig_pkts: orig.pkts,
            orig_ip_bytes: orig.ip_bytes,
            resp_pkts: resp.pkts,
            resp_ip_bytes: resp.ip_bytes,
            conn_state: summary.conn_state.name(),
            history: summary.history.as_str(),
            end_reason: summary.end_reason.name(),
            midstream: summary.midstream,
            vlan: &summary.vlan,
            tunnel: flow.tunnel.map(tunnel_record),
            anomalies: summary.anomalies.iter().map(|kind| kind.name()).collect(),
            parsers: tasks.iter().map(|(task, ending)| candidacy(task, ending)).collect(),
        };
        let subject = Subject::of(&label, summary.first_ts.0, self.digits, summary.first_packet);
        self.books.records.own(Place::of(flow), "flow", &subject, &record);
    }
}

impl FlowSink for Worker {
    fn event(&mut self, flow: &FlowView<'_>, event: FlowEvent<'_>) -> Demand {
        match event {
            FlowEvent::Data { side, offset, bytes }
                if flow.may_wait && self.may_wait(flow.id) && bytes.len() <= MAX_DELIVERY =>
            {
                self.put_aside(flow, side, offset, bytes)
            }
            FlowEvent::Data { side, offset, bytes } => {
                self.follow(flow, side, Seen::Data { offset, bytes })
            }
            FlowEvent::Datagram { side, offset, bytes } => {
                self.follow(flow, side, Seen::Datagram { offset, bytes })
            }
            FlowEvent::Gap { side, offset, len, reason } => {
                self.follow(flow, side, Seen::Gap { offset, len, reason })
            }
            FlowEvent::End { side, reason } => self.follow(flow, side, Seen::End(reason)),
            FlowEvent::Anomaly(anomaly) => {
                let label = FlowLabel::new(flow);
                let subject = Subject::of(&label, flow.ts.0, self.digits, flow.packet);
                let record = AnomalyRecord::new(&anomaly);
                self.books.records.own(Place::of(flow), "anomaly", &subject, &record);
                Demand::More
            }
            FlowEvent::Closed { summary } => {
                self.closed(flow, summary);
                Demand::More
            }
            _ => Demand::More,
        }
    }

    fn next_done(&mut self) -> Option<(FlowId, Side)> {
        self.done.pop()
    }

    fn catch_up(&mut self, flow: FlowId) -> CaughtUp {
        self.deliver_aside(flow);
        let Some(followed) = self.flows.followed(flow) else { return CaughtUp::default() };
        let done = Side::BOTH.map(|side| followed.demand(side) == Demand::Done);
        CaughtUp { done, unwanted: followed.owed.take().unwrap_or(0) }
    }

    fn next_behind(&mut self) -> Option<FlowId> {
        self.asides.flows.pop_front()
    }
}

impl Recorder for Worker {
    fn records(&mut self) -> &mut Records {
        &mut self.books.records
    }

    fn gate(&mut self) -> Option<&mut Gate> {
        Some(&mut self.books.gate)
    }

    fn set_digits(&mut self, digits: usize) {
        self.digits = digits;
    }

    fn fragment_rejected(&mut self, rejected: &FragmentRejected) {
        let FragmentRejected { anomaly, src, dst, id, ts, packet } = *rejected;
        let kind = anomaly.name();
        let record = FragmentRecord { kind, src_ip: src.to_string(), dst_ip: dst.to_string(), id };
        let digits = self.digits;
        let packet = Some(packet);
        let subject = Subject { ts: ts.0, digits, flow: None, parser: None, packet, escaped: &[] };
        self.books.records.own(Place::before(rejected.packet), "anomaly", &subject, &record);
    }
}

/// Asks whether a flow that is about to begin may have its parser, and whether there is room for it.
fn admit(
    parking: &Parking,
    gate: &mut Gate,
    task: &mut FlowTask,
    pass: &mut Option<Pass>,
    flow: &FlowView<'_>,
) {
    if parking.full(Whose::of(task.parser())).is_some() {
        task.refuse(Ending::NoRoom);
    }
    if pass.is_some() || task.is_over() {
        return;
    }
    let when = When { ts: flow.ts.0, packet: flow.packet };
    if *pass.insert(gate.admit(task.parser(), when)) == Pass::Shut {
        task.refuse(Ending::BreakerOpen);
    } else if task.parser().is_throttled() {
        task.refuse(Ending::Throttled);
    }
}
