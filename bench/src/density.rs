//! Flows that all wait in the middle of a message, in one process.
//!
//! Every flow is a mail that has been half sent: greeting, envelope, header and part of the body are
//! parsed, and the parser waits in the middle of a line. All of it is real: frames go through the
//! engine, each flow has a cell of the bundled SMTP parser, and nothing is set differently from
//! `flowcell run`. Then some flows go on, and each has to yield the record of its own mail.

use std::fs;

use anyhow::{Context, Result, ensure};
use clap::Args;
use etherparse::PacketBuilder;
use flowcell::capture::{CaptureError, Frame, Next, Precision, Source, Stats};
use flowcell::output::Types;
use flowcell::registry::{Compiler, Handle, bundled};
use flowcell::runtime::{Engine, ParserLimits};
use flowcell_core::{LinkType, RawFrame, Timestamp};

use crate::report::{Report, mib, to_float};
use crate::tape::{Kept, play};

#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Flows at a time.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) flows: u32,
}

/// One flow in so many goes on.
const CONTINUED: u32 = 1000;
/// Flows that come later, so that time passes in every lane.
const LATER: u32 = 200;
const START_NS: u64 = 1_700_000_000_000_000_000;
const FRAME_NS: u64 = 1_000;
/// Longer than it takes for a quiet cell to be parked.
const PAUSE_NS: u64 = 10_000_000_000;

pub(crate) fn run(options: &Options) -> Result<Report> {
    let engine = Engine::new()?;
    let parsers =
        Handle::new(bundled(&engine, &Compiler::in_process(), &ParserLimits::default(), false)?);
    let output = Kept::default();
    let mut crowd = Crowd::new(options.flows);
    // Of millions of other records, nothing is kept.
    let types = Types::new(&["smtp.mail".to_owned()]);
    let outcome = play(&mut crowd, &parsers, &types, output.clone())?;
    let found = crowd.found.context("all flows were waiting at some time")??;
    let flows = u64::from(options.flows);
    let parsed: u64 = outcome.sinks.iter().map(|worker| worker.stats().parsed_flows).sum();
    let parking = outcome.sinks.iter().map(|worker| worker.stats().parking);
    let (parks, stored) =
        parking.fold((0, 0), |sum, one| (sum.0 + one.parks, sum.1 + one.parked_bytes));
    let continued = continued(&String::from_utf8(output.take())?, options.flows);
    ensure!(parsed >= flows, "only {parsed} flows of {flows} had a parser");
    let each = to_float(found.memory) / to_float(flows);
    println!("{:<44} {flows:>12}", "flows, each in the middle of a mail");
    println!("{:<44} {:>12.0}", "MiB in all, page tables included", mib(found.memory));
    println!("{:<44} {each:>12.0}", "bytes for each flow");
    println!("{:<44} {:>12.0}", "of which page tables", to_float(found.tables) / to_float(flows));
    println!("{:<44} {:>12}", "mappings", found.mappings);
    println!(
        "{:<44} {:>12.0}",
        "bytes kept of a parked cell's memory",
        to_float(stored) / to_float(parks.max(1))
    );
    println!("{:<44} {:>12}", "went on as they should", if continued { "yes" } else { "NO" });
    let mut report = Report::default();
    report.figure("flows", Some(to_float(flows)));
    report.figure("bytes_per_flow", Some(each));
    report.figure("mappings", Some(to_float(found.mappings)));
    report.figure("continued_ok", Some(f64::from(u8::from(continued))));
    Ok(report)
}

