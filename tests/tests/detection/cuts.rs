//! However the bytes of a flow are cut into packets, whoever works on it, whether packets are delivered
//! together and cells are parked: the same parsers make the same records.

use flowcell_sdk::Side::{self, Client, Server};
use flowcell_tests::packets::{Conversation, Pcap};
use serde_json::Value;

use super::{Counted, outcomes_of, run_pcap};

const GUESTS: [&str; 6] = ["first", "second", "third", "nameless", "late", "everything_traps"];

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// What one side says before the other one speaks, or how many bytes of it were lost.
#[derive(Clone)]
enum Turn {
    Say(Side, Vec<u8>),
    Lose(Side, usize),
}

/// A flow in which parsers are told many things.
fn turns(random: &mut Random) -> Vec<Turn> {
    const BEGINNINGS: [&str; 6] = ["HEY ", "HEY x\n", "hey ", "HE", "x LATE ", "\n"];
    const ORDERS: [&str; 9] = [
        "decline",
        "decline",
        "trap",
        "confirm",
        "talk",
        "switch=third",
        "switch",
        "skip=30",
        "ready",
    ];
    let mut turns = Vec::new();
    for number in 0..1 + random.below(6) {
        let side = random.one_of(&[Client, Server]);
        let mut text = String::new();
        if number == 0 {
            text.push_str(random.one_of(&BEGINNINGS));
        }
        for _ in 0..random.below(5) {
            match random.below(9) {
                0 => text.push_str("\nHEY "),
                1 => text.push_str(&"z".repeat(random.below(3000))),
                2 => text.push_str(&"long line\n".repeat(random.below(2500))),
                3 | 4 => text.push_str("\nsome words "),
                _ => {
                    let name = random.one_of(&["first", "first", "second", "third"]);
                    text.push_str(&format!(" {name}:{} ", random.one_of(&ORDERS)));
                }
            }
        }
        text.push('\n');
        turns.push(Turn::Say(side, text.into_bytes()));
        if random.below(12) == 0 {
            turns.push(Turn::Lose(side, 1 + random.below(50)));
        }
    }
    turns
}

/// The same flow with packets of at most so many bytes.
fn cut(flow: Conversation, turns: &[Turn], mut size: impl FnMut() -> usize) -> Conversation {
    let say = |mut flow: Conversation, turn: &Turn| match turn {
        Turn::Lose(side, count) => flow.lose(*side, *count),
        Turn::Say(side, text) => {
            let mut rest = text.as_slice();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(size().clamp(1, rest.len()));
                flow = flow.send(*side, now);
                rest = later;
            }
            flow
        }
    };
    turns.iter().fold(flow, say).close()
}

/// What was made of a flow, without what tells of packets.
fn made(counted: &Counted) -> Vec<String> {
    let shown = |record: &Value| match record["type"].as_str() {
        Some("flow") => format!("{:?} {}", outcomes_of(record), record["data"]["service"]),
        Some("fault") => format!("fault {}", record["data"]["class"]),
        ty => format!("{ty:?} {} {}", record["parser"], record["data"]),
    };
    counted.run.records.iter().map(shown).collect()
}

#[test]
fn cut_in_any_way() {
    let (mut switched, mut declined, mut confirmed) = (0, 0, 0);
    for seed in 0..60 {
        let mut random = Random(seed);
        let turns = turns(&mut random);
        let port = random.one_of(&[7777, 9, 90, 91]);
        let flow = Conversation::tcp(4000, port).open();
        let run = |size: &mut dyn FnMut() -> usize| {
            made(&run_pcap(&GUESTS, &Pcap::of(&[cut(flow.clone(), &turns, size)]), &[], ""))
        };
        let whole = run(&mut || 1 << 14);
        let most = random.one_of(&[3, 40, 700]);
        assert_eq!(run(&mut || 1 + random.below(most)), whole, "seed {seed}, at most {most} bytes");
        let length: usize = turns
            .iter()
            .map(|turn| if let Turn::Say(_, text) = turn { text.len() } else { 0 })
            .sum();
        if length < 4000 {
            assert_eq!(run(&mut || 1), whole, "seed {seed}, one byte");
        }
        let all = whole.join("\n");
        switched += usize::from(all.contains("switched"));
        declined += usize::from(all.contains("declined"));
        confirmed += usize::from(all.contains("third confirmed"));
    }
    assert!(switched > 4 && declined > 4 && confirmed > 4, "{switched} {declined} {confirmed}");
}

/// Many such flows at a time.
fn many(seed: u64, flows: u16) -> Pcap {
    let mut random = Random(seed);
    let mut flow = |number| {
        let turns = turns(&mut random);
        let port = random.one_of(&[7777, 9, 90, 91]);
        let flow = Conversation::of_its_own(number % 7, 4000 + number, port);
        let flow = if random.below(5) == 0 { flow } else { flow.open() };
        let most = random.one_of(&[5, 200, 3000]);
        cut(flow, &turns, || 1 + random.below(most))
    };
    let flows: Vec<_> = (0..flows).map(&mut flow).collect();
    // Packets of one flow come in a row, or those of all take turns.
    if seed.is_multiple_of(2) {
        return Pcap::of(&flows);
    }
    let mut left: Vec<_> = flows.iter().map(|flow| flow.frames().iter()).collect();
    let mut pcap = Pcap::new(1).every(3000);
    while !left.is_empty() {
        let index = random.below(left.len());
        for frame in left[index].by_ref().take(1 + random.below(20)) {
            pcap = pcap.frame(frame);
        }
        if left[index].len() == 0 {
            drop(left.swap_remove(index));
        }
    }
    pcap
}

/// Counters that tell how cells were kept, and not what was made.
fn without_parking(counted: &Counted) -> Value {
    let mut stats = counted.stats.clone();
    let parsers = stats["parsers"].as_object_mut().expect("counters of parsers");
    for counter in ["parks", "unparks", "parked_bytes"] {
        parsers.remove(counter).expect("a counter");
    }
    stats
}

#[test]
fn by_anybody_in_any_way() {
    for seed in 0..6 {
        let pcap = many(seed, 40);
        // Where memory for searches is short, that must not depend on who searches either.
        let limits = if seed < 4 { "" } else { "[cells]\nsearch_bytes = '64 KiB'\n" };
        let run = |arguments: &[&str]| run_pcap(&GUESTS, &pcap, arguments, limits);
        let expected = run(&["--workers", "1", "--cell-mode", "alone"]);
        for arguments in [
            &["--workers", "1"][..],
            &["--workers", "2"],
            &["--workers", "3"],
            &["--workers", "4"],
            &["--workers", "1", "--cell-mode", "park"],
            &["--workers", "4", "--cell-mode", "alone,park"],
        ] {
            let found = run(arguments);
            let lines = expected.run.stdout.lines().zip(found.run.stdout.lines());
            for (number, (one, other)) in lines.enumerate() {
                assert_eq!(one, other, "seed {seed}, {arguments:?}, line {number}");
            }
            assert_eq!(expected.run.records.len(), found.run.records.len(), "{arguments:?}");
            assert_eq!(without_parking(&expected), without_parking(&found), "{seed} {arguments:?}");
        }
        assert!(expected.run.of_type("third.note").len() > 20, "seed {seed}");
    }
}
