//! Not bad at all: what `parsers/template` may become in its next version.
#![cfg(target_arch = "wasm32")]

use flowcell_sdk::prelude::*;
use flowcell_sdk::{ParserDef, running};

/// A line and how long its answer was.
#[derive(Record)]
struct Exchange<'a> {
    /// The line that the client sent, without its line end.
    request: Text<'a>,
    /// Bytes of the line that the server sent, without its line end.
    answered: usize,
}

/// By hand, because `#[parser]` takes the version of the crate.
static PARSER: ParserDef = ParserDef {
    name: "echo",
    version: "2.0.0",
    doc: "The echo protocol, told differently.",
    tcp_ports: &[7],
    udp_ports: &[],
    patterns: &[],
    expects: false,
    records: &[<Exchange<'_> as Record>::SCHEMA],
    start: |flow| running(echo(flow)),
};

async fn echo(mut flow: Flow) -> Result<()> {
    let (mut client, mut server) = flow.streams();
    while let Some(request) = client.get_line().await.or_end()? {
        let answer = server.get_line().await?;
        flow.confirm();
        flow.emit(&Exchange { request: request.text(), answered: answer.bytes().len() });
    }
    Ok(())
}

flowcell_sdk::wasm::export_parser!(PARSER);
