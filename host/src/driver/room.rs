//! How much the cells of a run may have together.

use crate::runtime::CellLimitInfo;

/// Bounds on all cells of a run together. Each lane has a share of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Room {
    /// Cells at a time, parked ones included.
    pub cells: u64,
    /// Bytes of memory of all cells.
    pub memory_in_all: u64,
    /// Bytes of memory of all cells of one parser.
    pub memory_of_parser: u64,
    /// How long a flow is quiet, in packet time, before its cell is parked.
    pub park_after_ms: u64,
}

const fn row(
    name: &'static str,
    default: u64,
    unit: &'static str,
    [min, max]: [u64; 2],
    action: &'static str,
) -> CellLimitInfo {
    CellLimitInfo { name, default, min, max, unit, action, fixed: false }
}

const NEVER: u64 = u64::MAX;

impl Room {
    /// All of them, with their defaults.
    pub const TABLE: &'static [CellLimitInfo] = &[
        row(
            "cells",
            2_000_000,
            "cells at a time",
            [1, u32::MAX as u64],
            "`no_room`: the flow gets no parser",
        ),
        row(
            "memory_in_all",
            8 << 30,
            "bytes",
            [1 << 20, NEVER],
            "the longest quiet cells are parked; then `no_room`, and fault `capacity` for a cell that grows",
        ),
        row(
            "memory_of_parser",
            6 << 30,
            "bytes",
            [1 << 20, NEVER],
            "the longest quiet cells are parked; then `no_room`, and fault `memory` for a cell that grows",
        ),
        row("park_after_ms", 5_000, "ms", [0, NEVER], "the cell is parked until its flow goes on"),
    ];

    /// Returns the value of this name, unless there is none.
    #[must_use]
    pub fn get(mut self, name: &str) -> Option<u64> {
        self.field(name).copied()
    }

    /// Sets the value of this name; returns whether there is one.
    pub fn set(&mut self, name: &str, value: u64) -> bool {
        self.field(name).map(|field| *field = value).is_some()
    }

    fn field(&mut self, name: &str) -> Option<&mut u64> {
        match name {
            "cells" => Some(&mut self.cells),
            "memory_in_all" => Some(&mut self.memory_in_all),
            "memory_of_parser" => Some(&mut self.memory_of_parser),
            "park_after_ms" => Some(&mut self.park_after_ms),
            _ => None,
        }
    }

    /// One of so many shares.
    #[must_use]
    pub fn share(self, parts: u64) -> Self {
        let Self { cells, memory_in_all, memory_of_parser, park_after_ms } = self;
        let part = |value: u64| value / parts.max(1);
        Self {
            cells: part(cells),
            memory_in_all: part(memory_in_all),
            memory_of_parser: part(memory_of_parser),
            park_after_ms,
        }
    }
}

impl Default for Room {
    fn default() -> Self {
        let mut room = Self { cells: 0, memory_in_all: 0, memory_of_parser: 0, park_after_ms: 0 };
        for row in Self::TABLE {
            room.set(row.name, row.default);
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_and_set() {
        let mut room = Room::default();
        for row in Room::TABLE {
            assert_eq!(room.get(row.name), Some(row.default));
            assert!(row.default > 0 && (row.min..=row.max).contains(&row.default), "{}", row.name);
            assert!(room.set(row.name, 77));
            assert_eq!(room.get(row.name), Some(77));
        }
        assert!(!room.set("memory", 1));
    }
}
