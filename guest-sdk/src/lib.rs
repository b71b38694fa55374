//! Write protocol parsers for Flowcell as plain async functions.
//!
//! A parser is one `async fn` that reads what the two endpoints of a flow say, in the order that the
//! protocol prescribes, and emits records. Where bytes have not arrived yet, `.await` suspends it;
//! the host resumes it when they are there. It never sees a packet.
//!
//! ```
//! use flowcell_sdk::prelude::*;
//!
//! /// One request and its answer.
//! #[derive(Record)]
//! struct Exchange<'a> {
//!     /// The line that the client sent.
//!     request: Text<'a>,
//!     /// The line that the server answered.
//!     answer: Text<'a>,
//! }
//!
//! /// Asks in a line, answers in a line.
//! #[parser(name = "ping", tcp = [7], records = [Exchange])]
//! async fn ping(mut flow: Flow) -> Result<()> {
//!     let (mut client, mut server) = flow.streams();
//!     while let Some(request) = client.get_line().await.or_end()? {
//!         let answer = server.get_line().await?;
//!         flow.confirm();
//!         flow.emit(&Exchange { request: request.text(), answer: answer.text() });
//!     }
//!     Ok(())
//! }
//! # fn main() {
//! # use flowcell_sdk::testing::FlowScript;
//! # FlowScript::parse("client 10.0.0.1:1 server 10.0.0.2:7\n> \"hi\\n\"\n< \"ho\\n\"\n= exchange {\"request\":\"hi\",\"answer\":\"ho\"}\n").unwrap().check(&PARSER);
//! # }
//! ```
//!
//! Built for `wasm32-unknown-unknown` this is a complete parser; built natively, its tests run flow
//! scripts (feature `testing`) against it at every split of the bytes.
//!
//! The pieces: [`Flow`] is the conversation and the way to emit; [`ByteStream`] is what one side
//! sends; [`ReadError`] says why a read could not be satisfied; [`Record`] and [`Value`] are what can
//! be emitted; [`Error`] is how a parser ends other than well. Passwords and other secrets go through
//! [`Flow::secrets`] on their way into a record.

extern crate self as flowcell_sdk;

mod batch;
mod cbor;
mod datagrams;
mod error;
mod flow;
mod inbox;
mod info;
mod line;
mod read_error;
mod record;
mod sha256;
mod shared;
mod stream;
mod stream_bulk;
mod stream_io;
mod task;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod wasm;

pub use datagrams::{Datagram, Datagrams};
pub use error::{Error, Result};
pub use flow::Flow;
pub use futures;
pub use info::{Expectation, FlowInfo, Level, MASK, Secrets, Side, Transport};
pub use line::{Line, LinePart};
pub use read_error::{EndReason, Ended, Gap, GapReason, OrEnd, ReadError};
pub use record::{
    Bytes, Element, Field, FieldType, Kind, ParserDef, Pattern, Record, Running, Schema, Text,
    Timestamp, Value,
};
pub use sha256::{Sha256, hex};
pub use stream::{ByteStream, MAX_READ};

#[doc(hidden)]
pub use cbor::Encoder;
#[doc(hidden)]
pub use record::object;
#[doc(hidden)]
pub use task::running;

pub use flowcell_sdk_macros::{Record, parser};

/// What a parser imports: `use flowcell_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::{
        ByteStream, Bytes, Datagram, Datagrams, EndReason, Error, Expectation, Flow, Gap,
        GapReason, Level, Line, OrEnd, ReadError, Record, Result, Secrets, Sha256, Side, Text,
        Timestamp, Transport, parser,
    };
}

/// What drives a parser: the component's exports in a sandbox, a test or a benchmark natively.
pub mod drive {
    pub use crate::shared::{Host, HostCalls};
    pub use crate::task::{Input, Progress, Segment, Task};
}
