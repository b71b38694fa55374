//! Every bundled parser in its sandbox, against the same parser built natively, and against the crate
//! `protolens` where that reads the protocol.
//!
//! All are given the same conversations, already put into order: what a side sends, a packet at a time.
//! The sandboxed parser gets packets that follow each other in one delivery, as from the driver, and a cell
//! of its own for each flow. The native one gets each packet by itself, as whoever embeds it would
//! do; its records become JSON by the same code as those of the sandboxed one, because both have to be
//! read by somebody. Both must make the same records. Protolens hands out pieces and makes no records.

mod conversation;
mod lens;
mod native;
mod sandboxed;

use anyhow::{Context, Result, ensure};
use flowcell::runtime::Engine;
use flowcell_sdk::ParserDef;
use flowcell_traffic::Weights;
use protolens::L7Proto;

use crate::guest;
use crate::report::{Report, to_float};
use crate::turns::{Contender, take_turns};
use conversation::Conversations;

const ROUNDS: u32 = 7;

/// A parser, and flows for it.
struct Kind {
    parser: &'static ParserDef,
    weights: Weights,
    flows: u64,
    lens: Option<L7Proto>,
}

fn kinds() -> Vec<Kind> {
    let none = Weights::NONE;
    let kind = |parser, weights, flows, lens| Kind { parser, weights, flows, lens };
    vec![
        kind(&smtp::PARSER, Weights { mail: 1, ..none }, 100, Some(L7Proto::Smtp)),
        kind(&http::PARSER, Weights { web: 1, ..none }, 100, Some(L7Proto::Http)),
        kind(&dns::PARSER, Weights { dns: 1, ..none }, 4000, None),
        kind(&tls::PARSER, Weights { tls: 1, ..none }, 500, None),
        kind(&ftp::PARSER, Weights { ftp: 1, ..none }, 500, None),
        kind(&imap::PARSER, Weights { imap: 1, ..none }, 200, None),
        kind(&mqtt::PARSER, Weights { mqtt: 1, ..none }, 200, None),
        kind(&pop3::PARSER, Weights { pop3: 1, ..none }, 200, None),
        kind(&redis::PARSER, Weights { redis: 1, ..none }, 200, None),
        kind(&sip::PARSER, Weights { sip: 1, ..none }, 1000, None),
        kind(&smb::PARSER, Weights { smb: 1, ..none }, 200, None),
        kind(&ssh::PARSER, Weights { ssh: 1, ..none }, 500, None),
        kind(&stream::PARSER, Weights { web: 1, ..none }, 100, None),
    ]
}

pub(crate) fn run() -> Result<Report> {
    let engine = Engine::new()?;
    let bundled = guest::bundled_parsers(&engine)?;
    let kinds = kinds();
    ensure!(kinds.len() == bundled.len(), "a parser is bundled that is not measured");
    let mut report = Report::default();
    println!(
        "{:<8} {:>8} {:>8} {:>11} {:>11} {:>10} {:>10} {:>8} {:>9}",
        "", "packets", "records", "native ns", "boxed ns", "native µs", "boxed µs", "ratio", "lens"
    );
    let mut least = f64::INFINITY;
    for kind in kinds {
        let name = kind.parser.name;
        let found = bundled.iter().find(|one| one.parser.description().name == name);
        let parser = &found.with_context(|| format!("{name} is not bundled"))?.parser;
        let conversations = Conversations::of(kind.weights, kind.flows)?;
        let description = parser.description();
        let told = native::run(conversations, kind.parser, description)?;
        ensure!(told.records > 0, "{name} makes no records of its flows");
        let same = sandboxed::run(conversations, parser)?;
        ensure!(told == same, "{name}: {told:?} natively, {same:?} in the sandbox");
        let mut contenders = vec![
            Contender::new("native", || {
                native::run(conversations, kind.parser, description).map(drop)
            }),
            Contender::new("sandboxed", || sandboxed::run(conversations, parser).map(drop)),
        ];
        // Who tells of few bytes has given up early: what that takes can't be compared.
        let reads =
            |protocol: &L7Proto| 2 * lens::run(conversations, *protocol) > conversations.bytes;
        let read_by_lens = kind.lens.filter(reads);
        if let Some(protocol) = read_by_lens {
            contenders.push(Contender::new("protolens", move || {
                lens::run(conversations, protocol);
                Ok(())
            }));
        }
        take_turns(&mut contenders, ROUNDS)?;
        let packets = to_float(conversations.packets);
        let costs: Vec<f64> = contenders.iter().map(|one| one.nanoseconds(packets)).collect();
        let [native, sandboxed, ..] = costs[..] else { unreachable!("two or three contenders") };
        let lens = costs.get(2).copied();
        let per_flow = packets / to_float(conversations.flows.len() as u64) / 1e3;
        let ratio = native / sandboxed;
        let beside = match (kind.lens, lens) {
            (_, Some(lens)) => format!("{:>8.2}×", lens / sandboxed),
            (Some(_), None) => "gives up".into(),
            (None, None) => String::new(),
        };
        println!(
            "{name:<8} {packets:>8.0} {:>8} {native:>11.0} {sandboxed:>11.0} {:>10.2} {:>10.2} {ratio:>7.2}× {beside:>9}",
            told.records,
            native * per_flow,
            sandboxed * per_flow,
        );
        report.figure(format!("{name}_ns_per_packet"), Some(sandboxed));
        report.figure(format!("{name}_us_per_flow"), Some(sandboxed * per_flow));
        report.figure(format!("{name}_ratio_vs_native"), Some(ratio));
        if let Some(lens) = lens {
            report.figure(format!("{name}_ratio_vs_protolens"), Some(lens / sandboxed));
        }
        least = least.min(ratio);
    }
    println!("{:<8} {least:>70.2}×", "least");
    report.figure("min_ratio_vs_native", Some(least));
    Ok(report)
}

/// What came of the flows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Told {
    records: u64,
    /// Bytes of their JSON.
    bytes: u64,
}

/// What a parser still wants of its flow, as a driver heeds it.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted {
    skip: [u64; 2],
    done: [bool; 2],
}

impl Wanted {
    /// How many of the next bytes of a side it does not want.
    fn unwanted(&mut self, side: usize, bytes: usize) -> usize {
        let skip = &mut self.skip[side];
        let unwanted = usize::try_from(*skip).unwrap_or(usize::MAX).min(bytes);
        *skip -= unwanted as u64;
        unwanted
    }
}
