//! Messages of applications: a head that is written again whenever it is needed, a body out of a
//! pool, and a tail. A message of any size is a few words of memory.

use crate::bits::{len32, low32};
use crate::pool::{Material, Pools};
use crate::tuple::Side;
use crate::{dns, mail, web};

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Mail(mail::Line),
    Request(web::Method),
    Response(web::Reply),
    Query(dns::Question),
    Answer(dns::Question),
    Said(&'static [u8]),
}

/// One message of one side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    /// All that differs between messages of a kind follows from this.
    pub(crate) seed: u64,
    material: Material,
    chunked: bool,
    head: u32,
    body: u32,
}

/// A chunk of the chunked coding, its head (`1000\r\n`) and its end (`\r\n`).
const CHUNK: u32 = 4096;
const CHUNK_HEAD: u32 = 6;
const CHUNK_UNIT: u32 = CHUNK_HEAD + CHUNK + 2;
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

impl Message {
    /// A message without a body.
    pub(crate) fn line(side: Side, kind: Kind, seed: u64) -> Self {
        Self::with_body(side, kind, seed, Material::Text, 0, false)
    }

    /// A message with about `body` bytes of `material`.
    pub(crate) fn with_body(
        side: Side,
        kind: Kind,
        seed: u64,
        material: Material,
        body: u32,
        chunked: bool,
    ) -> Self {
        let body = body.div_ceil(material.line()) * material.line();
        let mut message = Self { side, kind, seed, material, chunked, head: 0, body };
        let mut head = Vec::with_capacity(512);
        message.write_head(&mut head);
        message.head = len32(&head);
        message
    }

    pub(crate) fn len(&self) -> u32 {
        self.head + self.body_on_wire() + len32(self.tail())
    }

    fn body_on_wire(&self) -> u32 {
        let framing = if self.chunked { CHUNK_UNIT - CHUNK } else { 0 };
        self.body + self.body.div_ceil(CHUNK) * framing
    }

    fn tail(&self) -> &'static [u8] {
        match self.kind {
            Kind::Mail(line) => line.tail(),
            _ if self.chunked => LAST_CHUNK,
            _ => b"",
        }
    }

    fn write_head(&self, to: &mut Vec<u8>) {
        match self.kind {
            Kind::Mail(line) => line.write(self.seed, to),
            Kind::Request(method) => method.write(self.seed, self.body, to),
            Kind::Response(reply) => reply.write(self.seed, self.body, self.chunked, to),
            Kind::Query(question) => question.write_query(self.seed, to),
            Kind::Answer(question) => question.write_answer(self.seed, to),
            Kind::Said(words) => to.extend_from_slice(words),
        }
    }

    /// Appends `len` bytes from byte `at` on; both must lie inside the message.
    pub(crate) fn write(&self, pools: &Pools, at: u32, len: u32, to: &mut Vec<u8>) {
        let mut at = at;
        let end = at + len;
        if at < self.head {
            let start = to.len();
            self.write_head(to);
            to.truncate(start + end.min(self.head) as usize);
            to.drain(start..start + at as usize);
            at = self.head;
        }
        let tail = self.head + self.body_on_wire();
        if at < end.min(tail) {
            let (from, upto) = (at - self.head, end.min(tail) - self.head);
            if self.chunked {
                self.write_chunks(pools, from, upto, to);
            } else {
                pools.copy(self.material, self.seed, from, upto - from, to);
            }
            at = end.min(tail);
        }
        if at < end {
            to.extend_from_slice(&self.tail()[(at - tail) as usize..(end - tail) as usize]);
        }
    }

    fn write_chunks(&self, pools: &Pools, from: u32, upto: u32, to: &mut Vec<u8>) {
        let mut at = from;
        while at < upto {
            let (chunk, inside) = (at / CHUNK_UNIT, at % CHUNK_UNIT);
            let len = CHUNK.min(self.body - chunk * CHUNK);
            if inside < CHUNK_HEAD {
                let head = format!("{len:04x}\r\n");
                let part = (CHUNK_HEAD - inside).min(upto - at);
                to.extend_from_slice(&head.as_bytes()[inside as usize..(inside + part) as usize]);
                at += part;
            } else if inside < CHUNK_HEAD + len {
                let part = (CHUNK_HEAD + len - inside).min(upto - at);
                let start = chunk * CHUNK + inside - CHUNK_HEAD;
                pools.copy(self.material, self.seed, start, part, to);
                at += part;
            } else {
                to.push(b"\r\n"[(inside - CHUNK_HEAD - len) as usize]);
                at += 1;
            }
        }
    }

    /// Appends `len` bytes of all that the message's side said, starting `back` bytes before byte
    /// `at` of this message, some of them in `previous`, the message before.
    pub(crate) fn write_from_before(
        &self,
        previous: Option<&Self>,
        pools: &Pools,
        (at, back, len): (u32, u32, u32),
        to: &mut Vec<u8>,
    ) {
        let into_previous = back.saturating_sub(at);
        let start = at.saturating_sub(back);
        if let (Some(previous), 1..) = (previous, into_previous) {
            previous.write(pools, previous.len() - into_previous, into_previous.min(len), to);
        }
        self.write(pools, start, len.saturating_sub(into_previous), to);
    }
}

