//! What a delivery costs.

use anyhow::Result;
use flowcell::runtime::Engine;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Store};

use crate::guest;
use crate::report::Report;
use crate::turns::{Contender, take_turns};

/// Bytes of lines delivered in one round, at least; a round has at most so many deliveries.
const BYTES: usize = 4 << 20;
const CALLS: usize = 20_000;
const ROUNDS: u32 = 15;

/// Bytes in one delivery.
const SIZES: [usize; 6] = [1, 100, 500, 1460, 8192, 65_536];

/// With its end.
const LINE: &[u8] = b"MAIL FROM:<one@exa.org>\r\n";

/// The smallest component: one function that does nothing.
const BARE: &str = r#"(component
    (core module $m (func (export "nothing")))
    (core instance $i (instantiate $m))
    (func (export "nothing") (canon lift (core func $i "nothing"))))"#;

pub(crate) fn run() -> Result<Report> {
    let engine = Engine::new()?;
    let parser = guest::lines(&engine)?.parser;
    let text = LINE.repeat(65_536 / LINE.len() + 2);
    let mut contenders = vec![bare_call()?];
    let mut calls = vec![CALLS];
    for size in SIZES {
        let mut cell = guest::cell(&parser)?;
        let (mut offset, mut phase) = (0, 0);
        let count = (BYTES / size).min(CALLS);
        let text = &text;
        calls.push(count);
        contenders.push(Contender::new(format!("{size} bytes"), move || {
            for _ in 0..count {
                // Goes on in the line in which the delivery before has stopped.
                guest::deliver(&mut cell, offset, &text[phase..phase + size])?;
                offset += size as u64;
                phase = (phase + size) % LINE.len();
            }
            Ok(())
        }));
    }
    take_turns(&mut contenders, ROUNDS)?;
    let mut report = Report::default();
    println!("{:<38} {:>9} {:>9} {:>9}", "delivery of 25-byte lines", "ns", "to bare", "ns/line");
    let float = |count: usize| crate::report::to_float(count as u64);
    let bare = contenders[0].nanoseconds(float(CALLS));
    println!("{:<38} {bare:>9.0} {:>8.2}×", contenders[0].name, 1.0);
    report.figure("bare_ns", Some(bare));
    for ((contender, calls), size) in contenders.iter().zip(calls).skip(1).zip(SIZES) {
        let cost = contender.nanoseconds(float(calls));
        let line = cost / float(size) * float(LINE.len());
        // What is less than a line is not to be told by the line.
        let line = if size < LINE.len() { String::new() } else { format!("{line:.1}") };
        println!("{:<38} {cost:>9.0} {:>8.2}× {line:>9}", contender.name, cost / bare);
        report.figure(format!("ns_{size}"), Some(cost));
    }
    Ok(report)
}

fn bare_call() -> Result<Contender<'static>> {
    let mut config = Config::new();
    config.concurrency_support(false).epoch_interruption(true);
    let engine = wasmtime::Engine::new(&config)?;
    let component = Component::new(&engine, wat::parse_str(BARE)?)?;
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    let nothing = instance.get_typed_func::<(), ()>(&mut store, "nothing")?;
    Ok(Contender::new("bare component call", move || {
        for _ in 0..CALLS {
            nothing.call(&mut store, ())?;
        }
        Ok(())
    }))
}
