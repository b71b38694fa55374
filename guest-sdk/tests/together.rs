//! Packets that are delivered together: a parser sees no difference, whatever it does.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use flowcell_sdk::futures::future::{Either, select};
use flowcell_sdk::futures::{StreamExt, join};
use flowcell_sdk::prelude::*;
use flowcell_sdk::testing::{Cut, FlowScript, Step};
use flowcell_sdk::{ByteStream, LinePart};

/// What the parser did.
#[derive(Record)]
struct Did {
    /// With what it found.
    what: String,
    /// The time of the packet.
    at: u64,
    /// How far it has read.
    offset: u64,
}

fn tell(flow: &Flow, stream: &ByteStream, what: String) {
    flow.emit(&Did { what: what.clone(), at: flow.now().0, offset: stream.offset() });
    if what.len().is_multiple_of(3) {
        flow.log(Level::Info, &what);
    }
}

fn shown(result: Result<impl std::fmt::Debug, ReadError>) -> Option<String> {
    match result {
        Err(ReadError::End(_)) => None,
        other => Some(format!("{other:?}")),
    }
}

/// Does with a side what its bytes say.
async fn obey(flow: &Flow, stream: &mut ByteStream) -> Result<()> {
    loop {
        let order = match stream.read_u8().await {
            Ok(order) => order,
            Err(ReadError::End(_)) => return Ok(()),
            Err(error) => {
                tell(flow, stream, format!("{error:?}"));
                continue;
            }
        };
        let count = usize::from(order % 7) * 3 + 1;
        let did = match order / 7 % 14 {
            0 | 1 => shown(stream.get_line_max(40).await),
            2 => shown(
                stream
                    .get_line_part(count)
                    .await
                    .map(|LinePart { line, last }| (line.bytes().to_vec(), last)),
            ),
            3 => shown(stream.read_exact(count).await),
            4 => shown(stream.peek(count).await),
            5 => shown(stream.rest().await),
            6 => {
                stream.skip(count as u64 * 4);
                Some("skip".into())
            }
            7 => shown(stream.resync_to(b"ab", 60).await),
            8 => shown(stream.look_ahead(count).await),
            9 => stream.next().await.map(|chunk| format!("{chunk:?}")),
            10 => shown(stream.read_until(b"ba", 50).await),
            11 => {
                flow.confirm();
                Some("confirm".into())
            }
            12 if order > 180 => {
                stream.done();
                Some("done".into())
            }
            13 if order > 245 => return Err(Error::violation("bad order")),
            _ => Some("nothing".into()),
        };
        tell(flow, stream, did.unwrap_or_else(|| "end".into()));
    }
}

mod both {
    use super::*;

    // Both sides at once.
    #[parser(name = "both", records = [Did])]
    async fn both(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        let (one, other) = join!(obey(&flow, &mut client), obey(&flow, &mut server));
        one.and(other)
    }
}

mod turns {
    use super::*;

    // One side after the other, so that one waits unread, more of it than can wait.
    #[parser(name = "turns", records = [Did])]
    async fn turns(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        obey(&flow, &mut client).await?;
        obey(&flow, &mut server).await
    }
}

mod races {
    use super::*;

    // Whichever side has a line first.
    #[parser(name = "races", records = [Did])]
    async fn races(mut flow: Flow) -> Result<()> {
        let (mut client, mut server) = flow.streams();
        loop {
            let first = {
                let one = std::pin::pin!(client.look_ahead(3));
                let other = std::pin::pin!(server.look_ahead(5));
                match select(one, other).await {
                    Either::Left((seen, _)) => (true, shown(seen)),
                    Either::Right((seen, _)) => (false, shown(seen)),
                }
            };
            let (stream, count) = if first.0 { (&mut client, 3) } else { (&mut server, 5) };
            let Some(what) = first.1 else { return Ok(()) };
            tell(&flow, stream, what);
            match stream.read_exact(count).await {
                Ok(_) | Err(ReadError::Gap(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn bytes(&mut self, count: u64) -> Vec<u8> {
        let byte = |random: &mut Self| match random.below(4) {
            0 => b"ab\n"[usize::try_from(random.below(3)).unwrap()],
            _ => u8::try_from(random.below(256)).unwrap(),
        };
        (0..count).map(|_| byte(self)).collect()
    }
}

fn random_script(random: &mut Random) -> FlowScript {
    let mut script = FlowScript::parse("client 10.0.0.1:1 server 10.0.0.2:2").unwrap();
    let ends = std::mem::take(&mut script.steps);
    let mut side = Side::Client;
    for _ in 0..random.below(60) {
        if random.below(4) == 0 {
            side = if random.below(2) == 0 { Side::Client } else { Side::Server };
        }
        let length = random.below(40) + 1;
        script.steps.push(match random.below(12) {
            0 => Step::Gap { side, length, reason: GapReason::Lost },
            _ => Step::Data { side, bytes: random.bytes(length) },
        });
    }
    script.steps.extend(ends);
    script
}

#[test]
fn whatever_a_parser_does() {
    let mut random = Random(1);
    for _ in 0..1000 {
        let script = random_script(&mut random);
        for parser in [&both::PARSER, &turns::PARSER, &races::PARSER] {
            script.check_together(parser, Cut::Lines);
        }
    }
}

#[test]
fn more_than_can_wait() {
    let mut random = Random(2);
    let mut script = FlowScript::parse("client 10.0.0.1:1 server 10.0.0.2:2").unwrap();
    let ends = std::mem::take(&mut script.steps);
    for _ in 0..40 {
        script.steps.push(Step::Data { side: Side::Server, bytes: random.bytes(10_000) });
    }
    script.steps.push(Step::Data { side: Side::Client, bytes: random.bytes(100) });
    script.steps.extend(ends);
    let outcome = script.run(&turns::PARSER, Cut::Lines);
    assert!(format!("{outcome:?}").contains("reason: Memory"), "the inbox is full");
    for parser in [&both::PARSER, &turns::PARSER, &races::PARSER] {
        script.check_together(parser, Cut::Lines);
    }
}
