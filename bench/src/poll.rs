//! What a delivery costs.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use flowcell::registry::load;
use flowcell::runtime::{
    Address, Cell, CellLimits, Chunk, Endpoint, Engine, Flow, Input, Side, Transport,
};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Store};

/// Calls in one round; the best of the rounds counts, because the machine may be shared.
const CALLS: u32 = 200_000;
const ROUNDS: usize = 9;

/// The smallest component: one function that does nothing.
const BARE: &str = r#"(component
    (core module $m (func (export "nothing")))
    (core instance $i (instantiate $m))
    (func (export "nothing") (canon lift (core func $i "nothing"))))"#;

pub(crate) fn run() -> Result<()> {
    let bare = bare_call()?;
    println!("{:<38} {:>8.0} ns  1.00×", "bare component call", bare);
    let line: Vec<u8> = b"MAIL FROM:<someone@ex.com>\n"[..].into();
    let cases = [
        ("empty line", b"\n".to_vec()),
        ("100 bytes of 27-byte lines", line.repeat(4)[..100].to_vec()),
        ("1460 bytes of 27-byte lines", line.repeat(55)[..1460].to_vec()),
    ];
    for (name, bytes) in cases {
        let cost = poll(&bytes)?;
        println!("{:<38} {:>8.0} ns  {:.2}×", format!("poll, {name}"), cost, cost / bare);
    }
    Ok(())
}

/// Nanoseconds of one call, the best of several rounds.
fn best(mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            call()?;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    Ok(best)
}

fn bare_call() -> Result<f64> {
    let mut config = Config::new();
    config.concurrency_support(false).epoch_interruption(true);
    let engine = wasmtime::Engine::new(&config)?;
    let component = Component::new(&engine, wat::parse_str(BARE)?)?;
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    let nothing = instance.get_typed_func::<(), ()>(&mut store, "nothing")?;
    best(|| Ok(nothing.call(&mut store, ())?))
}

fn poll(bytes: &[u8]) -> Result<f64> {
    let module = fs::read(env!("GUEST")).context("the guest that the build made")?;
    let engine = Engine::new()?;
    let parser = load(&engine, "guest".into(), &module, CellLimits::default())?.parser;
    let endpoint = |address, port| Endpoint { address: Address::Ipv4(address), port };
    let flow = Flow {
        client: endpoint(0x0a00_0001, 1000),
        server: endpoint(0x0a00_0002, 1),
        transport: Transport::Tcp,
        at: 0,
        midstream: false,
        originator: Side::Client,
    };
    let mut cell =
        Cell::open(&Arc::clone(&parser), flow).map_err(|dead| anyhow!("{}", dead.fault))?;
    let mut offset = 0;
    best(|| {
        let chunk = Chunk { side: Side::Client, offset, at: 0, segments: None, bytes };
        offset += bytes.len() as u64;
        cell.poll(Input::Data(chunk)).map_err(|fault| anyhow!("{fault}"))?;
        Ok(())
    })
}
