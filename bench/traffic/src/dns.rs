//! DNS queries and answers (RFC 1035).

use crate::bits::{len32, low8, low16};
use crate::message::{Kind, Message};
use crate::rng::Rng;
use crate::tuple::Side;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    A,
    Aaaa,
    Txt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    kind: Type,
    exists: bool,
    /// Over TCP a message has its length before it.
    framed: bool,
}

/// Where an exchange has got to. One over TCP may ask several questions.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    framed: bool,
    left: u8,
    asked: Option<(Question, u64)>,
}

impl Lookup {
    pub(crate) fn new(framed: bool, rng: &mut Rng) -> Self {
        Self { framed, left: if framed { 1 + rng.u8() % 3 } else { 1 }, asked: None }
    }

    pub(crate) fn next(&mut self, rng: &mut Rng) -> Option<Message> {
        if let Some((question, seed)) = self.asked.take() {
            return Some(Message::line(Side::Server, Kind::Answer(question), seed));
        }
        self.left = self.left.checked_sub(1)?;
        let kind = match rng.below(10) {
            0 => Type::Txt,
            1..=3 => Type::Aaaa,
            _ => Type::A,
        };
        let question = Question { kind, exists: !rng.one_in(12), framed: self.framed };
        let seed = rng.next();
        self.asked = Some((question, seed));
        Some(Message::line(Side::Client, Kind::Query(question), seed))
    }
}

const ZONES: &[&[&str]] =
    &[&["example", "com"], &["example", "net"], &["cdn", "example", "org"], &["corp", "test"]];

impl Question {
    pub(crate) fn write_query(self, seed: u64, to: &mut Vec<u8>) {
        self.framed(to, |to| self.write_question(seed, 0x0100, 0, to));
    }

    pub(crate) fn write_answer(self, seed: u64, to: &mut Vec<u8>) {
        let answers = match (self.exists, self.kind) {
            (false, _) => 0,
            (true, Type::Txt) => 1,
            (true, _) => 1 + low8(seed >> 20) % 4,
        };
        let flags = if self.exists { 0x8180 } else { 0x8183 };
        self.framed(to, |to| {
            self.write_question(seed, flags, answers, to);
            let mut rng = Rng::of(seed, 1);
            for _ in 0..answers {
                self.write_record(&mut rng, to);
            }
        });
    }

    fn framed(self, to: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.framed {
            return write(to);
        }
        let start = to.len();
        to.extend([0; 2]);
        write(to);
        let len = low16(u64::from(len32(&to[start + 2..])));
        to[start..start + 2].copy_from_slice(&len.to_be_bytes());
    }

    const fn number(self) -> u8 {
        match self.kind {
            Type::A => 1,
            Type::Aaaa => 28,
            Type::Txt => 16,
        }
    }

    fn write_question(self, seed: u64, flags: u16, answers: u8, to: &mut Vec<u8>) {
        let mut rng = Rng::new(seed);
        to.extend(rng.u16().to_be_bytes());
        to.extend(flags.to_be_bytes());
        to.extend([0, 1, 0, answers, 0, 0, 0, 0]);
        let host = format!("host-{:x}", rng.u32() >> 12);
        write_label(&host, to);
        let zone = ZONES[rng.below(len32(&[0; ZONES.len()])) as usize];
        for label in zone {
            write_label(label, to);
        }
        to.extend([0, 0, self.number(), 0, 1]);
    }

    fn write_record(self, rng: &mut Rng, to: &mut Vec<u8>) {
        // A pointer to the name in the question, right behind the header.
        to.extend([0xc0, 12, 0, self.number(), 0, 1]);
        to.extend((60 + rng.below(86_400)).to_be_bytes());
        match self.kind {
            Type::A => {
                to.extend([0, 4, 192, 0, 2]);
                to.push(rng.u8());
            }
            Type::Aaaa => {
                to.extend([0, 16, 0x20, 0x01, 0x0d, 0xb8]);
                to.extend([0; 8]);
                to.extend(rng.u32().to_be_bytes());
            }
            Type::Txt => {
                let text = format!("v=spf1 include:_spf-{:08x}.example.com ~all", rng.u32());
                let len = low8(text.len() as u64);
                to.extend([0, len + 1, len]);
                to.extend(text.bytes());
            }
        }
    }
}

fn write_label(label: &str, to: &mut Vec<u8>) {
    to.push(low8(label.len() as u64));
    to.extend(label.bytes());
}
