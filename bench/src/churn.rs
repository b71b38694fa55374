//! Short flows: each says a little and is gone.

use anyhow::{Result, ensure};
use flowcell::registry::Handle;
use flowcell::runtime::Engine;
use flowcell_traffic::Side;
use flowcell_traffic::special::Dialogues;

use crate::guest;
use crate::report::{Report, to_float};
use crate::tape::{self, Tape};
use crate::turns::{Contender, take_turns};

const FLOWS: u32 = 10_000;
/// Flows that are open at once.
const AT_ONCE: u32 = 64;
const ROUNDS: u32 = 9;

const LINE: &[(Side, &[u8])] = &[(Side::Client, b"MAIL FROM:<one@exa.org>\r\n")];

/// A short mail, as a script delivers it.
const MAIL: &[(Side, &[u8])] = &[
    (Side::Server, b"220 mx.example.com ESMTP ready\r\n"),
    (Side::Client, b"EHLO client.example.net\r\n"),
    (Side::Server, b"250-mx.example.com greets you\r\n250-PIPELINING\r\n250 8BITMIME\r\n"),
    (Side::Client, b"MAIL FROM:<ann@example.net>\r\n"),
    (Side::Server, b"250 2.1.0 Sender ok\r\n"),
    (Side::Client, b"RCPT TO:<bob@example.com>\r\n"),
    (Side::Server, b"250 2.1.5 Recipient ok\r\n"),
    (Side::Client, b"DATA\r\n"),
    (Side::Server, b"354 End data with <CR><LF>.<CR><LF>\r\n"),
    (
        Side::Client,
        b"From: Ann <ann@example.net>\r\nTo: Bob <bob@example.com>\r\nSubject: Disk full\r\n\
          Date: Mon, 05 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@example.net>\r\n\r\n\
          The disk of this machine is nearly full.\r\n.\r\n",
    ),
    (Side::Server, b"250 2.0.0 Queued as 5F3A\r\n"),
    (Side::Client, b"QUIT\r\n"),
    (Side::Server, b"221 2.0.0 Bye\r\n"),
];

pub(crate) fn run() -> Result<Report> {
    let engine = Engine::new()?;
    let mut report = Report::default();
    println!(
        "{:<38} {:>9} {:>9} {:>9}",
        "short flows, frames to JSON", "flows/s", "µs/flow", "ns/frame"
    );
    let lines = guest::handle(vec![guest::lines(&engine)?]);
    measure(&mut report, "one line", ("", "flow"), (1, LINE), (&lines, "lines.count"))?;
    let bundled = guest::handle(guest::bundled_parsers(&engine)?);
    measure(&mut report, "one mail", ("mail_", "mail"), (25, MAIL), (&bundled, "smtp.mail"))?;
    Ok(report)
}

/// Flows that say `script` to a port, with parsers that are to make a record of a type of each.
fn measure(
    report: &mut Report,
    what: &str,
    (prefix, each): (&str, &str),
    (port, script): (u16, &[(Side, &[u8])]),
    (parsers, record): (&Handle, &str),
) -> Result<()> {
    let dialogues = Dialogues { flows: FLOWS, at_once: AT_ONCE, port, script };
    let tape = Tape::record(|output| dialogues.frames(output))?;
    let none = guest::handle(Vec::new());
    let mut contenders = [
        Contender::new(format!("{what}, parsed"), || flows(&tape, parsers, Some(record))),
        Contender::new(format!("{what}, without parsers"), || flows(&tape, &none, None)),
    ];
    take_turns(&mut contenders, ROUNDS)?;
    let frames = to_float(tape.len()) / f64::from(FLOWS);
    let costs = contenders.each_ref().map(|contender| contender.nanoseconds(FLOWS.into()));
    for (contender, cost) in contenders.iter().zip(costs) {
        let (per_second, micros, frame) = (1e9 / cost, cost / 1e3, cost / frames);
        println!("{:<38} {per_second:>9.0} {micros:>9.2} {frame:>9.0}", contender.name);
    }
    let [parsed, tracked] = costs;
    let share = (parsed - tracked) / 1e3;
    println!("{:<38} {share:>19.2}", format!("{what}, what the parser takes"));
    report.figure(format!("{prefix}flows_per_s"), Some(1e9 / parsed));
    report.figure(format!("{prefix}flows_per_s_without_parsers"), Some(1e9 / tracked));
    report.figure(format!("us_per_{each}"), Some(parsed / 1e3));
    report.figure(format!("us_per_{each}_in_cell"), Some(share));
    Ok(())
}

fn flows(tape: &Tape, parsers: &Handle, record: Option<&str>) -> Result<()> {
    let outcome = tape::run(tape.frames(0, 0), parsers, std::io::sink())?;
    let of_type = |ty: &str| -> u64 {
        let all = outcome.sinks.iter().flat_map(|worker| worker.made().written());
        all.filter(|(name, _)| name == ty).map(|(_, count)| count).sum()
    };
    for ty in record.into_iter().chain(["flow"]) {
        let made = of_type(ty);
        ensure!(made == u64::from(FLOWS), "{made} records `{ty}` of {FLOWS} flows");
    }
    Ok(())
}
