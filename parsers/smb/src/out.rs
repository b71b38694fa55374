//! The way out: records, as many as the bytes that lead to them can account for.

use flowcell_sdk::Record;
use flowcell_sdk::prelude::*;

use crate::text::weight;

/// The output that a flow may make at once, in bytes. The host's limit is twice that; what the table
/// of files holds is less.
const CREDIT_MAX: usize = 256 << 10;

/// Output for each byte of a message that was read. An honest message makes less; a peer could
/// otherwise make a long record out of each of many short messages until the host ends the parser.
const CREDIT_PER_BYTE: usize = 3;

/// Emits.
#[derive(Debug)]
pub(crate) struct Out<'f> {
    flow: &'f Flow,
    credit: usize,
    confirmed: bool,
    pub(crate) left_out: u64,
}

impl<'f> Out<'f> {
    pub(crate) fn new(flow: &'f Flow) -> Self {
        Self { flow, credit: CREDIT_MAX, confirmed: false, left_out: 0 }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.flow.now()
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    pub(crate) fn confirm(&mut self) {
        if !self.confirmed {
            self.confirmed = true;
            self.flow.confirm();
        }
    }

    /// So many bytes of a message were read.
    pub(crate) fn earn(&mut self, bytes: usize) {
        self.credit = CREDIT_MAX.min(self.credit + bytes * CREDIT_PER_BYTE);
    }

    /// Emits a record that takes `base` bytes of output at most, and what the texts of the wire in it
    /// take; or counts it as left out.
    pub(crate) fn emit<'t, R: Record>(
        &mut self,
        record: &R,
        base: usize,
        texts: impl IntoIterator<Item = &'t [u8]>,
    ) {
        let weight = texts.into_iter().fold(base, |sum, text| sum + weight(text));
        match self.credit.checked_sub(weight) {
            Some(left) => {
                self.credit = left;
                self.flow.emit(record);
            }
            None => self.left_out += 1,
        }
    }

    /// Emits the last record, whatever it takes.
    pub(crate) fn emit_last<R: Record>(&self, record: &R) {
        self.flow.emit(record);
    }
}
