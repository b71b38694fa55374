//! How much `--repro-dir` may take, in one table.

/// What there is to know about one of these limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReproLimitInfo {
    /// The name, as in the field of [`ReproLimits`].
    pub name: &'static str,
    /// The value if nobody sets another.
    pub default: u64,
    /// The least value that makes sense.
    pub min: u64,
    /// The largest value that makes sense.
    pub max: u64,
    /// The unit of the value.
    pub unit: &'static str,
    /// The counter, among those of `repro`, that says how often it was hit.
    pub counter: &'static str,
    /// What happens then.
    pub action: &'static str,
}

macro_rules! repro_limits {
    ($($(#[$doc:meta])+ $name:ident = $default:expr, $unit:literal, $min:expr, $max:expr,
        $counter:literal => $action:literal;)+) => {
        /// Bounds on what is kept for bundles, in memory and in their folder.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct ReproLimits { $($(#[$doc])+ pub $name: u64,)+ }

        impl Default for ReproLimits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl ReproLimits {
            /// All of them.
            pub const TABLE: &'static [ReproLimitInfo] = &[$(ReproLimitInfo {
                name: stringify!($name), default: $default, min: $min, max: $max, unit: $unit,
                counter: $counter, action: $action,
            },)+];

            /// Sets the limit of this name, in its unit; returns whether there is one.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = value,)+
                    _ => return false,
                }
                true
            }
        }
    };
}

repro_limits! {
    /// Bytes that are kept of what one flow's parser was given. A delivery takes its bytes and 128 more.
    repro_bytes = 1 << 20, "bytes", 0, 64 << 20, "cut"
        => "keep nothing further of the flow; its bundle says what is missing";
    /// The same of all flows that have a parser, together. A flow may have the more the more is left.
    /// Bundles on their way to the folder come on top: those of the batches that are under way.
    repro_total = 256 << 20, "bytes", 0, u64::MAX, "cut"
        => "keep nothing further of the flow; its bundle says what is missing";
    /// Bundles in the folder, those of earlier runs included.
    repro_bundles = 100, "files", 0, 100_000, "left_out"
        => "write the bundle only if it shows a new kind of fault, in the place of one that does not";
    /// Bytes of the bundles in the folder, and of the parsers beside them.
    repro_dir_bytes = 256 << 20, "bytes", 0, u64::MAX, "left_out"
        => "write the bundle only if it shows a new kind of fault, in the place of one that does not";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_set() {
        for row in ReproLimits::TABLE {
            let mut limits = ReproLimits::default();
            assert!((row.min..=row.max).contains(&row.default), "{}", row.name);
            assert!(limits.set(row.name, 77));
            assert_ne!(limits, ReproLimits::default(), "{}", row.name);
        }
        assert!(!ReproLimits::default().set("memory", 1));
    }
}
