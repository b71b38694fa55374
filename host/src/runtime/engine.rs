//! The wasmtime engine and the clock that interrupts guests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::clock;
use super::limits::STACK;
use wasmtime::{Config, OptLevel, WasmBacktraceDetails};

/// One tick of the epoch: how often a running guest is looked at.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// One wasmtime engine with its ticker. There is one in a process; parsers hold on to it.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    /// None where fuel takes the place of time.
    ticker: Option<Arc<Ticker>>,
}

impl Engine {
    /// Sets wasmtime up for many small sandboxes of untrusted code.
    ///
    /// # Errors
    /// When wasmtime can not work on this machine, for instance on a processor that it has no
    /// compiler for.
    pub fn new() -> wasmtime::Result<Self> {
        let inner = wasmtime::Engine::new(&compile_config(false))?;
        let ticker = Ticker::start(inner.clone())?;
        Ok(Self { inner, ticker: Some(Arc::new(ticker)) })
    }

    /// As [`new`](Self::new), but what guests may use is counted in instructions: a guest that spins
    /// is stopped at the same one in every run. Costs up to half of the guests' speed.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn deterministic() -> wasmtime::Result<Self> {
        Ok(Self { inner: wasmtime::Engine::new(&compile_config(true))?, ticker: None })
    }

    /// Guests run on fuel instead of time.
    pub(crate) fn is_deterministic(&self) -> bool {
        self.ticker.is_none()
    }

    pub(crate) fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// What machine code depends on. Where a run is to be deterministic, instructions are counted.
fn compile_config(deterministic: bool) -> Config {
    let mut config = Config::new();
    if deterministic {
        config.consume_fuel(true).cranelift_nan_canonicalization(true);
    } else {
        config.epoch_interruption(true);
    }
    config
        .wasm_component_model(true)
        // The poll-shaped contract needs no async component model, which costs 500 ns a call.
        .concurrency_support(false)
        // Less for a hostile module to play with: what the SDK and its peers never use.
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .max_wasm_stack(STACK)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .native_unwind_info(false)
        // A memory is as large as the guest's, and one mapping: the defaults reserve 4 GiB each and
        // end near 16,000 flows.
        .memory_reservation(0)
        // Growing in small steps must not copy the memory at each.
        .memory_reservation_for_growth(1 << 20)
        .memory_guard_size(0)
        .memory_init_cow(false);
    config
}

/// Advances the epoch until it is dropped.
struct Ticker {
    stop: Arc<AtomicBool>,
}

impl Ticker {
    fn start(engine: wasmtime::Engine) -> wasmtime::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        clock::tick();
        std::thread::Builder::new().name("epoch".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                clock::tick();
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
