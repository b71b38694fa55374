//! Bytes that were damaged: whatever they are, nothing panics, and how they are cut changes nothing.

mod wire;

use flowcell_sdk::testing::{Cut, FlowScript, Random, Step};
use wire::{A, AA, CNAME, HTTPS, Message, PTR, QR, RD, SOA, TCP, UDP, client, name, server};

/// Messages with something of everything.
fn messages() -> Vec<Message> {
    let soa = [name("ns.example"), name("a.b"), [1, 2, 3, 4, 5].map(u32::to_be_bytes).concat()];
    let service =
        b"\0\x01\0\0\x01\0\x06\x02h2\x02h3\0\x03\0\x02\x01\xbb\0\x04\0\x04\x01\x02\x03\x04";
    let bitmap = b"\xc0\x0c\0\x06\x40\x01\0\0\0\x03";
    let signature = [&[0, 1, 13, 2, 0, 0, 1, 0][..], &[1; 10], b"\xc0\x0c", &[7; 16]].concat();
    vec![
        Message::query(1, "www.example.com", A).opt(
            1232,
            0x8000,
            b"\0\x08\0\x07\0\x01\x18\0\x01\x02\x03",
        ),
        Message::reply(1, "www.example.com", A)
            .record(1, CNAME, 60, &name("cdn.example.net"))
            .owned(1, b"\x03cdn\xc0\x10", A, 1, 30, &[192, 0, 2, 1])
            .record(2, SOA, 900, &soa.concat())
            .opt(4096, 0x0100_8000, b"\0\x0f\0\x05\0\x12abc"),
        Message::query(2, "example", HTTPS),
        Message::reply(2, "example", HTTPS)
            .record(1, HTTPS, 1, service)
            .record(1, 47, 1, bitmap)
            .record(1, 46, 1, &signature)
            .record(1, 16, 1, b"\x03abc\x02\x22\xff")
            .record(1, 35, 1, b"\0\x01\0\x02\x01s\x01t\0\xc0\x0c")
            .record(1, 50, 1, b"\x01\0\0\x01\x02ab\x04abcd\0\x01\x40")
            .record(
                1,
                29,
                1,
                &[0, 0x12, 0x16, 0x13, 0x89, 0, 0, 1, 0x70, 0, 0, 1, 0, 0x98, 0x96, 0x80],
            )
            .record(3, 250, 1, b"\0\0\0\0\0\0\x01\x01\x2c\0\x02ab\0\x01\0\0\0\0"),
        Message::new(3, QR | AA | RD).owned(
            1,
            &name("_a._tcp.local"),
            PTR,
            0x8001,
            9,
            b"\x01x\xc0\x0c",
        ),
        Message::new(4, 5 << 11).question("zone", SOA, 1).owned(2, &name("a.zone"), A, 255, 0, &[]),
    ]
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let length = bytes.len();
    let at = random.below(length);
    let end = at + random.below((length - at).min(20));
    match random.below(8) {
        0 | 1 => bytes[at] ^= 1 << random.below(8),
        2 => bytes[at] = [0, 1, 12, 0x3f, 0x40, 0xc0, 0xff][random.below(7)],
        3 => drop(bytes.drain(at..end)),
        4 => {
            let piece = bytes[at..end].to_vec();
            let to = random.below(length);
            bytes.splice(to..to, piece);
        }
        5 => bytes.truncate(at.max(1)),
        6 => {
            // A pointer to anywhere.
            let target = u16::try_from(random.below(length)).unwrap_or(0) | 0xc000;
            bytes.splice(at..(at + 2).min(length), target.to_be_bytes());
        }
        _ => drop(bytes.splice(at..at, [u8::try_from(random.below(256)).unwrap_or(0)])),
    }
    if bytes.is_empty() {
        bytes.push(0);
    }
}

fn damaged(script: &FlowScript, random: &mut Random) -> FlowScript {
    let mut script = script.clone();
    for _ in 0..=random.below(3) {
        let at = random.below(script.steps.len());
        if let Some(Step::Data { bytes, .. }) = script.steps.get_mut(at) {
            mutate(bytes, random);
        }
    }
    script
}

fn script(opening: &str, frame: fn(Message) -> Vec<u8>) -> FlowScript {
    let lines = messages().into_iter().enumerate();
    let lines = lines.map(|(index, message)| {
        let bytes = frame(message);
        if index % 2 == 0 { client(&bytes) } else { server(&bytes) }
    });
    let text: String = [opening.to_owned()].into_iter().chain(lines).collect();
    match FlowScript::parse(&text) {
        Ok(script) => script,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn datagrams() {
    let mut random = Random::new(1);
    for opening in [UDP, "client 10.0.0.1:5353 server 10.0.0.2:5353 udp\n"] {
        let whole = script(opening, Message::bytes);
        assert!(whole.run(&dns::PARSER, Cut::Whole).records.len() >= 4);
        for _ in 0..3_000 {
            let outcome = damaged(&whole, &mut random).run(&dns::PARSER, Cut::Whole);
            let failed = outcome.verdicts.iter().any(|verdict| verdict.starts_with("fail"));
            assert!(!failed, "a datagram is never a violation: {:?}", outcome.verdicts);
        }
    }
}

#[test]
fn streams() {
    let mut random = Random::new(2);
    let whole = script(TCP, Message::framed);
    assert!(whole.run(&dns::PARSER, Cut::Whole).records.len() >= 4);
    for _ in 0..1_500 {
        let script = damaged(&whole, &mut random);
        let whole = script.run(&dns::PARSER, Cut::Whole);
        assert_eq!(whole, script.run(&dns::PARSER, Cut::Bytes), "{:?}", script.steps);
    }
}