/// Returns whether each flow that went on has yielded the record of its own mail, and no other has.
fn continued(records: &str, flows: u32) -> bool {
    let record = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok();
    let mails: Vec<_> = records
        .lines()
        .filter(|line| line.contains(r#""type":"smtp.mail""#))
        .filter_map(record)
        .filter(|mail| mail["data"]["incomplete"] == false)
        .map(|mail| (mail["data"]["mailfrom"].clone(), mail["data"]["subject"].clone()))
        .collect();
    let wanted = (0..flows).step_by(CONTINUED as usize);
    let wanted: Vec<_> =
        wanted.map(|flow| (sender(flow).into(), format!("Number {flow}").into())).collect();
    mails == wanted
}

fn sender(flow: u32) -> String {
    format!("someone-{flow}@client.example.org")
}

/// What the process takes.
#[derive(Debug)]
struct Found {
    /// Bytes, page tables included.
    memory: u64,
    tables: u64,
    mappings: u64,
}

impl Found {
    fn now() -> Result<Self> {
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file)?;
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next());
            let kib: u64 = number.with_context(|| format!("{file} has {name}"))?.parse()?;
            anyhow::Ok(kib << 10)
        };
        let tables = field("/proc/self/status", "VmPTE:")?;
        let memory = field("/proc/self/smaps_rollup", "Pss:")? + tables;
        let mappings = fs::read_to_string("/proc/self/maps")?.lines().count() as u64;
        Ok(Self { memory, tables, mappings })
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// This flow begins, and stops in the middle.
    Begin(u32),
    /// This flow goes on to its end.
    Continue(u32),
    End,
}

/// Makes the frames of all flows, one at a time: together they would not fit into memory.
struct Crowd {
    flows: u32,
    act: Act,
    step: usize,
    /// Frames of the current act so far made, in order.
    script: Vec<Vec<u8>>,
    frame: Vec<u8>,
    number: u64,
    now: u64,
    found: Option<Result<Found>>,
}

impl Crowd {
    fn new(flows: u32) -> Self {
        Self {
            flows,
            act: Act::Begin(0),
            step: 0,
            script: first_half(0),
            frame: Vec::new(),
            number: 0,
            now: START_NS,
            found: None,
        }
    }

    /// Goes on to the next act.
    fn advance(&mut self) {
        let all = self.flows + LATER;
        self.act = match self.act {
            Act::Begin(flow) if flow + 1 == all => {
                self.found = Some(Found::now());
                Act::Continue(0)
            }
            Act::Begin(flow) => {
                if flow + 1 == self.flows {
                    self.now += PAUSE_NS;
                }
                Act::Begin(flow + 1)
            }
            Act::Continue(flow) if flow + CONTINUED < self.flows => Act::Continue(flow + CONTINUED),
            Act::Continue(_) | Act::End => Act::End,
        };
        self.step = 0;
        self.script = match self.act {
            Act::Begin(flow) => first_half(flow),
            Act::Continue(flow) => second_half(flow),
            Act::End => Vec::new(),
        };
    }
}

impl Source for Crowd {
    fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        if self.step == self.script.len() {
            self.advance();
        }
        let Some(frame) = self.script.get_mut(self.step) else { return Ok(Next::End) };
        self.frame = std::mem::take(frame);
        self.step += 1;
        self.number += 1;
        self.now += FRAME_NS;
        let raw = RawFrame {
            number: self.number,
            ts: Timestamp(self.now),
            interface: 0,
            link: LinkType::ETHERNET,
            len: u32::try_from(self.frame.len()).unwrap_or(u32::MAX),
            bytes: &self.frame,
        };
        Ok(Next::Frame(Frame { raw, precision: Precision::Nano }))
    }

    fn stats(&mut self) -> Stats {
        Stats { received: self.number, ..Stats::default() }
    }
}

/// Says things in one flow, and makes frames of them.
struct Dialogue {
    flow: u32,
    /// The next sequence numbers of client and server.
    next: [u32; 2],
    frames: Vec<Vec<u8>>,
}

const CLIENT: usize = 0;
const SERVER: usize = 1;
const ISN: [u32; 2] = [1000, 9000];

