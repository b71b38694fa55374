//! What `parsers/template` must not become in its next version.
#![cfg(target_arch = "wasm32")]

use flowcell_sdk::prelude::*;
use flowcell_sdk::{ParserDef, running};

/// By hand, because `#[parser]` takes the version of the crate.
static PARSER: ParserDef = ParserDef {
    name: "echo",
    version: "3.0.0",
    doc: "The echo protocol, not understood.",
    tcp_ports: &[7],
    udp_ports: &[],
    records: &[],
    start: |flow| running(echo(flow)),
};

async fn echo(mut flow: Flow) -> Result<()> {
    let (mut client, _server) = flow.streams();
    let line = client.get_line().await?;
    panic!("a line of {} bytes", line.bytes().len());
}

flowcell_sdk::wasm::export_parser!(PARSER);
