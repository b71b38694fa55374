//! A digest that the host computes.

use std::cell::Cell;

use super::bindings::flowcell::parser::host;
use super::memory::Static;

/// So many bytes are collected before they are handed over: a call costs as much as hashing some
/// hundred bytes.
const CHUNK: usize = 1024;

/// Most bytes in one call, as the contract says.
const MOST: usize = 65_536;

/// How many digests the contract has.
const COUNT: u32 = 16;

/// Which of them are in use, by bit.
static IN_USE: Static<Cell<u32>> = Static::new(Cell::new(0));

#[derive(Debug)]
pub(crate) struct Digest {
    number: u32,
    waiting: Vec<u8>,
    /// The host has bytes of it.
    begun: bool,
}

impl Digest {
    pub(crate) fn new() -> Self {
        let number = IN_USE.get().trailing_ones();
        assert!(number < COUNT, "too many digests at a time");
        IN_USE.set(IN_USE.get() | 1 << number);
        Self { number, waiting: Vec::new(), begun: false }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if self.waiting.len() + bytes.len() > CHUNK {
            self.hand_over();
        }
        if bytes.len() <= CHUNK / 2 {
            self.waiting.extend_from_slice(bytes);
        } else {
            self.hand_over();
            bytes.chunks(MOST).for_each(|piece| self.add(piece));
        }
    }

    fn hand_over(&mut self) {
        if !self.waiting.is_empty() {
            let mut waiting = std::mem::take(&mut self.waiting);
            self.add(&waiting);
            waiting.clear();
            self.waiting = waiting;
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.begun = true;
        host::sha256_add(self.number, bytes);
    }

    pub(crate) fn finish(mut self) -> [u8; 32] {
        self.hand_over();
        self.end()
    }

    fn end(&mut self) -> [u8; 32] {
        self.begun = false;
        let (a, b, c, d) = host::sha256_end(self.number);
        let mut digest = [0; 32];
        for (place, word) in digest.chunks_exact_mut(8).zip([a, b, c, d]) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        if self.begun {
            self.end();
        }
        IN_USE.set(IN_USE.get() & !(1 << self.number));
    }
}
