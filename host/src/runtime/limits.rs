//! How much a cell may use, in one table.
//!
//! As in `flowcell-core`, the fields of [`CellLimits`], their defaults and the rows of
//! [`CellLimits::TABLE`] come from the same lines. Other rooms of the host make their tables in the
//! same way, with `limit_table!`.

use super::guest::SPARES;
use super::names::MAX_NAME;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Longest `.wasm` file that is looked at, in bytes.
pub const MAX_FILE: usize = 16 << 20;

/// Bytes of call stack.
pub(super) const STACK: usize = 128 << 10;

/// Handles of component resources: the contract has none.
pub(super) const HANDLES: usize = 64;

/// CPU time that a parser may take to describe itself, in ms.
const DESCRIBE_MS: u64 = 50;

/// The same as a duration.
pub(super) const DESCRIBE_TIME: Duration = Duration::from_millis(DESCRIBE_MS);

/// What there is to know about one limit of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CellLimitInfo {
    /// The name, as in the field of the table's struct.
    pub name: &'static str,
    /// The value if nobody sets another.
    pub default: u64,
    /// The least value that makes sense.
    pub min: u64,
    /// The largest value that makes sense.
    pub max: u64,
    /// The unit of the value.
    pub unit: &'static str,
    /// What happens when the limit is hit.
    pub action: &'static str,
    /// Whether the value is built in rather than set at run time.
    pub fixed: bool,
}

/// A limit's value in its field's own type.
pub(crate) trait Value {
    fn of(value: u64) -> Self;
    fn value(&self) -> u64;
}

impl Value for u64 {
    fn of(value: u64) -> Self {
        value
    }

    fn value(&self) -> u64 {
        *self
    }
}

impl Value for usize {
    fn of(value: u64) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }

    fn value(&self) -> u64 {
        *self as u64
    }
}

impl Value for u32 {
    fn of(value: u64) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }

    fn value(&self) -> u64 {
        (*self).into()
    }
}

impl Value for Duration {
    fn of(value: u64) -> Self {
        Self::from_millis(value)
    }

    fn value(&self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Makes a struct of limits with its table.
macro_rules! limit_table {
    (
        $(#[$table_doc:meta])+
        struct $table:ident;
        $($(#[$doc:meta])+ $name:ident: $type:ty = $default:expr, $unit:literal, $range:expr
          => $action:literal;)+
        fixed:
        $($fixed:ident = $value:expr, $fixed_unit:literal => $fixed_action:literal;)*
    ) => {
        $(#[$table_doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $table { $($(#[$doc])+ pub $name: $type,)+ }

        impl Default for $table {
            fn default() -> Self {
                Self { $($name: Value::of($default),)+ }
            }
        }

        impl $table {
            /// All limits, those that can be set first.
            pub const TABLE: &'static [CellLimitInfo] = &[
                $(CellLimitInfo {
                    name: stringify!($name), default: $default, unit: $unit, action: $action,
                    min: *bounds(&$range).start(), max: *bounds(&$range).end(), fixed: false,
                },)+
                $(CellLimitInfo {
                    name: stringify!($fixed), default: $value, unit: $fixed_unit,
                    action: $fixed_action, min: $value, max: $value, fixed: true,
                },)*
            ];

            /// Returns the limit of this name, in its unit, unless there is none.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($name) => Some(self.$name.value()),)+
                    _ => None,
                }
            }

            /// Sets the limit of this name, in its unit; returns whether there is one.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = Value::of(value),)+
                    _ => return false,
                }
                true
            }

            /// The larger of the two for each limit.
            #[must_use]
            pub fn widest(self, other: Self) -> Self {
                Self { $($name: self.$name.max(other.$name),)+ }
            }
        }
    };
}

pub(crate) use limit_table;

/// Gives the range its type.
pub(crate) const fn bounds(range: &RangeInclusive<u64>) -> &RangeInclusive<u64> {
    range
}

/// The end of a range that has none.
pub(crate) const ANY: u64 = u64::MAX;

