//! What `parsers/template` must not become in its next version. It wants flows that carry others, too.
#![cfg(target_arch = "wasm32")]

use flowcell_sdk::prelude::*;
use flowcell_sdk::{ParserDef, running};

/// By hand, because `#[parser]` takes the version of the crate.
static PARSER: ParserDef = ParserDef {
    name: "echo",
    version: "3.0.0",
    doc: "The echo protocol, not understood.",
    tcp_ports: &[7],
    udp_ports: &[4789],
    patterns: &[],
    expects: false,
    records: &[],
    start: |flow| running(echo(flow)),
};

async fn echo(flow: Flow) -> Result<()> {
    drop(flow);
    panic!("not this one");
}

flowcell_sdk::wasm::export_parser!(PARSER);
