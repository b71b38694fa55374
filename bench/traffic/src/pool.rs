//! Bytes that bodies are cut from, so that a body of any size needs no memory of its own.

use crate::rng::Rng;

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    /// Lines of words, 64 bytes each with their CRLF; none starts with a dot.
    Text,
    /// Lines of base64, 78 bytes each with their CRLF.
    Base64,
    /// Any bytes.
    Binary,
}

impl Material {
    /// Bodies start and end at multiples of this.
    pub(crate) const fn line(self) -> u32 {
        match self {
            Self::Text => 64,
            Self::Base64 => 78,
            Self::Binary => 1,
        }
    }
}

const LINES: usize = 4096;

/// One pool for each material.
#[derive(Debug)]
pub(crate) struct Pools {
    text: Vec<u8>,
    base64: Vec<u8>,
    binary: Vec<u8>,
}

const WORDS: &[&str] = &[
    "a", "about", "after", "all", "and", "any", "are", "at", "back", "bridge", "by", "can", "come",
    "day", "even", "first", "flow", "for", "garden", "give", "harbour", "have", "if", "in", "it",
    "its", "just", "know", "ledger", "light", "like", "make", "market", "new", "no", "not", "now",
    "of", "on", "one", "only", "or", "other", "our", "out", "packet", "people", "report", "river",
    "say", "see", "so", "some", "station", "take", "than", "that", "the", "then", "this", "time",
    "to", "two", "up", "use", "want", "way", "we", "well", "what", "when", "will", "with", "work",
    "year", "you",
];
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Pools {
    pub(crate) fn new() -> Self {
        let mut rng = Rng::new(0);
        let mut text = Vec::new();
        while text.len() < LINES * 64 {
            let end = text.len() + 62;
            while text.len() < end {
                text.extend(rng.pick(WORDS).bytes());
                text.push(b' ');
            }
            text.truncate(end);
            text.extend(b"\r\n");
        }
        let mut base64 = Vec::new();
        while base64.len() < LINES * 78 {
            base64.extend((0..76).map(|_| BASE64[rng.below(64) as usize]));
            base64.extend(b"\r\n");
        }
        let binary = (0..LINES * 64).map(|_| rng.u8()).collect();
        Self { text, base64, binary }
    }

    /// Appends `len` bytes of the body that `seed` stands for, from byte `at` on.
    pub(crate) fn copy(&self, material: Material, seed: u64, at: u32, len: u32, to: &mut Vec<u8>) {
        let pool = match material {
            Material::Text => &self.text,
            Material::Base64 => &self.base64,
            Material::Binary => &self.binary,
        };
        let lines = pool.len() / material.line() as usize;
        let first = usize::try_from(seed >> 32).unwrap_or(0) % lines * material.line() as usize;
        let mut from = (first + at as usize) % pool.len();
        let mut left = len as usize;
        while left > 0 {
            let part = left.min(pool.len() - from);
            to.extend_from_slice(&pool[from..from + part]);
            left -= part;
            from = 0;
        }
    }
}