limit_table! {
    /// Bounds on one cell. A parser can not change its own.
    struct CellLimits;
    /// Linear memory in bytes, of all memories together. Reached: fault `memory`.
    memory: usize = 4 << 20, "bytes", 65_536..=1 << 32 => "fault `memory`";
    /// Elements of all its tables together. Reached: fault `memory`.
    table_elements: usize = 10_000, "elements", 1..=u32::MAX as u64 => "fault `memory`";
    /// CPU time of one call into the guest, measured in steps of a millisecond. Reached: fault
    /// `deadline`. Long enough that no honest parser meets it with 64 KiB to parse, short enough that
    /// a hostile one holds a worker up for less than the buffer of a live capture.
    call_time: Duration = 100, "ms of CPU", 1..=ANY => "fault `deadline`";
    /// CPU time of all calls of one flow together. Honest parsers take microseconds of a packet, so
    /// that it is `flow_cpu_per_mib` that they live on. Reached: fault `cpu`.
    flow_cpu: Duration = 2_000, "ms of CPU", 1..=ANY => "fault `cpu`";
    /// What a flow gets on top of that for each MiB delivered to its parser: by default ten times what
    /// a slow parser takes. A delivery counts as 256 bytes at least. Reached: fault `cpu`.
    flow_cpu_per_mib: Duration = 100, "ms of CPU", 0..=ANY => "fault `cpu`, beyond `flow_cpu`";
    /// CPU time that all flows of one parser may take in a second of each worker, when traffic is live.
    /// Reached: the parser gets no new flows for a while.
    parser_cpu: u32 = 900, "ms of CPU", 1..=1_000 =>
        "`throttled`: a new flow gets no parser; only with `-i`";
    /// Bytes of one record's body. Reached: fault `bad_record`.
    record_bytes: usize = 256 << 10, "bytes", 1..=ANY => "fault `bad_record`";
    /// Records that one call may emit, or as many as its packet has brought bytes, if that is more.
    /// Reached: fault `record_flood`.
    records_per_call: usize = 65_536, "records", 1..=ANY => "fault `record_flood`";
    /// Bytes of JSON that the records of one call may make, or 64 times the bytes that its packet has
    /// brought, if that is more. Reached: fault `record_flood`.
    output_bytes: usize = 512 << 10, "bytes", 1..=ANY => "fault `record_flood`";
    /// Records that one flow may emit in a second of packet time, or as many as bytes were delivered
    /// to its parser in that second, if that is more. Reached: fault `record_flood`.
    records_per_second: usize = 100_000, "records", 1..=ANY => "fault `record_flood`";
    /// Bytes of JSON that the records of one flow may make in a second of packet time, or 64 times the
    /// bytes that were delivered to its parser in that second, if that is more. Reached: fault
    /// `record_flood`.
    output_per_second: usize = 64 << 20, "bytes", 1..=ANY => "fault `record_flood`";
    /// Bytes that a guest may pass to one host function. Reached: fault `host_call`. More than
    /// `record_bytes`, so that a record that is too long is told as such.
    host_call_bytes: usize = 512 << 10, "bytes", 1..=ANY => "fault `host_call`";
    /// Log lines of one flow that are kept; further ones are counted.
    log_lines: u32 = 16, "lines", 0..=u32::MAX as u64 => "counted as `log_lines_dropped`";
    /// Log lines of one parser that are shown in a second of packet time, in each of 16 lanes; further
    /// ones are counted. They all go to one terminal.
    log_lines_per_second: u32 = 20, "lines", 0..=u32::MAX as u64 => "counted as `log_lines_dropped`";
    /// Bytes of a log line, or of the reason for `decline` and `fail`, that are kept.
    text_bytes: usize = 1024, "bytes", 0..=ANY => "the rest is cut off";
    fixed:
    stack = STACK as u64, "bytes" => "fault `stack`";
    handles = HANDLES as u64, "handles" => "fault `trap`";
    spares = SPARES as u64, "instances of a parser" => "freed with the flow, not kept for the next one";
    describe_time = DESCRIBE_MS, "ms of CPU" => "the file is refused";
    function_name = MAX_NAME as u64, "bytes" => "the file is refused";
    parser_file = MAX_FILE as u64, "bytes" => "the file is refused";
}

/// The limits of every parser's cells. What is said here is the operator's: no host function reads or
/// writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParserLimits {
    /// Of parsers that have none of their own.
    pub all: CellLimits,
    /// Of single parsers, by the name that they call themselves.
    pub by_parser: BTreeMap<String, CellLimits>,
    /// How many workers share the time of a processor that traffic does not wait for; none if it does.
    pub live_workers: Option<NonZeroU32>,
}

impl From<CellLimits> for ParserLimits {
    fn from(all: CellLimits) -> Self {
        Self { all, ..Self::default() }
    }
}

impl ParserLimits {
    /// Those of the parser of this name.
    #[must_use]
    pub fn of(&self, parser: &str) -> CellLimits {
        self.by_parser.get(parser).copied().unwrap_or(self.all)
    }

    /// What any parser may have: for one that has not yet said its name.
    pub(super) fn widest(&self) -> CellLimits {
        self.by_parser.values().fold(self.all, |widest, limits| widest.widest(*limits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn get_and_set_reach_every_row() {
        let mut limits = CellLimits::default();
        for row in CellLimits::TABLE.iter().filter(|row| !row.fixed) {
            assert_eq!(limits.get(row.name), Some(row.default));
            assert!((row.min..=row.max).contains(&row.default), "{}", row.name);
            assert!(limits.set(row.name, 77_777));
            assert_eq!(limits.get(row.name), Some(77_777));
        }
        assert_eq!(limits.get("stack"), None);
        assert!(!limits.set("stack", 1));
    }

    #[test]
    fn a_parser_has_its_own_limits_or_those_of_all() {
        let mut limits = ParserLimits::from(CellLimits { memory: 100, ..CellLimits::default() });
        let own = CellLimits { memory: 50, log_lines: 99, ..CellLimits::default() };
        limits.by_parser.insert("smtp".into(), own);
        assert_eq!((limits.of("smtp"), limits.of("dns")), (own, limits.all));
        let widest = limits.widest();
        assert_eq!((widest.memory, widest.log_lines), (100, 99));
    }
}
