//! What a measurement has found.

use serde_json::{Map, Value};

/// The figures of one measurement, by the keys that they have in JSON.
#[derive(Debug, Default)]
pub(crate) struct Report(Map<String, Value>);

impl Report {
    /// Adds a figure; `None` if it could not be measured.
    pub(crate) fn figure(&mut self, key: impl Into<String>, value: Option<f64>) {
        self.0.insert(key.into(), value.map_or(Value::Null, Value::from));
    }

    /// Prints all figures as one JSON object on one line.
    pub(crate) fn print(self) {
        println!("{}", Value::Object(self.0));
    }
}

pub(crate) fn mib(bytes: u64) -> f64 {
    to_float(bytes) / f64::from(1 << 20)
}

/// Exact up to 2^53, far beyond any count here.
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub(crate) fn to_float(count: u64) -> f64 {
    count as f64
}