/// Appends formatted text; `Vec<u8>` never fails to take it.
macro_rules! put {
    ($to:expr, $($text:tt)*) => {{
        use std::io::Write as _;
        let _ = write!($to, $($text)*);
    }};
}
pub(crate) use put;

const FIRST: &[&str] =
    &["ada", "bo", "chen", "dora", "emil", "fatima", "goran", "hana", "ivo", "june"];
const DOMAINS: &[&str] =
    &["example.com", "example.net", "example.org", "mail.example", "shop.test"];

/// A mail address that looks like one.
pub(crate) fn write_person(rng: &mut crate::rng::Rng, to: &mut Vec<u8>) {
    put!(to, "{}.{}@{}", rng.pick(FIRST), low32(rng.next() >> 44), rng.pick(DOMAINS));
}

#[cfg(test)]
mod tests {
    use super::{Kind, Message};
    use crate::mail;
    use crate::pool::{Material, Pools};
    use crate::tuple::Side;
    use crate::web::Reply;

    fn messages() -> Vec<Message> {
        let response = Kind::Response(Reply { status: 200, last: true });
        let content = Kind::Mail(mail::Line::Attachment);
        vec![
            Message::line(Side::Server, Kind::Mail(mail::Line::Banner), 3),
            Message::with_body(Side::Client, content, 4, Material::Base64, 9000, false),
            Message::with_body(Side::Server, response, 5, Material::Binary, 9000, false),
            Message::with_body(Side::Server, response, 6, Material::Binary, 9000, true),
            Message::with_body(Side::Server, response, 7, Material::Binary, 8192, true),
        ]
    }

    #[test]
    fn any_part_of_a_message_is_that_part_of_the_whole() {
        let pools = Pools::new();
        for message in messages() {
            let mut whole = Vec::new();
            message.write(&pools, 0, message.len(), &mut whole);
            assert_eq!(whole.len(), message.len() as usize);
            for (at, len) in (0..message.len()).step_by(7).zip((1..300).cycle()) {
                let len = len.min(message.len() - at);
                let mut part = Vec::new();
                message.write(&pools, at, len, &mut part);
                assert_eq!(part, whole[at as usize..(at + len) as usize], "{message:?} at {at}");
            }
        }
    }

    #[test]
    fn bytes_before_a_message_come_from_the_one_before() {
        let pools = Pools::new();
        let [first, second, ..] = messages()[..] else { unreachable!() };
        let mut both = Vec::new();
        first.write(&pools, 0, first.len(), &mut both);
        second.write(&pools, 0, second.len(), &mut both);
        for (at, back) in [(0, 5), (3, 10), (100, 20), (100, 0)] {
            let mut part = Vec::new();
            second.write_from_before(Some(&first), &pools, (at, back, 50), &mut part);
            let start = (first.len() + at - back) as usize;
            assert_eq!(part, both[start..start + 50]);
        }
    }

    #[test]
    fn a_chunked_body_decodes_to_its_bytes() {
        let pools = Pools::new();
        let message = messages()[3];
        let mut whole = Vec::new();
        message.write(&pools, 0, message.len(), &mut whole);
        let mut rest = &whole[message.head as usize..];
        let mut body: Vec<u8> = Vec::new();
        loop {
            let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
            let len =
                usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            if len == 0 {
                assert_eq!(rest, b"0\r\n\r\n");
                break;
            }
            body.extend(&rest[end + 2..end + 2 + len]);
            assert_eq!(&rest[end + 2 + len..end + 4 + len], b"\r\n");
            rest = &rest[end + 4 + len..];
        }
        let mut wanted = Vec::new();
        pools.copy(Material::Binary, message.seed, 0, 9000, &mut wanted);
        assert_eq!(body, wanted);
    }
}
