//! Parsers that do what the lines of a flow tell them, each by its name: several can be told different
//! things in the same bytes.
//!
//! A word of a line is `NAME:ORDER` or `NAME:ORDER=VALUE`. Orders: `confirm`, `talk` (a note about each line
//! from now on), `decline`, `fail`, `trap`, `ready`, `done` (with this side), `spin` (for ever), `skip=BYTES` (of this side),
//! `switch=PARSER` (or nobody), `atend=PARSER` (switch when this side ends), and
//! `expect=PORT,PARSER,CONTEXT` (of the flow's server, `expectc` of its client, `expecto` of another host,
//! `expectu` over UDP).

use std::net::{IpAddr, SocketAddr};

use flowcell_sdk::futures::try_join;
use flowcell_sdk::prelude::*;
use flowcell_sdk::{ByteStream, EndReason, Ended, Expectation, Side, Transport};

use crate::Note;

/// What a parser has been told.
struct Told<'a> {
    flow: &'a Flow,
    name: &'static str,
    talks: std::cell::Cell<bool>,
}

/// Obeys both sides. A parser that `talks` from the start emits notes about all lines, gaps and ends.
///
/// # Errors
/// As told.
pub async fn orders(mut flow: Flow, name: &'static str, talks: bool) -> Result<()> {
    let (mut client, mut server) = flow.streams();
    let told = Told { flow: &flow, name, talks: talks.into() };
    if let Some(context) = &flow.info().context {
        told.say(&client, &[b"expected: ", &context[..]].concat());
    }
    try_join!(told.obey(&mut client), told.obey(&mut server))?;
    Ok(())
}

impl Told<'_> {
    async fn obey(&self, stream: &mut ByteStream) -> Result<()> {
        let mut at_end = None;
        loop {
            let line = match stream.get_line().await {
                Ok(line) => String::from_utf8_lossy(line.bytes()).into_owned(),
                Err(ReadError::Gap(gap)) => {
                    self.say(stream, format!("gap of {}", gap.length).as_bytes());
                    continue;
                }
                Err(ReadError::End(end)) => {
                    if self.talks.get() {
                        let rest = stream.rest().await?.unwrap_or_default().to_vec();
                        let reason = format!("{:?} ", end.reason);
                        self.say(stream, &[reason.as_bytes(), &rest].concat());
                    }
                    return at_end.map_or(Ok(()), |parser: String| Err(Error::switch_to(parser)));
                }
                Err(error) => return Err(error.into()),
            };
            self.say(stream, line.as_bytes());
            let mine = line.split(' ').filter_map(|word| word.strip_prefix(self.name));
            for order in mine.filter_map(|word| word.strip_prefix(':')) {
                let (order, value) = order.split_once('=').unwrap_or((order, ""));
                match order {
                    "confirm" => self.flow.confirm(),
                    "talk" => self.talks.set(true),
                    "decline" => return Err(Error::decline("as told")),
                    "fail" => return Err(Error::violation("as told")),
                    "trap" => panic!("as told"),
                    "ready" => return Err(Error::Read(stream_end(stream))),
                    "done" => stream.done(),
                    "spin" => loop {
                        std::hint::spin_loop();
                    },
                    "skip" => stream.skip(value.parse().unwrap_or(0)),
                    "switch" => return Err(Error::switch_to(value.to_owned())),
                    "atend" => at_end = Some(value.to_owned()),
                    _ => self.expect(order, value),
                }
            }
        }
    }

    fn say(&self, stream: &ByteStream, text: &[u8]) {
        if self.talks.get() {
            let info = self.flow.info();
            let from = if stream.side() == Side::Client { info.client } else { info.server };
            let text = [from.port().to_string().as_bytes(), b"> ", text].concat();
            self.flow.emit(&Note { text: text[..].into(), number: stream.offset() });
        }
    }

    fn expect(&self, order: &str, value: &str) {
        let info = self.flow.info();
        let (address, transport) = match order {
            "expect" => (info.server.ip(), Transport::Tcp),
            "expectu" => (info.server.ip(), Transport::Udp),
            "expectc" => (info.client.ip(), Transport::Tcp),
            "expecto" => (IpAddr::from([10, 99, 99, 99]), Transport::Tcp),
            _ => return,
        };
        let mut words = value.splitn(3, ',');
        let port = words.next().and_then(|port| port.parse().ok()).unwrap_or(0);
        let parser = words.next().unwrap_or_default();
        let context = words.next().unwrap_or_default().as_bytes();
        let server = SocketAddr::new(address, port);
        self.flow.expect(&Expectation { parser, transport, server, context });
    }
}

/// What a parser returns that has all it wants.
fn stream_end(stream: &ByteStream) -> ReadError {
    let reason = EndReason::Fin;
    ReadError::End(Ended { side: stream.side(), reason, unread: 0 })
}
