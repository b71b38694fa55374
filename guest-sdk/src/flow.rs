//! The conversation that a parser follows.

use crate::info::{FlowInfo, Level, Side};
use crate::record::{Record, Timestamp};
use crate::shared::Handle;
use crate::stream::ByteStream;

/// The conversation that a parser follows, and its way to say what it found.
#[derive(Debug)]
pub struct Flow {
    shared: Handle,
    info: FlowInfo,
    streams_taken: bool,
}

impl Flow {
    pub(crate) fn new(shared: Handle, info: FlowInfo) -> Self {
        Self { shared, info, streams_taken: false }
    }

    /// The two sides, client first.
    ///
    /// # Panics
    /// When called a second time: a byte can be read once.
    pub fn streams(&mut self) -> (ByteStream, ByteStream) {
        assert!(!self.streams_taken, "Flow::streams() is called once");
        self.streams_taken = true;
        let stream = |side| ByteStream::new(side, Handle::clone(&self.shared));
        (stream(Side::Client), stream(Side::Server))
    }

    /// Endpoints, transport and how the flow began.
    #[must_use]
    pub fn info(&self) -> &FlowInfo {
        &self.info
    }

    /// Time of the packet being parsed.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// Says "this is my protocol". Saying it again does nothing.
    pub fn confirm(&self) {
        self.shared.confirm();
    }

    /// Emits one record.
    ///
    /// # Panics
    /// When `R` is not in the `records` list of `#[parser]`.
    pub fn emit<R: Record>(&self, record: &R) {
        self.shared.emit(record);
    }

    /// Writes a line for the operator: at most 1,024 bytes, and 16 lines of a flow.
    pub fn log(&self, level: Level, message: &str) {
        self.shared.log(level, message);
    }
}
