//! What people are told beside the records: one line each on standard error.

use std::io::{Write, stderr};
use std::sync::Arc;

/// Where messages for people go. Cheap to clone; threads may share it.
#[derive(Clone)]
pub struct Messages(Arc<dyn Fn(&str) + Send + Sync>);

impl Messages {
    /// To standard error, with the program's name in front.
    #[must_use]
    pub fn to_stderr() -> Self {
        Self::new(|text| {
            // When nobody reads them, messages are lost and the run goes on.
            let _ = writeln!(stderr().lock(), "flowcell: {text}");
        })
    }

    /// To `tell`.
    #[must_use]
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells one line. Control characters are replaced: some of the text comes from guests.
    pub fn tell(&self, text: &str) {
        let clean: String = text
            .chars()
            .map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c })
            .collect();
        (self.0)(&clean.replace('\n', "\n  "));
    }
}

impl std::fmt::Debug for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}
