//! Lets log lines of parsers through at a bounded rate: they all go to one terminal.

use std::collections::HashMap;

/// Parsers that are remembered at a time. More only come with as many reloads in a second.
const MOST: usize = 256;

/// What the parsers of one lane have shown in the current second of packet time.
#[derive(Debug, Default)]
pub(super) struct LogGate {
    second: u64,
    lines: HashMap<String, u32>,
}

impl LogGate {
    /// Whether a line of `parser` may be shown, which may show `limit` of them in a second.
    pub(super) fn passes(&mut self, parser: &str, limit: u32, ts: u64) -> bool {
        let second = ts / 1_000_000_000;
        if second > self.second {
            self.second = second;
            self.lines.clear();
        }
        if let Some(lines) = self.lines.get_mut(parser) {
            *lines = lines.saturating_add(1);
            return *lines <= limit;
        }
        if self.lines.len() >= MOST {
            return false;
        }
        self.lines.insert(parser.to_owned(), 1);
        limit > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn each_parser_has_its_lines_in_each_second() {
        let mut gate = LogGate::default();
        assert!(gate.passes("a", 2, SECOND) && gate.passes("a", 2, SECOND));
        assert!(!gate.passes("a", 2, 2 * SECOND - 1));
        assert!(gate.passes("b", 1, SECOND));
        assert!(!gate.passes("c", 0, SECOND));
        assert!(gate.passes("a", 2, 2 * SECOND));
        // Time that goes back grants nothing.
        assert!(gate.passes("a", 2, SECOND));
        assert!(!gate.passes("a", 2, SECOND));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut gate = LogGate::default();
        let shown = (0..1000).filter(|number| gate.passes(&number.to_string(), 1, 0)).count();
        assert_eq!((shown, gate.lines.len()), (MOST, MOST));
    }
}
