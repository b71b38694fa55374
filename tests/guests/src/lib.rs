//! What the misbehaving parsers share.
//!
//! `examples/` has one parser a file, built for wasm by `tests/build.rs`; `raw/` has those that
//! break what Rust and the SDK would not let them break, as WebAssembly text. All of them want the
//! flows of TCP port 9 and have the name of their file. A file here without a test in
//! `tests/tests/bad_guests` fails to compile.

pub mod orders;

use flowcell_sdk::Text;
use flowcell_sdk::prelude::*;

/// One line of what a parser saw or did.
#[derive(Debug, Record)]
pub struct Note<'a> {
    /// What it was.
    pub text: Text<'a>,
    /// A number that belongs to it.
    pub number: u64,
}

impl<'a> Note<'a> {
    /// A note to emit.
    #[must_use]
    pub fn new(text: &'a str, number: u64) -> Self {
        Self { text: Text::from(text), number }
    }
}

/// The host's functions without the SDK around them.
#[cfg(target_arch = "wasm32")]
pub use flowcell_sdk::wasm::bindings::flowcell::parser::host;

/// The host's functions, so that the parsers also build natively. They are never called there.
#[cfg(not(target_arch = "wasm32"))]
#[expect(missing_docs, reason = "as in the contract")]
pub mod host {
    #[derive(Debug)]
    pub enum Side {
        Client,
        Server,
    }

    pub fn emit(_kind: u32, _body: &[u8]) {}

    pub fn skip(_side: Side, _bytes: u64) {}

    pub fn done(_side: Side) {}

    pub fn segment(_index: u32) {}
}

/// The pieces for a parser that implements the contract's exports by hand.
#[cfg(target_arch = "wasm32")]
pub mod by_hand {
    pub use flowcell_sdk::wasm::bindings::flowcell::parser::description_types::{
        Field, Kind, Pattern, Schema,
    };
    pub use flowcell_sdk::wasm::bindings::flowcell::parser::types::{
        Address, Chunk, End, Endpoint, Expectation, Gap, Side, Transport,
    };
    pub use flowcell_sdk::wasm::{Description, Guest, WireFlow, WireInput, WireProgress, export};

    /// A field with nothing special.
    #[must_use]
    pub fn field(name: &str, kind: Kind) -> Field {
        Field { name: name.into(), doc: String::new(), kind, optional: false, repeated: false }
    }

    /// A record or object with these fields.
    #[must_use]
    pub fn schema(name: &str, fields: Vec<Field>) -> Schema {
        Schema { name: name.into(), doc: String::new(), fields }
    }

    /// How a side begins, over TCP.
    #[must_use]
    pub fn pattern(side: Side, regex: &str) -> Pattern {
        Pattern { transport: Transport::Tcp, side, regex: regex.into() }
    }

    /// A flow to that port of 10.0.0.2, with a context of so many bytes.
    #[must_use]
    pub fn expectation(parser: &str, port: u16, context: usize) -> Expectation {
        let server = Endpoint { address: Address::Ipv4(0x0a00_0002), port };
        let context = vec![b'c'; context];
        Expectation { parser: parser.into(), transport: Transport::Tcp, server, context }
    }

    /// A description that wants TCP port 9.
    #[must_use]
    pub fn description(name: &str, records: Vec<Schema>) -> Description {
        Description {
            name: name.into(),
            version: "0.1.0".into(),
            doc: String::new(),
            tcp_ports: vec![9],
            udp_ports: Vec::new(),
            patterns: Vec::new(),
            records,
            objects: Vec::new(),
            segments: false,
            expects: false,
        }
    }
}

/// Exports `Component`, which implements [`by_hand::Guest`].
#[cfg(target_arch = "wasm32")]
#[macro_export]
macro_rules! export_component {
    () => {
        #[allow(unsafe_code, reason = "exported symbols of the component")]
        const _: () = {
    $crate::by_hand::export!(Component with_types_in ::flowcell_sdk::wasm::bindings);
        };
    };
}
