//! The conversation that a parser follows.

use crate::datagrams::Datagrams;
use crate::info::{Expectation, FlowInfo, Level, Secrets, Side};
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

    /// The datagrams of both sides, in order of arrival. In the place of [`streams`](Self::streams).
    ///
    /// # Panics
    /// When the streams or datagrams were taken before.
    pub fn datagrams(&mut self) -> Datagrams {
        let (client, server) = self.streams();
        Datagrams::new(client, server)
    }

    /// Endpoints, transport and how the flow began.
    #[must_use]
    pub fn info(&self) -> &FlowInfo {
        &self.info
    }

    /// What records show of passwords and other secrets: `***`, unless the operator asks for them. Whatever
    /// is secret goes through this.
    ///
    /// ```
    /// # use flowcell_sdk::prelude::*;
    /// # #[derive(Record)]
    /// # /// A login.
    /// # struct Login<'a> {
    /// #     /// `***`, or the password where secrets are shown.
    /// #     password: Text<'a>,
    /// # }
    /// # fn login(flow: &Flow, password: &[u8]) {
    /// flow.emit(&Login { password: Text::from(flow.secrets().show(password)) });
    /// # }
    /// ```
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        self.info.secrets
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

    /// Says that a flow is to come between the same two hosts, and who gets it. The first flow to
    /// that endpoint has it, if its first byte comes within 5 minutes. Who expects the same endpoint again
    /// takes back what was said before. At most 32 of a flow wait; the oldest makes room. This
    /// [confirms](Self::confirm), as [`emit`](Self::emit) does.
    ///
    /// # Panics
    /// Without `expects = true` in `#[parser]`.
    pub fn expect(&self, expectation: &Expectation<'_>) {
        self.shared.expect(expectation);
    }

    /// Writes a line for the operator: at most 1,024 bytes, and 16 lines of a flow.
    pub fn log(&self, level: Level, message: &str) {
        self.shared.log(level, message);
    }
}
