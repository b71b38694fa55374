//! What a flow's parser is given, kept while the flow lives in case that it faults.

use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::bundle::{Bundle, FORMAT, FaultSeen, Flow, Header, Input, ParserId, Truncated, payload};
use super::limits::ReproLimits;
use crate::registry::ParserFile;
use crate::runtime::{self, CellLimits, Fault, Parser};

/// Bytes that a delivery takes besides its own.
const PER_INPUT: u64 = 128;

// A vector may have room for twice of what is in it.
const _: () = assert!(2 * size_of::<Input>() as u64 <= PER_INPUT);

/// What a flow may have as long as there is any room.
const SMALL: u64 = 16 << 10;

/// How much the flows of one lane keep. Only the thread that works on the lane uses it.
#[derive(Debug)]
pub(super) struct Book {
    /// That one flow may have.
    most: u64,
    /// That all may have.
    total: u64,
    used: AtomicU64,
}

impl Book {
    /// One of `shares` equal parts of what the limits allow.
    pub(super) fn new(limits: &ReproLimits, shares: u64) -> Self {
        let total = limits.repro_total / shares.max(1);
        Self { most: limits.repro_bytes, total, used: AtomicU64::new(0) }
    }

    /// Takes `cost` bytes for a flow that has `held`, or says which limit forbids it.
    fn take(&self, held: u64, cost: u64) -> Result<(), &'static str> {
        let wanted = held.saturating_add(cost);
        if wanted > self.most {
            return Err("repro_bytes");
        }
        let left = self.total.saturating_sub(self.used.load(Ordering::Relaxed));
        // Who has much must leave as much to others: a few long flows do not keep out all new ones.
        if cost > left || (wanted > SMALL && wanted > left - cost) {
            return Err("repro_total");
        }
        self.used.fetch_add(cost, Ordering::Relaxed);
        Ok(())
    }
}

/// The deliveries of one flow so far.
#[derive(Debug)]
pub(in crate::driver) struct Recording {
    book: Arc<Book>,
    pub(super) file: Arc<ParserFile>,
    flow: Option<Flow>,
    inputs: Vec<Input>,
    held: u64,
    /// Something did not fit: nothing that comes later is kept, because without what is missing it
    /// leads elsewhere.
    missing: Option<Truncated>,
}

impl Recording {
    pub(super) fn new(book: &Arc<Book>, file: &Arc<ParserFile>) -> Self {
        let (book, file) = (Arc::clone(book), Arc::clone(file));
        Self { book, file, flow: None, inputs: Vec::new(), held: 0, missing: None }
    }

    /// The parser is about to be started. If it was before, nothing of that matters: it was resting.
    pub(in crate::driver) fn open(&mut self, flow: &runtime::Flow<'_>) {
        self.flow = Some(flow.into());
        self.forget();
    }

    fn forget(&mut self) {
        self.book.used.fetch_sub(self.held, Ordering::Relaxed);
        self.held = 0;
        self.inputs.clear();
        self.missing = None;
    }

    /// The parser is about to be given this.
    pub(in crate::driver) fn input(&mut self, input: &runtime::Input<'_>) {
        let bytes = payload(input);
        if let Some(missing) = &mut self.missing {
            missing.inputs += 1;
            missing.bytes = missing.bytes.saturating_add(bytes);
            return;
        }
        let segments = match input {
            runtime::Input::Data(chunk) => chunk.segments.map_or(0, size_of_val),
            runtime::Input::Gap(_) | runtime::Input::End(_) => 0,
        };
        let cost = PER_INPUT + bytes + segments as u64;
        match self.book.take(self.held, cost) {
            Ok(()) => {
                self.held += cost;
                self.inputs.push(input.into());
            }
            Err(limit) => self.missing = Some(Truncated { limit: limit.into(), inputs: 1, bytes }),
        }
    }

    /// The parser did not survive its start: it was not given anything.
    pub(in crate::driver) fn stillborn(&mut self) {
        self.forget();
    }

    /// Makes a bundle of it. None if the parser was never started.
    pub(super) fn into_bundle(
        mut self,
        parser: &Parser,
        uid: &str,
        fault: &Fault,
    ) -> Option<Bundle> {
        let inputs = std::mem::take(&mut self.inputs);
        let description = parser.description();
        let header = Header {
            flowrepro: FORMAT,
            flowcell: env!("CARGO_PKG_VERSION").into(),
            parser: ParserId {
                name: description.name.clone(),
                version: description.version.clone(),
                sha256: self.file.sha256(),
            },
            limits: named(parser.limits()).collect(),
            deterministic: parser.is_deterministic(),
            uid: uid.into(),
            flow: self.flow.take()?,
            fault: FaultSeen::from(fault),
            inputs: inputs.len() as u64,
            truncated: self.missing.take(),
        };
        Some(Bundle { header, inputs })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.book.used.fetch_sub(self.held, Ordering::Relaxed);
    }
}

/// The limits that can be set, by name.
fn named(limits: &CellLimits) -> impl Iterator<Item = (String, u64)> {
    let rows = CellLimits::TABLE.iter().filter(|row| !row.fixed);
    rows.filter_map(|row| Some((row.name.to_owned(), limits.get(row.name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(most: u64, total: u64) -> Book {
        Book { most, total, used: AtomicU64::new(0) }
    }

    #[test]
    fn a_flow_has_no_more_than_its_own_limit() {
        let book = book(100, 1 << 30);
        assert_eq!(book.take(0, 60), Ok(()));
        assert_eq!(book.take(60, 41), Err("repro_bytes"));
        assert_eq!(book.take(60, 40), Ok(()));
    }

    #[test]
    fn a_flow_with_much_leaves_as_much_to_others() {
        let book = book(u64::MAX, 4 * SMALL);
        assert_eq!(book.take(0, 2 * SMALL), Ok(()));
        assert_eq!(book.take(2 * SMALL, 1), Err("repro_total"));
        assert_eq!(book.take(0, SMALL), Ok(()));
        assert_eq!(book.take(0, SMALL), Ok(()));
        assert_eq!(book.take(0, 1), Err("repro_total"), "there is no more");
    }

    #[test]
    fn no_number_overflows() {
        let book = book(u64::MAX, u64::MAX);
        assert_eq!(book.take(u64::MAX, u64::MAX), Err("repro_total"));
    }

    #[test]
    fn what_a_flow_had_is_free_when_it_is_gone() {
        let book = Arc::new(book(1000, 1000));
        let file = Arc::new(ParserFile { hash: [0; 32], bytes: Box::default() });
        let mut recording = Recording::new(&book, &file);
        let bytes = [b'x'; 100];
        let chunk = || {
            let side = runtime::Side::Client;
            runtime::Input::Data(runtime::Chunk {
                side,
                offset: 0,
                at: 0,
                segments: None,
                bytes: &bytes,
            })
        };
        recording.input(&chunk());
        assert_eq!(book.used.load(Ordering::Relaxed), PER_INPUT + 100);
        for _ in 0..20 {
            recording.input(&chunk());
        }
        let missing = recording.missing.clone().expect("not all of it fits");
        assert_eq!(recording.inputs.len() as u64 + missing.inputs, 21);
        assert_eq!((missing.bytes, missing.limit.as_str()), (missing.inputs * 100, "repro_bytes"));
        drop(recording);
        assert_eq!(book.used.load(Ordering::Relaxed), 0);
    }
}