impl Dialogue {
    fn say(mut self, side: usize, text: &str) -> Self {
        let [from, to] = if side == CLIENT { [CLIENT, SERVER] } else { [SERVER, CLIENT] };
        let frame = self.frame(from, |tcp| tcp.ack(self.next[to]).psh(), text.as_bytes());
        self.frames.push(frame);
        self.next[from] = self.next[from].wrapping_add(u32::try_from(text.len()).unwrap_or(0));
        self
    }

    fn open(mut self) -> Self {
        for (side, synchronise) in [(CLIENT, true), (SERVER, true), (CLIENT, false)] {
            let other = self.next[1 - side];
            let first = side == CLIENT && synchronise;
            let frame = self.frame(
                side,
                |tcp| {
                    let tcp = if synchronise { tcp.syn() } else { tcp };
                    if first { tcp } else { tcp.ack(other) }
                },
                &[],
            );
            self.frames.push(frame);
            self.next[side] += u32::from(synchronise);
        }
        self
    }

    fn frame(
        &self,
        side: usize,
        flags: impl FnOnce(
            etherparse::PacketBuilderStep<etherparse::TcpHeader>,
        ) -> etherparse::PacketBuilderStep<etherparse::TcpHeader>,
        payload: &[u8],
    ) -> Vec<u8> {
        let [_, a, b, c] = self.flow.to_be_bytes();
        let (client, server) = ([10, a, b, c], [192, 0, 2, 25]);
        let ports = [20_000, 25];
        let [from, to] = if side == CLIENT { [client, server] } else { [server, client] };
        let tcp = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(from, to, 64).tcp(
            ports[side],
            ports[1 - side],
            self.next[side],
            60_000,
        );
        let mut frame = Vec::with_capacity(54 + payload.len());
        // Into memory, and short: this can not fail.
        let _ = flags(tcp).write(&mut frame, payload);
        frame
    }
}

/// A mail up to the middle of a line of its body.
fn first_half(flow: u32) -> Vec<Vec<u8>> {
    let dialogue = Dialogue { flow, next: ISN, frames: Vec::new() };
    dialogue
        .open()
        .say(SERVER, "220 mx.example.net ESMTP ready\r\n")
        .say(CLIENT, "EHLO client.example.org\r\n")
        .say(SERVER, "250 mx.example.net\r\n")
        .say(CLIENT, &format!("MAIL FROM:<{}>\r\n", sender(flow)))
        .say(SERVER, "250 2.1.0 Ok\r\n")
        .say(CLIENT, "RCPT TO:<somebody@example.net>\r\n")
        .say(SERVER, "250 2.1.5 Ok\r\n")
        .say(CLIENT, "DATA\r\n")
        .say(SERVER, "354 End data with <CR><LF>.<CR><LF>\r\n")
        .say(CLIENT, &half_mail(flow))
        .frames
}

fn half_mail(flow: u32) -> String {
    format!(
        "From: Someone <{}>\r\nTo: somebody@example.net\r\nSubject: Number {flow}\r\n\
         Date: Mon, 05 Oct 2009 11:36:07 +0530\r\nMessage-ID: <{flow}@client.example.org>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         The first line of the mail.\r\nAnd the second, which is not whole y",
        sender(flow)
    )
}

/// The rest of it. What was said before decides the numbers.
fn second_half(flow: u32) -> Vec<Vec<u8>> {
    let before = |side: usize| {
        let said = first_half(flow).into_iter().skip(3);
        // Ethernet, IPv4 and TCP headers without options take 54 bytes; the client's port is 20,000.
        let of_side =
            said.filter(|frame| (frame[34..36] == 20_000_u16.to_be_bytes()) == (side == CLIENT));
        of_side.map(|frame| frame.len() - 54).sum::<usize>()
    };
    let next = |side: usize| ISN[side] + 1 + u32::try_from(before(side)).unwrap_or(0);
    Dialogue { flow, next: [next(CLIENT), next(SERVER)], frames: Vec::new() }
        .say(CLIENT, "et.\r\nThe last line.\r\n.\r\n")
        .say(SERVER, "250 2.0.0 Ok: queued\r\n")
        .frames
}
