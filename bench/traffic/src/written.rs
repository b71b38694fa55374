//! Conversations that are written down: those of protocols of which one is much like the other.
//!
//! The texts are lines of flow scripts (`> "…"`, `< "…"`), and `> text N`, `base64`, `binary` for N bytes
//! that differ each time. They have up to three parts between lines `--- LEAST MOST`, which is how often
//! the one in the middle is said.

use std::sync::LazyLock;

use flowcell_sdk::testing::{FlowScript, Step};

use crate::message::{Kind, Message};
use crate::pool::Material;
use crate::rng::Rng;
use crate::tuple::Side;

/// A conversation.
#[derive(Debug)]
pub(crate) struct Written {
    /// What opens it, what is said again and again, what ends it.
    parts: [Vec<Said>; 3],
    /// How often.
    rounds: (u32, u32),
}

/// One message: these words, then so many bytes.
#[derive(Debug)]
struct Said {
    side: Side,
    words: Box<[u8]>,
    body: (Material, u32),
}

/// The texts, each of one or more files.
macro_rules! written {
    ($($name:ident: $($file:literal),+;)+) => {
        $(pub(crate) static $name: LazyLock<Written> =
            LazyLock::new(|| Written::parse(concat!($(include_str!($file)),+)));)+
    };
}

written! {
    FTP: "written/ftp.flow";
    IMAP: "written/imap.flow";
    MQTT: "written/mqtt.flow";
    POP3: "written/pop3.flow";
    REDIS: "written/redis.flow";
    SIP: "../../../parsers/sip/tests/call.flow";
    SMB: "../../../parsers/smb/tests/recorded/smb311.flow";
    SSH: "../../../parsers/ssh/tests/ordinary.flow", "written/sealed-ssh.flow";
    TLS: "../../../parsers/tls/tests/tls13.flow", "written/sealed-tls.flow";
}

impl Written {
    fn parse(text: &'static str) -> Self {
        let mut parts: [Vec<Said>; 3] = Default::default();
        let (mut part, mut rounds) = (0, (0, 0));
        for line in text.lines() {
            if let Some(numbers) = line.strip_prefix("---") {
                part += 1;
                let mut numbers = numbers.split_whitespace().map(str::parse);
                if let (Some(Ok(least)), Some(Ok(most))) = (numbers.next(), numbers.next()) {
                    rounds = (least, most);
                }
            } else if let Some(said) = Said::parse(line) {
                parts[part].push(said);
            }
        }
        Self { parts, rounds }
    }
}

impl Said {
    /// Nothing if the line says something else.
    fn parse(line: &str) -> Option<Self> {
        let (side, rest) = match line.split_at_checked(2)? {
            ("> ", rest) => (Side::Client, rest),
            ("< ", rest) => (Side::Server, rest),
            _ => return None,
        };
        let (material, length) = rest.split_once(' ').unwrap_or_default();
        let material = match material {
            "text" => Some(Material::Text),
            "base64" => Some(Material::Base64),
            "binary" => Some(Material::Binary),
            _ => None,
        };
        if let (Some(material), Ok(length)) = (material, length.parse()) {
            return Some(Self { side, words: Box::default(), body: (material, length) });
        }
        let script = format!("client 10.0.0.1:1 server 10.0.0.2:1\n{line}\n");
        let step = FlowScript::parse(&script).ok()?.steps.into_iter().next()?;
        let Step::Data { bytes, .. } = step else { return None };
        Some(Self { side, words: bytes.into(), body: (Material::Binary, 0) })
    }
}

/// Where such a conversation has got to.
#[derive(Clone, Debug)]
pub(crate) struct Recital {
    written: &'static Written,
    part: usize,
    at: usize,
    /// Rounds that are left, the present one included.
    rounds: u32,
}

impl Recital {
    pub(crate) fn new(written: &'static Written, rng: &mut Rng) -> Self {
        let (least, most) = written.rounds;
        let rounds = if most == 0 { 0 } else { rng.between(least, most) };
        Self { written, part: 0, at: 0, rounds }
    }

    pub(crate) fn next(&mut self, rng: &mut Rng) -> Option<Message> {
        loop {
            if self.part == 1 && self.rounds == 0 {
                self.part = 2;
            }
            if let Some(said) = self.written.parts.get(self.part)?.get(self.at) {
                let Said { side, words, body: (material, length) } = said;
                self.at += 1;
                let kind = Kind::Said(words);
                return Some(Message::with_body(
                    *side,
                    kind,
                    rng.next(),
                    *material,
                    *length,
                    false,
                ));
            }
            self.at = 0;
            match self.part {
                1 => self.rounds -= 1,
                _ => self.part += 1,
            }
        }
    }
}
