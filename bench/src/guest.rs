//! The parsers that are measured.

use std::fs;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use flowcell::registry::{Compiler, Generation, Handle, Loaded, bundled, load};
use flowcell::runtime::{
    Address, Cell, CellLimits, Chunk, Endpoint, Engine, Flow, FlowState, Input, Parser,
    ParserLimits, Progress, Side, Transport,
};

/// The core module of the parser that counts lines.
pub(crate) fn lines_module() -> Result<Vec<u8>> {
    fs::read(env!("GUEST")).context("the guest that the build made")
}

/// The parser that counts lines.
pub(crate) fn lines(engine: &Engine) -> Result<Loaded> {
    Ok(load(engine, "lines".into(), &lines_module()?, CellLimits::default())?)
}

/// The parser that breaks rules when it is asked to.
pub(crate) fn faulty(engine: &Engine) -> Result<Loaded> {
    let module = fs::read(env!("FAULTY")).context("the guest that the build made")?;
    Ok(load(engine, "faulty".into(), &module, CellLimits::default())?)
}

/// The parsers inside the program.
pub(crate) fn bundled_parsers(engine: &Engine) -> Result<Vec<Loaded>> {
    Ok(bundled(engine, &Compiler::in_process(), &ParserLimits::default(), false)?
        .parsers()
        .to_vec())
}

/// These parsers, for new flows to choose from.
pub(crate) fn handle(parsers: Vec<Loaded>) -> Handle {
    Handle::new(Generation::new(0, parsers))
}

/// A flow to port 1.
pub(crate) fn flow() -> Flow<'static> {
    let endpoint = |address, port| Endpoint { address: Address::Ipv4(address), port };
    Flow {
        client: endpoint(0x0a00_0001, 1000),
        server: endpoint(0x0a00_0002, 1),
        transport: Transport::Tcp,
        at: 0,
        state: FlowState::empty(),
        originator: Side::Client,
        context: None,
    }
}

/// A cell that has heard nothing yet.
pub(crate) fn cell(parser: &Arc<Parser>) -> Result<Cell> {
    Cell::open(parser, flow()).map_err(|dead| anyhow!("{}", dead.fault))
}

/// Delivers the client's bytes at `offset`.
pub(crate) fn deliver(cell: &mut Cell, offset: u64, bytes: &[u8]) -> Result<Progress> {
    let chunk = Chunk { side: Side::Client, offset, at: 0, segments: None, bytes };
    cell.poll(Input::Data(chunk)).map_err(|fault| anyhow!("{fault}"))
}
