//! How much a cell may use.

use std::time::Duration;

/// Longest `.wasm` file that is looked at, in bytes.
pub const MAX_FILE: usize = 16 << 20;

/// Bytes of call stack.
pub(super) const STACK: usize = 128 << 10;

/// Handles of component resources: the contract has none.
pub(super) const HANDLES: usize = 64;

/// CPU time that a parser may take to describe itself.
pub(super) const DESCRIBE_TIME: Duration = Duration::from_millis(50);

/// Bounds on one cell. A parser can not change its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CellLimits {
    /// Linear memory in bytes, of all memories together. Reached: fault `memory`.
    pub memory: usize,
    /// Elements of all its tables together. Reached: fault `memory`.
    pub table_elements: usize,
    /// CPU time of one call into the guest, measured in steps of a millisecond. Reached: fault
    /// `deadline`.
    pub call_time: Duration,
    /// Bytes of one record's body. Reached: fault `bad_record`.
    pub record_bytes: usize,
    /// Records that one call may emit. Reached: fault `record_flood`.
    pub records_per_call: usize,
    /// Bytes of JSON that the records of one call may make. Reached: fault `record_flood`.
    pub output_bytes: usize,
    /// Bytes that a guest may pass to one host function. Reached: fault `host_call`. More than
    /// `record_bytes`, so that a record that is too long is told as such.
    pub host_call_bytes: usize,
    /// Log lines of one flow that are kept; further ones are counted.
    pub log_lines: u32,
    /// Bytes of a log line, or of the reason for `decline` and `fail`, that are kept.
    pub text_bytes: usize,
}

impl Default for CellLimits {
    fn default() -> Self {
        Self {
            memory: 4 << 20,
            table_elements: 10_000,
            // Long enough that no honest parser meets it with 64 KiB to parse, short enough that a
            // hostile one holds a worker up for less than the buffer of a live capture.
            call_time: Duration::from_millis(100),
            record_bytes: 256 << 10,
            // 64 KiB of two-byte lines, and then some.
            records_per_call: 65_536,
            // Many times what 64 KiB of any protocol can honestly say.
            output_bytes: 8 << 20,
            host_call_bytes: 512 << 10,
            log_lines: 16,
            text_bytes: 1024,
        }
    }
}

impl CellLimits {
    /// The limits as rows of `docs/limits.md`: name, value, unit, and what happens at it.
    #[must_use]
    pub fn rows(&self) -> [(&'static str, u128, &'static str, &'static str); 13] {
        let size = |value: usize| value as u128;
        [
            ("memory", size(self.memory), "bytes", "fault `memory`"),
            ("table_elements", size(self.table_elements), "elements", "fault `memory`"),
            ("call_time", self.call_time.as_millis(), "ms of CPU", "fault `deadline`"),
            ("record_bytes", size(self.record_bytes), "bytes", "fault `bad_record`"),
            ("records_per_call", size(self.records_per_call), "records", "fault `record_flood`"),
            ("output_bytes", size(self.output_bytes), "bytes", "fault `record_flood`"),
            ("host_call_bytes", size(self.host_call_bytes), "bytes", "fault `host_call`"),
            ("log_lines", self.log_lines.into(), "lines", "counted as `log_lines_dropped`"),
            ("text_bytes", size(self.text_bytes), "bytes", "the rest is cut off"),
            ("stack (fixed)", size(STACK), "bytes", "fault `stack`"),
            ("handles (fixed)", size(HANDLES), "handles", "fault `trap`"),
            (
                "describe_time (fixed)",
                DESCRIBE_TIME.as_millis(),
                "ms of CPU",
                "the file is refused",
            ),
            ("parser_file (fixed)", size(MAX_FILE), "bytes", "the file is refused"),
        ]
    }
}
