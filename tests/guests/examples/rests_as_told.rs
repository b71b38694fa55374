//! Does what the words of each datagram tell it, tells of it, and says that it keeps nothing. In `open` it does
//! what the words of the flow's context tell it.
//!
//! `state` (tells what is known of the flow, too), `quiet` (tells nothing), `pend` (wants more, and does not rest),
//! `decline`, `fail`, `trap`, `ready`, `spin` (for ever), `work` (millions of instructions), `emit=COUNT` (further notes),
//! `skip=BYTES` (of the client), `done` (with the server), `switch=PARSER`, and `expect=PORT,PARSER,CONTEXT` (of
//! 10.0.0.2 over UDP, `expectt` over TCP), where `+` stands for a space.
#![cfg(target_arch = "wasm32")]

use std::cell::Cell;
use std::hint::black_box;

use flowcell_test_guests::by_hand::*;
use flowcell_test_guests::host;

thread_local! {
    static STATE: Cell<u8> = const { Cell::new(0) };
}

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let fields = vec![field("text", Kind::Text), field("number", Kind::Unsigned)];
        Description {
            tcp_ports: Vec::new(),
            udp_ports: vec![9],
            patterns: vec![Pattern { transport: Transport::Udp, ..pattern(Side::Client, "^HEY ") }],
            expects: true,
            ..description("rests_as_told", vec![schema("note", fields)])
        }
    }

    fn open(flow: WireFlow) {
        STATE.set(flow.state.bits());
        if let Some(context) = &flow.context {
            obey("opened: ", context, 0);
        }
    }

    fn poll(input: WireInput) -> WireProgress {
        match input {
            WireInput::Data(Chunk { side: Side::Client, offset, bytes, .. }) => {
                obey("> ", &bytes, offset)
            }
            WireInput::Data(chunk) => obey("< ", &chunk.bytes, chunk.offset),
            WireInput::Gap(gap) => obey("gap", b"", gap.length),
            WireInput::End(_) => obey("end", b"", 0),
        }
    }
}

fn obey(what: &str, text: &[u8], number: u64) -> WireProgress {
    let text = String::from_utf8_lossy(text);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if !words.contains(&"quiet") {
        tell(&[what, &text].concat(), number);
    }
    let mut progress = WireProgress::Resting;
    for word in words {
        let (order, value) = word.split_once('=').unwrap_or((word, ""));
        match order {
            "state" => tell("state", STATE.get().into()),
            "pend" => progress = WireProgress::Pending,
            "decline" => host::decline("as told"),
            "fail" => host::fail("as told"),
            "trap" => panic!("as told"),
            "ready" => progress = WireProgress::Ready,
            "spin" => loop {
                std::hint::spin_loop();
            },
            "work" => (0..1_000_000).for_each(|round| {
                black_box(round);
            }),
            "emit" => (0..value.parse().unwrap_or(0)).for_each(|_| tell("more", 0)),
            "skip" => host::skip(Side::Client, value.parse().unwrap_or(0)),
            "done" => host::done(Side::Server),
            "switch" => host::switch_to(value, &[], &[]),
            "expect" => expect(Transport::Udp, value),
            "expectt" => expect(Transport::Tcp, value),
            _ => {}
        }
    }
    progress
}

fn expect(transport: Transport, value: &str) {
    let mut words = value.splitn(3, ',');
    let port = words.next().and_then(|port| port.parse().ok()).unwrap_or(0);
    let expected = expectation(words.next().unwrap_or_default(), port, 0);
    let context = words.next().unwrap_or_default().replace('+', " ").into_bytes();
    host::expect(&Expectation { transport, context, ..expected });
}

fn tell(text: &str, number: u64) {
    let mut body = vec![0x82, 0x79];
    body.extend_from_slice(&(text.len() as u16).to_be_bytes());
    body.extend_from_slice(text.as_bytes());
    body.push(0x1b);
    body.extend_from_slice(&number.to_be_bytes());
    host::emit(0, &body);
}

flowcell_test_guests::export_component!();
