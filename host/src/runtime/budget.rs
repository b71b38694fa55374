//! What a flow may use over all its calls: CPU time, and records by second.
//!
//! What one call may use is not enough: a parser that stays just below that can hold up a worker with
//! every packet. Honest work grows with the traffic, so what is granted grows with it, too, and no
//! parser meets these limits because its flow is long or fast.

use super::bindings::flowcell::parser::types::Input;
use super::clock;
use super::fault::{FaultClass, Violation};
use super::limits::CellLimits;

/// A delivery is taken for at least so many bytes when CPU time is granted: a call has its price.
const LEAST_DELIVERY: u64 = 256;

/// Bytes of output that are granted for each byte delivered: a short command makes a long record.
pub(crate) const OUTPUT_PER_BYTE: u64 = 64;

/// Nanoseconds in a millisecond; and instructions, where fuel takes the place of time.
const FUEL_PER_MS: u64 = 1_000_000;

/// The account of one flow.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// Calls are given fuel instead of time.
    pub(crate) by_fuel: bool,
    /// Reading of the clock up to which the current call has been charged, or the fuel that it was
    /// given.
    mark: u64,
    /// CPU time of all calls so far, in ns, or their fuel.
    spent: u64,
    /// What of it the parser's share has not been charged.
    unshared: u64,
    /// Bytes delivered, short deliveries counted as [`LEAST_DELIVERY`].
    worth: u64,
    /// The second of packet time that the rest is about.
    second: u64,
    delivered: u64,
    records: u64,
    output: u64,
}

impl Budget {
    /// A flow begins.
    pub(crate) fn open(&mut self, at: u64) {
        self.second = at / 1_000_000_000;
    }

    /// Something is about to be delivered.
    pub(crate) fn deliver(&mut self, input: &Input<'_>) {
        match input {
            Input::Data(chunk) => match chunk.segments {
                // Further packets arrive as the guest gets to them, but all are worth CPU time at once.
                Some([first, further @ ..]) => {
                    self.grant(first.length as usize);
                    further.iter().for_each(|segment| self.grant(segment.length as usize));
                    self.arrive(first.at, first.length as usize);
                }
                _ => {
                    self.grant(chunk.bytes.len());
                    self.arrive(chunk.at, chunk.bytes.len());
                }
            },
            Input::End(end) => {
                self.grant(0);
                self.arrive(end.at, 0);
            }
            Input::Gap(_) => self.grant(0),
        }
    }

    /// So many bytes of a packet are worth CPU time.
    fn grant(&mut self, bytes: usize) {
        self.worth = self.worth.saturating_add((bytes as u64).max(LEAST_DELIVERY));
    }

    /// So many bytes have come at this time, if it is known; 0 if not.
    pub(crate) fn arrive(&mut self, at: u64, bytes: usize) {
        let (second, bytes) = (at / 1_000_000_000, bytes as u64);
        // Time never goes back, whatever the capture says.
        if second > self.second {
            self.second = second;
            (self.delivered, self.records, self.output) = (0, 0, 0);
        }
        self.delivered = self.delivered.saturating_add(bytes);
    }

    /// A record was emitted that makes so many bytes of output.
    pub(crate) fn emit(&mut self, bytes: usize, limits: &CellLimits) -> Result<(), Violation> {
        self.records += 1;
        self.output = self.output.saturating_add(bytes as u64);
        let records = self.delivered.max(limits.records_per_second as u64);
        if self.records > records {
            let message = format!("more than {records} records in a second of packet time");
            return Err(Violation::new(FaultClass::RecordFlood, message));
        }
        let granted = self.delivered.saturating_mul(OUTPUT_PER_BYTE);
        let output = granted.max(limits.output_per_second as u64);
        if self.output > output {
            let message = format!("more than {output} bytes of output in a second of packet time");
            return Err(Violation::new(FaultClass::RecordFlood, message));
        }
        Ok(())
    }

    /// A call begins. Returns the fuel for it, unless it runs by the clock.
    pub(crate) fn begin(&mut self, limits: &CellLimits) -> Option<u64> {
        if !self.by_fuel {
            self.mark = clock::now();
            return None;
        }
        let call = fuel(limits.call_time.as_millis());
        self.mark = call.min(self.granted(limits).saturating_sub(self.spent)).max(1);
        Some(self.mark)
    }

    /// A tick falls into the current call: charges it up to now.
    pub(crate) fn tick(&mut self, limits: &CellLimits) -> Result<(), Violation> {
        let now = clock::now();
        let passed = clock::worked(now.saturating_sub(self.mark));
        self.mark = now;
        self.charge(passed, limits)
    }

    /// The current call has ended, with so much of its fuel left.
    pub(crate) fn end(&mut self, left: Option<u64>, limits: &CellLimits) -> Result<(), Violation> {
        match left {
            Some(left) => self.charge(self.mark.saturating_sub(left), limits),
            None => self.tick(limits),
        }
    }

    /// What was spent since the last call of this.
    pub(crate) fn unshared(&mut self) -> u64 {
        std::mem::take(&mut self.unshared)
    }

    fn charge(&mut self, spent: u64, limits: &CellLimits) -> Result<(), Violation> {
        if spent == 0 {
            return Ok(());
        }
        self.unshared = self.unshared.saturating_add(spent);
        self.spent = self.spent.saturating_add(spent);
        let granted = self.granted(limits);
        if self.spent < granted {
            return Ok(());
        }
        let message =
            format!("the flow's calls took more than {} ms of CPU", granted / FUEL_PER_MS);
        Err(Violation::new(FaultClass::Cpu, message))
    }

    /// What all calls so far may have spent: some to begin with, and more for every byte.
    fn granted(&self, limits: &CellLimits) -> u64 {
        let per_mib = fuel(limits.flow_cpu_per_mib.as_millis());
        let more = (u128::from(self.worth) * u128::from(per_mib)) >> 20;
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        fuel(limits.flow_cpu.as_millis()).saturating_add(more)
    }
}

/// Milliseconds in nanoseconds, or in fuel.
fn fuel(ms: u128) -> u64 {
    u64::try_from(ms).unwrap_or(u64::MAX).saturating_mul(FUEL_PER_MS)
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
