//! How much the cells of a run may have together.

use crate::runtime::CellLimitInfo;
use crate::runtime::limits::{ANY, Value, bounds, limit_table};

limit_table! {
    /// Bounds on all cells of a run together. Each lane has a share of them.
    struct Room;
    /// Cells at a time, parked ones included.
    cells: u64 = 2_000_000, "cells at a time", 1..=u32::MAX as u64
        => "`no_room`: the flow gets no parser";
    /// Bytes of memory of all cells.
    memory_in_all: u64 = 8 << 30, "bytes", 1 << 20..=ANY
        => "the longest quiet cells are parked; then `no_room`, and fault `capacity` for a cell that grows";
    /// Bytes of memory of all cells of one parser.
    memory_of_parser: u64 = 6 << 30, "bytes", 1 << 20..=ANY
        => "the longest quiet cells are parked; then `no_room`, and fault `memory` for a cell that grows";
    /// How long a flow is quiet, in packet time, before its cell is parked.
    park_after_ms: u64 = 5_000, "ms", 0..=ANY => "the cell is parked until its flow goes on";
    /// Bytes of memory of all cells below which none is parked because its flow is quiet: most flows
    /// end soon, and parking costs more than their memory is worth.
    park_above: u64 = 128 << 20, "bytes", 0..=ANY => "cells are parked after `park_after_ms`";
    /// Bytes that are held while the parsers of flows are being found.
    search_bytes: u64 = 256 << 20, "bytes", 1 << 16..=ANY
        => "patterns are not waited for (the ports decide), and candidates have their flows for good";
    /// Flows that parsers have said are to come.
    expected_flows: u64 = 20_000, "flows at a time", 1..=u32::MAX as u64
        => "counted as `forgotten`: the one that is expected longest is not expected any more";
    fixed:
    search_window = flowcell_contract::WINDOW as u64, "bytes of a side"
        => "patterns are not looked for any further: the ports decide";
    search_datagrams = flowcell_contract::DATAGRAMS as u64, "datagrams of a side"
        => "patterns are not looked for in further ones";
    search_candidates = crate::registry::CANDIDATES as u64, "parsers that may try a flow"
        => "no further one gets it";
    search_replay = super::pursuit::MAX_HELD as u64, "bytes of a flow"
        => "a parser that has not said whether it is its protocol has the flow for good";
    handed_over = super::worker::HANDED_OVER as u64, "times that a flow is handed over"
        => "the next parser that is named does not get it";
    handed_bytes = crate::runtime::MAX_HANDED as u64, "bytes of a side that are handed back"
        => "fault `host_call`";
    expected_of_flow = super::expectations::OF_A_FLOW as u64, "flows that a flow expects at a time"
        => "counted as `forgotten`: the one that it expects longest is not expected any more";
    expected_ms = super::expectations::PATIENCE_MS, "ms that a flow is expected"
        => "counted as `expired`: it is a flow like others";
}

impl Room {
    /// One of so many shares.
    #[must_use]
    pub fn share(self, parts: u64) -> Self {
        let Self {
            cells,
            memory_in_all,
            memory_of_parser,
            park_after_ms,
            park_above,
            search_bytes,
            expected_flows,
        } = self;
        let part = |value: u64| value / parts.max(1);
        Self {
            cells: part(cells),
            memory_in_all: part(memory_in_all),
            memory_of_parser: part(memory_of_parser),
            park_after_ms,
            park_above: part(park_above),
            search_bytes: part(search_bytes),
            expected_flows: part(expected_flows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_and_set() {
        let mut room = Room::default();
        for row in Room::TABLE.iter().filter(|row| !row.fixed) {
            assert_eq!(room.get(row.name), Some(row.default));
            assert!(row.default > 0 && (row.min..=row.max).contains(&row.default), "{}", row.name);
            assert!(room.set(row.name, 77));
            assert_eq!(room.get(row.name), Some(77));
        }
        assert!(!room.set("memory", 1));
    }
}
