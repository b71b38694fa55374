//! A parser, built for this machine, and a flow.
//!
//! The first byte says which parser, the second what kind of flow; then come deliveries: a byte that says
//! whose they are and what, two for the length, and the bytes.
#![no_main]

use flowcell_sdk::drive::{HostCalls, Input, Progress, Task};
use flowcell_sdk::{
    EndReason, Expectation, FlowInfo, GapReason, Level, ParserDef, Secrets, Side, Timestamp, Transport,
};

static PARSERS: [&ParserDef; 13] = [
    &dns::PARSER,
    &ftp::PARSER,
    &http::PARSER,
    &imap::PARSER,
    &mqtt::PARSER,
    &pop3::PARSER,
    &redis::PARSER,
    &sip::PARSER,
    &smb::PARSER,
    &smtp::PARSER,
    &ssh::PARSER,
    &stream::PARSER,
    &tls::PARSER,
];

/// Nobody who listens.
struct Nobody;

impl HostCalls for Nobody {
    fn emit(&self, _kind: u32, body: &[u8]) {
        assert!(body.len() <= 256 << 10, "a record that the host would not take");
    }

    fn confirm(&self) {}
    fn decline(&self, _reason: &str) {}
    fn fail(&self, _reason: &str) {}
    fn skip(&self, _side: Side, _bytes: u64) {}
    fn done(&self, _side: Side) {}
    fn switch_to(&self, _protocol: &str, _client: &[u8], _server: &[u8]) {}
    fn expect(&self, _expectation: &Expectation<'_>) {}
    fn log(&self, _level: Level, _message: &str) {}
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [which, kind, rest @ ..] = bytes else { return };
    let mut rest = rest;
    let def = PARSERS[usize::from(*which) % PARSERS.len()];
    let endpoint = |port| std::net::SocketAddr::from(([10, 0, 0, 1], port));
    let mut info = FlowInfo {
        client: endpoint(4000),
        server: endpoint(def.tcp_ports.first().copied().unwrap_or(9)),
        transport: if kind & 1 == 0 { Transport::Tcp } else { Transport::Udp },
        at: Timestamp(0),
        midstream: kind & 2 != 0,
        confirmed: false,
        secrets: if kind & 8 == 0 { Secrets::Masked } else { Secrets::Shown },
        originator: Side::Client,
        context: None,
    };
    if kind & 4 != 0 {
        let length = rest.len().min(usize::from(kind >> 4));
        let (context, later) = rest.split_at(length);
        (info.context, rest) = (Some(context.to_vec()), later);
    }
    let mut task = Task::new(def, info, Box::new(Nobody));
    let mut ended = [false; 2];
    let mut at = Timestamp(0);
    while let [what, high, low, later @ ..] = rest {
        let (side, index) = if what & 1 == 0 { (Side::Client, 0) } else { (Side::Server, 1) };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        at = Timestamp(at.0 + u64::from(*low) * 1_000_000_000);
        rest = later;
        if ended[index] {
            continue;
        }
        let input = match what >> 1 & 7 {
            0 => Input::Gap { side, length: 1 + length as u64, reason: GapReason::Lost },
            1 if *low < 16 => {
                ended[index] = true;
                Input::End { side, at, reason: EndReason::Fin }
            }
            _ => {
                let (bytes, later) = rest.split_at(length.min(rest.len()));
                rest = later;
                Input::Data { side, at, bytes }
            }
        };
        if task.deliver(input) == Progress::Ready {
            return;
        }
    }
    for (side, ended) in [(Side::Client, ended[0]), (Side::Server, ended[1])] {
        let input = Input::End { side, at, reason: EndReason::Shutdown };
        if !ended && task.deliver(input) == Progress::Ready {
            return;
        }
    }
});
