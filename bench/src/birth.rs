//! What it costs to make a cell and to drop it, against plain wasmtime.

use std::collections::VecDeque;

use anyhow::Result;
use flowcell::runtime::Engine;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use crate::guest;
use crate::report::Report;
use crate::turns::{Contender, take_turns};

use exports::ParserPre;
use exports::flowcell::parser::types::{
    Address, Endpoint, Flow as PlainFlow, FlowState, Side as PlainSide, Transport as PlainTransport,
};

/// Births in one round.
const BIRTHS: u32 = 2000;
const ROUNDS: u32 = 25;

/// Cells that live while others are born and die, in the second half of the measurement.
const OTHERS: usize = 900;

/// Instances that wasmtime's pools have room for by default.
const POOL: u32 = 1000;

/// What wasmtime makes of the contract, for instances that Flowcell has no part in.
#[allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    elided_lifetimes_in_paths,
    unused_qualifications,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod exports {
    wasmtime::component::bindgen!({ path: "../wit", world: "parser" });
}

/// A component that plain wasmtime is to make instances of.
struct Plain {
    engine: wasmtime::Engine,
    pre: ParserPre<()>,
}

pub(crate) fn run() -> Result<Report> {
    let engine = Engine::new()?;
    let parser = guest::lines(&engine)?.parser;
    let component = wit_component::ComponentEncoder::default()
        .module(&guest::lines_module()?)
        .and_then(|mut encoder| encoder.encode())?;
    let pooled = Plain::new(&component, true)?;
    let on_demand = Plain::new(&component, false)?;
    let mut report = Report::default();
    println!("{:<38} {:>9} {:>9}", "birth to death", "ns", "to cell");
    for (others, suffix) in [(0, ""), (OTHERS, "_among_900")] {
        let mut contenders = [
            ring("cell", others, || guest::cell(&parser)),
            ring("InstancePre, pooling allocator", others, || pooled.birth()),
            ring("InstancePre, on-demand allocator", others, || on_demand.birth()),
        ];
        take_turns(&mut contenders, ROUNDS)?;
        if others > 0 {
            println!("among {others} others that live");
        }
        let [cell, pooled, on_demand] =
            contenders.each_ref().map(|contender| contender.nanoseconds(BIRTHS.into()));
        for (contender, cost) in contenders.iter().zip([cell, pooled, on_demand]) {
            println!("{:<38} {cost:>9.0} {:>8.2}×", contender.name, cost / cell);
        }
        report.figure(format!("ns{suffix}"), Some(cell));
        report.figure(format!("pooled_ns{suffix}"), Some(pooled));
        report.figure(format!("ratio_vs_pooled{suffix}"), Some(pooled / cell));
        report.figure(format!("ratio_vs_on_demand{suffix}"), Some(on_demand / cell));
    }
    Ok(report)
}

/// Lets one be born and the oldest die, again and again, while `others` live.
fn ring<'a, T: 'a>(
    name: &str,
    others: usize,
    mut birth: impl FnMut() -> Result<T> + 'a,
) -> Contender<'a> {
    let mut living = VecDeque::new();
    Contender::new(name, move || {
        for _ in 0..BIRTHS {
            living.push_back(birth()?);
            if living.len() > others {
                living.pop_front();
            }
        }
        Ok(())
    })
}

impl Plain {
    /// wasmtime as it comes, apart from the allocator, and without what the contract has no use for.
    fn new(component: &[u8], pooled: bool) -> Result<Self> {
        let mut config = Config::new();
        config.concurrency_support(false);
        if pooled {
            let mut pool = PoolingAllocationConfig::new();
            // A component of one parser is several core instances and tables.
            pool.total_core_instances(4 * POOL).total_tables(4 * POOL);
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        }
        let engine = wasmtime::Engine::new(&config)?;
        let component = Component::new(&engine, component)?;
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component)?;
        let pre = ParserPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Self { engine, pre })
    }

    /// An instance that has heard of its flow, as a cell has.
    fn birth(&self) -> Result<(Store<()>, exports::Parser)> {
        let mut store = Store::new(&self.engine, ());
        let instance = self.pre.instantiate(&mut store)?;
        let endpoint = |address, port| Endpoint { address: Address::Ipv4(address), port };
        let flow = PlainFlow {
            client: endpoint(0x0a00_0001, 1000),
            server: endpoint(0x0a00_0002, 1),
            transport: PlainTransport::Tcp,
            at: 0,
            state: FlowState::empty(),
            originator: PlainSide::Client,
            context: None,
        };
        instance.call_open(&mut store, &flow)?;
        Ok((store, instance))
    }
}
