//! What a file may be made of, and what compiling it may cost.

use std::time::Duration;

use crate::runtime::CellLimitInfo;
use crate::runtime::limits::{ANY, Value, bounds, limit_table};

limit_table! {
    /// Bounds on the compilation of one file.
    struct CompilerLimits;
    /// Address space of the worker.
    memory: u64 = 1 << 30, "bytes", 1 << 24..=ANY => "the worker is ended";
    /// CPU time of the worker; the system counts whole seconds.
    cpu_time: u64 = 10_000, "ms of CPU", 1..=ANY => "the worker is ended";
    /// Time that the worker has by the clock on the wall: more than `cpu_time`, because it gives way
    /// to everybody else.
    wall_time: u64 = 60_000, "ms", 1..=ANY => "the worker is ended";
    /// Machine code and its tables.
    code_bytes: u64 = 64 << 20, "bytes", 1..=ANY => "the file is refused";
    /// All of the cache.
    cache_bytes: u64 = 256 << 20, "bytes", 0..=ANY => "what was not used for longest goes";
    /// Functions of all its modules, imported ones too.
    functions: u64 = 20_000, "functions", 1..=ANY => "the file is refused";
    /// Code of one function. What the compiler needs grows faster than this.
    function_bytes: u64 = 512 << 10, "bytes", 1..=ANY => "the file is refused";
    /// Local variables of one function.
    locals: u64 = 5_000, "variables", 0..=ANY => "the file is refused";
    /// Types, at all depths of the file.
    types: u64 = 10_000, "types", 1..=ANY => "the file is refused";
    /// Imports and exports, at all depths of the file.
    names: u64 = 10_000, "names", 1..=ANY => "the file is refused";
    /// One name of an import, an export or a custom section.
    name_bytes: u64 = 1024, "bytes", 1..=ANY => "the file is refused";
    /// Linear memories of all its modules.
    memories: u64 = 4, "memories", 0..=ANY => "the file is refused";
    /// Tables of all its modules.
    tables: u64 = 8, "tables", 0..=ANY => "the file is refused";
    /// Global variables of all its modules.
    globals: u64 = 10_000, "globals", 0..=ANY => "the file is refused";
    /// Segments that fill tables, and the elements in them.
    elements: u64 = 100_000, "elements", 0..=ANY => "the file is refused";
    /// Segments that fill memories.
    data_segments: u64 = 10_000, "segments", 0..=ANY => "the file is refused";
    /// Core modules in a component.
    modules: u64 = 16, "modules", 1..=ANY => "the file is refused";
    /// Components in a component.
    components: u64 = 16, "components", 0..=ANY => "the file is refused";
    /// How deep components and modules lie in each other.
    nesting: u64 = 4, "levels", 1..=ANY => "the file is refused";
    /// Instances, aliases and functions that components make.
    component_items: u64 = 10_000, "items", 0..=ANY => "the file is refused";
    fixed:
}

impl CompilerLimits {
    /// CPU time as the system counts it.
    pub(super) fn cpu_seconds(&self) -> u64 {
        self.cpu_time.div_ceil(1000).max(1)
    }

    /// Time by the clock on the wall.
    pub(super) fn wall(&self) -> Duration {
        Duration::from_millis(self.wall_time)
    }

    /// As `name=value`, for the worker's command line.
    pub(super) fn settings(&self) -> impl Iterator<Item = String> {
        let value = |name| self.get(name).unwrap_or_default();
        Self::TABLE.iter().map(move |row| format!("{}={}", row.name, value(row.name)))
    }

    /// The defaults, changed by `settings`, each `name=value`.
    ///
    /// # Errors
    /// The first setting that is none.
    pub fn of_settings<'a>(settings: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut limits = Self::default();
        for setting in settings {
            let known = setting
                .split_once('=')
                .and_then(|(name, value)| Some((name, value.parse().ok()?)))
                .is_some_and(|(name, value)| limits.set(name, value));
            if !known {
                return Err(setting.to_owned());
            }
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_set_and_reaches_the_worker() {
        let mut limits = CompilerLimits::default();
        for (index, row) in (7u64..).zip(CompilerLimits::TABLE) {
            assert_eq!(limits.get(row.name), Some(row.default));
            assert!((row.min..=row.max).contains(&row.default), "{}", row.name);
            assert!(limits.set(row.name, index));
        }
        let settings: Vec<String> = limits.settings().collect();
        let there = CompilerLimits::of_settings(settings.iter().map(String::as_str));
        assert_eq!(there, Ok(limits));
    }

    #[test]
    fn what_is_no_setting_is_told() {
        for bad in ["functions", "functions=", "functions=-1", "nonsense=1", ""] {
            let limits = CompilerLimits::of_settings(["tables=1", bad].into_iter());
            assert_eq!(limits, Err(bad.to_owned()));
        }
    }
}
